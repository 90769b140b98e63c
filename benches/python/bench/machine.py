"""What the report says about where and when it was made."""

import datetime
import os
import platform
import subprocess
from pathlib import Path

from bench.environments import REPOSITORY


def describe():
    """{what: text}, in the order of the report."""
    return {
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "memory": _memory(),
        "rustc": _output("rustc", "--version"),
        "Duramen": _commit(),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    }


def _processor():
    names = _fields("/proc/cpuinfo").get("model name") or platform.processor() or "unknown"
    return f"{names}, {os.cpu_count()} CPUs"


def _memory():
    found = _fields("/proc/meminfo").get("MemTotal", "")
    return f"{int(found.split()[0]) / 1e6:.0f} GB" if found else "unknown"


def _fields(path):
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def _commit():
    commit = _output("git", "rev-parse", "--short=12", "HEAD")
    # What this run writes itself is no change of what was measured.
    changes = _output("git", "status", "--porcelain", "--", "crates", "python", "benches", "Cargo.lock")
    return f"commit {commit}" + (" with changes that are not committed" if changes else "")


def _output(*command):
    try:
        return subprocess.run(
            command, cwd=REPOSITORY, check=True, capture_output=True, text=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
