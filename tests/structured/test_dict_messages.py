"""A dict as the message: its entries are fields, and its entry ``message`` is the message."""

import json

import pytest
from structured.both_ways import lines_of

from duramen.filters import RedactingFilter
from duramen.formatters import ConsoleFormatter, JsonFormatter, LogfmtFormatter


class Broken:
    def __str__(self):
        raise ValueError("no")


class Text(str):
    def __eq__(self, other):
        raise ZeroDivisionError

    __hash__ = str.__hash__


def line(formatter, message, **options):
    native, python = lines_of(formatter, lambda logger: logger.info(message, **options))
    assert native == python
    assert native.count("\n") == 1
    return native[:-1]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"message": "x", "a": 1}, {"message": "x", "a": 1}),
        ({"a": 1, "message": "x"}, {"message": "x", "a": 1}),
        ({"a": 1}, {"message": "", "a": 1}),
        ({}, {"message": ""}),
        ({"message": 5}, {"message": "5"}),
        ({"message": None}, {"message": "None"}),
        ({"message": {"x": 1}}, {"message": "{'x': 1}"}),
        ({"message": Broken(), "a": 1}, {"message": "<unwritable Broken: ValueError>", "a": 1}),
        ({"message": "a\ud800"}, {"message": "a\ud800"}),
        ({"message": "x\nERROR"}, {"message": "x\nERROR"}),
        ({Text("message"): "x", Text("a"): 1}, {"message": "x", "a": 1}),
        ({"Message": "x", b"message": 1}, {"message": "", "Message": "x", "b'message'": 1}),
    ],
    ids=repr,
)
def test_the_entry_is_the_message(message, expected):
    assert json.loads(line(JsonFormatter("%(message)s"), message)) == expected


def test_it_stands_where_the_message_stands():
    message = {"message": "x", "a": 1}
    renamed = JsonFormatter(fields={"level": "levelname", "text": "message"})
    assert json.loads(line(renamed, message)) == {"level": "INFO", "text": "x", "a": 1}
    assert line(LogfmtFormatter("%(message)s"), {"message": "x y", "a": 1}) == 'message="x y" a=1'
    assert line(ConsoleFormatter(datefmt="now", align=0, color=False), message).endswith("x a=1")
    for ecs in map(json.loads, lines_of(JsonFormatter(preset="ecs"), lambda logger: logger.info(message))):
        assert (ecs["message"], ecs["a"]) == ("x", 1)


def test_without_a_message_on_the_line_it_is_a_field():
    assert json.loads(line(JsonFormatter("%(levelname)s"), {"message": "x"})) == {
        "levelname": "INFO",
        "message": "x",
    }


def test_an_extra_field_of_the_same_name_is_beside_it():
    found = json.loads(line(JsonFormatter("%(message)s"), {"message": "x", "a": 1}, extra={"a": 2, "b": 3}))
    assert found == {"message": "x", "a": 2, "b": 3}


def test_private_names_are_shown_in_a_message():
    # A format leaves out extra fields whose names begin with an underscore: attributes that libraries put on records.
    found = json.loads(line(JsonFormatter("%(message)s"), {"_a": 1}, extra={"_b": 2}))
    assert found == {"message": "", "_a": 1}


@pytest.mark.parametrize("allow", [None, ["message"]])
def test_it_is_masked(allow):
    def call(logger):
        logger.handlers[0].addFilter(RedactingFilter(allow=allow))
        logger.info({"message": "token=abcdef of x", "password": "p"})

    native, python = lines_of(JsonFormatter("%(message)s"), call)
    assert native == python
    assert json.loads(native) == {"message": "token=*** of x", "password": "***"}


def test_it_is_masked_unless_it_is_allowed():
    def call(logger):
        logger.handlers[0].addFilter(RedactingFilter(allow=["order"]))
        logger.info({"message": "x", "order": 7})

    native, python = lines_of(JsonFormatter("%(message)s"), call)
    assert native == python
    assert json.loads(native) == {"message": "***", "order": 7}
