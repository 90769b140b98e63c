"""The options of ``JsonFormatter``: fields, times, exceptions, refusals, configuration, copies."""

import copy
import datetime
import io
import json
import pickle
import sys

import pytest
from structured.both_ways import lines_of, raised, record

import duramen as logging
import duramen.config
from duramen.formatters import ConsoleFormatter, JsonFormatter, LogfmtFormatter


def members(formatter, **attributes):
    return json.loads(
        formatter.format(record(**attributes)), object_pairs_hook=lambda pairs: list(map(list, pairs))
    )


def test_the_default_members_in_their_order():
    assert members(JsonFormatter(), user=7, args=(3,), stack_info="Stack", exc_text="Error: x") == [
        ["timestamp", "2024-03-01T12:00:00.250000Z"],
        ["level", "WARNING"],
        ["logger", "shop.orders"],
        ["message", "late by 3 min"],
        ["user", 7],
        ["exception", "Error: x"],
        ["stack", "Stack"],
    ]


def test_both_ways_write_the_same_line():
    formatters = [
        JsonFormatter(time_format="epoch_ms"),
        JsonFormatter("%(levelname)s %(message)s %(a)s %(lineno)d %(process)d %(threadName)s %(taskName)s"),
        JsonFormatter(preset="ecs"),
        JsonFormatter(preset="opentelemetry"),
        JsonFormatter(preset="gelf", host="h"),
        LogfmtFormatter(),
        ConsoleFormatter(color=True, datefmt="%Y"),
    ]

    def call(logger):
        extra = {"a": [1], "level": 9, "b": "x y", "_c": {"d": None}, "e=": "\x1b"}
        try:
            raise LookupError("none \n")
        except LookupError:
            logger.error("failed %s", "here\n", exc_info=True, extra=extra)

    moment = 1709294400.25
    for formatter in formatters:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("time.time", lambda: moment)
            patch.setattr("time.time_ns", lambda: int(moment * 1e9))
            native, python = lines_of(formatter, call)
        assert native == python
        assert "here\\n" in native


def test_extra_fields_lose_nothing_to_the_members():
    fields = dict(members(JsonFormatter(), level="high", timestamp=1, user=2))
    assert fields["level"] == "WARNING"
    assert fields["extra.level"] == "high"
    assert fields["extra.timestamp"] == 1
    assert fields["user"] == 2


@pytest.mark.parametrize(
    ("options", "extra", "expected"),
    [
        ({"rename_fields": {"by": "to"}}, {"by": 1, "to": 2}, {"to": 1, "extra.to": 2}),
        ({"rename_fields": {"by": "to"}}, {"to": 2}, {"extra.to": 2}),
        ({"rename_fields": {"by": "message"}}, {"by": 1}, {"extra.message": 1}),
        ({"rename_fields": {"levelname": "level"}}, {"level": 1}, {"level": 1}),
        ({}, {"lineno_": 1, "extra.message": 2}, {"lineno_": 1, "extra.extra.message": 2}),
        ({}, {"extra.other": 2}, {"extra.other": 2}),
    ],
)
def test_no_key_stands_twice(options, extra, expected):
    formatter = JsonFormatter("%(message)s", **options)
    lines = lines_of(formatter, lambda logger: logger.info("m", extra=extra))
    for line in lines:
        assert json.loads(line, object_pairs_hook=list) == [("message", "m"), *expected.items()]


def test_fields_are_chosen_renamed_and_given_values():
    formatter = JsonFormatter(
        fields={"at": "timestamp", "where": "lineno", "user": "user_id", "task": "taskName"},
        rename_fields={"where": "line", "order": "order.id", "exc_info": "error"},
        static_fields={"service": {"name": "shop"}, "region": "eu"},
        defaults={"user_id": "nobody", "tenant": 1},
        time_format="epoch",
    )
    assert members(formatter, order=5, region="us", exc_text="E", z=1) == [
        ["at", 1709294400.25],
        ["line", 42],
        ["user", "nobody"],
        ["task", None],
        ["error", "E"],
        ["service", [["name", "shop"]]],
        ["region", "us"],
        ["tenant", 1],
        ["order.id", 5],
        ["z", 1],
    ]
    assert ["user", 7] in members(formatter, user_id=7)
    assert ["tenant", 2] in members(formatter, tenant=2)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "2024-03-01T12:00:00.250000Z"),
        ({"time_zone": "Europe/Berlin"}, "2024-03-01T13:00:00.250000+01:00"),
        ({"time_format": "epoch"}, 1709294400.25),
        ({"time_format": "epoch_ms"}, 1709294400250),
        ({"time_format": "epoch_us"}, 1709294400250000),
        ({"time_format": "epoch_ns"}, 1709294400250000000),
    ],
)
def test_timestamps(options, expected):
    assert dict(members(JsonFormatter(**options)))["timestamp"] == expected


