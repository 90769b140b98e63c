"""Options of the handlers for files that cannot be: refused when the handler is made, and nothing is on the disk then.

CPython's own arguments alone are CPython's, whatever they are: tests/differential/test_handlers.py.
"""

import datetime
import logging.config
import logging.handlers
import os

import pytest

import duramen
import duramen.config
import duramen.handlers

ROTATING, TIMED, AUDIT = "RotatingFileHandler", "TimedRotatingFileHandler", "AuditFileHandler"

#: What every rotating handler here has: alone it is right.
RIGHT = {
    "FileHandler": {},
    "WatchedFileHandler": {},
    ROTATING: {"maxBytes": 100, "backupCount": 1},
    TIMED: {"when": "midnight", "backupCount": 1},
    AUDIT: {},
}

COMMON = [
    ({"compression": "lz4"}, 'compression: found \'lz4\', expected "gzip" or "zstd"'),
    ({"compression": True}, 'compression: found True, expected "gzip" or "zstd"'),
    (
        {"max_age": "1y"},
        "max_age: found '1y', expected text such as \"30d\", seconds above 0, or a timedelta",
    ),
    ({"max_age": True}, "max_age: found True, expected text such as"),
    ({"max_age": 0}, "max_age: found 0, expected text such as"),
    ({"max_age": float("nan")}, "max_age: found nan, expected text such as"),
    (
        {"max_age": datetime.timedelta(-1)},
        "max_age: found datetime.timedelta(days=-1), expected text such as",
    ),
    ({"max_total_bytes": 0}, "max_total_bytes: found 0, expected a whole number of bytes from 1 on"),
    ({"max_total_bytes": True}, "max_total_bytes: found True, expected a whole number of bytes from 1 on"),
    ({"max_total_bytes": 1.5}, "max_total_bytes: found 1.5, expected a whole number of bytes from 1 on"),
    ({"max_total_bytes": "1 GB"}, "max_total_bytes: found '1 GB', expected a whole number of bytes"),
    ({"archive_to": 7}, "archive_to: found 7, expected a path"),
    (
        {"archive_to": "taken"},
        "archive_to: found something else than a folder, expected the path of a folder",
    ),
    ({"archive_to": "taken/inside"}, "archive_to: found something else than a folder"),
    ({"archive_to": "folder/.."}, "archive_to: found the folder of the log itself, expected another folder"),
    ({"archive_to": "app.log.1"}, "archive_to: found a name that the log or its backups get"),
    (
        {"archive_to": "folder", "backupCount": 0, "maxBytes": 1, "when": "D"},
        "archive_to: found a folder alone",
    ),
    ({"archive_max_age": "1d"}, "archive_max_age: found an age alone, expected archive_to beside it"),
    (
        {"archive_to": "folder", "archive_max_age": "1d", "max_age": "2d", "backupCount": 0},
        "archive_max_age: found an age that all have when they go there, expected more than max_age",
    ),
    (
        {"symlink": "taken"},
        "symlink: found the path of something else than a link, expected a path that is free",
    ),
    ({"symlink": "folder"}, "symlink: found the path of something else than a link"),
    ({"symlink": ""}, "symlink: found "),
    ({"symlink": "folder/../app.log"}, "symlink: found the path of the log itself, expected another path"),
    ({"symlink": "app.log.1"}, "symlink: found a name that backups get, expected another name"),
    ({"symlink": "app.log.2024-03-01.gz"}, "symlink: found a name that backups get, expected another name"),
    ({"archive_to": "folder", "symlink": "folder"}, "symlink: found the folder of archive_to"),
    ({"on_rotate": "print"}, "on_rotate: found 'print', expected a function"),
    # Arguments of CPython's, beside the others.
    ({"backupCount": -1, "compression": "gzip"}, "backupCount: found -1, expected a whole number from 0 on"),
    (
        {"backupCount": True, "compression": "gzip"},
        "backupCount: found True, expected a whole number from 0 on",
    ),
    (
        {"maxBytes": 1.5, "compression": "gzip"},
        "maxBytes: found 1.5, expected a whole number of bytes from 0 on",
    ),
    ({"maxBytes": "100", "compression": "gzip"}, "maxBytes: found '100', expected a whole number of bytes"),
    ({"maxBytes": -1, "compression": "gzip"}, "maxBytes: found -1, expected a whole number of bytes"),
    ({"when": "Q", "maxBytes": 1}, "when: found 'Q', expected one of S, M, H, D, MIDNIGHT, W0 to W6"),
    ({"when": "W7", "maxBytes": 1}, "when: found 'W7', expected one of"),
    ({"when": 5, "maxBytes": 1}, "when: found 5, expected one of"),
    ({"when": "S", "interval": 0, "maxBytes": 1}, "interval: found 0, expected a whole number from 1 on"),
    ({"when": "S", "interval": 1.5, "maxBytes": 1}, "interval: found 1.5, expected a whole number from 1 on"),
    ({"when": "D", "interval": 2**62, "maxBytes": 1}, f"interval: found {2**62}, expected "),
    ({"when": "D", "utc": "no", "maxBytes": 1}, "utc: found 'no', expected True or False"),
    (
        {"when": "midnight", "atTime": "03:30", "maxBytes": 1},
        "atTime: found '03:30', expected a datetime.time",
    ),
    (
        {"when": "H", "atTime": datetime.time(3), "maxBytes": 1},
        "atTime: found datetime.time(3, 0), expected none",
    ),
]

