"""Runs the programs of the leak tests, each in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("leak_program.py")
#: 100 000 records on each path by default; DURAMEN_LEAK_RECORDS=1000000 is the full form.
RECORDS = int(os.environ.get("DURAMEN_LEAK_RECORDS", "100000"))


@pytest.fixture
def measure():
    """Runs ``leak_program.py``; gives what it measured."""

    def run(way, path, check):
        with tempfile.TemporaryDirectory(prefix="duramen-leaks-") as folder:
            outcome = subprocess.run(
                [sys.executable, str(PROGRAM), way, path, check, str(RECORDS)],
                cwd=folder,
                capture_output=True,
                text=True,
            )
        assert outcome.returncode == 0, outcome.stderr
        return json.loads(outcome.stdout)

    return run
