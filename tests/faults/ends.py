"""Campaigns about how a process with a queue ends; ``python tests/faults/ends.py`` writes docs/ends.md.

The exit code is 1 when Duramen has lost or doubled a record of which it promises that it does not, or hung.
"""

import argparse
import importlib.util
import json
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAM = HERE / "end_program.py"

PACKAGES = {
    "duramen": "AsyncHandler, a file",
    "duramen-python": "AsyncHandler, a handler in Python",
    "duramen-dictConfig": "`dictConfig`'s queue handler in Duramen",
    "listener": "QueueHandler and QueueListener, stopped by atexit",
    "loguru": "loguru, enqueue=True",
}


@dataclass(frozen=True)
class End:
    """A way to end."""

    #: The method of the program.
    program: str
    #: Whether Duramen promises that nothing is lost.
    is_promised: bool = True
    #: A signal that comes at a random moment.
    signal: int = 0
    #: So many processes, one after the other, end so.
    times: int = 1
    #: The process that the campaign starts ends with this code.
    code: int = 0
    #: The module that the program needs.
    needs: str = ""
    is_stalled: bool = False


ENDS = {
    "the program returns": End("return"),
    "`sys.exit()`": End("exit"),
    "an exception that nobody catches": End("error", code=1),
    "a thread logs after the main one": End("thread"),
    "SIGTERM at a random moment": End("signal", signal=signal.SIGTERM, times=20, code=-signal.SIGTERM),
    "a worker of `multiprocessing` returns": End("worker"),
    "a worker of `multiprocessing` is terminated": End("terminated_worker"),
    "a worker of `billiard` returns": End("billiard", needs="billiard"),
    "`os.fork()` while threads log; the child flushes, then `os._exit()`": End("forks"),
    "`os._exit()`": End("immediate_exit", is_promised=False),
    "SIGKILL at a random moment": End(
        "signal", is_promised=False, signal=signal.SIGKILL, times=20, code=-signal.SIGKILL
    ),
    "the receiver takes nothing, the program returns": End("return", is_promised=False, is_stalled=True),
}


@dataclass
class Count:
    """What came of a campaign."""

    accepted: int = 0
    lost: int = 0
    doubled: int = 0
    hung: int = 0
    #: Processes that ended with another code than they should.
    wrong_ends: int = 0

    @property
    def is_whole(self):
        return (self.lost, self.doubled, self.hung, self.wrong_ends) == (0, 0, 0, 0)


def run(name, folder, package, records=2000, forks=1000, times=None, time_limit=120, seed=1):
    """Run one campaign in ``folder``; gives its ``Count``."""
    end = ENDS[name]
    chance = random.Random(seed)
    total = Count()
    for number in range(min(end.times, times or end.times)):
        path, acknowledged = Path(folder, f"{number}.log"), Path(folder, f"{number}.acknowledged")
        setting = {
            "package": package,
            "path": str(path),
            "acknowledged": str(acknowledged),
            "end": end.program,
            # So many that no buffer of a pipe takes them.
            "records": 30_000 if end.is_stalled else records,
            "forks": forks,
            "stalled": end.is_stalled,
        }
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), json.dumps(setting)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if end.signal:
            while not acknowledged.exists() or not acknowledged.stat().st_size:
                time.sleep(0.001)
            time.sleep(chance.random() * 0.2)
            process.send_signal(end.signal)
        try:
            said = process.communicate(timeout=30 if end.is_stalled else time_limit)[0]
            total.hung += said.count(b"hung")
            # Another program's handler of SIGTERM is its own business: only what ends otherwise is wrong.
            total.wrong_ends += process.returncode != end.code
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            total.hung += 1
        count(total, path, acknowledged)
    return total


def count(total, path, acknowledged):
    accepted = set(acknowledged.read_bytes().split(b"\n")[:-1]) if acknowledged.exists() else set()
    found = Counter(path.read_bytes().split(b"\n")[:-1] if path.exists() else ())
    total.accepted += len(accepted)
    total.lost += len(accepted - set(found))
    total.doubled += sum(times - 1 for times in found.values())


PAGE = """\
# What is missing after each kind of end

Written by `{command}`: CPython {python}, {cpus} CPUs, {records} records for a process that ends by itself, {forks} forks,
20 processes for each signal.

A record counts as accepted when its logging call has returned. A cell has the records that were lost and doubled, of how
many, and the processes that hung. [async.md](async.md) says what Duramen promises: the rows above the line.

{table}

- `QueueListener` is stopped by a function of `atexit`, which the standard library does not do by itself (CPython 3.12
  to 3.14 start and stop none). A fork leaves its thread behind, so that what the child logs waits for ever.
- `dictConfig`'s queue handler (CPython 3.12 and later) has its listener started by the program, and stopped by nobody.
- The receiver that takes nothing is a pipe that nobody reads; `AsyncHandler` has `overflow="drop_newest"`, the
  other queues have no limit. Duramen's end waits 5 seconds, counts what is left and says so on stderr; it is lost all the
  same. "Hung" is after 30 seconds.
"""


def cell(total, end):
    if end.is_stalled:
        return "**hung**" if total.hung else "ended"
    text = f"{total.lost} · {total.doubled} of {total.accepted}"
    if total.hung:
        text += f", {total.hung} hung"
    if total.wrong_ends:
        text += f", {total.wrong_ends} ended otherwise"
    return text if total.is_whole else f"**{text}**"


def is_there(end, package):
    if package == "duramen-dictConfig" and sys.version_info < (3, 12):
        return False
    needed = [module for module in (end.needs, "loguru" if package == "loguru" else "") if module]
    return all(importlib.util.find_spec(module) for module in needed)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=2000, metavar="N")
    parser.add_argument("--forks", type=int, default=1000, metavar="N")
    parser.add_argument("--package", action="append", choices=PACKAGES, help="this one alone (repeatable)")
    parser.add_argument("--report", type=Path, metavar="FILE", default=HERE.parents[1] / "docs" / "ends.md")
    parser.add_argument("--command", default="make faults", help="what the report names as its command")
    options = parser.parse_args()
    packages = options.package or list(PACKAGES)
    rows, failed = [], False
    was_promised = True
    for name, end in ENDS.items():
        if was_promised and not end.is_promised:
            rows.append("| *not promised:* |" + " |" * len(packages))
        was_promised = end.is_promised
        cells = []
        for package in packages:
            if not is_there(end, package):
                cells.append("—")
                continue
            with tempfile.TemporaryDirectory(prefix="duramen-ends-") as folder:
                total = run(name, folder, package, options.records, options.forks)
            print(f"{name}, {PACKAGES[package]}: {cell(total, end)}", flush=True)
            cells.append(cell(total, end))
            bad = total.doubled or total.hung or (end.is_promised and not total.is_whole)
            failed |= package.startswith("duramen") and bool(bad)
        rows.append(f"| {name} | {' | '.join(cells)} |")
    head = "| lost · doubled | " + " | ".join(PACKAGES[package] for package in packages) + " |"
    options.report.write_text(
        PAGE.format(
            command=options.command,
            python=platform.python_version(),
            cpus=os.cpu_count(),
            records=options.records,
            forks=options.forks,
            table="\n".join([head, "| --- |" + " --- |" * len(packages), *rows]),
        )
    )
    sys.exit(failed)


if __name__ == "__main__":
    main()
