"""``AuditFileHandler`` and ``duramen check --audit``."""

import datetime
import json
import os
import subprocess
import sys
import threading

import pytest

import duramen as logging
import duramen.config
from duramen import filters, formatters, handlers
from duramen._config_check import check_dict

KEY = "a key for tests of 16 bytes or more"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("DURAMEN_AUDIT_KEY", KEY)


def logging_to(handler):
    logger = logging.Logger("audited")
    logger.addHandler(handler)
    return logger


def checked(path, *options, **environ):
    """The exit code of ``duramen check --audit`` and what it prints."""
    command = [sys.executable, "-m", "duramen", "check", "--audit", *options, str(path)]
    finished = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, **environ}
    )
    return finished.returncode, finished.stdout + finished.stderr


def texts(path):
    lines = path.read_text().splitlines()
    return [line.split(" ", 3)[3] for line in lines if line.split(" ", 3)[2] == "+"]


@pytest.mark.parametrize("commit", ["record", "group"])
def test_each_record_is_in_the_trail_and_the_trail_is_whole(tmp_path, commit):
    path = tmp_path / "audit.log"
    handler = handlers.AuditFileHandler(path, commit=commit)
    handler.setFormatter(formatters.JsonFormatter(fields=["message", "user"]))
    logger = logging_to(handler)
    for number in range(5):
        logger.info("paid %d\nor so", number, extra={"user": "Ada \udce9"})
        assert handler.stats() == {"written": number + 1, "pending": 0, "lost": 0, "failed": 0, "removed": 0}
    handler.close()
    assert [json.loads(text)["message"] for text in texts(path)] == [f"paid {n}\nor so" for n in range(5)]
    assert checked(path) == (0, f"{path}: 1 file, lines 1 to 6 are as they were written\n")


def test_the_command_names_the_first_line_that_is_wrong(tmp_path):
    path = tmp_path / "audit.log"
    logger = logging_to(handlers.AuditFileHandler(path))
    for number in range(5):
        logger.info("number %d", number)
    lines = path.read_text().splitlines(keepends=True)
    wrong = {
        "changed: line 3 is not as it was written": [
            *lines[:2],
            lines[2].replace("number", "NUMBER"),
            *lines[3:],
        ],
        "missing: line 3 is not there": lines[:2] + lines[3:],
        "reordered: line 4 stands where line 3 belongs": [*lines[:2], lines[3], lines[2], *lines[4:]],
        "doubled: line 2 is there twice": [*lines[:2], lines[1], *lines[2:]],
    }
    for problem, changed in wrong.items():
        path.write_text("".join(changed))
        assert checked(path) == (1, f"{path}:3: {problem}\n")
    path.write_text("".join(lines[:-1]))
    assert checked(path) == (1, f"{path}: truncated: lines 6 to 6 are missing at the end\n")
    path.write_text("".join(lines)[:-3])
    assert checked(path) == (1, f"{path}:6: truncated: the last line has no end\n")


def test_what_cannot_be_read_is_told_with_another_exit_code(tmp_path):
    path = tmp_path / "audit.log"
    code, output = checked(path)
    assert code == 2 and "audit.log" in output
    handlers.AuditFileHandler(path).close()
    code, output = checked(path, DURAMEN_AUDIT_KEY="short")
    assert code == 2 and "key_env: found 5 bytes, expected a key of at least 16 bytes" in output
    code, output = checked(path, DURAMEN_AUDIT_KEY="x" * 16)
    assert code == 1 and "which was not given" in output
    (tmp_path / "key").write_text(KEY + "\n")
    assert checked(path, "--key-file", str(tmp_path / "key"), DURAMEN_AUDIT_KEY="")[0] == 0
    assert checked(path, "--key-env", "OTHER", OTHER=KEY)[0] == 0


@pytest.mark.parametrize(
    "limit",
    [filters.RateLimitFilter(1), filters.DuplicateFilter(), filters.SamplingFilter(0.5)],
    ids=lambda limit: type(limit).__name__,
)
def test_what_limits_or_samples_is_refused(tmp_path, limit):
    handler = handlers.AuditFileHandler(tmp_path / "audit.log")
    with pytest.raises(ValueError, match=f"filters: found {type(limit).__name__}, which limits or samples"):
        handler.addFilter(limit)
    for overflow in ({"overflow": "drop_newest"}, {"overflow": "drop_below:INFO"}, {"block_timeout": 1}):
        with pytest.raises(ValueError, match="an audit trail drops nothing"):
            handlers.AsyncHandler(handler, **overflow)
    handler.addFilter(filters.RedactingFilter())
    handler.addFilter(lambda record: record.levelno >= logging.WARNING)
    logger = logging_to(handler)
    logger.info("not of the trail")
    logger.warning("password=hunter2")
    assert texts(tmp_path / "audit.log") == ["password=***"]


