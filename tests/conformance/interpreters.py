"""Finds the CPython interpreters of this machine that can run their own ``test_logging``."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

OLDEST = (3, 10)
NEWEST_TRIED = 15

_QUESTION = """
import importlib.util, json, os, platform, sys, sysconfig
def has_test_logging():
    try:
        return importlib.util.find_spec("test.test_logging") is not None
    except ImportError:
        return False
print(json.dumps({
    "executable": os.path.realpath(sys.executable),
    "version": platform.python_version() + sys.abiflags,
    "minor": list(sys.version_info[:2]),
    "implementation": sys.implementation.name,
    "extension_suffix": sysconfig.get_config_var("EXT_SUFFIX"),
    "has_test_logging": has_test_logging(),
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """One CPython: where it is, and what of it decides how Duramen is built and tested."""

    executable: str
    version: str
    minor: str
    extension_suffix: str
    has_test_logging: bool

    def __str__(self):
        return f"{self.version} ({self.executable})"


def ask(path):
    """The ``Interpreter`` at ``path``, or None when it is not a CPython that Duramen supports."""
    # The interpreter's own settings count, not those of a virtual environment or of this process.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    try:
        answer = subprocess.run(
            [str(path), "-c", _QUESTION], capture_output=True, text=True, timeout=60, env=environment
        )
        facts = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    if facts["implementation"] != "cpython" or tuple(facts["minor"]) < OLDEST:
        return None
    return Interpreter(
        executable=facts["executable"],
        version=facts["version"],
        minor="{}.{}".format(*facts["minor"]),
        extension_suffix=facts["extension_suffix"],
        has_test_logging=facts["has_test_logging"],
    )


def _candidates():
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob("versions/3.*/bin/python"))
    names = ["python3", *(f"python3.{minor}" for minor in range(OLDEST[1], NEWEST_TRIED + 1))]
    for name in names:
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            found = shutil.which(name, path=folder)
            if found:
                yield Path(found)


def find_all():
    """Every supported interpreter found through pyenv and PATH, each once, oldest first."""
    found = {}
    for path in _candidates():
        interpreter = ask(path)
        if interpreter:
            found.setdefault(interpreter.executable, interpreter)
    return sorted(found.values(), key=lambda one: [int(part) for part in one.minor.split(".")])


def choose(paths):
    """The interpreters at the paths, all that are found where there are none; ends the program at a wrong one."""
    if not paths:
        return find_all()
    chosen = [ask(path) for path in paths]
    for path, interpreter in zip(paths, chosen):
        if interpreter is None:
            sys.exit(f"{path} is not a CPython that Duramen supports")
    return chosen


def virtual_environment(interpreter, folder, wanted, install):
    """The Python of a virtual environment in ``folder``; ``install(python)`` runs when ``wanted`` has changed."""
    python = folder / "bin" / "python"
    stamp = folder / "installed-from"
    if not (stamp.exists() and stamp.read_text() == wanted):
        subprocess.run([interpreter.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install(str(python))
        stamp.write_text(wanted)
    return str(python)
