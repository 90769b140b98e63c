"""Runs generated cases of one kind, and prints a line for each: ``generated_cases.py KIND SEED COUNT``.

The same seed gives the same cases in every process on one interpreter, so the lines can be compared.
"""

import decimal
import fractions
import io
import random
import sys

from prelude import logging

SPECIFIERS = "diouxXeEfFgGcrsa%"
FIELDS = [
    "name", "msg", "levelname", "levelno", "filename", "module", "lineno", "funcName", "message", "threadName",
    "processName", "exc_text", "number", "float", "text", "nothing",
]  # fmt: skip
TEXTS = [
    "", "x", "plain text", "h\u00e9llo", "\u65e5\u672c", "\U0001f600", "\ud800", "a\udcffb", "tab\tnew\nline\r", "\0",
    "%s", "%d%%", "{x}", "$y", "%", "\u0301combining", "e\u0301", "\u202ertl", "A" * 70, "\u1e9e\u0130",
]  # fmt: skip


class Text(str):
    """A str with a text of its own."""

    def __str__(self):
        return "Text.__str__"

    def __format__(self, spec):
        return f"Text.__format__({spec})"


class Integer(int):
    """An int with texts of its own."""

    def __str__(self):
        return "Integer.__str__"

    def __repr__(self):
        return "Integer.__repr__"


class Real(float):
    """A float with a text of its own."""

    def __repr__(self):
        return "Real.__repr__"


class Index:
    """Has ``__index__`` alone."""

    def __index__(self):
        return 42

    def __repr__(self):
        return "Index()"


class Float:
    """Has ``__float__`` alone."""

    def __float__(self):
        return 2.5

    def __repr__(self):
        return "Float()"


class Raising:
    """Fails whatever it is asked."""

    def __repr__(self):
        raise ValueError("no repr")


class WrongType:
    """Its text is no text."""

    def __str__(self):
        return 5

    def __repr__(self):
        return "WrongType()"


class Odd(dict):
    """A mapping that makes up what it does not have."""

    def __missing__(self, key):
        return f"missing {key}"


def any_number(rand):
    return rand.choice([
        rand.randint(-3, 300), rand.randint(-(2**70), 2**70), 0, -1, 2**31, 2**63, -(2**63), True, False,
        rand.uniform(-1, 1), rand.uniform(-1e6, 1e6), rand.random() * 10.0 ** rand.randint(-320, 300),
        0.0, -0.0, 0.5, 1.5, 2.675, 1e16, 1e22, 1e-5, float("inf"), float("-inf"), float("nan"), 5e-324,
    ])  # fmt: skip


def any_value(rand):
    kind = rand.randrange(10)
    if kind < 5:
        return any_number(rand)
    if kind < 8:
        return rand.choice(TEXTS)
    return rand.choice([
        None, b"bytes\xff", bytearray(b"x"), (), (1,), (1, "b"), [], [None], {}, {"a": 1}, {1, }, object, len,
        Text("t"), Integer(7), Real(1.25), Index(), Float(), Raising(), WrongType(), Odd(), 1j, ..., range(3),
        decimal.Decimal("1.10"), fractions.Fraction(1, 3), ValueError("v"), "\u00e9".encode(), float, "x" * 200,
    ])  # fmt: skip


def percent_specification(rand, field=""):
    flags = "".join(rand.sample("#0- +", rand.choice([0, 0, 0, 1, 2])))
    width = rand.choice(["", "", "", str(rand.randint(0, 30)), "*" if not field else "3"])
    precision = rand.choice(["", "", "", ".", f".{rand.randint(0, 20)}", ".*" if not field else ".2"])
    length = rand.choice(["", "", "", "", "l", "h", "L"])
    specifier = rand.choice(SPECIFIERS + "sssddf")
    if rand.random() < 0.03:
        specifier = rand.choice("yzbn(\u00e9 ")
    return f"%{field}{flags}{width}{precision}{length}{specifier}"


def brace_specification(rand, field):
    conversion = rand.choice(["", "", "", "!r", "!s", "!a"])
    if rand.random() < 0.4:
        return f"{{{field}{conversion}}}"
    fill = rand.choice(["", "", "*", "0", "\u00e9"])
    align = rand.choice("<>^=") if fill else rand.choice(["", "<", ">", "^", "="])
    sign = rand.choice(["", "", "+", "-", " "])
    rest = (
        rand.choice(["", "", "#"]) + rand.choice(["", "", "0"]) + rand.choice(["", str(rand.randint(0, 25))])
    )
    grouping = rand.choice(["", "", "", ",", "_"])
    precision = rand.choice(["", "", f".{rand.randint(0, 12)}"])
    kind = rand.choice(
        ["", "", "s", "d", "f", "e", "g", "x", "b", "o", "n", "%", "c", "G", "E", "X", "F", "q"]
    )
    return f"{{{field}{conversion}:{fill}{align}{sign}{rest}{grouping}{precision}{kind}}}"


