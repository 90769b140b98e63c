"""Fixtures: the stack's environment, and a workbench for each implementation of logging."""

from pathlib import Path

import pytest

import duramen
from stack.environment import prepared_python, redis_server
from stack.workbench import Workbench

SUPPORT = Path(__file__).parent / "support"


@pytest.fixture(scope="session")
def python():
    """The interpreter that has the packages of `requirements.txt`."""
    return prepared_python()


@pytest.fixture(scope="session")
def search_path(tmp_path_factory):
    """Folders for PYTHONPATH: the Duramen that this test run imports, alone, and the support code."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / "duramen").symlink_to(Path(duramen.__file__).parent)
    return folder, SUPPORT


@pytest.fixture(params=["stdlib", "duramen"])
def stack(request, python, search_path, tmp_path):
    """A workbench; each test runs on the standard library and under Duramen, and asserts the same."""
    workbench = Workbench(python, request.param, tmp_path, search_path)
    yield workbench
    workbench.close()


@pytest.fixture
def redis_socket(stack):
    """The socket of a Redis server of the test's own: a path in the folder of the workbench."""
    program = redis_server()
    if program is None:
        pytest.skip("there is no redis-server, and Debian's package cannot be installed here")
    # No port, which another program could have taken; relative, since the path of a socket may not be long.
    path = "redis.sock"
    server = stack.start_command(program, "--port", "0", "--unixsocket", path, "--save", "")
    server.wait_for("(?i)ready to accept connections")
    return path
