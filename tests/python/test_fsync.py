"""``fsync=``: when what was written is brought to the disk, for every handler of files and every way to write."""

import datetime
import logging.handlers
import os
import subprocess
import sys
import time

import pytest

import duramen
import duramen.config
import duramen.handlers
from duramen._config_check import check_dict

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the option is refused there")

CLASSES = ["FileHandler", "WatchedFileHandler", "RotatingFileHandler", "TimedRotatingFileHandler"]


@pytest.fixture(params=["imported", "installed"])
def modules(request):
    """``logging`` and ``logging.handlers`` of one way to use Duramen."""
    if request.param == "imported":
        yield duramen, duramen.handlers, duramen.config
        return
    duramen.install()
    yield logging, logging.handlers, logging.config
    duramen.uninstall()


def made(modules, name, path, **options):
    module, handlers, _ = modules
    return getattr(module if name == "FileHandler" else handlers, name)(path, **options)


def logging_to(modules, handler):
    handler.setFormatter(modules[0].Formatter("%(message)s"))
    logger = modules[0].Logger("synced")
    logger.addHandler(handler)
    return logger


@pytest.mark.parametrize("way", ["native", "python", "record"])
@pytest.mark.parametrize("name", CLASSES)
def test_every_record_is_on_the_disk(tmp_path, modules, name, way):
    handler = made(modules, name, tmp_path / "app.log", fsync="record")
    logger = logging_to(modules, handler)
    if way == "python":
        handler.addFilter(lambda record: True)
    for count in range(1, 4):
        if way == "record":
            handler.handle(modules[0].makeLogRecord({"msg": "line"}))
        else:
            logger.warning("line")
        assert handler.fsync.stats() == {"synced": count, "failed": 0}
    assert (handler.fsync.mode, handler.fsync.interval) == ("record", None)
    handler.close()
    assert (tmp_path / "app.log").read_text() == "line\n" * 3


@pytest.mark.parametrize("name", CLASSES)
def test_never_is_the_default_and_leaves_the_handler_as_it_was(tmp_path, modules, name):
    attributes = [
        set(vars(made(modules, name, tmp_path / "app.log", delay=True, **options)))
        for options in ({}, {"fsync": None}, {"fsync": "never"})
    ]
    assert attributes[0] == attributes[1] == attributes[2]
    assert "fsync" not in attributes[0]


def test_at_a_rollover_and_at_the_end(tmp_path, modules):
    options = {"maxBytes": 20, "backupCount": 2, "fsync": "rotation"}
    handler = made(modules, "RotatingFileHandler", tmp_path / "app.log", **options)
    logger = logging_to(modules, handler)
    logger.warning("x" * 15)
    assert handler.fsync.stats()["synced"] == 0
    logger.warning("x" * 15)
    # The backup, and its name.
    assert handler.fsync.stats() == {"synced": 2, "failed": 0}
    handler.close()
    assert handler.fsync.stats() == {"synced": 3, "failed": 0}
    assert (tmp_path / "app.log.1").read_text() == (tmp_path / "app.log").read_text()


@pytest.mark.parametrize("interval", ["1s", 0.02, datetime.timedelta(milliseconds=20)])
def test_by_interval(tmp_path, modules, interval):
    begun = time.monotonic()
    handler = made(modules, "FileHandler", tmp_path / "app.log", fsync=interval)
    logger = logging_to(modules, handler)
    for _ in range(100):
        logger.warning("line")
    if interval == "1s":
        assert handler.fsync.interval == 1.0
    else:
        until = time.monotonic() + 30
        while handler.fsync.stats()["synced"] == 0:
            assert time.monotonic() < until
            time.sleep(0.001)
    handler.close()
    # No more often than by the interval, and at the end.
    most = (time.monotonic() - begun) / handler.fsync.interval + 1
    assert 1 <= handler.fsync.stats()["synced"] <= most


