"""Makes what the tests of the stack run on: a virtual environment, and a Redis server.

`python tests/stack/environment.py` makes both ahead of the tests; the tests make what is missing.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
VENV = HERE.parent.parent / f".venv-stack-{sys.version_info.major}.{sys.version_info.minor}"


def prepared_python():
    """The interpreter of a virtual environment that holds exactly the required packages.

    It is made with the interpreter that runs this, and made again when that or the list changes.
    """
    wanted = hashlib.sha256(sys.version.encode() + REQUIREMENTS.read_bytes()).hexdigest()
    stamp = VENV / "made-from.sha256"
    python = VENV / "bin" / "python"
    # Two test runs that start together must not both fill the folder.
    with open(REQUIREMENTS) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
            pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
            subprocess.run([*pip, "--requirement", REQUIREMENTS], check=True)
            stamp.write_text(wanted)
    return python


def redis_server():
    """The path of `redis-server`, or None where there is none and Debian's cannot be installed."""
    if shutil.which("redis-server") is None and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "--quiet=2"])
        install = ["apt-get", "install", "--quiet=2", "--yes", "--no-install-recommends"]
        # RUNLEVEL keeps the package from starting its own server: each test starts one of its own.
        subprocess.run([*install, "redis-server"], env={**os.environ, "RUNLEVEL": "1"})
    return shutil.which("redis-server")


if __name__ == "__main__":
    print(prepared_python())
    print(redis_server() or "no redis-server: the tests of RQ will be skipped")
