"""The fixture that every differential test uses."""

import textwrap

import pytest
from ways import assert_same

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