class Capture:
    """A logger whose only handler writes into memory; errors of the handler are captured as well."""

    def __init__(self):
        self.stream = io.StringIO()
        self.errors = sys.stderr = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.logger = logging.getLogger("generated.case")
        self.logger.propagate = False
        self.logger.handlers = [self.handler]

    def take(self):
        """What was written since the last call: the text, and the errors without their frames."""
        text, errors = self.stream.getvalue(), self.errors.getvalue()
        for stream in (self.stream, self.errors):
            stream.seek(0)
            stream.truncate()
        kept = [
            line
            for line in errors.splitlines()
            if line and not line.startswith((" ", "Traceback", "Call stack"))
        ]
        return text, kept


def safe(function, *args, **kwargs):
    """What ``function`` gives or raises."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def message_cases(rand, capture):
    """``logger.warning(fmt, *args)`` with any specification and any arguments."""
    count = rand.choice([0, 1, 1, 1, 2, 3])
    parts = [
        rand.choice(["", " ", "|", "\u00e9", "%%", "text"]) + percent_specification(rand)
        for _ in range(count)
    ]
    fmt = "".join(parts) + rand.choice(["", "", " end", "%"])
    stars = fmt.count("*")
    wanted = count + stars + rand.choice([0, 0, 0, 0, 0, 1, -1])
    args = [any_value(rand) for _ in range(max(wanted, 0))]
    if stars:  # a width or precision comes from here: one of gigabytes would be tried
        args = [rand.randint(-9, 20) if isinstance(arg, int) and abs(arg) > 50 else arg for arg in args]
    if rand.random() < 0.1:
        fmt = "".join(percent_specification(rand, f"({name})") for name in ("a", "b"))
        args = [rand.choice([{"a": any_value(rand), "b": any_value(rand)}, {"a": 1}, Odd(), Odd(a=5)])]
    safe(capture.logger.warning, fmt, *args)
    record = safe(logging.LogRecord, "n", 30, "p", 1, fmt, tuple(args), None)
    return fmt, *capture.take(), safe(record.getMessage) if hasattr(record, "getMessage") else record


def field_values(rand):
    return {"number": any_number(rand), "float": rand.uniform(-1e3, 1e3), "text": rand.choice(TEXTS)}


def layout_case(rand, capture, style, fmt):
    """The same layout by the way of a logger's call and by a formatter that is called by hand."""
    formatter = safe(logging.Formatter, fmt, None, style)
    if isinstance(formatter, str):
        formatter = safe(lambda: logging.Formatter(fmt, style=style, validate=False))
        if isinstance(formatter, str):
            return fmt, formatter
    capture.handler.setFormatter(formatter)
    extra = field_values(rand)
    safe(capture.logger.error, rand.choice(TEXTS), extra=extra)
    record = logging.makeLogRecord({"name": "n", "levelno": 30, "levelname": "W", "msg": "m", **extra})
    return fmt, *capture.take(), safe(formatter.format, record)


def percent_layout_cases(rand, capture):
    """Layouts in % style."""
    fields = [percent_specification(rand, f"({rand.choice(FIELDS)})") for _ in range(rand.randint(1, 3))]
    return layout_case(rand, capture, "%", rand.choice(["", "%% ", "a "]).join(fields))


def brace_layout_cases(rand, capture):
    """Layouts in { style."""
    fields = [brace_specification(rand, rand.choice(FIELDS)) for _ in range(rand.randint(1, 3))]
    return layout_case(rand, capture, "{", rand.choice(["", "{{ ", "}} ", "a "]).join(fields))


def dollar_layout_cases(rand, capture):
    """Layouts in $ style."""
    parts = [
        "$" + rand.choice(["{%s}", "%s", "%s.", "{%s"]) % rand.choice(FIELDS)
        for _ in range(rand.randint(1, 3))
    ]
    return layout_case(rand, capture, "$", rand.choice(["", "$$", " ", "a"]).join(parts))


def raise_something(rand, depth=0):
    """Raise an exception with a random history."""
    kinds = [ValueError, KeyError, OSError, UnicodeError, type("Own\u00e9", (Exception,), {})]
    error = rand.choice(kinds)(rand.choice(TEXTS), *[1] * rand.randrange(2))
    if hasattr(error, "add_note") and rand.random() < 0.3:
        error.add_note(rand.choice(TEXTS))
    if sys.version_info >= (3, 11) and rand.random() < 0.2 and depth < 2:
        members = [caught(rand, depth + 1) for _ in range(rand.randint(1, 3))]
        error = ExceptionGroup(rand.choice(TEXTS), members)  # noqa: F821 (3.11)
    if depth < 3 and rand.random() < 0.5:
        try:
            raise_something(rand, depth + 1)
        except Exception as other:
            if rand.random() < 0.5:
                raise error from rand.choice([other, None])
            raise error
    raise error


def caught(rand, depth):
    try:
        raise_something(rand, depth)
    except Exception as error:
        return error


