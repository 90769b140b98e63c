"""Extensions with a ``log`` of their own: a small one is built, and what it logs reaches the loggers of the process."""

import pathlib
import shutil
import subprocess
import sys

import pytest

import duramen

ROOT = pathlib.Path(__file__).parents[2]
CRATE = pathlib.Path(__file__).parent / "logging_extension"

PROGRAM = """
import ctypes, sys
import duramen
if sys.argv[2] == "installed":
    duramen.install()
    import logging
else:
    import duramen as logging
from duramen.formatters import JsonFormatter

handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(JsonFormatter(fields=["name", "levelname", "message", "filename", "threadName"]))
logging.getLogger().addHandler(handler)
logging.getLogger("shop").setLevel("INFO")
extension = ctypes.PyDLL(sys.argv[1])
assert extension.begin() == 1
extension.work(17)
# Without the interpreter, which the other thread needs.
ctypes.CDLL(sys.argv[1]).work_apart()
logging.getLogger("shop.engine").addFilter(lambda record: "18" not in record.getMessage())
extension.work(18)
logging.getLogger().handlers.append(None)
extension.work(19)
"""


@pytest.fixture(scope="module")
def extension():
    if shutil.which("cargo") is None:
        pytest.skip("there is no cargo")
    target = ROOT / "build" / "extensions"
    subprocess.run(
        [
            "cargo",
            "build",
            "--quiet",
            "--locked",
            "--manifest-path",
            CRATE / "Cargo.toml",
            "--target-dir",
            target,
        ],
        check=True,
    )
    (built,) = (
        target / "debug" / name
        for name in ("liblogging_extension.so", "liblogging_extension.dylib", "logging_extension.dll")
        if (target / "debug" / name).exists()
    )
    return built


@pytest.mark.parametrize("way", ["installed", "imported"])
def test_what_an_extension_logs_reaches_the_loggers(extension, way):
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, extension, way], capture_output=True, text=True, timeout=60
    )
    first, second, third = finished.stdout.splitlines()
    assert first == (
        '{"name": "shop.engine", "levelname": "WARNING", "message": "order 17 of pe\u00e4rs", "filename": "lib.rs", '
        '"threadName": "MainThread", "order": "7", "name_": "pears"}'
    )
    assert '"ERROR", "message": "from a thread", "filename": "lib.rs", "threadName": "Dummy-1"' in second
    assert "order 19" in third
    # An error in the process's own logging is told, and does not reach the extension.
    assert finished.returncode == 0 and "AttributeError" in finished.stderr


def test_the_page_shows_the_code_that_is_tested():
    page = (ROOT / "docs" / "extensions.md").read_text()
    code = (CRATE / "src" / "forwarding.rs").read_text()
    assert code in page


def test_the_capsule_has_its_name():
    from duramen import extensions

    assert 'duramen.extensions.forwarder"' in repr(extensions.forwarder)
    assert duramen.is_installed() is False
