"""Runs one program on the standard library and on Duramen, and compares all that it leaves behind."""

import difflib
import itertools
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent

#: The standard library first; then Duramen imported, installed, and with Python methods put over its own.
WAYS = ("standard", "imported", "installed", "overridden")

TIME_LIMIT = 120


@dataclass(frozen=True)
class Result:
    """What a program leaves behind, normalised."""

    code: int
    stdout: str
    stderr: str
    files: dict


def run_everywhere(program, ways=WAYS, arguments=()):
    """Run ``program`` in each way, all at the same time; gives {way: Result}."""
    running = {way: _Running(program, way, arguments) for way in ways}
    return {way: one.result() for way, one in running.items()}


class _Running:
    def __init__(self, program, way, arguments):
        self._folder = tempfile.TemporaryDirectory(prefix="duramen-differential-")
        self._program = Path(self._folder.name) / "program.py"
        self._program.write_text(program, encoding="utf-8")
        self._work = Path(self._folder.name) / "work"
        self._work.mkdir()
        environment = {key: value for key, value in os.environ.items() if not key.startswith("DURAMEN_")}
        environment["DURAMEN_DIFFERENTIAL_WAY"] = way
        environment["PYTHONPATH"] = os.pathsep.join(
            [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
        )
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        environment["PYTHONIOENCODING"] = "utf-8:backslashreplace"
        self._process = subprocess.Popen(
            [sys.executable, str(self._program), *arguments],
            cwd=self._work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def result(self):
        with self._folder:
            try:
                out, err = self._process.communicate(timeout=TIME_LIMIT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                out, err = self._process.communicate()
                err += b"\n(no end within the time limit)"
            files = {
                str(path.relative_to(self._work)): self._text(path.read_bytes())
                for path in sorted(self._work.rglob("*"))
                if path.is_file()
            }
            return Result(self._process.returncode, self._text(out), self._text(err), files)

    def _text(self, data):
        text = data.decode("utf-8", "backslashreplace").replace(self._folder.name, "FOLDER")
        return normalised(text)


#: A frame of a traceback that lies in logging's or Duramen's own files, with the lines that belong to it.
_OWN_FRAME = re.compile(
    r'^(?P<indent>[ |+]*)File "[^"\n]*[/\\](?:logging|duramen)[/\\]\w+\.py", line \d+, in .*\n'
    r"(?:(?P=indent)  .*\n)*",
    re.MULTILINE,
)

_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
_OWN_NAME = re.compile(r"\bduramen\.(?=_?[A-Z]|config|handlers)")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T_]\d\d[:-]\d\d[:-]\d\d(?:[,.]\d+)?")


_FRAME = re.compile(r'^  File "[^"\n]*", line \d+, in .*\n(?:    .*\n)*', re.MULTILINE)
_FIRST_FRAME = re.compile(
    r"^(?P<title>Traceback \(most recent call last\):\n)(?P<frame>" + _FRAME.pattern.lstrip("^") + ")",
    re.MULTILINE,
)
_REPORTED_ERROR = re.compile(
    r"(?P<head>^--- Logging error ---\n)(?P<traceback>.*?)(?P<stack>^Call stack:\n.*?^Message: )",
    re.MULTILINE | re.DOTALL,
)


def _without_stand_in(found):
    """Drop the frame of the logging call, with which Duramen begins each traceback of ``handleError``.

    It stands for the frames inside logging, which native code does not have. The standard library has
    that frame under "Call stack:" alone.
    """
    stack_frames = {frame[0].split("\n")[0] for frame in _FRAME.finditer(found["stack"])}

    def kept(traceback):
        frame = traceback["frame"]
        return traceback["title"] + ("" if frame.split("\n")[0] in stack_frames else frame)

    return found["head"] + _FIRST_FRAME.sub(kept, found["traceback"]) + found["stack"]


def normalised(text):
    """``text`` without what differs between two runs, and without the frames inside logging.

    A time keeps its shape, so that missing milliseconds are seen. Duramen's classes name the module where
    they are imported from.
    """
    text = _OWN_NAME.sub("logging.", text)
    text = _REPORTED_ERROR.sub(_without_stand_in, _OWN_FRAME.sub("", text))
    text = _ADDRESS.sub("ADDRESS", text)
    return _TIME.sub(lambda found: re.sub(r"\d", "#", found[0]), text)


def assert_same(program, ways=WAYS, arguments=()):
    """Fail unless ``program`` leaves the same behind in each way; gives the standard library's Result."""
    results = run_everywhere(program, ways, arguments)
    expected = results.pop("standard")
    for way, result in results.items():
        if result != expected:
            raise AssertionError(f"{way} differs from the standard library:\n{_difference(expected, result)}")
    return expected


def _difference(expected, result):
    lines = difflib.unified_diff(
        _lines(expected), _lines(result), "standard library", "Duramen", lineterm="", n=2
    )
    return "\n".join(itertools.islice(lines, 40))


def _lines(result):
    parts = {"exit code": str(result.code), "stdout": result.stdout, "stderr": result.stderr, **result.files}
    return [f"{name}: {line!r}" for name, text in parts.items() for line in text.splitlines(keepends=True)]
