"""Reads a logging configuration file, checks it as a whole, and applies it.

The suffix decides the format: JSON, TOML (Python 3.11, or the package tomli) and YAML (the package
PyYAML) hold what ``logging.config.dictConfig`` takes, INI holds what ``logging.config.fileConfig``
takes.
"""

import configparser
import importlib
import json
import logging
import logging.config
import os
from typing import NamedTuple

from duramen._config_check import check_dict
from duramen._config_ini import check_ini


class ConfigFileError(Exception):
    """A configuration file that cannot be used.

    ``path`` is the file, ``problems`` a list with one line for each thing that is wrong in it, which
    opens with the place where it is wrong.
    """

    def __init__(self, path, problems):
        super().__init__(path, problems)
        self.path = path
        self.problems = problems

    def __str__(self):
        lines = "".join(f"\n  {problem}" for problem in self.problems)
        return f"the configuration file {self.path} cannot be used:{lines}"


class ConfigFile:
    """A configuration file that was read and whose content passed the check."""

    def __init__(self, path, content):
        self.path = path
        self.content = content

    def apply(self):
        """Configure the standard library's tree of loggers with it.

        When that fails, because a file cannot be opened for example, the loggers are put back as they
        were and ``ConfigFileError`` is raised.
        """
        before = {logger: _LoggerState.of(logger) for logger in _all_loggers()}
        try:
            if isinstance(self.content, configparser.ConfigParser):
                logging.config.fileConfig(self.content)
            else:
                logging.config.dictConfig(self.content)
        except Exception as error:
            for logger in _all_loggers():
                before.get(logger, _NEW_LOGGER).give_to(logger)
            raise ConfigFileError(self.path, [_describe(error)]) from error


def load(path):
    """Read and check the configuration file ``path``; opens nothing that it names.

    Raises ``ConfigFileError`` with everything that is wrong.
    """
    reader = _READERS.get(os.path.splitext(path)[1].lower())
    if reader is None:
        raise ConfigFileError(path, [f"the suffix of its name has to be one of {', '.join(_READERS)}"])
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
    except OSError as error:
        raise ConfigFileError(path, [f"it cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigFileError(path, [f"it is not UTF-8: byte {error.start}"]) from error
    try:
        content, check = reader(text)
    except _FormatError as error:
        raise ConfigFileError(path, [str(error)]) from error
    problems = check(content)
    if problems:
        raise ConfigFileError(path, problems)
    return ConfigFile(path, content)


class _FormatError(Exception):
    """The text is not in the format that the file's suffix promises."""


def _read_json(text):
    try:
        return json.loads(text), check_dict
    except json.JSONDecodeError as error:
        raise _FormatError(f"line {error.lineno}, column {error.colno}: no JSON: {error.msg}") from error


def _read_toml(text):
    for name in ("tomllib", "tomli"):
        try:
            toml = importlib.import_module(name)
        except ImportError:
            continue
        try:
            return toml.loads(text), check_dict
        except toml.TOMLDecodeError as error:
            raise _FormatError(f"no TOML: {error}") from error
    raise _FormatError("TOML needs Python 3.11 or newer, or the package tomli")


def _read_yaml(text):
    try:
        import yaml
    except ImportError as error:
        raise _FormatError("YAML needs the package PyYAML") from error
    try:
        return yaml.safe_load(text), check_dict
    except yaml.YAMLError as error:
        raise _FormatError("no YAML: " + " ".join(str(error).split())) from error


def _read_ini(text):
    parser = configparser.ConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise _FormatError("no INI: " + " ".join(str(error).split())) from error
    return parser, check_ini


_READERS = {
    ".json": _read_json,
    ".toml": _read_toml,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
    ".ini": _read_ini,
    ".cfg": _read_ini,
    ".conf": _read_ini,
}


def _all_loggers():
    """The root logger and every logger below it that exists."""
    root = logging.getLogger()
    named = root.manager.loggerDict.values()
    return [root] + [logger for logger in named if isinstance(logger, logging.Logger)]


class _LoggerState(NamedTuple):
    """What a configuration changes on a logger."""

    level: int = logging.NOTSET
    handlers: tuple = ()
    filters: tuple = ()
    propagate: bool = True
    disabled: bool = False

    @classmethod
    def of(cls, logger):
        handlers, filters = tuple(logger.handlers), tuple(logger.filters)
        return cls(logger.level, handlers, filters, logger.propagate, logger.disabled)

    def give_to(self, logger):
        logger.setLevel(self.level)
        logger.handlers[:] = self.handlers
        logger.filters[:] = self.filters
        logger.propagate = self.propagate
        logger.disabled = self.disabled


#: The state of a logger that the configuration itself made.
_NEW_LOGGER = _LoggerState()


def _describe(error):
    """What stopped the configuration: the innermost cause behind the sentence that says where."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    text = f"{type(cause).__name__}: {cause}"
    return text if cause is error else f"{error}: {text}"
