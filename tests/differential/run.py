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
from interpreters import choose, virtual_environment  # noqa: E402


def install(python):
    """What the tests need."""
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)


def run(interpreter):
    """True when every test passes on the interpreter."""
    print(f"\nCPython {interpreter}", flush=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "DURAMEN"))}
    environment = {**kept, "PYTHONPATH": str(build_package(interpreter))}
    folder = REPOSITORY / f".venv-differential-{interpreter.version}"
    python = virtual_environment(interpreter, folder, REQUIREMENTS.read_text(), install)
    command = [python, "-m", "pytest", "--quiet", str(HERE)]
    return subprocess.run(command, cwd=REPOSITORY, env=environment).returncode == 0


def main():
    # A distribution that leaves out the tests leaves out ensurepip as well.
    chosen = [one for one in choose(sys.argv[1:]) if one.has_test_logging]
    if not chosen:
        sys.exit("no CPython that Duramen supports was found")
    failed = [interpreter for interpreter in chosen if not run(interpreter)]
    for interpreter in failed:
        print(f"failed on CPython {interpreter}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
