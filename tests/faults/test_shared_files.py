"""Several processes on one file, in short: each record is there once, and whole. ``make faults`` does it at length."""

import logging as installed_logging
import logging.handlers as installed_handlers
import os
import time

import pytest
from faults.campaigns import CAMPAIGNS, Campaign, run

import duramen
import duramen as logging
from duramen import handlers

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="open files are not renamed there")


@pytest.mark.parametrize("package", ["duramen", "installed"])
@pytest.mark.parametrize("name", CAMPAIGNS)
def test_nothing_is_lost_doubled_or_mangled(tmp_path, name, package):
    count = run(name, tmp_path / "run", package, processes=4, records=600)
    assert count.is_whole and count.written >= (60 if "megabyte" in name else 600), count


def writing(path, **options):
    handler = handlers.RotatingFileHandler(path, **options)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.Logger("shared")
    logger.addHandler(handler)
    return logger, handler


def test_one_handler_rolls_over_and_the_other_follows(tmp_path):
    path = tmp_path / "app.log"
    first, _ = writing(path, maxBytes=30, backupCount=5)
    second, _ = writing(path, maxBytes=30, backupCount=5)
    first.warning("a" * 10)
    second.warning("b" * 10)
    # What the other one has written counts, too.
    first.warning("c" * 10)
    second.warning("d" * 10)
    names = sorted(os.listdir(tmp_path))
    assert names == ["app.log", "app.log.1"]
    assert (tmp_path / "app.log.1").read_text() == "a" * 10 + "\n" + "b" * 10 + "\n"
    assert path.read_text() == "c" * 10 + "\n" + "d" * 10 + "\n"


def test_a_file_that_was_deleted_is_made_anew(tmp_path):
    path = tmp_path / "app.log"
    logger, _ = writing(path, maxBytes=1000, backupCount=1)
    logger.warning("gone")
    path.unlink()
    logger.warning("here")
    assert path.read_text() == "here\n"


def test_a_handler_of_ones_own_agrees_with_others_as_it_likes(tmp_path):
    rolled = []

    class Own(handlers.RotatingFileHandler):
        def doRollover(self):
            rolled.append(self.baseFilename)
            super().doRollover()

    handler = Own(tmp_path / "app.log", maxBytes=20, backupCount=1)
    logger = logging.Logger("shared")
    logger.addHandler(handler)
    for _ in range(3):
        logger.warning("x" * 15)
    assert len(rolled) == 2


def test_a_backup_of_the_same_time_is_never_overwritten(tmp_path, monkeypatch):
    clock = [1_700_000_000.0]
    monkeypatch.setattr("time.time", lambda: clock[0])
    path = tmp_path / "app.log"
    path.touch()
    os.utime(path, (clock[0], clock[0]))
    handler = handlers.TimedRotatingFileHandler(path, when="S", interval=10, utc=True)
    logger = logging.Logger("shared")
    logger.addHandler(handler)
    logger.warning("before")
    backup = tmp_path / "app.log.2023-11-14_22-13-20"
    backup.write_text("of another process\n")
    clock[0] += 10
    logger.warning("after")
    logger.warning("and on")
    assert backup.read_text() == "of another process\n"
    assert path.read_text() == "before\nafter\nand on\n"
    assert handler.rolloverAt > clock[0]


def test_nobody_waits_for_a_lock_that_nobody_lets_go(tmp_path, monkeypatch):
    """The file is written to as it is; the next records do not wait again."""
    import fcntl

    path = tmp_path / "app.log"
    logger, _ = writing(path, maxBytes=20, backupCount=1)
    logger.warning("x" * 15)
    with open(path) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for _ in range(3):
            logger.warning("y" * 15)
    assert path.read_text().count("y" * 15) == 3
    logger.warning("z")
    assert path.read_text() == "z\n"


class OwnFormatter(logging.Formatter):
    def format(self, record):
        return super().format(record)


def torn_by_another(path):
    """A process was killed in the middle of a record."""
    with open(path, "a") as file:
        file.write("cut off")


WAYS = ["native", "python", "queued"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["RotatingFileHandler", "TimedRotatingFileHandler"])
def test_a_long_record_never_stands_behind_what_is_left_of_another_one(tmp_path, capfd, way, kind):
    path = tmp_path / "app.log"
    options = {"maxBytes": 10**9, "backupCount": 1} if kind == "RotatingFileHandler" else {"when": "midnight"}
    handler = getattr(handlers, kind)(path, **options)
    handler.setFormatter((OwnFormatter if way == "python" else logging.Formatter)("%(message)s"))
    logger = logging.Logger("shared")
    outer = handlers.AsyncHandler(handler) if way == "queued" else handler
    logger.addHandler(outer)
    for number in range(100):
        logger.warning("%d", number)
    outer.flush()
    torn_by_another(path)
    logger.warning("x" * 5000)
    outer.flush()
    lines = path.read_text().splitlines()
    assert lines[100:] == ["cut off", "x" * 5000]
    assert capfd.readouterr().err.count("was cut off") == 1
    outer.close()


