"""What stays native behind ``AsyncHandler`` gives what the Python way gives: filters, and handlers that roll files over."""

import threading

import pytest

import duramen as logging
from duramen import _core
from duramen.filters import DuplicateFilter, RateLimitFilter, RedactingFilter, SamplingFilter
from duramen.formatters import JsonFormatter
from duramen.handlers import (
    AsyncHandler,
    QueueHandler,
    QueueListener,
    RotatingFileHandler,
    TimedRotatingFileHandler,
    WatchedFileHandler,
)

FILTERS = {
    "by name": lambda: logging.Filter("shop.orders"),
    "masking": lambda: RedactingFilter(),
    "rate": lambda: RateLimitFilter(0.001, burst=3, exempt=None),
    "duplicates": lambda: DuplicateFilter(window=1000),
    "sample": lambda: SamplingFilter(0, keep="ERROR"),
}


def speak(logger):
    for number in range(3):
        logger.info("order %d", number)
    for _ in range(3):
        logger.info("the same")
    logger.info("password=%s", "hunter2", extra={"tenant": 7})
    try:
        raise LookupError("token=abcdef0123456789")
    except LookupError:
        logger.exception("failed")


@pytest.mark.parametrize("place", ["in front", "behind"])
@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize(
    "formatter", [logging.Formatter("%(name)s %(message)s"), JsonFormatter("%(message)s %(tenant)s")]
)
def test_filters_act_on_lines_as_on_records(tmp_path, place, name, formatter):
    texts = []
    for way in ("native", "python"):
        file = logging.FileHandler(tmp_path / way)
        file.setFormatter(formatter)
        handler = AsyncHandler(file)
        filters = [FILTERS[name]()] + ([] if way == "native" else [lambda record: True])
        for added in filters:
            (handler if place == "in front" else file).addFilter(added)
        loggers = [logging.Logger("shop.orders"), logging.Logger("shop.others")]
        for logger in loggers:
            logger.addHandler(handler)
            assert (_core.route(logger) is None) == (way == "native"), _core.route(logger)
            speak(logger)
        assert handler.flush()
        stats = handler.stats()
        texts.append((tmp_path / way).read_text())
        handler.close()
        assert stats["accepted"] == stats["delivered"]
        assert stats["handlers"][0]["delivered"] == stats["delivered"]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("front", ["queue", "journal", "listener"])
@pytest.mark.parametrize("name", ["rate", "duplicates"])
def test_a_filter_is_asked_once_for_a_record_that_only_the_interpreter_can_show(tmp_path, front, name):
    """The line is given up when the filter has been asked; one that counts would hold back the record itself."""
    files = [logging.FileHandler(tmp_path / str(n), encoding="latin-1") for n in range(3)]
    limited, masked, plain = files
    limited.addFilter(
        DuplicateFilter(1000) if name == "duplicates" else RateLimitFilter(0.001, burst=1, exempt=None)
    )
    masked.addFilter(RedactingFilter())
    plain.setLevel("ERROR")
    listener = None
    if front == "listener":
        handler = QueueHandler()
        listener = QueueListener(handler.queue, *files, respect_handler_level=True)
        listener.start()
    else:
        handler = AsyncHandler(*files, journal=tmp_path / "spool" if front == "journal" else None)
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    assert _core.route(logger) is None
    for _ in range(2):
        logger.info("password=hunter2 ü")
    listener.stop() if listener else handler.close()
    texts = [(tmp_path / str(n)).read_text("latin-1") for n in range(3)]
    assert texts[0].split() == ["password=hunter2", "ü"]
    assert texts[1].split() == ["password=***", "ü"] * 2
    assert texts[2] == ""


def test_a_filter_behind_is_for_its_handler_alone(tmp_path):
    masked, plain = logging.FileHandler(tmp_path / "masked"), logging.FileHandler(tmp_path / "plain")
    masked.addFilter(RedactingFilter())
    handler = AsyncHandler(masked, plain)
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    assert _core.route(logger) is None
    logger.info("password=%s", "hunter2")
    handler.close()
    assert "hunter2" not in (tmp_path / "masked").read_text()
    assert (tmp_path / "plain").read_text() == "password=hunter2\n"


def contents(folder):
    return {path.name: path.read_text().splitlines() for path in sorted(folder.iterdir())}


def logger_for(handler):
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    return logger


