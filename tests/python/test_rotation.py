"""The keyword-only options of the handlers that roll over: what becomes of backups."""

import datetime
import gzip
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

import duramen as logging
from duramen import handlers

LINE = "x" * 15


def logging_to(handler):
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.Logger("rotated")
    logger.addHandler(handler)
    return logger


@pytest.fixture
def tmp_path(tmp_path):
    """In memory where that can be had: an end waits 5 seconds for backups, and a busy disk may take longer."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="duramen-") as folder:
        yield Path(folder)


def names(folder):
    return sorted(os.listdir(folder))


def read(path):
    return (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()


def test_backups_are_compressed_and_the_oldest_go_to_the_archive(tmp_path):
    told = []
    handler = handlers.RotatingFileHandler(
        tmp_path / "app.log",
        maxBytes=20,
        backupCount=2,
        compression="gzip",
        archive_to=tmp_path / "archive",
        symlink=tmp_path / "current",
        on_rotate=told.append,
    )
    logger = logging_to(handler)
    for number in range(5):
        logger.warning("%d%s", number, LINE)
        assert handler.upkeep.wait(60)
    assert names(tmp_path) == ["app.log", "app.log.1.gz", "app.log.2.gz", "archive", "current"]
    assert read(tmp_path / "app.log.1.gz") == f"3{LINE}\n"
    assert sorted(read(path) for path in (tmp_path / "archive").iterdir()) == [f"0{LINE}\n", f"1{LINE}\n"]
    assert os.readlink(tmp_path / "current") == "app.log"
    assert told == [str(tmp_path / "app.log.1.gz")] * 4
    stats = handler.upkeep.stats()
    assert (stats["rolled_over"], stats["compressed"], stats["archived"], stats["failed"]) == (4, 4, 2, 0)
    assert stats["taken_away"] == [str(tmp_path / "app.log.3.gz")] * 2
    handler.close()


@pytest.mark.parametrize("by_size_first", [True, False])
def test_by_size_and_by_time_together(tmp_path, monkeypatch, by_size_first):
    clock = [1_700_000_000.0]
    monkeypatch.setattr("time.time", lambda: clock[0])
    path = tmp_path / "app.log"
    path.touch()
    os.utime(path, (clock[0], clock[0]))
    if by_size_first:
        handler = handlers.RotatingFileHandler(path, maxBytes=20, when="H", utc=True)
    else:
        handler = handlers.TimedRotatingFileHandler(path, "H", maxBytes=20, utc=True)
    logger = logging_to(handler)
    for number in range(3):
        logger.warning("%d%s", number, LINE)
    clock[0] += 3600
    logger.warning("3")
    date = "app.log.2023-11-14_22"
    assert names(tmp_path) == ["app.log", date, f"{date}.1", f"{date}.2"]
    assert read(tmp_path / f"{date}.1") == f"1{LINE}\n"
    assert path.read_text() == "3\n"
    handler.close()


def test_a_suffix_of_ones_own_is_recognised(tmp_path, monkeypatch):
    clock = [1_700_000_000.0]
    monkeypatch.setattr("time.time", lambda: clock[0])
    path = tmp_path / "app.log"
    path.touch()
    os.utime(path, (clock[0], clock[0]))
    handler = handlers.TimedRotatingFileHandler(path, "D", backupCount=2, compression="gzip", utc=True)
    handler.suffix = "%Y%m%d"
    logger = logging_to(handler)
    for day in range(5):
        logger.warning("%d", day)
        clock[0] += 86400
        assert handler.upkeep.wait(60)
    assert names(tmp_path) == ["app.log", "app.log.20231116.gz", "app.log.20231117.gz"]
    handler.close()


def test_retention_goes_on_after_a_restart_and_under_another_name(tmp_path):
    old = time.time() - 40 * 86400
    for name in ("app.log.2020-01-01", "app.log.2020-01-02_10.gz", "app.log.3", "app.log.notes"):
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (old, old))
    (tmp_path / "app.log.1").write_text("new\n")
    handler = handlers.TimedRotatingFileHandler(tmp_path / "app.log", "midnight", max_age="30d")
    assert handler.upkeep.wait(60)
    assert names(tmp_path) == ["app.log", "app.log.1", "app.log.notes"]
    assert handler.upkeep.stats()["removed"] == 3
    handler.close()


@pytest.mark.parametrize("age", ["2s", 2, 2.0, datetime.timedelta(seconds=2)])
def test_an_age_may_be_written_in_several_ways(tmp_path, age):
    for name, seconds in (("app.log.2", 100), ("app.log.1", 0)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - seconds,) * 2)
    handler = handlers.RotatingFileHandler(tmp_path / "app.log", maxBytes=100, max_age=age)
    assert handler.upkeep.wait(60)
    assert names(tmp_path) == ["app.log", "app.log.1"]
    handler.close()


def test_without_options_a_handler_is_as_ever(tmp_path):
    handler = handlers.RotatingFileHandler(tmp_path / "app.log", maxBytes=20, compression=None)
    assert not hasattr(handler, "upkeep")
    with pytest.raises(TypeError, match="unexpected keyword argument 'compress'"):
        handlers.RotatingFileHandler(tmp_path / "app.log", compress="gzip")
    handler.close()


def test_a_handler_of_both_kinds_rolls_over_as_its_first_base_does(tmp_path):
    class Both(handlers.TimedRotatingFileHandler, handlers.RotatingFileHandler):
        def __init__(self, path):
            super().__init__(path, "midnight")
            self.maxBytes = 20

        def __getattr__(self, name):
            raise RuntimeError(name)

    handler = Both(tmp_path / "app.log")
    logger = logging_to(handler)
    for _ in range(5):
        logger.warning(LINE)
    handler.close()
    assert names(tmp_path) == ["app.log"]


def test_a_hook_may_log_and_fail(tmp_path, monkeypatch):
    failures = []
    monkeypatch.setattr(sys, "unraisablehook", failures.append)
    told = threading.Event()

    def on_rotate(path):
        told.set()
        logger.warning("rotated")
        raise RuntimeError(path)

    handler = handlers.RotatingFileHandler(
        tmp_path / "app.log", maxBytes=100, backupCount=3, on_rotate=on_rotate
    )
    logger = logging_to(handler)
    for _ in range(7):
        logger.warning(LINE)
    assert told.wait(60) and handler.upkeep.wait(60)
    assert [type(failure.exc_value) for failure in failures] == [RuntimeError]
    assert (tmp_path / "app.log").read_text().endswith("rotated\n")
    handler.close()


def test_a_namer_is_not_asked_and_that_is_said(tmp_path, capfd):
    handler = handlers.RotatingFileHandler(
        tmp_path / "app.log", maxBytes=20, backupCount=1, compression="gzip"
    )
    handler.namer = lambda name: name + ".old"
    logger = logging_to(handler)
    logger.warning(LINE)
    logger.warning(LINE)
    handler.close()
    assert names(tmp_path) == ["app.log", "app.log.1.gz"]
    assert "namer: found one, expected None" in capfd.readouterr().err


def test_a_read_only_folder_costs_no_record(tmp_path, capfd):
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    handler = handlers.RotatingFileHandler(
        tmp_path / "app.log", maxBytes=20, backupCount=1, compression="gzip"
    )
    logger = logging_to(handler)
    tmp_path.chmod(0o500)
    try:
        for _ in range(3):
            logger.warning(LINE)
        assert (tmp_path / "app.log").read_text().count(LINE) == 3
    finally:
        tmp_path.chmod(0o700)
    logger.warning(LINE)
    handler.close()
    assert names(tmp_path) == ["app.log", "app.log.1.gz"]


PROGRAM = """
import logging.config, sys
import duramen
duramen.install()
handler = {
    "class": "logging.handlers.RotatingFileHandler", "filename": sys.argv[1], "maxBytes": 500, "backupCount": 3,
    "compression": "zstd",
}
logging.config.dictConfig({"version": 1, "handlers": {"file": handler}, "root": {"handlers": ["file"]}})
for number in range(200):
    logging.warning("%03d of the records", number)
