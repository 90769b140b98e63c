"""Starts real Python processes for the tests of activation."""

import os
import subprocess
import sys
from pathlib import Path

import duramen

# The folder that a process needs on its path to import the duramen under test.
PACKAGE_PARENT = str(Path(duramen.__file__).resolve().parent.parent)
BOOTSTRAP = str(Path(duramen.__file__).resolve().parent / "_bootstrap")

# A hung child must not hang the tests.
TIME_LIMIT = 60


def environment(**changes):
    """The environment of this process, able to import duramen, free of what activates it."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DURAMEN_")}
    environ["PYTHONPATH"] = PACKAGE_PARENT
    environ["PYTHONDONTWRITEBYTECODE"] = "1"
    # So that the command `python` is this interpreter.
    environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + environ.get("PATH", "")
    environ.update(changes)
    return environ


def run(*words, cwd=None, environ=None, input=None):
    """Run a command to its end, with its output as text."""
    return subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=environment() if environ is None else environ,
        input=input,
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
    )


def python(*words, **options):
    """Run this interpreter."""
    return run(sys.executable, *words, **options)


def duramen_command(*words, **options):
    """Run ``python -m duramen``."""
    return python("-m", "duramen", *words, **options)
