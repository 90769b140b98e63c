"""The ``redact`` section: every handler of the configuration masks, or it is refused with its path."""

import configparser
import io
import json
import logging as standard_logging
import os
import subprocess
import sys

import pytest

import duramen
import duramen.config
from duramen._config_check import check_dict
from duramen._config_ini import check_ini

SECRET = "hunter2correcthorse"


def configuration(**redact):
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {"format": "%(message)s"},
            "json": {"class": "duramen.formatters.JsonFormatter"},
        },
        "handlers": {
            name: {"class": "logging.StreamHandler", "stream": stream, "formatter": formatter}
            for name, stream, formatter in (("one", io.StringIO(), "plain"), ("two", io.StringIO(), "json"))
        },
        "loggers": {"shop.redacted": {"handlers": ["one", "two"], "level": "INFO", "propagate": False}},
        "redact": redact,
    }


@pytest.fixture(params=["imported", "installed"])
def configured(request):
    """``configured(config)`` applies it; gives a logger and the handlers' streams."""
    if request.param == "installed":
        duramen.install()
    logging = standard_logging if request.param == "installed" else duramen

    def apply(config):
        dict_config = __import__(f"{logging.__name__}.config").config.dictConfig
        streams = [config["handlers"][name]["stream"] for name in ("one", "two")]
        dict_config(config)
        return logging.getLogger("shop.redacted"), streams

    yield apply
    logging.getLogger("shop.redacted").handlers.clear()
    duramen.uninstall()


def test_every_handler_masks(configured):
    logger, streams = configured(configuration(packs=["credentials", "pii"], keys=["user.pin"]))
    logger.info("password=%s of %s", SECRET, "ada@example.org", extra={"user": {"pin": "1234"}})
    texts = [stream.getvalue() for stream in streams]
    assert texts[0] == "password=*** of ***\n"
    assert json.loads(texts[1])["user"] == {"pin": "***"}
    assert SECRET not in texts[1]


def test_only_the_handlers_that_are_named_mask(configured):
    logger, streams = configured(configuration(handlers=["two"]))
    logger.info("password=%s", SECRET)
    assert [SECRET in stream.getvalue() for stream in streams] == [True, False]


def test_filters_of_the_handler_come_first(configured):
    config = configuration()
    config["filters"] = {"adds": {"()": lambda: adds}}
    config["handlers"]["two"]["filters"] = ["adds"]

    def adds(record):
        record.note = f"token={SECRET}"
        return True

    logger, streams = configured(config)
    logger.info("m")
    assert SECRET not in streams[1].getvalue()


def test_a_handler_behind_a_handler_makes_no_other_pseudonym(configured, monkeypatch):
    monkeypatch.setenv("MASKING_KEY", "0123456789abcdef")
    config = configuration(mode="pseudonym", pseudonym_key_env="MASKING_KEY")
    config["handlers"]["memory"] = {"class": "logging.handlers.MemoryHandler", "capacity": 1, "target": "one"}
    config["handlers"]["two"]["formatter"] = "plain"
    config["loggers"]["shop.redacted"]["handlers"] = ["memory", "two"]
    logger, streams = configured(config)
    logger.info("password=%s", SECRET)
    behind, beside = (stream.getvalue() for stream in streams)
    assert behind == beside
    assert behind.startswith("password=pseudonym:")


@pytest.mark.parametrize(
    ("redact", "problem"),
    [
        ({"packs": ["credential"]}, "redact.packs"),
        ({"patterns": {"x": "("}}, "redact.patterns"),
        ({"mode": "hide"}, "redact.mode"),
        ({"pack": ["pii"]}, "redact: "),
        ({"handlers": ["three"]}, "redact.handlers: found 'three', expected one of one, two"),
        ({"handlers": "one"}, "redact.handlers: found 'one', expected a list of names"),
        ({"mode": "pseudonym"}, "redact"),
        ({"pseudonym_key_env": "NOT_SET_ANYWHERE"}, "redact.pseudonym_key_env"),
    ],
)
def test_a_wrong_section_is_refused_with_its_path(configured, redact, problem):
    config = configuration(**redact)
    with pytest.raises(ValueError) as refused:
        configured(config)
    assert str(refused.value.__cause__ or refused.value).startswith(problem)
    assert any(found.startswith(problem) for found in check_dict(config))


def test_uninstalling_leaves_no_trace():
    config = standard_logging.config
    before = config.DictConfigurator.configure_handler, config._create_formatters, config._install_handlers
    duramen.install()
    assert config.DictConfigurator.configure_handler is not before[0]
    assert config._install_handlers is not before[2]
    duramen.uninstall()
    assert before == (
        config.DictConfigurator.configure_handler,
        config._create_formatters,
        config._install_handlers,
    )


