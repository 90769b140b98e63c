"""Values of every kind as JSON: one documented rule each, the same on both ways, and never an error."""

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import json
import math
import pathlib
import sys
import types
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structured.both_ways import lines_of, record

import duramen as logging
from duramen.formatters import JsonFormatter

BARE = {"fields": ["message"]}


def written(value, **options):
    """The JSON of ``value`` as an extra field, read again; both ways agree on it."""
    texts = lines_of(JsonFormatter(**BARE, **options), lambda logger: logger.info("m", extra={"v": value}))
    assert texts[0] == texts[1]
    assert texts[0].endswith("\n")
    assert len(texts[0].splitlines()) == 1
    return json.loads(texts[0])["v"]


class Color(enum.Enum):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


class Text(str):
    pass


@dataclasses.dataclass
class Point:
    x: int
    tags: set


Pair = collections.namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (0, 0),
        (-(2**63), -(2**63)),
        (2**63, 2**63),
        (-(10**60), -(10**60)),
        (0.1, 0.1),
        (1e300, 1e300),
        (math.nan, None),
        (-math.inf, None),
        ("é\n", "é\n"),
        (Text("t"), "t"),
        (Number.ONE, 1),
        (Color.RED, "red"),
        ([1, (2, [3])], [1, [2, [3]]]),
        (Pair(1, 2), [1, 2]),
        ({"a": {"b": None}, 2: 2, True: 3, None: 4}, {"a": {"b": None}, "2": 2, "true": 3, "null": 4}),
        ({"b", "a", "c"}, ["a", "b", "c"]),
        (frozenset([2, 1]), [1, 2]),
        (collections.deque([1, 2]), [1, 2]),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (collections.OrderedDict(z=1, a=2), {"z": 1, "a": 2}),
        (datetime.datetime(2024, 3, 1, 12, tzinfo=datetime.timezone.utc), "2024-03-01T12:00:00+00:00"),
        (datetime.date(2024, 3, 1), "2024-03-01"),
        (datetime.time(12, 30), "12:30:00"),
        (datetime.timedelta(minutes=1), "0:01:00"),
        (decimal.Decimal("1.10"), "1.10"),
        (fractions.Fraction(1, 3), "1/3"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.PurePosixPath("/a/b"), "/a/b"),
        (b"\xfb\xff", "-_8="),
        (bytearray(b"a"), "YQ=="),
        (memoryview(b"a"), "YQ=="),
        (Point(1, {"t"}), {"x": 1, "tags": ["t"]}),
        (Point, "Point"),
        (ValueError("no"), "ValueError: no"),
    ],
    ids=repr,
)
def test_each_kind_has_its_rule(value, expected):
    assert written(value) == expected


def test_integers_are_exact_beyond_the_digits_that_repr_gives():
    text = lines_of(JsonFormatter(**BARE), lambda logger: logger.info("m", extra={"v": 10**5000}))[0]
    assert text == '{"message": "m", "v": 1' + "0" * 5000 + "}\n"


def test_scalars_of_numpy():
    import numpy

    beyond = numpy.longdouble("1e400")
    for value, expected in (
        (numpy.bool_(True), True),
        (numpy.int8(-7), -7),
        (numpy.uint64(2**64 - 1), 2**64 - 1),
        (numpy.float16(0.5), 0.5),
        (numpy.float32(0.25), 0.25),
        (numpy.float64(0.1), 0.1),
        (numpy.float32("nan"), None),
        (numpy.float64("inf"), None),
        (numpy.longdouble("0.1"), 0.1),
        (numpy.longdouble("-inf"), None),
        (numpy.longdouble("nan"), None),
        # Where a long double is no wider than a double, it is infinite.
        (beyond, None if numpy.isinf(beyond) else "1e+400"),
        (numpy.complex64(1 + 2j), "(1+2j)"),
        (numpy.clongdouble(1 + 2j), "(1+2j)"),
        (numpy.str_("é"), "é"),
        (numpy.bytes_(b"a"), "YQ=="),
        (numpy.datetime64("2024-03-01T12:00:00.000000001", "ns"), "2024-03-01T12:00:00.000000001"),
        (numpy.datetime64("2024-03-01T12:00:00", "us"), "2024-03-01T12:00:00.000000"),
        (numpy.datetime64("2024-03-01"), "2024-03-01"),
        (numpy.datetime64("2024"), "2024"),
        (numpy.datetime64("NaT", "s"), None),
        (numpy.timedelta64(5, "ns"), "5 nanoseconds"),
        (numpy.timedelta64(90, "s"), "90 seconds"),
        (numpy.timedelta64("NaT", "s"), None),
        (numpy.void(b"a"), "YQ=="),
        (numpy.array([(1, 2.5)], dtype="i4,f8")[0], [1, 2.5]),
        ([numpy.int32(1), {"a": numpy.timedelta64(2, "D")}], [1, {"a": "2 days"}]),
        ({numpy.int64(1): 2}, {"1": 2}),
        (numpy.array([1, 2]), "[1 2]"),
    ):
        assert written(value) == expected, repr(value)