def test_local_timestamps_have_the_local_offset():
    text = dict(members(JsonFormatter(time_zone="local")))["timestamp"].replace("Z", "+00:00")
    assert datetime.datetime.fromisoformat(text).timestamp() == 1709294400.25


def chained():
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError("outer") from inner
    except ValueError as outer:
        return type(outer), outer, outer.__traceback__


def test_exceptions_as_objects():
    formatter = JsonFormatter(fields=["message"], exceptions="object")
    found = json.loads(formatter.format(record(exc_info=chained())))["exc_info"]
    assert list(found) == ["type", "module", "message", "frames", "cause"]
    assert (found["type"], found["module"], found["message"]) == ("ValueError", "builtins", "outer")
    (frame,) = found["frames"]
    assert frame["file"] == __file__
    assert frame["function"] == "chained"
    assert frame["line"] == chained.__code__.co_firstlineno + 5
    assert (found["cause"]["type"], found["cause"]["message"]) == ("KeyError", "'inner'")


def test_exceptions_as_object_and_text_as_lines_and_as_text():
    triple = chained()
    by_form = {
        form: json.loads(JsonFormatter(exceptions=form).format(record(exc_info=triple)))["exception"]
        for form in ("text", "lines", "object", "both")
    }
    assert by_form["text"].endswith("ValueError: outer")
    assert by_form["lines"] == by_form["text"].splitlines()
    assert by_form["both"] == {**by_form["object"], "traceback": by_form["text"]}


def test_contexts_notes_and_cycles_of_exceptions():
    first, second = ValueError("first"), TypeError("second")
    first.__context__, second.__context__ = second, first
    first.__notes__ = ["look here"]
    found = json.loads(JsonFormatter(exceptions="object").format(record(exc_info=raised(first))))["exception"]
    assert found["notes"] == ["look here"]
    assert found["context"]["message"] == "second"
    assert "context" not in found["context"]
    first.__suppress_context__ = True
    found = json.loads(JsonFormatter(exceptions="object").format(record(exc_info=raised(first))))["exception"]
    assert "context" not in found


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with CPython 3.11")
def test_exception_groups_hold_their_exceptions():
    group = eval("ExceptionGroup('two', [ValueError('a'), KeyError('b')])")
    found = json.loads(JsonFormatter(exceptions="object").format(record(exc_info=raised(group))))["exception"]
    assert [inner["type"] for inner in found["exceptions"]] == ["ValueError", "KeyError"]


def test_long_tracebacks_lose_their_middle():
    def deeper(depth):
        return deeper(depth - 1) if depth else 1 / 0

    try:
        deeper(300)
    except ZeroDivisionError:
        triple = sys.exc_info()
    found = json.loads(JsonFormatter(exceptions="object").format(record(exc_info=triple)))["exception"]
    assert len(found["frames"]) == 100
    assert found["frames_left_out"] == 202
    assert found["frames"][0]["function"].startswith("test_long")


