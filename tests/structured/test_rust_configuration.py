"""A Python service and a Rust program with the same configuration file write the same bytes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: What the example 05_configuration_file logs, in Python.
PROGRAM = """
import sys
import duramen as logging
import duramen.config
import duramen._config_file as files

logging.config.dictConfig(files._READERS[sys.argv[2]](open(sys.argv[1], encoding="utf-8").read())[0])
shop, orders = logging.getLogger("shop"), logging.getLogger("shop.orders")
shop.info("open, with password=%s", "hunter2")
for number in range(1, 4):
    orders.info("order accepted", extra={"order": number, "by": "Ada L."})
orders.warning("mail to %s", "ada@example.org", extra={"apiKey": "k-123"})
for _ in range(2):
    shop.error('disk "%s" is slow', "a\\u00e9")
shop.debug("done", extra={"ratio": 0.5, "none": None, "on": True})
nested = [1]
for level in range(9):
    nested = {"list": [nested]}
shop.info("deep", extra={"nested": nested})
"""

LINE = {"format": "%(levelname)-8s|%(name)s|%(levelno)03d|%(message)s"}
EXTRA = {
    "()": "logging.Formatter",
    "fmt": "%(levelname)s|%(order)03d|%(by)6s|%(on)s|%(message)s",
    "defaults": {"order": 0, "by": "-", "on": None},
}
JSON = {
    "()": "duramen.formatters.JsonFormatter",
    "fields": {"level": "levelname", "logger": "name", "text": "message", "order": "order"},
    "static_fields": {"service": "shop", "tags": ["a", 1, None]},
    "defaults": {"order": 0},
    "rename_fields": {"by": "customer"},
    "prefix": "> ",
}
JSON_BY_FORMAT = {
    "()": "duramen.formatters.JsonFormatter",
    "fmt": "{levelname} {name} {message} {order} {exc_info} {exc_text}",
    "style": "{",
    "json_ensure_ascii": True,
}
HIDDEN = (
    "name msg args levelno pathname filename module exc_text lineno funcName created msecs relativeCreated thread "
    "threadName processName process taskName message asctime"
).split()
JSON_THAT_KEEPS = {
    "()": "duramen.formatters.JsonFormatter",
    "fmt": "%(message)s",
    "rename_fields": {"by": "customer", "nowhere": "somewhere", "lineno": "line", "exc_info": "error"},
    "rename_fields_keep_missing": True,
    "reserved_attrs": HIDDEN,
}
SHALLOW = {"()": "duramen.formatters.JsonFormatter", "fields": ["message", "nested"], "max_depth": 2}
LOGFMT = {"()": "duramen.formatters.LogfmtFormatter", "fields": ["levelname", "message"]}

CASES = {
    "a line": {"formatters": {"f": LINE}},
    "dollars": {"formatters": {"f": {"format": "${levelname}:${message}", "style": "$"}}},
    "a line with extra fields": {"formatters": {"f": EXTRA}},
    "escaped": {"formatters": {"f": {**EXTRA, "()": "duramen.formatters.EscapingFormatter"}}},
    "JSON": {"formatters": {"f": JSON}},
    "JSON that keeps what is missing": {"formatters": {"f": JSON_THAT_KEEPS}},
    "JSON by a format": {"formatters": {"f": JSON_BY_FORMAT}},
    "JSON that is cut where it nests": {"formatters": {"f": SHALLOW}},
    "JSON that nests as deep as usual": {"formatters": {"f": {**SHALLOW, "max_depth": None}}},
    "JSON by its class": {
        "formatters": {"f": {"class": JSON["()"], **{k: JSON[k] for k in JSON if k != "()"}}}
    },
    "logfmt": {"formatters": {"f": LOGFMT}},
    "masked": {"formatters": {"f": JSON}, "redact": {"packs": ["credentials", "pii"], "keys": ["by"]}},
    "masked in another mode": {
        "formatters": {"f": LOGFMT},
        "filters": {"f": {"()": "duramen.filters.RedactingFilter", "packs": ["pii"], "mode": "type"}},
    },
    "without repetitions": {
        "formatters": {"f": LOGFMT},
        "filters": {"f": {"()": "duramen.filters.DuplicateFilter", "window": 600}},
    },
    "with a limit that is not reached": {
        "formatters": {"f": LOGFMT},
        "filters": {"f": {"()": "duramen.filters.RateLimitFilter", "rate": 0.0001, "burst": 9, "per": None}},
    },
    "a sample": {
        "formatters": {"f": LOGFMT},
        "filters": {"f": {"()": "duramen.filters.SamplingFilter", "rate": 1, "keep": "ERROR"}},
    },
    "one logger": {
        "formatters": {"f": LINE},
        "filters": {"f": {"()": "logging.Filter", "name": "shop.orders"}},
    },
}


@pytest.fixture(scope="module")
def rust_program(tmp_path_factory):
    """The example, built by cargo, which has to be there."""
    cargo = shutil.which("cargo") or os.path.expanduser("~/.cargo/bin/cargo")
    built = subprocess.run(
        [
            cargo,
            "build",
            "--locked",
            "-p",
            "duramen",
            "--example",
            "05_configuration_file",
            "--message-format=json",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    messages = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
    programs = [message["executable"] for message in messages if message.get("executable")]
    return programs[-1]


def configuration(case, log):
    handler = {"class": "logging.FileHandler", "filename": str(log), "formatter": "f", "encoding": "utf-8"}
    if "filters" in case:
        handler["filters"] = ["f"]
    root = {"level": "DEBUG", "handlers": ["file"]}
    return {"version": 1, **case, "handlers": {"file": handler}, "root": root}


def written_by(command, log):
    if log.exists():
        log.unlink()
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    return log.read_bytes()


@pytest.mark.parametrize("name", CASES)
def test_the_same_file_gives_the_same_bytes(rust_program, tmp_path, name):
    log, file = tmp_path / "app.log", tmp_path / "logging.json"
    file.write_text(json.dumps(configuration(CASES[name], log)), encoding="utf-8")
    python = written_by([sys.executable, "-c", PROGRAM, str(file), ".json"], log)
    assert python.count(b"\n") >= 3
    assert written_by([rust_program, str(file)], log) == python


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"burst": 2},
            b'levelname=INFO message="order accepted [2 more suppressed]" order=3 by="Ada L." suppressed=2\n',
        ),
        (
            {"burst": 1, "per": "field:by"},
            b'levelname=INFO message="order accepted [2 more suppressed]" order=2 by="Ada L." suppressed=2\n',
        ),
    ],
)
def test_a_limit_holds_back_the_same_records_and_the_end_says_so(rust_program, tmp_path, options, said):
    limit = {"()": "duramen.filters.RateLimitFilter", "rate": 0.0001, **options}
    log, file = tmp_path / "app.log", tmp_path / "logging.json"
    case = {"formatters": {"f": LOGFMT}, "filters": {"f": limit}}
    file.write_text(json.dumps(configuration(case, log)), encoding="utf-8")
    python = written_by([sys.executable, "-c", PROGRAM, str(file), ".json"], log)
    rust = written_by([rust_program, str(file)], log)
    assert rust == python
    assert said in rust


def test_yaml_is_read_the_same_way(rust_program, tmp_path):
    log, file = tmp_path / "app.log", tmp_path / "logging.yaml"
    file.write_text(
        f"""
