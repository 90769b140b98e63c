"""Every snippet of the guide gives on Duramen what it gives on the standard library."""

import json
import os
import re
import shutil
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path

import pytest

import duramen
from guide.catalogue import SNIPPETS

HERE = Path(__file__).parent
PROGRAMS = HERE / "snippets"
PACKAGE_ROOT = Path(duramen.__file__).parent.parent
DEADLINE_SECONDS = 60

IMPORTS = (
    (re.compile(r"^import logging$", re.M), "import duramen as logging"),
    (re.compile(r"^import logging\.(\w+)$", re.M), r"import duramen.\1"),
    (re.compile(r"^from logging\.(\w+) import", re.M), r"from duramen.\1 import"),
)
"""How `import duramen as logging` looks for each form of import that the snippets use."""

VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}"), "TIME"),
    (re.compile(r'"(created|msecs|relativeCreated|thread|process)": [\d.]+'), r'"\1": N'),
    (re.compile(r"app\.log\.\d{4}-\d\d-\d\d"), "app.log.DATE"),
)
"""What differs between two runs of one program: times, ids, and names made from the date."""


def normalised(text, folder):
    """`text` without what differs between two runs."""
    text = text.replace(str(folder), "FOLDER")
    for pattern, replacement in VOLATILE:
        text = pattern.sub(replacement, text)
    return text


class Output:
    """What a run of a snippet left behind: its two streams and the files that it wrote."""

    def __init__(self, snippet, completed, folder, inputs):
        self.stdout = normalised(completed.stdout, folder)
        self.stderr = normalised(completed.stderr, folder)
        self.files = {
            normalised(path.name, folder): normalised(path.read_text(encoding="utf-8"), folder)
            for path in sorted(folder.iterdir())
            if path.is_file() and path.name not in inputs
        }
        if snippet.unordered:
            for name, text in self.files.items():
                self.files[name] = "".join(sorted(text.splitlines(keepends=True)))

    def lines(self):
        """All lines: of standard output, of standard error, of each file by its name."""
        return "\n".join([self.stdout, self.stderr, *self.files.values()]).splitlines()


def first_difference(actual, expected):
    """The first pair of lines that differ, with its number; None for equal texts.

    The files of the rotation examples are too large for pytest's own comparison of texts.
    """
    pairs = zip_longest(actual.splitlines(keepends=True), expected.splitlines(keepends=True))
    return next((pair for pair in enumerate(pairs, 1) if pair[1][0] != pair[1][1]), None)


def run(snippet, way, folder):
    """Run `snippet` in `folder` as `way` says: "stdlib", "import" or "install"."""
    folder.mkdir()
    inputs = (f"{snippet.program}.py", *snippet.companions)
    for name in inputs:
        shutil.copy(PROGRAMS / name, folder)
        if way == "import" and name.endswith(".py"):
            source = (folder / name).read_text(encoding="utf-8")
            for pattern, replacement in IMPORTS:
                source = pattern.sub(replacement, source)
            (folder / name).write_text(source, encoding="utf-8")
    launcher = [HERE / "run_installed.py"] if way == "install" else []
    completed = subprocess.run(
        [sys.executable, "-X", "utf8", *launcher, folder / inputs[0]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PACKAGE_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    assert completed.returncode == 0, completed.stderr
    return Output(snippet, completed, folder, inputs)


@pytest.fixture(scope="module")
def standard_output(tmp_path_factory):
    """A function that gives the standard library's output of a snippet; it runs each once."""
    folder = tmp_path_factory.mktemp("stdlib")
    outputs = {}

    def of(snippet):
        if snippet.program not in outputs:
            outputs[snippet.program] = run(snippet, "stdlib", folder / snippet.program)
        return outputs[snippet.program]

    return of


each_snippet = pytest.mark.parametrize("snippet", SNIPPETS, ids=[snippet.program for snippet in SNIPPETS])


def test_every_program_is_in_the_catalogue():
    listed = {f"{snippet.program}.py" for snippet in SNIPPETS}
    listed.update(name for snippet in SNIPPETS for name in snippet.companions)
    assert listed == {path.name for path in PROGRAMS.iterdir() if path.is_file()}


@each_snippet
def test_standard_library_shows_what_the_guide_says(snippet, standard_output):
    lines = iter(standard_output(snippet).lines())
    for expected in snippet.shows:
        assert expected in lines, f"{expected!r} is not in the output, or not in this order"


@each_snippet
@pytest.mark.parametrize("way", ["import", "install"])
def test_output_is_the_standard_librarys(snippet, way, standard_output, tmp_path):
    expected = standard_output(snippet)
    actual = run(snippet, way, tmp_path / "run")
    assert actual.stdout == expected.stdout
    assert actual.stderr == expected.stderr
    assert list(actual.files) == list(expected.files)
    for name, text in expected.files.items():
        assert first_difference(actual.files[name], text) is None, name


def test_json_example_has_the_fields_that_the_guide_prints(standard_output):
    [snippet] = [snippet for snippet in SNIPPETS if snippet.program == "23_json_formatter"]
    text = standard_output(snippet).stderr.replace(": N", ": 0")
    login, request = map(json.loads, text.splitlines())
    own_fields = {"user_id", "username", "request_id", "action"}
    assert {key: value for key, value in login.items() if key in own_fields} == {
        "user_id": 123,
        "username": "alice",
        "request_id": "req-001",
    }
    assert {key: value for key, value in request.items() if key in own_fields} == {
        "user_id": 123,
        "request_id": "req-001",
        "action": "data_fetch",
    }
    assert (login["level"], login["logger"], login["message"]) == (
        "INFO",
        "structured_logger",
        "User login successful",
    )


def test_rotating_example_keeps_two_full_files(standard_output):
    [snippet] = [snippet for snippet in SNIPPETS if snippet.program == "26_rotating_file"]
    files = standard_output(snippet).files
    limit = 5 * 1024 * 1024
    assert sorted(files) == ["app.log", "app.log.1", "app.log.2"]
    assert all(len(text) <= limit for text in files.values())
    assert len(files["app.log.1"]) >= limit - 1024
    numbers = [
        int(line[:6]) for name in ("app.log.2", "app.log.1", "app.log") for line in files[name].splitlines()
    ]
    assert numbers == list(range(12 * 1024))


def test_threads_example_writes_each_line_once_and_whole(standard_output):
    [snippet] = [snippet for snippet in SNIPPETS if snippet.program == "32_threads"]
    lines = standard_output(snippet).files["app.log"].splitlines()
    assert lines == sorted(
        f"worker-{worker} step {number:03d} of the worker" for worker in range(4) for number in range(500)
    )
