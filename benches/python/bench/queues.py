"""What a queue costs its caller and how fast it delivers, beside other packages; ``python -m bench.queues``.

Each cell is a process of its own: threads log lines of about 70 bytes to a file behind the queue. The time of each
call is taken by the caller; the records for a second count until the last one is in the file, which is compared with
what was logged. ``--report FILE`` writes the page.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from pathlib import Path

from bench.environments import REPOSITORY

PEERS = {
    "duramen": "AsyncHandler",
    "journal": "AsyncHandler with a journal",
    "dictConfig": "`dictConfig`'s queue handler in Duramen",
    "listener": "QueueHandler and QueueListener",
    "listener-dictConfig": "`dictConfig`'s queue handler",
    "loguru": "loguru, enqueue=True",
}
THREADS = (1, 4, 8)
_MESSAGE = "order %d of pears costs %.2f"
_STALLED_RECORDS = 50_000


def _start(peer, path, folder, is_stalled=False):
    """The method that logs, and one that waits until all is written."""
    if peer == "loguru":
        from loguru import logger

        logger.remove()
        logger.add(path, format="{time:YYYY-MM-DD HH:mm:ss,SSS} - app - {level} - {message}", enqueue=True)
        return lambda number: logger.info("order {} of pears costs {:.2f}", number, 9.5), logger.complete
    layout = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
    if peer == "listener":
        import logging
        import logging.handlers
        import queue

        behind = logging.FileHandler(path)
        handler = logging.handlers.QueueHandler(queue.SimpleQueue())
        listener = logging.handlers.QueueListener(handler.queue, behind)
        listener.start()
        finish = listener.stop
    elif peer in ("dictConfig", "listener-dictConfig"):
        if peer == "dictConfig":
            import duramen as logging
            from duramen.config import dictConfig
        else:
            import logging
            from logging.config import dictConfig
        dictConfig(
            {
                "version": 1,
                "handlers": {
                    "file": {"class": "logging.FileHandler", "filename": path},
                    "queue": {"class": "logging.handlers.QueueHandler", "handlers": ["file"]},
                },
            }
        )
        handler, behind = logging.getHandlerByName("queue"), logging.getHandlerByName("file")
        handler.listener.start()
        finish = handler.listener.stop
    else:
        import duramen as logging
        from duramen.handlers import AsyncHandler

        behind = logging.FileHandler(path)
        journal = os.path.join(folder, "journal") if peer == "journal" else None
        # A receiver that takes nothing must not stop the caller.
        handler = AsyncHandler(
            behind,
            overflow="drop_newest" if is_stalled else "block",
            **({"journal": journal} if journal else {}),
        )
        finish = lambda: handler.flush(600)
    behind.setFormatter(logging.Formatter(layout))
    logger = logging.Logger("app")
    logger.addHandler(handler)
    return lambda number: logger.info(_MESSAGE, number, 9.5), finish


def _measure(peer, threads, records, folder):
    """One cell: nanoseconds of the calls, and records for a second."""
    path = os.path.join(folder, "out.log")
    log, finish = _start(peer, path, folder)
    for number in range(200):
        log(number)
    each = records // threads
    times = [array("q", bytes(8 * each)) for _ in range(threads)]
    barrier = threading.Barrier(threads + 1)

    def work(own):
        clock = time.perf_counter_ns
        barrier.wait()
        for number in range(each):
            started = clock()
            log(number)
            own[number] = clock() - started

    workers = [threading.Thread(target=work, args=(own,)) for own in times]
    for worker in workers:
        worker.start()
    barrier.wait()
    started = time.perf_counter()
    for worker in workers:
        worker.join()
    finish()
    taken = time.perf_counter() - started
    with open(path, "rb") as file:
        written = sum(1 for _ in file)
    if written != 200 + each * threads:
        raise SystemExit(f"{peer}: {written} lines are there of {200 + each * threads}")
    cost = statistics.quantiles([one for own in times for one in own], n=1000)
    return {"median": cost[499], "p99": cost[989], "p99.9": cost[998], "rate": each * threads / taken}


def _resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1000


def _measure_stalled(peer, folder):
    """Megabytes more after so many records for a receiver that takes nothing."""
    read, write = os.pipe()
    log, _ = _start(peer, f"/dev/fd/{write}", folder, is_stalled=True)
    log(0)
    before = _resident()
    for number in range(_STALLED_RECORDS):
        log(number)
    print(json.dumps({"memory": _resident() - before}), flush=True)
    # An end that waits for the receiver would not come.
    os._exit(0)


def _limits(folder, records):
    """Records for a second that the machine takes: lines in blocks by write(2), and copies into a ring of bytes."""
    line = b"2026-01-02 03:04:05,678 - app - INFO - order 12345 of pears costs 9.50\n"
    in_block = 65536 // len(line)
    block = line * in_block
    descriptor = os.open(os.path.join(folder, "limit"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    blocks = max(1, records * 20 // in_block)
    started = time.perf_counter()
    for _ in range(blocks):
        os.write(descriptor, block)
    by_write = blocks * in_block / (time.perf_counter() - started)
    ring, size, place = bytearray(1 << 20), (1 << 20) - len(line), 0
    started = time.perf_counter()
    for _ in range(records):
        ring[place : place + len(line)] = line
        place = (place + len(line)) % size
    return {"write": by_write, "ring": records / (time.perf_counter() - started)}


def _run(*words):
    """A process of this module's; gives what it has found, or why not."""
    with tempfile.TemporaryDirectory(prefix="duramen-bench-") as folder:
        command = [sys.executable, "-m", "bench.queues", "--folder", folder, *words]
        try:
            process = subprocess.run(command, capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            return "hung (60 s)"
        return json.loads(process.stdout) if process.returncode == 0 else "failed"


def _is_there(peer):
    if peer == "journal":
        import inspect

        from duramen.handlers import AsyncHandler

        return "journal" in inspect.signature(AsyncHandler).parameters
    if peer.endswith("dictConfig"):
        # Which makes the queue and the listener itself.
        return sys.version_info >= (3, 12)
    return peer != "loguru" or importlib.util.find_spec("loguru") is not None


PAGE = """\
# The cost of queues

Written by `make bench-queues`: CPython {python}, {cpus} CPUs ({load} busy with other work when it began), {records}
records of about 70 bytes in each cell, the best of {rounds} processes.

The caller's cost in nanoseconds, and records for a second until the last one is in the file:

{table}

The machine's limits: {write} lines a second by `write(2)` in blocks of 64 KiB, {ring} copies of a line a second into
a ring of bytes, by one thread of Python's.

Memory after {stalled} records for a receiver that takes nothing, in megabytes more than before (`AsyncHandler` with
`overflow="drop_newest"`; the other queues have no bound and keep everything):

{memory}
"""


def _rows(records, rounds):
    for threads in THREADS:
        for peer, title in PEERS.items():
            if not _is_there(peer):
                continue
            found = [_run("--cell", peer, str(threads), str(records)) for _ in range(rounds)]
            good = [one for one in found if isinstance(one, dict)]
            if not good:
                yield f"| {threads} | {title} | {found[0]} | | | |"
                continue
            best = {name: (max if name == "rate" else min)(one[name] for one in good) for name in good[0]}
            print(f"{threads} threads, {title}: {best}", flush=True)
            costs = " | ".join(f"{best[name]:.0f}" for name in ("median", "p99", "p99.9"))
            yield f"| {threads} | {title} | {costs} | {best['rate']:.0f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--report", type=Path, default=REPOSITORY / "docs" / "benchmarks-queues.md")
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--cell", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--stalled", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.cell:
        peer, threads, records = options.cell
        print(json.dumps(_measure(peer, int(threads), int(records), options.folder)))
        return
    if options.stalled:
        _measure_stalled(options.stalled, options.folder)
    load = os.getloadavg()[0]
    head = ["| threads | queue | median | p99 | p99.9 | records/s |", "| --- | --- | --- | --- | --- | --- |"]
    table = [*head, *_rows(options.records, options.rounds)]
    with tempfile.TemporaryDirectory(prefix="duramen-bench-") as folder:
        limits = _limits(folder, options.records)
    memory = ["| queue | MB |", "| --- | --- |"]
    for peer, title in PEERS.items():
        if _is_there(peer):
            found = _run("--stalled", peer)
            memory.append(
                f"| {title} | {found['memory']:.1f} |"
                if isinstance(found, dict)
                else f"| {title} | {found} |"
            )
    options.report.write_text(
        PAGE.format(
            python=platform.python_version(),
            cpus=os.cpu_count(),
            load=f"{load:.1f}",
            records=options.records,
            rounds=options.rounds,
            table="\n".join(table),
            write=f"{limits['write']:.0f}",
            ring=f"{limits['ring']:.0f}",
            stalled=_STALLED_RECORDS,
            memory="\n".join(memory),
        )
    )


if __name__ == "__main__":
    main()