@pytest.mark.parametrize(
    "options",
    [
        {"maxBytes": 200, "backupCount": 3},
        {"maxBytes": 200, "backupCount": 0},
        {"maxBytes": 1, "backupCount": 2},
        {"maxBytes": 0, "backupCount": 2},
        {"maxBytes": 200, "backupCount": 3, "delay": True},
        {"maxBytes": 200, "backupCount": 3, "when": "D"},
        {"maxBytes": 200, "backupCount": 100, "fsync": "rotation"},
    ],
)
def test_files_are_rolled_over_by_size_as_by_python(tmp_path, options):
    folders = []
    for way in ("native", "python"):
        (tmp_path / way).mkdir()
        file = RotatingFileHandler(tmp_path / way / "out.log", encoding="utf-8", **options)
        handler = AsyncHandler(file)
        logger = logger_for(handler)
        if way == "python":
            handler.addFilter(lambda record: True)
        assert (_core.route(logger) is None) == (way == "native"), _core.route(logger)
        for number in range(60):
            logger.info("line %d %s", number, "é" * (number % 7))
            if number == 30:
                file.maxBytes *= 2
                assert handler.flush()
        handler.close()
        folders.append(contents(tmp_path / way))
        stats = handler.stats()
        assert (stats["delivered"], stats["failed"]) == (60, 0)
    names = [{name.replace("-", "") for name in folder} for folder in folders]
    assert names[0] == names[1]
    assert list(folders[0].values()) == list(folders[1].values())


def test_threads_lose_nothing_over_many_rollovers(tmp_path):
    file = RotatingFileHandler(tmp_path / "out.log", maxBytes=2000, backupCount=1000)
    handler = AsyncHandler(file, capacity=64)
    logger = logger_for(handler)

    def work(name):
        for number in range(300):
            logger.info("%d %d", name, number)

    workers = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    handler.close()
    found = contents(tmp_path)
    assert len(found) > 3
    assert max(path.stat().st_size for path in tmp_path.iterdir()) < 2000
    by_age = sorted(found, key=lambda name: -int("0" + name.partition("log.")[2]))
    lines = [line.split() for name in by_age for line in found[name]]
    for name in range(4):
        assert [int(number) for own, number in lines if own == str(name)] == list(range(300))


def test_a_file_is_rolled_over_when_its_time_has_come(tmp_path):
    file = TimedRotatingFileHandler(tmp_path / "out.log", when="D", backupCount=3)
    handler = AsyncHandler(file)
    logger = logger_for(handler)
    assert _core.route(logger) is None
    logger.info("old")
    assert handler.flush()
    file.rolloverAt = 0
    logger.info("new")
    logger.info("newer")
    handler.close()
    found = contents(tmp_path)
    assert found.pop("out.log") == ["new", "newer"]
    assert list(found.values()) == [["old"]]


def rotating(path):
    return RotatingFileHandler(path, maxBytes=10**6, backupCount=1)


@pytest.mark.parametrize(
    ("kind", "moved", "anew"), [(WatchedFileHandler, ["1"], ["2"]), (rotating, ["1", "2"], [])]
)
def test_a_file_that_was_moved_is_opened_anew_where_it_is_watched(tmp_path, kind, moved, anew):
    handler = AsyncHandler(kind(tmp_path / "out.log"))
    logger = logger_for(handler)
    assert _core.route(logger) is None
    logger.info("1")
    assert handler.flush()
    (tmp_path / "out.log").rename(tmp_path / "moved")
    logger.info("2")
    handler.close()
    # A rotating handler goes on with a file that only has another name, as without a queue.
    assert contents(tmp_path) == {"moved": moved, **({"out.log": anew} if anew else {})}


@pytest.mark.parametrize("kind", [WatchedFileHandler, rotating])
def test_a_file_that_was_deleted_is_opened_anew(tmp_path, kind):
    handler = AsyncHandler(kind(tmp_path / "out.log"))
    logger = logger_for(handler)
    logger.info("1")
    assert handler.flush()
    (tmp_path / "out.log").unlink()
    logger.info("2")
    handler.close()
    assert contents(tmp_path) == {"out.log": ["2"]}


def test_what_a_program_does_to_rollovers_counts(tmp_path):
    file = RotatingFileHandler(tmp_path / "out.log", maxBytes=20, backupCount=2)
    file.namer = lambda name: name + ".old"
    handler = AsyncHandler(file)
    logger = logger_for(handler)
    for number in range(4):
        logger.info("line of text %d", number)
    handler.close()
    assert contents(tmp_path) == {
        "out.log": ["line of text 3"],
        "out.log.1.old": ["line of text 2"],
        "out.log.2.old": ["line of text 1"],
    }


def test_a_rollover_that_fails_loses_no_line(tmp_path, capfd):
    file = RotatingFileHandler(tmp_path / "out.log", maxBytes=20, backupCount=2)

    def fail():
        raise OSError("no rollover today")

    file.doRollover = fail
    handler = AsyncHandler(file)
    logger = logger_for(handler)
    for number in range(4):
        logger.info("line of text %d", number)
    handler.close()
    assert contents(tmp_path) == {"out.log": [f"line of text {number}" for number in range(4)]}
    assert "no rollover today" in capfd.readouterr().err
