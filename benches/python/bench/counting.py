"""Counts the instructions of a call in processes of their own, with the counter that works on this machine."""

import re
import shutil
import subprocess
import sys
import tempfile

from bench.instructions import FEW, MANY, InstructionCounter, NoCounter

#: What is told beside the standard library.
MAIN_SCENARIOS = (
    "disabled",
    "disabled-3",
    "stream",
    "devnull",
    "file",
    "file-caller",
    "deep",
    "json",
    "python-filter",
    "python-handler",
    "adapter",
    "exception",
)
#: What the guard holds: the caller and, for queues, the thread behind it.
GUARDED = (*MAIN_SCENARIOS, "async", "journal")


def choose_counter():
    """The name of the way to count that works here: "valgrind", whose counts repeat, or "perf"."""
    if shutil.which("valgrind"):
        return "valgrind"
    try:
        InstructionCounter().read()
    except NoCounter as reason:
        raise NoCounter(f"valgrind is not installed; {reason}") from None
    return "perf"


def count(environment, scenario, peer, counter):
    """Instructions for one call, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="duramen-guard-") as folder:
        command = [environment.python, "-m", "bench.instructions", scenario, peer, folder]
        if counter == "perf":
            return float(_run(environment, command).stdout)
        # The first process writes compiled modules, which the others find.
        _run(environment, [*command, str(FEW)])
        few, many = (_instructions_of_process(environment, [*command, str(n)]) for n in (FEW, MANY))
        return (many - few) / (MANY - FEW)


def _instructions_of_process(environment, command):
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    found = re.search(r"I\s+refs:\s+([\d,]+)", _run(environment, [*valgrind, *command]).stderr)
    return int(found[1].replace(",", ""))


def _run(environment, command):
    process = subprocess.run(
        command, env=environment.variables(), capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if process.returncode:
        sys.exit(f"counting failed: {' '.join(command)}\n{process.stderr}")
    return process