def test_an_exception_whose_text_fails_is_named():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    formatter = JsonFormatter(exceptions="object")
    formatter.formatException = lambda triple: "text"
    found = json.loads(formatter.format(record(exc_info=raised(Mute()))))["exception"]
    assert found["message"] == "<unwritable Mute: RuntimeError>"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "esc"}, 'JsonFormatter: preset: found "esc", expected one of ecs, opentelemetry'),
        ({"preset": 3}, "JsonFormatter: preset: found 3, expected text"),
        ({"time_format": "iso"}, "JsonFormatter: time_format: found 'iso', expected one of rfc3339, epoch,"),
        (
            {"time_zone": "Mars/Olympus"},
            "JsonFormatter: time_zone: found 'Mars/Olympus', expected UTC, local",
        ),
        ({"exceptions": "xml"}, "JsonFormatter: exceptions: found 'xml', expected one of text, lines,"),
        (
            {"rename_fields": {"message": 3}},
            "JsonFormatter: rename_fields['message']: found 3, expected text",
        ),
        ({"static_fields": 3}, "JsonFormatter: static_fields: found 3, expected a mapping from names"),
        ({"defaults": {1: 2}}, "JsonFormatter: a key of defaults: found 1, expected text"),
        ({"default": 3}, "JsonFormatter: default: found 3, expected a function of one value"),
        ({"style": "!"}, "JsonFormatter: style: found '!', expected one of %"),
        ({"rename_fields": ["a"]}, "JsonFormatter: rename_fields: found ['a'], expected a mapping"),
        ({"json_indent": -1}, "JsonFormatter: json_indent: found -1, expected a number of columns from 0"),
        ({"json_indent": 101}, "JsonFormatter: json_indent: found 101, expected a number of columns"),
        ({"max_depth": 0}, "JsonFormatter: max_depth: found 0, expected a whole number from 1 to 100"),
        ({"fields": "message"}, "JsonFormatter: fields: found 'message', expected names, or a mapping"),
        ({"fields": {"a": 1}}, "JsonFormatter: fields['a']: found 1, expected text"),
        ({"fields": ["message"], "preset": "ecs"}, "one of fmt, fields and preset alone"),
        ({"rename_fields": {"level": "message"}}, 'JsonFormatter: fields["message"]: found two members'),
        ({"json_ensure_ascii": "yes"}, "JsonFormatter: ascii: found 'yes', expected true or false"),
    ],
)
def test_wrong_options_are_refused_with_their_path(options, message):
    with pytest.raises(ValueError) as caught:
        JsonFormatter(**options)
    assert message in str(caught.value)


def test_from_dict_config_with_class_and_factory():
    stream = io.StringIO()
    configuration = {
        "version": 1,
        "formatters": {
            "class": {"class": "duramen.formatters.JsonFormatter", "format": "%(levelname)s %(message)s"},
            "factory": {"()": "duramen.formatters.JsonFormatter", "preset": "logstash"},
            "logfmt": {"()": "duramen.formatters.LogfmtFormatter", "fields": ["levelname", "message"]},
        },
        "handlers": {
            name: {"class": "duramen.StreamHandler", "stream": stream, "formatter": name}
            for name in ("class", "factory", "logfmt")
        },
        "loggers": {"configured": {"handlers": ["class", "factory", "logfmt"], "propagate": False}},
    }
    duramen.config.dictConfig(configuration)
    logging.getLogger("configured").error("no stock", extra={"item": 5})
    first, second, third = stream.getvalue().splitlines()
    assert json.loads(first) == {"levelname": "ERROR", "message": "no stock", "item": 5}
    assert json.loads(second)["@version"] == "1"
    assert third == 'levelname=ERROR message="no stock" item=5'
    configuration["formatters"]["factory"]["preset"] = "log stash"
    with pytest.raises(ValueError, match="Unable to configure formatter 'factory'") as caught:
        duramen.config.dictConfig(configuration)
    assert "preset: found" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    "made_again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_copies_and_pickles_write_the_same(made_again):
    formatter = JsonFormatter(preset="gelf", static_fields={"service": "shop"}, default=str)
    assert made_again(formatter).format(record(a=1)) == formatter.format(record(a=1))


def test_a_subclass_sees_its_own_methods():
    class Shouting(JsonFormatter):
        def format(self, record):
            return super().format(record).upper()

        def formatException(self, triple):
            return "hidden"

    line = json.loads(Shouting().format(record(exc_info=raised(ValueError("x")))))
    assert line["EXCEPTION"] == "HIDDEN"
    assert line["MESSAGE"] == "LATE BY 5 MIN"