def test_rotation_retention_and_a_hold(tmp_path):
    path = tmp_path / "audit.log"
    (tmp_path / "audit.log.hold").write_text("case 7\n")
    options = {"maxBytes": 500, "max_age": datetime.timedelta(days=30)}
    handler = handlers.AuditFileHandler(path, **options)
    logger = logging_to(handler)
    for number in range(12):
        logger.info("number %d", number)
    parts = sorted(tmp_path.glob("audit.log.0*"))
    assert len(parts) >= 3 and parts[0].name == "audit.log.000000000001"
    for part in parts[:2]:
        os.utime(part, (1e9, 1e9))
    handler.close()
    held = handlers.AuditFileHandler(path, legal_hold=True, **options)
    assert all(part.exists() for part in parts)
    held.close()
    handlers.AuditFileHandler(path, **options).close()
    assert parts[0].exists()
    (tmp_path / "audit.log.hold").unlink()
    handler = handlers.AuditFileHandler(path, **options)
    assert [part.exists() for part in parts[:3]] == [False, False, True]
    assert handler.stats()["removed"] == 2
    assert checked(path)[0] == 0
    parts[2].unlink()
    code, output = checked(path)
    assert code == 1 and "missing: lines " in output


WRITER = """
import os, sys
import duramen as logging
from duramen import handlers
handler = handlers.AuditFileHandler(sys.argv[1], commit="group", maxBytes=5000)
logger = logging.Logger("audited")
logger.addHandler(handler)
logger.info("%s begins", sys.argv[2])
if os.fork() == 0:
    for number in range(30):
        logger.info("%s child %d", sys.argv[2], number)
    assert handler.stats()["written"] == 30
    os._exit(0)
for number in range(30):
    logger.info("%s %d", sys.argv[2], number)
assert os.wait()[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks there")
def test_processes_and_threads_write_one_chain(tmp_path):
    path = tmp_path / "audit.log"
    programs = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], stderr=subprocess.PIPE, text=True)
        for name in "abc"
    ]
    handler = handlers.AuditFileHandler(path, commit="group", maxBytes=5000)
    logger = logging_to(handler)

    def log(name):
        for number in range(30):
            logger.info("%s %d", name, number)

    threads = [threading.Thread(target=log, args=(name,)) for name in "xyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for program in programs:
        assert program.communicate(timeout=60)[1] == "" and program.returncode == 0
    code, output = checked(path)
    assert code == 0, output
    found = [text for part in [*tmp_path.glob("audit.log.0*"), path] for text in texts(part)]
    assert len(found) == len(set(found)) == 3 * 61 + 3 * 30


def test_what_cannot_be_written_is_told_and_written_later(tmp_path, capsys):
    folder = tmp_path / "logs"
    folder.mkdir()
    path = folder / "audit.log"
    handler = handlers.AuditFileHandler(path)
    logger = logging_to(handler)
    logger.info("before")
    folder.rename(tmp_path / "moved")
    logger.info("meanwhile")
    assert "Logging error" in capsys.readouterr().err
    assert handler.stats()["pending"] == 1
    (tmp_path / "moved").rename(folder)
    logger.info("after")
    assert texts(path) == ["before", "meanwhile", "after"]
    assert checked(path)[0] == 0


def test_from_a_configuration(tmp_path):
    content = {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"limit": {"()": "duramen.filters.RateLimitFilter", "rate": 1}},
        "handlers": {
            "audit": {
                "class": "duramen.handlers.AuditFileHandler",
                "filename": str(tmp_path / "audit.log"),
                "commit": "group",
            }
        },
        "loggers": {"audited": {"handlers": ["audit"], "level": "INFO", "propagate": False}},
    }
    assert check_dict(content) == []
    logging.config.dictConfig(content)
    logger = logging.getLogger("audited")
    logger.info("configured")
    assert texts(tmp_path / "audit.log") == ["configured"]
    logger.removeHandler(logger.handlers[0])
    content["handlers"]["audit"]["filters"] = ["limit"]
    with pytest.raises(ValueError) as refused:
        logging.config.dictConfig(content)
    assert "which limits or samples" in str(refused.value.__cause__.__cause__)


def test_while_installed(tmp_path):
    import logging as standard

    duramen.install()
    try:
        handler = handlers.AuditFileHandler(tmp_path / "audit.log")
        logger = standard.Logger("audited")
        logger.addHandler(handler)
        logger.info("installed")
    finally:
        duramen.uninstall()
    assert texts(tmp_path / "audit.log") == ["installed"]
