"""The texts of exceptions: the same each time, and with whatever has changed meanwhile."""

import sys

import pytest

#: Raises exceptions of all kinds; each is formatted several times, since texts of frames are remembered.
EXCEPTIONS = """
def first(k):
    if k: return second(k - 1)
    return {}["x"]
def second(k):
    return first(k - 1) if k else 1 / 0
def caused():
    try: first(4)
    except Exception as error: raise ValueError("bad") from error
def in_context():
    try: first(5)
    except Exception: int("x")
def without_context():
    try: raise KeyError(1)
    except KeyError: raise ValueError("x") from None
def recursive(depth):
    if depth: recursive(depth - 1)
    raise OSError(2, "no")
def throw(error):
    raise error
class Lines(Exception):
    def __str__(self): return "line\\nmore\\n"
class Failing(Exception):
    def __str__(self): raise ValueError
class Falsy(Exception):
    def __bool__(self): return False
class Named(Exception):
    __module__ = "somewhere"
class Unnamed(Exception):
    __module__ = None
class Outer:
    class Inner(ValueError): pass
def with_notes():
    error = ValueError("n"); error.__notes__ = ["note", "two\\nlines"]; raise error
def mutual():
    one, two = ValueError(1), KeyError(2)
    one.__cause__, two.__cause__ = two, one
    raise one
def falsy_with_cause():
    raise Falsy("f") from ValueError("cause")
several = [
    first(1) if False else (lambda: first(4)), lambda: first(3), caused, in_context, without_context,
    *[(lambda depth=depth: recursive(depth)) for depth in (0, 1, 2, 3, 4, 5, 50)],
    *[
        (lambda error=error: throw(error))
        for error in (
            Lines(), Failing(), Falsy(), Named("n"), Unnamed(), Outer.Inner(), ValueError(), ValueError(""),
            ValueError("\\udc80"), KeyError(None), SystemExit(3), KeyboardInterrupt(), ValueError("a" * 5000),
        )
    ],
    with_notes, mutual, falsy_with_cause,
    lambda: undefined_name, lambda: None.attribute, lambda: [].appendd, lambda: __import__("not.there"),
    lambda: compile("a b", "<source>", "exec"), lambda: exec("1 / 0"), lambda: exec(compile("x\\n1 / 0", "gone.py", "exec"), {"x": 1}),
]
"""

SHOWN = EXCEPTIONS + (
    """
formatter = logging.Formatter()
def text(raise_it):
    try: raise_it()
    except BaseException: return formatter.formatException(sys.exc_info())
"""
)


def test_exceptions_of_all_kinds_look_the_same_each_time(same):
    same(SHOWN + "for raise_it in 3 * several: print(text(raise_it)); print('-')\n")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with CPython 3.11")
def test_groups_of_exceptions(same):
    same(
        SHOWN
        + """
def group(): raise ExceptionGroup("g", [ValueError(1), ExceptionGroup("h", [KeyError(2)])])
def from_group():
    try: group()
    except Exception: first(2)
for raise_it in 3 * [group, from_group]: print(text(raise_it))
"""
    )


def test_a_traceback_that_the_program_has_made_itself(same):
    same(
        SHOWN
        + """
import types
for _ in range(3):
    try: first(2)
    except KeyError as error: entry = error.__traceback__
    except ZeroDivisionError as error: entry = error.__traceback__
    for line in (1, entry.tb_lineno, 9999):
        made = types.TracebackType(None, entry.tb_frame, entry.tb_lasti, line)
        print(formatter.formatException((ValueError, ValueError("x"), made)))
    for triple in (
        (None, None, None), (ValueError, ValueError(1), None), (ValueError, None, entry),
        (KeyError, ValueError("another class"), entry), [ValueError, ValueError(2), entry],
    ):
        print(formatter.formatException(triple))
    for wrong in (7, (), (1, 2), (ValueError, ValueError(3), 5), (ValueError, "text", entry)):
        attempt(lambda: formatter.formatException(wrong))
"""
    )