version: 1
formatters:
  f: {{(): duramen.formatters.JsonFormatter, fields: [levelname, message], static_fields: {{a: yes, b: 0x10, c: ~,
      d: 1.50, e: "on", f: 1_000}}}}
common: {{level: INFO}}
handlers:
  file: {{class: logging.FileHandler, filename: '{log}', formatter: f, delay: off}}
root: {{level: cfg://common.level, handlers: [file]}}
""",
        encoding="utf-8",
    )
    python = written_by([sys.executable, "-c", PROGRAM, str(file), ".yaml"], log)
    assert b'"a": true, "b": 16, "c": null, "d": 1.5, "e": "on", "f": 1000' in python
    assert written_by([rust_program, str(file)], log) == python


def test_a_file_is_rolled_over_in_the_same_way(rust_program, tmp_path):
    found = []
    for command in ([sys.executable, "-c", PROGRAM], [rust_program]):
        folder = tmp_path / str(len(found))
        folder.mkdir()
        case = configuration({"formatters": {"f": LINE}}, folder / "app.log")
        case["handlers"]["file"] |= {
            "class": "logging.handlers.RotatingFileHandler",
            "maxBytes": 100,
            "backupCount": 2,
            "archive_to": str(folder / "archive"),
            "symlink": str(folder / "current.log"),
        }
        file = folder / "logging.json"
        file.write_text(json.dumps(case), encoding="utf-8")
        arguments = [str(file), ".json"] if len(command) > 1 else [str(file)]
        finished = subprocess.run([*command, *arguments], capture_output=True, text=True)
        assert finished.returncode == 0, finished.stderr
        texts = {path.name: path.read_bytes() for path in folder.glob("*.log*")}
        # The names there tell the time.
        archived = sorted(path.read_bytes() for path in (folder / "archive").iterdir())
        found.append((texts, archived))
    assert found[0] == found[1]
    assert "app.log.2" in found[0][0] and found[0][1]


def test_options_of_a_rotation_that_make_no_sense_are_refused(rust_program, tmp_path):
    case = configuration({"formatters": {"f": LINE}}, tmp_path / "app.log")
    case["handlers"]["file"] |= {
        "class": "logging.handlers.RotatingFileHandler",
        "compression": "lz4",
        "max_age": "1y",
        "archive_max_age": "1d",
    }
    file = tmp_path / "logging.json"
    file.write_text(json.dumps(case), encoding="utf-8")
    refused = subprocess.run([rust_program, str(file)], capture_output=True, text=True)
    assert refused.returncode != 0
    for option in ("compression", "max_age", "maxBytes"):
        assert f'"handlers.file.{option}", found' in refused.stderr
    assert not (tmp_path / "app.log").exists()
