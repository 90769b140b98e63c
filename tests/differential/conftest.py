"""The fixture that every differential test uses, and the list of the differences that are known."""

import sys
import textwrap
from pathlib import Path

import pytest
from ways import assert_same

NOT_YET = Path(__file__).with_name("not_yet.txt")
_FIRST_LINES = "from prelude import logging, attempt, show, to_stdout\nimport sys\n"


@pytest.fixture
def same():
    """Runs a program on the standard library and in every way on Duramen, and compares bytes."""

    def run(program, prints=None, code=0, **options):
        expected = assert_same(_FIRST_LINES + textwrap.dedent(program), **options)
        # A program that dies the same way everywhere proves nothing.
        assert expected.code == code, expected.stderr
        if prints is not None:
            assert prints in expected.stdout
        return expected

    return run


def pytest_collection_modifyitems(items):
    """Mark what ``not_yet.txt`` lists as an expected failure; a test of the list that passes is an error."""
    running = "{}.{}".format(*sys.version_info[:2])
    reasons = {}
    for line in NOT_YET.read_text(encoding="utf-8").splitlines():
        entry, _, reason = line.partition("#")
        minor, _, test = entry.strip().partition(" ")
        if minor in ("all", running):
            reasons[test.strip()] = reason.strip()
    for item in items:
        reason = reasons.get(item.nodeid.rpartition("/")[2])
        if reason is not None:
            item.add_marker(pytest.mark.xfail(strict=True, reason=reason))
