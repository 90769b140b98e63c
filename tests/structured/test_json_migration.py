"""The class path is all that changes: the same constructor arguments as python-json-logger, the same members.

What differs by design is written down in ``docs/structured.md`` and asserted here.
"""

import datetime
import io
import json
import os
import sys

import pytest
from structured.both_ways import raised, record

import duramen as logging
import duramen.config
from duramen.formatters import JsonFormatter

theirs = pytest.importorskip("pythonjsonlogger.json")
core = pytest.importorskip("pythonjsonlogger.core")


def comparable(line):
    """The members; moments as such, since both have texts for them that differ only in form."""
    members = json.loads(line)
    for key in ("timestamp", "@timestamp"):
        if key in members:
            members[key] = datetime.datetime.fromisoformat(members[key].replace("Z", "+00:00"))
    return members


RECORDS = {
    "plain": {},
    "extra": {"user": "Ada", "n": 5, "nested": {"a": [1, None, True]}, "_private": 1},
    "dict": {"msg": {"event": "late", "minutes": 5}, "args": ()},
    "dict with a message": {"msg": {"message": "late", "minutes": 5, "_private": 1}, "args": ()},
    "values": {
        "when": datetime.date(2024, 3, 1),
        "raw": b"\xfb\xff",
        "problem": ValueError("no"),
        "trace": raised(LookupError("gone"))[2],
        "type": int,
    },
    "exception": {"exc_info": "raised"},
    "stack": {"stack_info": "Stack (most recent call last):\n  File x"},
}

ARGUMENTS = [
    {"fmt": "%(message)s"},
    {"fmt": "%(asctime)s %(levelname)-8s %(name)s %(lineno)d %(message)s"},
    {"fmt": "%(asctime)s %(message)s", "datefmt": "%Y"},
    {"fmt": "{levelname} {message}", "style": "{"},
    {"fmt": "${levelname} $message", "style": "$"},
    {"fmt": "levelname, message,name", "style": ","},
    {"fmt": ["levelname", "message", "user"]},
    {"fmt": "%(message)s %(user)s %(missing)s"},
    {"fmt": "%(message)s", "validate": False},
    {"fmt": "%(levelname)s %(message)s", "rename_fields": {"levelname": "level", "user": "user.name"}},
    {
        "fmt": "%(message)s",
        "rename_fields": {"levelname": "level", "message": "@message"},
        "rename_fields_keep_missing": True,
    },
    {"fmt": "%(message)s", "rename_fields": {"exc_info": "error", "stack_info": "stack"}},
    {"fmt": "%(message)s", "rename_fields": {"exc_info": "error"}, "rename_fields_keep_missing": True},
    {"fmt": "%(message)s", "static_fields": {"service": "shop", "user": "fixed"}},
    {"fmt": "%(message)s", "defaults": {"user": "nobody", "tenant": {"a": 1}}},
    {"fmt": "%(message)s", "timestamp": True},
    {"fmt": "%(message)s", "timestamp": "@timestamp"},
    {"fmt": "%(message)s", "reserved_attrs": [*core.RESERVED_ATTRS, "user"]},
    {
        "fmt": "%(message)s",
        "reserved_attrs": [a for a in core.RESERVED_ATTRS if a not in ("lineno", "thread")],
    },
    {"fmt": "%(message)s %(exc_info)s %(stack_info)s"},
    {"fmt": "%(message)s", "exc_info_as_array": True, "stack_info_as_array": True},
    {"fmt": "%(message)s", "prefix": ""},
    {"fmt": "%(message)s", "json_default": str},
    {"fmt": "%(message)s", "json_encoder": theirs.JsonEncoder},
    {"fmt": "%(message)s", "json_indent": 2},
    {"fmt": "%(message)s", "json_ensure_ascii": False},
    {"fmt": "%(message)s", "json_serializer": json.dumps},
]


@pytest.mark.parametrize("kind", RECORDS)
@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_the_same_members(arguments, kind):
    attributes = dict(RECORDS[kind])
    if attributes.get("exc_info"):
        attributes["exc_info"] = raised(LookupError("gone"))
    expected = theirs.JsonFormatter(**arguments).format(record(**attributes))
    assert comparable(JsonFormatter(**arguments).format(record(**attributes))) == comparable(expected)


def test_a_prefix_stands_before_the_object():
    arguments = {"fmt": "%(message)s", "prefix": "app: "}
    assert JsonFormatter(**arguments).format(record()) == theirs.JsonFormatter(**arguments).format(record())


def test_an_own_serializer_and_indentation_give_the_same_text():
    def serializer(members, **options):
        return "<" + json.dumps(members, sort_keys=True) + ">"

    for arguments in ({"json_serializer": serializer}, {"json_indent": "\t", "prefix": "p "}):
        arguments["fmt"] = "%(levelname)s %(message)s"
        assert JsonFormatter(**arguments).format(record()) == theirs.JsonFormatter(**arguments).format(
            record()
        )


def test_what_a_format_names_is_null_where_a_record_has_none():
    arguments = {"fmt": "%(message)s %(exc_text)s", "rename_fields": {"exc_text": "error.message"}}
    expected = theirs.JsonFormatter(**arguments).format(record())
    assert JsonFormatter(**arguments).format(record()) == expected
    assert '"error.message": null' in expected