def test_numpy_half_imported_is_none():
    class Scalar:
        def __str__(self):
            return "s"

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "numpy", types.ModuleType("numpy"))
        assert written(Scalar()) == "s"


def test_cycles_and_depth_are_named():
    ring = [1]
    ring.append({"ring": ring})
    assert written(ring) == [1, {"ring": "<cycle: list>"}]
    deep = "core"
    for _ in range(5):
        deep = [deep]
    assert written(deep, max_depth=3) == [[["<too deep: list>"]]]
    # The same object twice is no cycle.
    twice = [1]
    assert written([twice, twice]) == [[1], [1]]


def test_a_value_that_fails_costs_that_value_alone():
    class Broken:
        def __str__(self):
            raise RuntimeError("no text")

    class BrokenMapping(collections.UserDict):
        def items(self):
            raise KeyError("gone")

    value = {"a": Broken(), "b": BrokenMapping(), "c": 3}
    expected = {"a": "<unwritable Broken: RuntimeError>", "b": "<unwritable BrokenMapping: KeyError>", "c": 3}
    assert written(value) == expected


def test_what_is_no_ordinary_exception_reaches_the_application():
    class Interrupting:
        def __str__(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written(Interrupting())


def test_a_value_may_change_its_container_while_it_is_written():
    class Growing:
        def __init__(self, container):
            self.container = container

        def __str__(self):
            if isinstance(self.container, dict):
                self.container[f"k{len(self.container)}"] = self
            else:
                self.container.append(self)
            return "grown"

    growing_dict, growing_list = {}, []
    growing_dict["first"] = Growing(growing_dict)
    growing_list.append(Growing(growing_list))
    for value in (growing_dict, growing_list):
        text = JsonFormatter(**BARE).format(logging.makeLogRecord({"msg": "m", "v": value}))
        assert "grown" in text and json.loads(text)


def test_the_hook_is_asked_first_and_may_decline():
    class Money:
        amount = 5

    def hook(value):
        if isinstance(value, Money):
            return {"amount": value.amount, "when": datetime.date(2024, 3, 1)}
        raise TypeError(type(value))

    assert written([Money(), {1}], default=hook) == [{"amount": 5, "when": "2024-03-01"}, [1]]
    assert written(Money(), default=lambda value: value).startswith("<")
    assert written(Money(), default=lambda value: 1 / 0) == "<unwritable Money: ZeroDivisionError>"
    # A hook that answers with ever new objects ends at the depth.
    assert "too deep" in json.dumps(written(Money(), default=lambda value: Money()))


def test_non_ascii_text_is_escaped_when_asked():
    formatter = JsonFormatter(**BARE, json_ensure_ascii=True)
    text = lines_of(formatter, lambda logger: logger.info("é😀", extra={"é": "ü"}))[0]
    assert text == '{"message": "\\u00e9\\ud83d\\ude00", "\\u00e9": "\\u00fc"}\n'


def test_a_pair_of_lone_surrogates_reads_as_the_character_it_names():
    assert written("\ud83d\ude00") == "😀"


any_text = st.text(st.characters(codec=None), max_size=60)


@settings(deadline=None)
@given(any_text, any_text, st.booleans())
def test_text_comes_back_as_it_was(message, value, ascii_only):
    formatter = JsonFormatter(fields=["message"], json_ensure_ascii=ascii_only)
    for text in lines_of(formatter, lambda logger: logger.info("%s", message, extra={"v": value})):
        assert len(text.splitlines()) == 1
        # As the json module itself: two surrogates that together name a character become it.
        expected = {"message": json.loads(json.dumps(message)), "v": json.loads(json.dumps(value))}
        assert json.loads(text) == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(json_values)
def test_what_json_has_a_form_for_comes_back(value):
    assert written(value) == value


@pytest.mark.parametrize(
    "created", [1709294400.1, 1709294400.3, 1.1, 1e9 + 0.7, 0.0, 1709294400.999999, -0.25]
)
def test_the_creation_time_is_the_number_that_the_record_has(created):
    found = json.loads(JsonFormatter(fields=["created"]).format(record(created=created)))
    assert found["created"] == created
