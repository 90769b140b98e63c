"""Fixtures: the stack's environment, and a workbench for each implementation of logging."""

import socket
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
def redis_port(stack):
    """The port of a Redis server of the test's own."""
    program = redis_server()
    if program is None:
        pytest.skip("there is no redis-server, and Debian's package cannot be installed here")
    # Redis takes no port 0: it listens on a port that was free a moment ago.
    port = free_port()
    server = stack.start_command(
        program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", stack.folder
    )
    server.wait_for("Ready to accept connections")
    return port


def free_port():
    """A port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
