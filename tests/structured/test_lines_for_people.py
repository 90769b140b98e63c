"""``LogfmtFormatter``, ``ConsoleFormatter``, ``EscapingFormatter``: readable, and no text can forge a line."""

import datetime
import decimal
import fractions
import io
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structured.both_ways import lines_of, raised, record

import duramen as logging
from duramen.formatters import ConsoleFormatter, EscapingFormatter, LogfmtFormatter

HOSTILE = "\x1b[2J\x9b\x85\u2028\r\nERROR root: forged\x00\x7f\t"


def test_logfmt_quotes_what_is_not_one_word():
    formatter = LogfmtFormatter(fields={"level": "levelname", "msg": "message"})
    found = formatter.format(
        record(a=1, b="two words", c=None, d="", e='say "x"', f=[1, "a b"], g=True, h="a=b", i=1.5, j="é")
    )
    assert found == (
        'level=WARNING msg="late by 5 min" a=1 b="two words" c=null d="" e="say \\"x\\"" '
        'f="[1, \\"a b\\"]" g=true h="a=b" i=1.5 j=é'
    )


def test_logfmt_default_members_and_options():
    line = LogfmtFormatter().format(record(level="mine"))
    assert line == (
        'timestamp=2024-03-01T12:00:00.250000Z level=WARNING logger=shop.orders message="late by 5 min" '
        "extra.level=mine"
    )
    formatter = LogfmtFormatter(
        "%(levelname)s %(message)s",
        rename_fields={"levelname": "lvl"},
        static_fields={"app": "my shop"},
        defaults={"user": "-"},
    )
    expected = 'lvl=WARNING message="late by 5 min" app="my shop" user=-'
    assert formatter.format(record()) == expected


def test_logfmt_refuses_wrong_options():
    with pytest.raises(ValueError, match="LogfmtFormatter: time_format: found 'iso'"):
        LogfmtFormatter(time_format="iso")


@settings(deadline=None)
@given(st.text(), st.text())
def test_logfmt_pairs_are_told_apart(key, value):
    formatter = LogfmtFormatter(fields=[])
    line = formatter.format(record(**{"k": value, f"x{key}": 1}))
    found = re.fullmatch(r'k=("(?:[^"\\]|\\.)*"|[^ "=]*) (x[^ ="\\]*)=1', line)
    assert found, line


@pytest.mark.parametrize(
    "formatter",
    [
        LogfmtFormatter(),
        ConsoleFormatter(color=False),
        EscapingFormatter("%(levelname)s %(message)s"),
    ],
    ids=lambda formatter: type(formatter).__name__,
)
def test_no_message_forges_a_line_or_drives_the_terminal(formatter):
    line = formatter.format(record(msg=HOSTILE, args=(), user=HOSTILE))
    assert len(line.splitlines()) == 1
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in line)


def test_escaped_tracebacks_keep_their_lines():
    triple = raised(ValueError("no\x1b[2J"))
    for formatter in (ConsoleFormatter(color=False), EscapingFormatter()):
        text = formatter.format(record(exc_info=triple))
        assert "\x1b" not in text
        assert text.splitlines()[1] == "Traceback (most recent call last):"
        assert text.endswith("ValueError: no\\x1b[2J")


class Hostile:
    """Of any class, with texts of its own and of what it holds."""

    def __init__(self, text=HOSTILE):
        self.text = text

    def __str__(self):
        return self.text

    def __repr__(self):
        return self.text

    def __format__(self, specification):
        return self.text + specification

    def __getitem__(self, key):
        return self.text


LAYOUTS = {
    "%": ["%(order)s", "%(order)r", "%(order)-30s"],
    "{": ["{order}", "{order!r}", "{order!s:>30}", "{order:>3}", "{order.text}", "{order[a]}"],
    "$": ["$order", "${order}"],
}


@pytest.mark.parametrize("way", ["native", "python"])
@pytest.mark.parametrize(("style", "fmt"), [(style, fmt) for style, all_ in LAYOUTS.items() for fmt in all_])
def test_an_object_that_a_layout_names_is_escaped(style, fmt, way):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(EscapingFormatter("{message} " + fmt if style == "{" else fmt, style=style))
    if way == "python":
        handler.addFilter(lambda record: True)
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    logger.info("m", extra={"order": Hostile()})
    line = stream.getvalue().removesuffix("\n")
    assert "forged" in line and line.isprintable()


def test_numbers_of_other_classes_are_laid_out_as_numbers():
    values = {
        "price": decimal.Decimal("7.25"),
        "count": fractions.Fraction(7, 2),
        "day": datetime.date(2024, 3, 1),
    }
    percent = EscapingFormatter("%(price)08.3f %(count)d %(day)s")
    assert percent.format(record(**values)) == "0007.250 3 2024-03-01"
    brace = EscapingFormatter("{price:.1f} {day} {price.real}", style="{")
    assert brace.format(record(**values)) == "7.2 2024-03-01 7.25"


@pytest.mark.parametrize("way", ["native", "python"])
def test_what_another_formatter_has_left_on_the_record_is_escaped(way):
    """``Formatter.format`` keeps the text of an exception on the record, and takes the one that is there."""
    streams = io.StringIO(), io.StringIO()
    logger = logging.Logger("shop")
    for stream, kind in zip(streams, (logging.Formatter, EscapingFormatter)):
        handler = logging.StreamHandler(stream)
        handler.setFormatter(kind("%(name)s %(message)s %(note)s"))
        if way == "python":
            handler.addFilter(lambda record: True)
        logger.addHandler(handler)
    try:
        raise ValueError("\x1b[2Jforged")
    except ValueError:
        logger.exception("a\nb", extra={"note": "c\x1bd\u2028e"})
    plain, escaped = (stream.getvalue() for stream in streams)
    assert plain.startswith("shop a\nb c\x1bd\u2028e\nTraceback") and "\x1b[2J" in plain
    assert escaped.startswith(r"shop a\nb c\x1bd\u2028e" + "\nTraceback")
    assert escaped.endswith(r"ValueError: \x1b[2Jforged" + "\n")


def test_the_console_line():
    formatter = ConsoleFormatter(datefmt="%Y", color=False, align=20)
    assert formatter.format(record(user="Ada L.", n=5)) == (
        '2024 WARNING  shop.orders: late by 5 min        user="Ada L." n=5'
    )
    assert formatter.format(record()) == "2024 WARNING  shop.orders: late by 5 min"


def test_console_colours_by_level():
    def painted(levelno):
        return ConsoleFormatter(color=True, datefmt="%Y").format(record(levelno=levelno, levelname="X"))

    assert len({painted(level).partition("X")[0] for level in (10, 20, 30, 40, 50)}) == 5
    assert painted(25) == painted(20)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, "False"), ({"FORCE_COLOR": "1"}, "True"), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, "False")],
)
def test_colour_is_off_without_a_terminal_unless_the_environment_says_so(environment, expected):
    import os

    environ = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    program = "from duramen.formatters import ConsoleFormatter; print(ConsoleFormatter().color)"
    finished = subprocess.run(
        [sys.executable, "-c", program],
        env={**environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.strip() == expected


def test_colour_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert ConsoleFormatter().color
    monkeypatch.setenv("NO_COLOR", "1")
    assert not ConsoleFormatter().color


def test_both_ways_agree():
    for formatter in (LogfmtFormatter(fields=["message"]), ConsoleFormatter(color=True, datefmt="%Y")):
        native, python = lines_of(
            formatter, lambda logger: logger.error("a %s", HOSTILE, extra={"x": [HOSTILE]})
        )
        assert native == python
