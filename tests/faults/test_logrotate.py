"""logrotate moves, or copies and empties, the file below handlers that are writing.

logrotate itself does it where it is installed or ``scripts/get_logrotate.sh`` can fetch it; its steps are done by hand
as well.
"""

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

import duramen as logging
from duramen import handlers

pytestmark = pytest.mark.skipif(os.name == "nt", reason="open files are not renamed there")

ROOT = Path(__file__).parents[2]
KINDS = {
    "FileHandler": {},
    "RotatingFileHandler": {"maxBytes": 10**9, "backupCount": 3},
    "TimedRotatingFileHandler": {"when": "midnight"},
    "WatchedFileHandler": {},
}

FOLLOWING = [kind for kind in KINDS if kind != "FileHandler"]


def by_hand(path, way):
    """What logrotate does, step by step."""
    if way == "create":
        path.rename(f"{path}.1")
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_EXCL, 0o644))
    else:
        shutil.copyfile(path, f"{path}.1")
        os.truncate(path, 0)


def by_logrotate(path, way):
    script = ROOT / "scripts" / "get_logrotate.sh"
    found = subprocess.run([script], capture_output=True, text=True, timeout=120)
    if found.returncode:
        pytest.skip("there is no logrotate")
    configuration = path.with_name("logrotate.conf")
    configuration.write_text(f"{path} {{\n rotate 5\n {way}\n}}\n")
    configuration.chmod(0o644)
    state = path.with_name("logrotate.state")
    subprocess.run(
        [*found.stdout.split(), "--force", "--state", state, configuration], check=True, timeout=60
    )


def logging_to(kind, path):
    handler = getattr(logging if kind == "FileHandler" else handlers, kind)(path, **KINDS[kind])
    logger = logging.Logger("rotated")
    logger.addHandler(handler)
    return logger, handler


@pytest.mark.parametrize("rotate", [by_hand, by_logrotate])
@pytest.mark.parametrize("warmed", [False, True], ids=["first records", "after many"])
@pytest.mark.parametrize("kind", FOLLOWING)
def test_after_create_the_handlers_follow_within_100_milliseconds(tmp_path, kind, warmed, rotate):
    path = tmp_path / "app.log"
    logger, handler = logging_to(kind, path)
    for number in range(300 if warmed else 1):
        logger.warning("before %d", number)
    rotate(path, "create")
    moved = (tmp_path / "app.log.1").stat().st_ino
    time.sleep(0.1)
    logger.warning("after")
    assert path.read_text() == "after\n"
    assert (tmp_path / "app.log.1").stat().st_ino == moved
    assert (tmp_path / "app.log.1").read_text().endswith("before 299\n" if warmed else "before 0\n")
    handler.close()


@pytest.mark.parametrize("way", ["native", "python", "queued"])
@pytest.mark.parametrize("kind", ["FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler"])
def test_what_was_renamed_and_has_no_successor_is_gone_on_with(tmp_path, kind, way):
    # As with the standard library: the program that has renamed it says when the handler is to leave it.
    path = tmp_path / "app.log"
    logger, handler = logging_to(kind, path)
    if way == "python":
        handler.addFilter(lambda record: True)
    elif way == "queued":
        logger.removeHandler(handler)
        logger.addHandler(handlers.AsyncHandler(handler))
    logger.warning("before")
    if way == "queued":
        logger.handlers[0].flush()
    path.rename(tmp_path / "moved")
    time.sleep(0.1)  # longer than a handler goes on without a look at the path
    logger.warning("between")
    if way == "queued":
        logger.handlers[0].close()
    handler.close()
    assert not path.exists()
    assert (tmp_path / "moved").read_text() == "before\nbetween\n"


@pytest.mark.parametrize("way", ["native", "python"])
def test_nothing_is_lost_while_the_file_is_moved_again_and_again(tmp_path, way):
    path = tmp_path / "app.log"
    logger, handler = logging_to("RotatingFileHandler", path)
    if way == "python":
        handler.addFilter(lambda record: True)
    done = threading.Event()
    written = []

    def write():
        while not done.is_set():
            logger.warning("record %d of some length", len(written))
            written.append(None)

    thread = threading.Thread(target=write)
    thread.start()
    for number in range(10):
        while not path.exists() or path.stat().st_size == 0:
            time.sleep(0.001)
        (tmp_path / "new").touch()
        path.rename(tmp_path / f"moved.{number}")
        (tmp_path / "new").rename(path)
    done.set()
    thread.join()
    handler.close()
    lines = [line for file in tmp_path.iterdir() for line in file.read_text().splitlines()]
    assert sorted(lines) == sorted(f"record {number} of some length" for number in range(len(written)))


@pytest.mark.parametrize("rotate", [by_hand, by_logrotate])
@pytest.mark.parametrize("kind", KINDS)
def test_after_copytruncate_there_is_no_hole_and_nothing_mangled(tmp_path, kind, rotate):
    path = tmp_path / "app.log"
    logger, handler = logging_to(kind, path)
    for number in range(200):
        logger.warning("before %d", number)
    rotate(path, "copytruncate")
    for number in range(200):
        logger.warning("after %d", number)
    assert path.read_text() == "".join(f"after {number}\n" for number in range(200))
    assert (tmp_path / "app.log.1").read_text() == "".join(f"before {number}\n" for number in range(200))
    handler.close()


def test_what_was_emptied_counts_as_empty_for_the_size(tmp_path):
    path = tmp_path / "app.log"
    handler = handlers.RotatingFileHandler(path, maxBytes=2000, backupCount=1)
    logger = logging.Logger("rotated")
    logger.addHandler(handler)
    for number in range(200):
        logger.warning("before %d", number)
        if number == 150:
            os.truncate(path, 0)
    handler.close()
    assert not (tmp_path / "app.log.1").exists()
    assert path.read_text() == "".join(f"before {number}\n" for number in range(151, 200))
