"""An interpreter with Duramen built for it and the other packages installed beside it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["HERE", "REPOSITORY", "REQUIREMENTS", "Environment", "bare", "choose", "with_peers"]

REPOSITORY = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parents[1]
REQUIREMENTS = HERE / "requirements.txt"

# The conformance run has the means to find interpreters and to build for them.
sys.path.insert(0, str(REPOSITORY / "tests" / "conformance"))
from build import build_package  # noqa: E402
from interpreters import Interpreter, choose, virtual_environment  # noqa: E402


@dataclass(frozen=True)
class Environment:
    """What a measured process runs on."""

    interpreter: Interpreter
    #: The Python of the environment with the other packages, or the bare interpreter.
    python: str
    package_folder: str

    def variables(self, **more):
        """The environment variables of a measured process."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "DURAMEN"))}
        paths = os.pathsep.join([str(HERE), self.package_folder])
        return {**kept, "PYTHONPATH": paths, "PYTHONHASHSEED": "0", **more}

    def versions(self):
        """{distribution: version} of what is installed."""
        answer = self._run([self.python, "-m", "pip", "list", "--format=freeze"])
        return dict(line.split("==") for line in answer.splitlines() if "==" in line)

    @staticmethod
    def _run(command):
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def bare(interpreter):
    """Duramen alone on the interpreter."""
    return Environment(interpreter, interpreter.executable, str(build_package(interpreter)))


def with_peers(interpreter):
    """Duramen on the interpreter, and the packages of ``requirements.txt`` that install there."""
    wanted = REQUIREMENTS.read_text()
    folder = REPOSITORY / f".venv-bench-{interpreter.version}"
    python = virtual_environment(interpreter, folder, wanted, lambda python: _install(python, wanted))
    return Environment(interpreter, python, str(build_package(interpreter)))


def _install(python, requirements):
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, "-r", str(REQUIREMENTS)], stderr=subprocess.DEVNULL).returncode == 0:
        return
    # One at a time, so that a package that does not install here is missed alone.
    for line in requirements.splitlines():
        if line and not line.startswith("#") and subprocess.run([*pip, line]).returncode:
            print(f"does not install on this interpreter and is left out: {line}")