INI = r"""
[DEFAULT]
keys =
[loggers]
keys = root, shop
[handlers]
keys = a, b
[formatters]
keys = line
[logger_root]
handlers =
[logger_shop]
qualname = shop.redacted
level = INFO
propagate = 0
handlers = a, b
[handler_a]
class = FileHandler
args = ('{folder}/a.log', 'a', 'utf-8')
formatter = line
[handler_b]
class = FileHandler
args = ('{folder}/b.log', 'a', 'utf-8')
formatter = line
[formatter_line]
format = %(message)s
[redact]
packs = credentials, pii
handlers = a
mode = type
[redact_patterns]
ticket = T-(?P<secret>\d+%?)
[redact_modes]
ticket = mask
"""


@pytest.fixture(params=["imported", "installed"])
def file_config(request, tmp_path):
    """``file_config(text)`` applies an INI file; gives a logger and a function for what is in the files."""
    if request.param == "installed":
        duramen.install()
    logging = standard_logging if request.param == "installed" else duramen

    def apply(text):
        path = tmp_path / "logging.ini"
        path.write_text(text.replace("{folder}", str(tmp_path)), encoding="utf-8")
        module = __import__(f"{logging.__name__}.config").config
        module.fileConfig(str(path), disable_existing_loggers=False, encoding="utf-8")
        return logging.getLogger("shop.redacted"), lambda name: (tmp_path / name).read_text("utf-8")

    yield apply
    logger = logging.getLogger("shop.redacted")
    for handler in logger.handlers:
        handler.close()
    logger.handlers.clear()
    duramen.uninstall()


def test_an_ini_file_masks_too(file_config):
    logger, read = file_config(INI)
    logger.info("ada@example.org has T-12")
    assert read("a.log") == "[email] has T-***\n"
    assert read("b.log") == "ada@example.org has T-12\n"


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("pii", "pie", 'redact.packs[1]: found "pie"'),
        ("handlers = a\nmode", "handlers = c\nmode", "redact.handlers: found 'c', expected one of a, b"),
        ("mode = type", "mood = type", "redact: "),
        ("[redact]", "[reduct]", "[redact_patterns]: found no section [redact]"),
        ("T-(", "T-((", "redact.patterns"),
    ],
)
def test_a_wrong_section_of_an_ini_file_is_refused_before_anything_is_opened(
    file_config, tmp_path, right, wrong, problem
):
    text = INI.replace(right, wrong)
    assert text != INI
    with pytest.raises(ValueError) as refused:
        file_config(text)
    assert str(refused.value).startswith(problem)
    assert not (tmp_path / "a.log").exists()
    parser = configparser.ConfigParser()
    parser.read_string(text)
    assert any(found.startswith(problem) for found in check_ini(parser))


class TestCommand:
    def check(self, *words, expected=0):
        done = subprocess.run(
            [sys.executable, "-m", "duramen", "check", *map(str, words)],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
        assert done.returncode == expected, done.stderr
        return done.stdout + done.stderr

    def test_lines_that_would_be_changed_are_shown_masked(self, tmp_path):
        log = tmp_path / "app.log"
        log.write_bytes(
            b"started\npassword=hunter2correcthorse\n"
            + b'{"level": "INFO", "apiKey": "hunter2correcthorse", "n": 1}\n\xff token: hunter2correcthorse\n'
        )
        shown = self.check("--redaction", log)
        assert SECRET not in shown
        assert "2: password=***" in shown
        assert '3: {"level": "INFO", "apiKey": "***", "n": 1}' in shown
        assert shown.endswith("3 of 4 lines would be changed\n")

    def test_with_the_rules_of_a_configuration(self, tmp_path):
        config = tmp_path / "logging.json"
        config.write_text(json.dumps({"version": 1, "redact": {"packs": ["pii"], "mode": "type"}}))
        log = tmp_path / "app.log"
        log.write_text("ada@example.org password=hunter2correcthorse\n")
        shown = self.check("--redaction", log, "--config", config)
        assert "1: [email] password=hunter2correcthorse    (email)" in shown

    def test_a_configuration_without_the_section_is_refused(self, tmp_path):
        config = tmp_path / "logging.json"
        config.write_text('{"version": 1}')
        log = tmp_path / "app.log"
        log.write_text("")
        assert "redact: the section is missing" in self.check(
            "--config", config, "--redaction", log, expected=2
        )

    def test_a_configuration_is_checked(self, tmp_path):
        config = tmp_path / "logging.json"
        config.write_text('{"version": 1}')
        assert "nothing is wrong" in self.check(config)
        config.write_text('{"version": 2, "redact": {"mode": "hide"}}')
        found = self.check(config, expected=1)
        assert "version: is 2" in found
        assert "redact.mode" in found

    def test_files_that_are_missing(self, tmp_path):
        assert "No such file" in self.check("--redaction", tmp_path / "none", expected=2)
        assert "check needs one file" in self.check(expected=2)