FILE = [
    ({"fsync": "always"}, 'fsync: found \'always\', expected "never", "rotation"'),
    ({"fsync": True}, 'fsync: found True, expected "never", "rotation"'),
    ({"fsync": 0}, "fsync: found 0, expected "),
    (
        {"fsync": "record", "encoding": "utf-9"},
        "encoding: found 'utf-9', expected the name of an encoding of text",
    ),
    (
        {"fsync": "record", "encoding": "hex"},
        "encoding: found 'hex', expected the name of an encoding of text",
    ),
    (
        {"fsync": "record", "errors": "shrug"},
        "errors: found 'shrug', expected the name of a way to handle errors",
    ),
]

CASES = [
    *((name, options, problem) for name in (ROTATING, TIMED) for options, problem in COMMON + FILE),
    *(
        (name, options, problem)
        for name in ("FileHandler", "WatchedFileHandler")
        for options, problem in FILE
    ),
    *(
        (name, {"fsync": "record", "mode": mode}, f"mode: found {mode!r}, expected ")
        for name in ("FileHandler", "WatchedFileHandler", ROTATING)
        for mode in ("r", "ab", "aw", 5)
    ),
    (ROTATING, {"maxBytes": 0, "compression": "gzip"}, "maxBytes: found 0, expected at least 1, or when"),
    (ROTATING, {"backupCount": 0, "symlink": "new"}, "backupCount: found 0, expected at least 1, or max_age"),
    (ROTATING, {"maxBytes": 1.5, "fsync": "record"}, "maxBytes: found 1.5, expected a whole number of bytes"),
    (ROTATING, {"atTime": datetime.time(1)}, "atTime: found datetime.time(1, 0), expected when beside it"),
    (ROTATING, {"interval": 5}, "interval: found 5, expected when beside it"),
    (ROTATING, {"utc": True}, "utc: found True, expected when beside it"),
    (TIMED, {"interval": 0, "fsync": "record"}, "interval: found 0, expected a whole number from 1 on"),
    (AUDIT, {"commit": "never"}, 'commit: found \'never\', expected "record" or "group"'),
    (AUDIT, {"commit": 5}, 'commit: found 5, expected "record" or "group"'),
    (AUDIT, {"maxBytes": -1}, "maxBytes: found -1, expected a whole number of bytes from 0 on"),
    (AUDIT, {"maxBytes": "100"}, "maxBytes: found '100', expected a whole number of bytes from 0 on"),
    (AUDIT, {"maxBytes": True}, "maxBytes: found True, expected a whole number of bytes from 0 on"),
    (AUDIT, {"when": "Q"}, "when: found 'Q', expected one of S, M, H, D, MIDNIGHT, W0 to W6"),
    (AUDIT, {"when": 5}, "when: found 5, expected one of"),
    (AUDIT, {"when": "H", "interval": 0}, "interval: found 0, expected a whole number from 1 on"),
    (AUDIT, {"interval": 5}, "interval: found 5, expected when beside it"),
    (AUDIT, {"utc": True}, "utc: found True, expected when beside it"),
    (AUDIT, {"atTime": datetime.time(1)}, "atTime: found datetime.time(1, 0), expected when beside it"),
    (AUDIT, {"when": "midnight", "atTime": "03:30"}, "atTime: found '03:30', expected a datetime.time"),
    (AUDIT, {"max_age": "30d"}, "max_age: found an age alone, expected maxBytes or when beside it"),
    (AUDIT, {"max_age": "1y", "maxBytes": 1}, "max_age: found '1y', expected text such as"),
    (AUDIT, {"max_age": True, "maxBytes": 1}, "max_age: found True, expected text such as"),
    (AUDIT, {"legal_hold": "no"}, "legal_hold: found 'no', expected True or False"),
    (AUDIT, {"key_env": 5}, "key_env: found 5, expected the name of an environment variable"),
    (AUDIT, {"key_env": ""}, "key_env: found "),
    (AUDIT, {"key_env": "NO_SUCH_KEY"}, 'key_env: found "NO_SUCH_KEY", which is not set'),
    (AUDIT, {"key_file": 5}, "key_file: found 5, expected a path"),
    (AUDIT, {"key_file": "no-such-file"}, "key_file: found "),
    (AUDIT, {"key_file": "x", "key_env": "Y"}, "key_file: found 'x', expected either key_env or key_file"),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory, with a file and a folder in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DURAMEN_AUDIT_KEY", "a key for tests of 16 bytes or more")
    (tmp_path / "taken").write_text("mine")
    (tmp_path / "folder").mkdir()
    return tmp_path


def class_of(name):
    module = duramen if name == "FileHandler" else duramen.handlers
    return getattr(module, name)


def from_code(name, options):
    return class_of(name)("app.log", **options)


def from_dict_config(name, options, config=duramen.config):
    prefix = {"FileHandler": "logging.", AUDIT: "duramen.handlers."}.get(name, "logging.handlers.")
    handler = {"class": prefix + name, "filename": "app.log", **options}
    content = {"version": 1, "disable_existing_loggers": False, "handlers": {"file": handler}}
    try:
        config.dictConfig(content)
    except ValueError as error:
        raise error.__cause__ from None


def installed(name, options):
    duramen.install()
    try:
        if name == AUDIT:
            return from_code(name, options)
        return getattr(logging if name == "FileHandler" else logging.handlers, name)("app.log", **options)
    finally:
        duramen.uninstall()


def installed_from_dict_config(name, options):
    duramen.install()
    try:
        return from_dict_config(name, options, logging.config)
    finally:
        duramen.uninstall()


WAYS = [from_code, from_dict_config, installed, installed_from_dict_config]


@pytest.mark.parametrize("way", WAYS)
def test_what_cannot_be_is_refused_and_nothing_is_touched(folder, way):
    """One test for all: what each says is compared, and all that differs is shown."""
    differing = []
    for name, options, problem in CASES:
        options = {**RIGHT[name], **options}
        try:
            way(name, options)
            found = "nothing was raised"
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        expected = f"ValueError: {name}: {problem}"
        if not found.startswith(expected):
            differing.append((name, options, found, expected))
        if sorted(os.listdir(folder)) != ["folder", "taken"] or os.listdir("folder"):
            pytest.fail(f"{name} {options} has touched the disk: {os.listdir(folder)}")
    assert differing == []
    assert (folder / "taken").read_text() == "mine"


@pytest.mark.parametrize("way", WAYS)
def test_what_is_right_beside_the_others_is_taken(folder, way):
    for name, options in RIGHT.items():
        handler = way(name, options)
        if handler is not None:
            handler.close()
    assert "app.log" in os.listdir(folder)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (ROTATING, {"maxBytes": 1.5, "backupCount": 1}),
        (ROTATING, {"maxBytes": True, "backupCount": -1}),
        (TIMED, {"when": "S", "interval": 1.5}),
        (TIMED, {"when": "H", "atTime": datetime.time(3)}),
        (TIMED, {"when": "H", "atTime": "noon", "utc": "yes"}),
        ("FileHandler", {"mode": "w+"}),
    ],
)
def test_arguments_of_cpython_alone_are_taken_as_cpython_takes_them(folder, name, options):
    module = logging if name == "FileHandler" else logging.handlers
    taken = [
        getattr(module, name)("app.log", delay=True, **options),
        from_code(name, {"delay": True, **options}),
    ]
    attributes = [{key: value for key, value in vars(handler).items() if key in options} for handler in taken]
    assert attributes[0] == attributes[1]