def test_short_records_look_at_the_end_of_the_file_now_and_then(tmp_path, capfd):
    path = tmp_path / "app.log"
    torn_by_another(path)
    logger, handler = writing(path, maxBytes=10**9, backupCount=1)
    logger.warning("first")
    assert path.read_text() == "cut off\nfirst\n"
    for _ in range(200):
        logger.warning("x")
    torn_by_another(path)
    for _ in range(65):
        logger.warning("y")
    # What comes before a look stands behind the part.
    lines = path.read_text().splitlines()[202:]
    assert lines[0].startswith("cut off") and set(lines[1:]) == {"y"}
    torn_by_another(path)
    # Alone, this takes at most 10 milliseconds between two records.
    time.sleep(0.02)
    logger.warning("z")
    assert path.read_text().endswith("\ncut off\nz\n")
    capfd.readouterr()
    handler.close()


def test_a_file_whose_lines_end_otherwise_gets_no_line_breaks(tmp_path):
    path = tmp_path / "app.log"
    logger, handler = writing(path, maxBytes=10**9, backupCount=1)
    handler.terminator = ";"
    for text in ("one", "two", "x" * 5000):
        logger.warning(text)
    assert path.read_text() == f"one;two;{'x' * 5000};"
    handler.close()


def test_an_empty_campaign_counts_nothing(tmp_path):
    assert Campaign(tmp_path / "run", "duramen", "size").count().is_whole


@pytest.mark.parametrize("has_logged_before", [True, False])
@pytest.mark.parametrize("module", ["duramen", "standard"])
def test_who_follows_a_day_late_rolls_over_the_file_of_the_day_before(
    tmp_path, monkeypatch, module, has_logged_before
):
    """Three days: one handler rolls the file over on the second, the other one logs on the first and third alone."""
    package, module = (logging, handlers) if module == "duramen" else (installed_logging, installed_handlers)
    # Noon.
    clock = [1_709_208_000.0]
    monkeypatch.setattr("time.time", lambda: clock[0])
    path = tmp_path / "app.log"

    def writing():
        handler = module.TimedRotatingFileHandler(path, when="midnight", utc=True, delay=True)
        logger = package.Logger("shared")
        logger.addHandler(handler)

        def log(text):
            logger.warning(text)
            os.utime(path, (clock[0], clock[0]))

        return log

    if package is installed_logging:
        duramen.install()
    try:
        busy, silent = writing(), writing()
        busy("29 February")
        if has_logged_before:
            silent("29 February")
        clock[0] += 86400
        busy("1 March")
        clock[0] += 86400
        silent("2 March")
        busy("2 March")
        clock[0] += 86400
        silent("3 March")
    finally:
        if package is installed_logging:
            duramen.uninstall()
    days = {found.name: found.read_text() for found in tmp_path.iterdir()}
    assert days == {
        "app.log.2024-02-29": "29 February\n" * (2 if has_logged_before else 1),
        "app.log.2024-03-01": "1 March\n",
        "app.log.2024-03-02": "2 March\n2 March\n",
        "app.log": "3 March\n",
    }


@pytest.mark.parametrize("module", ["duramen", "standard"])
def test_a_file_that_others_have_made_for_another_reason_is_still_due(tmp_path, monkeypatch, module):
    package, module = (logging, handlers) if module == "duramen" else (installed_logging, installed_handlers)
    noon, hour = 1_709_208_000.0, 3600
    clock = [noon]
    monkeypatch.setattr("time.time", lambda: clock[0])
    path = tmp_path / "app.log"
    if package is installed_logging:
        duramen.install()
    try:
        logger = package.Logger("shared")
        logger.addHandler(module.TimedRotatingFileHandler(path, when="midnight", utc=True, delay=True))
        logger.warning("noon")
        path.rename(tmp_path / "app.log.1")
        path.write_text("evening\n")
        os.utime(path, (noon + 6 * hour, noon + 6 * hour))
        clock[0] += 18 * hour
        logger.warning("1 March")
    finally:
        if package is installed_logging:
            duramen.uninstall()
    assert (tmp_path / "app.log.2024-02-29").read_text() == "evening\n"
    assert path.read_text() == "1 March\n"


def test_a_stream_that_was_put_in_the_place_of_the_file_is_kept(tmp_path):
    logger, handler = writing(tmp_path / "app.log", maxBytes=1000, backupCount=1)
    logger.warning("here")
    handler.stream.close()
    with open(tmp_path / "other.log", "a") as handler.stream:
        for _ in range(100):
            logger.warning("there")
    assert (tmp_path / "app.log").read_text() == "here\n"
    assert (tmp_path / "other.log").read_text() == "there\n" * 100