FORK = """
import os, sys, warnings
warnings.simplefilter("error")
import duramen as logging
handler = logging.FileHandler(sys.argv[1], fsync=3600)
logger = logging.Logger("synced")
logger.addHandler(handler)
logger.warning("parent")
child = os.fork()
logger.warning("after the fork")
if child == 0:
    handler.close()
    os._exit(handler.fsync.stats()["synced"] != 2)
assert os.waitpid(child, 0)[1] == 0
handler.close()
assert handler.fsync.stats() == {"synced": 2, "failed": 0}
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks there")
def test_a_fork_finds_no_thread_and_each_process_syncs_its_own(tmp_path):
    """From CPython 3.12 on a fork warns where threads run."""
    program = [sys.executable, "-c", FORK, str(tmp_path / "app.log")]
    finished = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert (tmp_path / "app.log").read_text().count("after the fork\n") == 2


def test_behind_a_queue_a_batch_is_brought_to_the_disk_together(tmp_path):
    handler = duramen.FileHandler(tmp_path / "app.log", fsync="record")
    queue = duramen.handlers.AsyncHandler(handler)
    logger = duramen.Logger("synced")
    logger.addHandler(queue)
    for _ in range(200):
        logger.warning("line")
    queue.flush()
    synced = handler.fsync.stats()["synced"]
    assert 1 <= synced <= 200
    queue.close()
    assert (tmp_path / "app.log").read_text() == "line\n" * 200


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no such device")
def test_an_error_of_the_disk_goes_to_handle_error_and_the_handler_goes_on(tmp_path, modules, capsys):
    handler = made(modules, "FileHandler", tmp_path / "app.log", fsync="record")
    logger = logging_to(modules, handler)
    # What the descriptor is, the stream does not see.
    real = os.dup(handler.stream.fileno())
    with open("/dev/full", "w") as full:
        os.dup2(full.fileno(), handler.stream.fileno())
    logger.warning("one")
    assert "Logging error" in capsys.readouterr().err
    os.dup2(real, handler.stream.fileno())
    os.close(real)
    logger.warning("two")
    handler.close()
    assert (tmp_path / "app.log").read_text() == "one\ntwo\n"


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("value", ["always", 0, -1, float("nan"), "0s", [1]])
def test_what_is_impossible_is_refused_before_a_file_is_touched(tmp_path, modules, name, value):
    with pytest.raises(ValueError) as refused:
        made(modules, name, tmp_path / "app.log", fsync=value)
    assert str(refused.value).startswith(f'{name}: fsync: found {value!r}, expected "never", "rotation"')
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", CLASSES)
def test_from_a_configuration(tmp_path, modules, name):
    module, _, config = modules
    path = "logging" if name == "FileHandler" else "logging.handlers"
    content = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"f": {"class": f"{path}.{name}", "filename": str(tmp_path / "a"), "fsync": "record"}},
        "loggers": {"synced": {"handlers": ["f"], "level": "INFO", "propagate": False}},
    }
    assert check_dict(content) == []
    config.dictConfig(content)
    logger = module.getLogger("synced")
    logger.info("line")
    handler = logger.handlers[0]
    assert handler.fsync.stats()["synced"] == 1
    logger.removeHandler(handler)
    handler.close()


def test_the_check_of_a_configuration_knows_the_options_of_each_class():
    def problems(name, **options):
        handler = {"class": f"logging.handlers.{name}", "filename": "app.log", **options}
        return check_dict({"version": 1, "handlers": {"f": handler}})

    assert problems("RotatingFileHandler", compression="gzip", when="H", fsync="rotation") == []
    assert problems("TimedRotatingFileHandler", maxBytes=1, max_age="1d") == []
    (problem,) = problems("WatchedFileHandler", compression="gzip")
    assert problem.startswith(
        "handlers.f.compression: WatchedFileHandler has no such option; it has filename"
    )
    assert problem.endswith(", fsync")