"""


def test_the_end_of_the_program_waits_for_what_is_being_compressed(tmp_path):
    program = [sys.executable, "-c", PROGRAM, str(tmp_path / "app.log")]
    finished = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert names(tmp_path) == ["app.log", "app.log.1.zst", "app.log.2.zst", "app.log.3.zst"]


UNKNOWN_RELEASE = """
import logging.handlers, os, sys
kind = logging.handlers.TimedRotatingFileHandler
# As in a release that corrects something: not what Duramen knows.
code = kind.computeRollover.__code__
kind.computeRollover.__code__ = code.replace(co_consts=code.co_consts + ("corrected",))
import duramen
duramen.install()
handler = kind(sys.argv[1], "midnight", maxBytes=20, compression="gzip")
logging.getLogger().addHandler(handler)
for number in range(3):
    logging.warning("0123456789 %d", number)
handler.close()
plain = kind(sys.argv[1] + ".plain", backupCount=1)
plain.doRollover()
plain.close()
"""


def test_releases_that_are_not_known_have_the_options_too(tmp_path):
    program = [sys.executable, "-c", UNKNOWN_RELEASE, str(tmp_path / "app.log")]
    finished = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert (finished.returncode, finished.stderr) == (0, "")
    found = [name for name in names(tmp_path) if ".plain" not in name]
    assert found[0] == "app.log" and [name.endswith(".gz") for name in found[1:]] == [True, True]
    assert sorted(read(tmp_path / name) for name in found) == [
        f"0123456789 {number}\n" for number in range(3)
    ]
