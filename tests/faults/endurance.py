"""Long runs of one process; ``python tests/faults/endurance.py`` writes docs/endurance.md.

The exit code is 1 when a record is missing, a process hung or ended otherwise, or memory grew.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent

PROGRAM = """
import glob, os, signal, sys, threading, time
import duramen as logging
from duramen.handlers import AsyncHandler

count = {count}
handler = {handler}
log = logging.Logger("endurance")
log.addHandler(handler)

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def settle():
    # Until all is in the file.
    if isinstance(handler, AsyncHandler):
        handler.flush(60)
"""

FILE = "logging.FileHandler('out.log')"
#: What the page calls them, and how they are made.
HANDLERS = {
    "file": FILE,
    "queue": f"AsyncHandler({FILE})",
    "queue with a journal": f"AsyncHandler({FILE}, journal='spool')",
}

#: Each prints how many records there must be, and how many bytes of memory were gained.
RUNS = {
    "records": """
        # Memory is looked at twenty times; what the first twentieth takes is no growth.
        samples, lines = [], 0
        for number in range(count):
            log.info("record %d of %s", number, "one process")
            if number % (count // 20) == count // 20 - 1:
                settle()
                with open("out.log", "rb+") as file:
                    lines += sum(1 for line in file)
                    file.truncate(0)
                samples.append(resident())
        print(count - lines, max(samples) - samples[0])
    """,
    "calls from within a call": """
        class Logs:
            def __repr__(self):
                log.info("inner")
                return "outer"
        begun = resident()
        for _ in range(count):
            log.info("%r", Logs())
        settle()
        print(2 * count, resident() - begun)
    """,
    "signals": """
        taken = 0
        def handle(*_):
            global taken
            taken += 1
            log.info("from the handler")
        signal.signal(signal.SIGUSR1, handle)
        begun = resident()
        own = 0
        for _ in range(count):
            os.kill(os.getpid(), signal.SIGUSR1)
            log.info("main")
        # The system may make one of two signals that are pending.
        assert count / 2 < taken <= count, taken
        settle()
        print(taken + count, resident() - begun)
    """,
    "forks while threads log": """
        is_over = threading.Event()
        counts = [0, 0]
        def load(thread):
            while not is_over.is_set():
                log.info("thread %d %d", thread, counts[thread])
                counts[thread] += 1
                time.sleep(0.0002)
        threads = [threading.Thread(target=load, args=(thread,)) for thread in (0, 1)]
        for thread in threads:
            thread.start()
        begun = resident()
        for number in range(count):
            if (child := os.fork()) == 0:
                # A child that hangs is killed, which its parent tells.
                signal.alarm(20)
                log.info("child %d", number)
                settle()
                os._exit(0)
            code = os.waitpid(child, 0)[1]
            assert code == 0, code
            # A child that ends by os._exit leaves its journal to the next start: the disk would be full of them.
            for path in glob.glob(f"spool/{child}-*"):
                os.remove(path)
        gained = resident() - begun
        is_over.set()
        for thread in threads:
            thread.join()
        settle()
        print(count + sum(counts), gained)
    """,
    "ends while daemon threads log": """
        def forever():
            while True:
                log.info("daemon")
        begun = resident()
        for number in range(count):
            if (child := os.fork()) == 0:
                signal.alarm(20)
                threading.Thread(target=forever, daemon=True).start()
                log.info("the end of %d", number)
                # An orderly end, with all that atexit and the interpreter do.
                sys.exit(0)
            code = os.waitpid(child, 0)[1]
            assert code == 0, code
            with open("out.log", "rb") as file:
                ended = [line.split()[3] for line in file if line.startswith(b"the end of")]
            assert ended == [b"%d" % number], ended
            os.truncate("out.log", 0)
        print(0, resident() - begun)
    """,
}


@dataclass
class Outcome:
    """What came of one run."""

    count: int
    seconds: float
    #: Megabytes.
    gained: float


def run(name, folder, count, handler, time_limit=3000):
    """Run one of them; fails with what it said where it is not as it must be."""
    program = PROGRAM.format(count=count, handler=HANDLERS[handler]) + textwrap.dedent(RUNS[name])
    begun = time.monotonic()
    # The limit is for a process that hangs.
    result = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-W", "ignore::DeprecationWarning", "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=time_limit,
    )
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    expected, gained = map(int, result.stdout.split())
    found = Path(folder, "out.log").read_bytes().count(b"\n")
    assert found == expected, (found, expected)
    return Outcome(count, time.monotonic() - begun, gained / 1e6)


PAGE = """\
# Long runs

Written by `make endurance`: CPython {python}, {cpus} CPUs ({load:.1f} busy with other work when it began), {at_once} at a time. Each
run is one process with a `FileHandler`, with an `AsyncHandler` before it (a queue), or with a [journal](journal.md) as well. It is
counted only when the file has as many lines as there were records, no process hung and each ended as it should.

| run | handler | times | seconds | megabytes gained |
| --- | --- | --- | --- | --- |
{rows}

Megabytes are the resident memory at the end, or the most of twenty looks for records, less that at the beginning, or after
the first twentieth. A short form is in `make test` (tests/faults/test_endurance.py).
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=10_000, metavar="N")
    parser.add_argument("--ends", type=int, default=10_000, metavar="N", help="tries of the end of a process")
    parser.add_argument("--at-once", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--records", type=int, default=10_000_000, metavar="N")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", default=HERE.parents[1] / "docs" / "endurance.md"
    )
    options = parser.parse_args()
    counts = dict.fromkeys(RUNS, options.tries)
    counts |= {"records": options.records, "ends while daemon threads log": options.ends}
    load = os.getloadavg()[0]

    def row(name, handler):
        with tempfile.TemporaryDirectory(prefix="duramen-endurance-") as folder:
            try:
                outcome = run(name, folder, counts[name], handler)
                cells = f"{outcome.seconds:.0f} | {outcome.gained:.1f}"
                failed = outcome.gained > 30
            except (AssertionError, subprocess.TimeoutExpired) as error:
                print(error, file=sys.stderr)
                cells, failed = "**failed** | ", True
        text = f"| {name} | {handler} | {counts[name]} | {cells} |"
        print(text, flush=True)
        return text, failed

    kinds = [(name, handler) for name in RUNS for handler in HANDLERS]
    with ThreadPoolExecutor(options.at_once) as pool:
        rows = list(pool.map(lambda kind: row(*kind), kinds))
    options.report.write_text(
        PAGE.format(
            python=platform.python_version(),
            cpus=os.cpu_count(),
            load=load,
            at_once=options.at_once,
            rows="\n".join(text for text, _ in rows),
        )
    )
    sys.exit(any(failed for _, failed in rows))


if __name__ == "__main__":
    main()