def exception_cases(rand, capture):
    """Exceptions with causes, contexts, groups and notes, given in any way."""
    capture.handler.setFormatter(None)
    error = caught(rand, 0)
    given = rand.choice(
        [error, (type(error), error, error.__traceback__), True, (type(error), error, None), None]
    )
    arguments = dict(exc_info=given, stack_info=rand.choice([False, True]))
    try:
        raise error
    except Exception:
        safe(rand.choice([capture.logger.error, capture.logger.exception]), "m", **arguments)
    return capture.take()


def call_cases(rand, capture):
    """Odd messages, ``extra``, ``exc_info``, ``stacklevel`` and levels."""
    capture.handler.setFormatter(logging.Formatter("%(levelname)s %(levelno)s %(message)s %(funcName)s"))
    arguments = {}
    if rand.random() < 0.4:
        arguments["extra"] = rand.choice(
            [None, {}, {"a": 1}, {"message": 1}, {rand.choice(FIELDS): 1}, 5, "x", [1]]
        )
    if rand.random() < 0.3:
        arguments["exc_info"] = rand.choice(
            [None, 0, "", 1, (), (None, None, None), ValueError("v"), [1], 2.5, "x"]
        )
    if rand.random() < 0.3:
        arguments["stacklevel"] = rand.choice([1, 2, 3, 5, 1000, 10**9])
    if rand.random() < 0.1:
        arguments[rand.choice(["nonsense", "msg", "stack_info"])] = 1
    level = rand.choice([0, 1, 10, 20, 30, 35, 40, 50, 10**6, -1, "INFO", None, 2.5, True, Integer(30)])
    message = rand.choice([any_value(rand), rand.choice(TEXTS)])
    outcome = safe(capture.logger.log, level, message, **arguments)
    return outcome, *capture.take()


class Tree:
    """A small tree of loggers to which random things happen."""

    NAMES = ["g", "g.a", "g.a.b", "g.c"]

    def __init__(self, rand):
        self.rand = rand
        self.stream = io.StringIO()
        self.loggers = [logging.getLogger(name) for name in self.NAMES]
        self.handlers = [logging.StreamHandler(self.stream) for _ in range(3)]
        for number, handler in enumerate(self.handlers):
            handler.setFormatter(logging.Formatter(f"{number} %(name)s %(levelname)s %(message)s"))
        self.filters = [logging.Filter("g.a"), lambda record: record.levelno % 20 == 0, logging.Filter("")]

    def step(self):
        """Do one random thing, then log to every logger; gives what was written."""
        rand = self.rand
        logger, handler, one = (
            rand.choice(self.loggers),
            rand.choice(self.handlers),
            rand.choice(self.filters),
        )
        level = rand.choice([0, 5, 10, 20, 30, 40, 50])
        target = rand.choice([logger, handler])
        actions = [
            lambda: logger.setLevel(level), lambda: handler.setLevel(level), lambda: logging.disable(level // 2),
            lambda: logger.addHandler(handler), lambda: logger.removeHandler(handler),
            lambda: logger.handlers.clear(), lambda: setattr(logger, "handlers", [handler]),
            lambda: logger.handlers.append(handler), lambda: logger.handlers.reverse(),
            lambda: setattr(logger, "propagate", rand.choice([0, 1])),
            lambda: setattr(logger, "disabled", rand.choice([True, False, False])),
            lambda: target.addFilter(one), lambda: target.removeFilter(one), lambda: target.filters.clear(),
            lambda: setattr(handler, "terminator", rand.choice(["\n", "|\n", ";\n"])),
            lambda: setattr(handler, "level", level), lambda: logging.addLevelName(20, rand.choice(["INFO", "NOTE"])),
            lambda: handler.formatter._style.__init__(rand.choice(["%(message)s", "%(levelname)s %(name)s"])),
            lambda: setattr(handler, "formatter", None), lambda: setattr(logger, "level", level),
            lambda: handler.setFormatter(logging.Formatter("{levelname} {message}", style="{")),
            lambda: logger.manager._clear_cache(),
        ]  # fmt: skip
        safe(rand.choice(actions))
        for each in self.loggers:
            each.log(rand.choice([10, 20, 30, 40, 50]), "m %d", level)
        text = self.stream.getvalue()
        self.stream.seek(0)
        self.stream.truncate()
        return text, [each.isEnabledFor(20) for each in self.loggers]


KINDS = {
    "message": message_cases,
    "percent": percent_layout_cases,
    "brace": brace_layout_cases,
    "dollar": dollar_layout_cases,
    "exception": exception_cases,
    "call": call_cases,
}


def main():
    kind, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rand = random.Random(seed)
    logging.lastResort = None
    if kind == "tree":
        tree = Tree(rand)
        for number in range(count):
            print(number, ascii(tree.step()))
        return
    capture = Capture()
    for number in range(count):
        print(number, ascii(KINDS[kind](rand, capture)))


if __name__ == "__main__":
    main()