def test_options_can_be_read():
    arguments = {
        "json_default": str,
        "json_encoder": theirs.JsonEncoder,
        "json_serializer": json.dumps,
        "json_indent": 2,
        "json_ensure_ascii": False,
    }
    formatter, other = JsonFormatter(**arguments), theirs.JsonFormatter(**arguments)
    for name in arguments:
        assert getattr(formatter, name) is getattr(other, name)
        # It is compiled: a change would have no effect.
        with pytest.raises(AttributeError):
            setattr(formatter, name, None)


@pytest.mark.parametrize(
    "options", [{"json_indent": 2}, {"json_serializer": lambda *a, **k: json.dumps(*a, **k)}]
)
def test_lone_surrogates_reach_a_file(options, tmp_path):
    handler = logging.FileHandler(tmp_path / "log", encoding="utf-8")
    handler.setFormatter(JsonFormatter("%(message)s", **options))
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    logger.info("a \udc80 \\udc80 \ud83d\ude00 \U0001f600", extra={"\udc81": ["\ud800"]})
    handler.close()
    text = (tmp_path / "log").read_text("utf-8")
    assert "\\udc80" in text
    assert json.loads(text)["message"].endswith("\U0001f600")


def test_a_wrong_indentation_is_refused():
    with pytest.raises(
        ValueError, match=r"JsonFormatter: json_indent: found \[1\], expected a number of col"
    ):
        JsonFormatter(json_indent=[1])


def test_a_dict_config_needs_no_more_than_the_class_path():
    def lines(path, key):
        stream = io.StringIO()
        duramen.config.dictConfig(
            {
                "version": 1,
                "formatters": {"json": {key: path, **options[key]}},
                "handlers": {
                    "out": {"class": "duramen.StreamHandler", "stream": stream, "formatter": "json"},
                },
                "loggers": {"migrated": {"handlers": ["out"], "level": "INFO", "propagate": False}},
            }
        )
        logging.getLogger("migrated").warning("low on %s", "tea", extra={"left": 2})
        return json.loads(stream.getvalue())

    options = {
        "class": {"format": "%(levelname)s %(name)s %(message)s"},
        "()": {"fmt": "%(levelname)s %(message)s", "rename_fields": {"levelname": "severity"}},
    }
    for key in options:
        members = lines("pythonjsonlogger.json.JsonFormatter", key)
        members.pop("taskName", None)
        assert lines("duramen.formatters.JsonFormatter", key) == members


def test_references_of_a_configuration_are_looked_up_at_any_depth():
    options = {
        "static_fields": {"limit": "ext://sys.maxsize", "nested": {"a": ["ext://os.sep", "cfg://where"]}},
        "rename_fields": {"message": "cfg://key"},
        "json_default": "ext://builtins.repr",
    }
    found = []
    for path in ("pythonjsonlogger.json.JsonFormatter", "duramen.formatters.JsonFormatter"):
        formatter = {"()": path, "fmt": "%(message)s", **options}
        duramen.config.dictConfig(
            {
                "version": 1,
                "where": "here",
                "key": "text",
                "formatters": {"json": formatter},
                "handlers": {"out": {"class": "duramen.StreamHandler", "formatter": "json"}},
                "loggers": {"migrated": {"handlers": ["out"]}},
            }
        )
        formatter = logging.getLogger("migrated").handlers[0].formatter
        found.append(json.loads(formatter.format(record(odd=1j))))
    expected = {"limit": sys.maxsize, "nested": {"a": [os.sep, "here"]}, "text": "late by 5 min", "odd": "1j"}
    assert found[1] == expected
    assert found[0].keys() == expected.keys()


def test_what_is_missing_is_kept_without_a_format_too():
    renames = {"levelname": "severity", "absent": "missing", "lineno": "line", "exc_info": "error"}
    members = json.loads(
        JsonFormatter(rename_fields=renames, rename_fields_keep_missing=True).format(record())
    )
    assert members["severity"] == "WARNING"
    assert [members[key] for key in ("missing", "line", "error")] == [None, None, None]


def test_with_nothing_reserved_every_attribute_is_a_member():
    arguments = {"reserved_attrs": [], "rename_fields": {"exc_info": "error.type", "levelname": "log.level"}}
    expected = comparable(theirs.JsonFormatter(**arguments).format(record()))
    found = comparable(JsonFormatter(**arguments).format(record()))
    # The creation time is a member anyway; the two that count from it are those of another record.
    del found["timestamp"]
    for members in (found, expected):
        del members["created"], members["relativeCreated"]
    assert found.pop("exc_text", None) is expected.pop("exc_text")
    assert found == expected


def test_what_differs_by_design():
    # Without a format, Duramen writes its own members; python-json-logger writes the message alone.
    assert set(json.loads(JsonFormatter().format(record()))) == {"timestamp", "level", "logger", "message"}
    # A field of the record is not replaced by an extra field that was given its key.
    formatter = JsonFormatter("%(levelname)s", rename_fields={"levelname": "level"})
    assert json.loads(formatter.format(record(level=1))) == {"level": "WARNING", "extra.level": 1}
    # Nor by an entry of a dict that is the message.
    dict_message = record(msg={"levelname": "own"}, args=())
    assert json.loads(JsonFormatter("%(levelname)s").format(dict_message)) == {
        "levelname": "WARNING",
        "extra.levelname": "own",
    }
    # The message is text in every record.
    numbered = record(msg={"message": 5}, args=())
    assert json.loads(JsonFormatter("%(message)s").format(numbered)) == {"message": "5"}
    # NaN is valid JSON.
    assert '"n": null' in JsonFormatter("%(message)s").format(record(n=float("nan")))
