"""Runs the differential tests on every CPython found: the ways that keep a call fast differ between them.

``python tests/differential/run.py [PATH …]``: on these interpreters, or on all.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
REQUIREMENTS = REPOSITORY / "requirements" / "test.txt"

sys.path.insert(0, str(HERE.parent / "conformance"))
from build import build_package  # noqa: E402
from interpreters import ask, find_all  # noqa: E402


def prepare(interpreter):
    """A virtual environment with the tests' requirements; gives its Python."""
    folder = REPOSITORY / f".venv-differential-{interpreter.version}"
    python = folder / "bin" / "python"
    stamp = folder / "installed-from"
    wanted = REQUIREMENTS.read_text()
    if not (stamp.exists() and stamp.read_text() == wanted):
        subprocess.run([interpreter.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)
        stamp.write_text(wanted)
    return str(python)


def run(interpreter):
    """True when every test passes on the interpreter."""
    print(f"\nCPython {interpreter}", flush=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "DURAMEN"))}
    environment = {**kept, "PYTHONPATH": str(build_package(interpreter))}
    command = [prepare(interpreter), "-m", "pytest", "--quiet", str(HERE)]
    return subprocess.run(command, cwd=REPOSITORY, env=environment).returncode == 0


def main():
    paths = sys.argv[1:]
    # A distribution that leaves out the tests leaves out ensurepip as well.
    chosen = [ask(path) for path in paths] if paths else [one for one in find_all() if one.has_test_logging]
    if not chosen or None in chosen:
        sys.exit(
            "no CPython that Duramen supports was found" if not paths else f"not all are supported: {paths}"
        )
    failed = [interpreter for interpreter in chosen if not run(interpreter)]
    for interpreter in failed:
        print(f"failed on CPython {interpreter}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