def test_the_source_is_shown_as_it_is_now(same):
    same(
        SHOWN
        + """
import importlib, linecache, os, pathlib
source = pathlib.Path("changing.py")
sys.path.insert(0, os.getcwd())
source.write_text("def fail():\\n    raise ValueError('one')\\n")
import changing
logger = logging.getLogger("app")
logger.propagate = False
to_stdout(logger, "%(message)s")
def show(step):
    for _ in range(3):
        try: changing.fail()
        except ValueError: logger.exception(step)
show("as it was")
source.write_text("# a line more\\ndef fail():\\n    raise ValueError('two')\\n")
show("another text")
times = source.stat()
source.write_text("# a line MORE\\ndef fail():\\n    raise valueError('two')\\n")
os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
show("another text of the same size and time")
os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns + 5_000_000_000))
show("a later time")
linecache.clearcache()
show("nothing remembered")
linecache.cache["%s" % source.resolve()] = (3, None, ["a\\n", "b\\n", "c\\n"], str(source))
linecache.cache[changing.fail.__code__.co_filename] = (3, None, ["a\\n", "b\\n", "c\\n"], str(source))
show("lines from elsewhere")
linecache.clearcache()
source.unlink()
show("no file")
source.write_text("x\\ny\\n")
show("a file again")
"""
    )


def test_what_programs_change_in_the_modules_that_write_tracebacks_counts(same):
    same(
        SHOWN
        + """
import io, linecache, os, traceback, types
from unittest import mock
def replaced(*args, **kwargs):
    (kwargs.get("file") or args[4]).write(f"replaced {len(args)} {sorted(kwargs)}\\n")
def frames_only(self, *args, **kwargs): yield "frames only\\n"
line = traceback.FrameSummary.line.fget
def never(*args): raise OSError("no such thing")
class Quiet(io.StringIO):
    def write(self, text): return super().write(text.replace("line", "LINE"))
changes = [
    lambda: mock.patch.object(traceback, "print_exception", replaced),
    lambda: mock.patch.object(traceback.TracebackException, "format", frames_only),
    lambda: mock.patch.object(traceback.StackSummary, "format", lambda self, **kwargs: ["stack\\n"]),
    lambda: mock.patch.object(traceback.FrameSummary, "line", property(lambda self: line(self).upper())),
    lambda: mock.patch.object(traceback, "_cause_message", "THEN\\n"),
    lambda: mock.patch.object(traceback, "_RECURSIVE_CUTOFF", 1),
    lambda: mock.patch.object(linecache, "getline", lambda *args: "any line"),
    lambda: mock.patch.object(linecache, "checkcache", lambda *args: None),
    lambda: mock.patch.object(linecache, "cache", {}),
    lambda: mock.patch.object(os, "stat", never),
    lambda: mock.patch.dict(sys.modules, os=types.SimpleNamespace(stat=never, path=os.path)),
    lambda: mock.patch.object(sys, "tracebacklimit", 1, create=True),
    lambda: mock.patch.object(sys, "tracebacklimit", 0, create=True),
    lambda: mock.patch.object(logging, "io", types.SimpleNamespace(StringIO=Quiet)),
    lambda: mock.patch.object(
        logging, "traceback", types.SimpleNamespace(print_exception=replaced)
    ),
]
def show():
    for raise_it in (several[0], caused, lambda: recursive(2)):
        for _ in range(3): print(text(raise_it))
show()
for number, change in enumerate(changes):
    print("change", number)
    with change(): show()
    show()
"""
    )


def test_a_frame_with_the_code_of_another_that_is_gone(same):
    # Code objects come to lie where others lay.
    same(
        SHOWN
        + """
for number in range(200):
    names = {}
    exec(f"def fail_{number}(): raise ValueError({number})", names)
    print(text(names[f"fail_{number}"]))
"""
    )
