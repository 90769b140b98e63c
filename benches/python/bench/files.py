"""What rotation, several processes, compression and ``fsync`` cost, beside other packages; ``python -m bench.files``.

Each cell is a process of its own. ``--report FILE`` writes the page; ``--short`` runs everything in seconds.
"""

import argparse
import gzip
import importlib.util
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from pathlib import Path

from bench.environments import REPOSITORY

PEERS = {
    "duramen": "Duramen",
    "standard": "standard library",
    "concurrent": "concurrent-log-handler",
}
#: Of the handlers, by their name in the table: for whom there is one.
KINDS = {
    "FileHandler": ("duramen", "standard"),
    "RotatingFileHandler": ("duramen", "standard", "concurrent"),
    "TimedRotatingFileHandler": ("duramen", "standard", "concurrent"),
}
#: The other packages' names for them.
_CONCURRENT = {
    "RotatingFileHandler": "ConcurrentRotatingFileHandler",
    "TimedRotatingFileHandler": "ConcurrentTimedRotatingFileHandler",
}
FSYNC = {"never": "never", "rotation": "rotation", "interval": "1s", "record": "record"}
_MESSAGE = "order %d of pears costs %.2f"
#: The file is rolled over before it is longer.
_MOST = 1_000_000
#: Of processes on one file.
_PROCESSES = 8
#: Seconds. A cell that takes longer hangs.
_TIME_LIMIT = 600


def _logging(peer):
    if peer == "duramen":
        import duramen
        import duramen.handlers

        return duramen, duramen.handlers
    import logging
    import logging.handlers

    return logging, logging.handlers


def _logger(peer, kind, path, backups=5, **options):
    """A logger with one handler, and the handler."""
    logging, handlers = _logging(peer)
    if kind == "RotatingFileHandler":
        options = {"maxBytes": _MOST, "backupCount": backups, **options}
    elif kind == "TimedRotatingFileHandler":
        options = {"when": "midnight", **options}
    if peer == "concurrent":
        import concurrent_log_handler

        handler = getattr(concurrent_log_handler, _CONCURRENT[kind])(path, **options)
    else:
        handler = getattr(logging if kind == "FileHandler" else handlers, kind)(path, **options)
    handler.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s"))
    logger = logging.Logger("app")
    logger.addHandler(handler)
    return logger, handler


def _per_record(logger, records):
    """Nanoseconds for a record."""
    for number in range(200):
        logger.info(_MESSAGE, number, 9.5)
    started = time.perf_counter_ns()
    for number in range(records):
        logger.info(_MESSAGE, number, 9.5)
    return (time.perf_counter_ns() - started) / records


def handler_cell(folder, peer, kind, records):
    logger, handler = _logger(peer, kind, os.path.join(folder, "app.log"))
    cost = _per_record(logger, int(records))
    handler.close()
    return {"cost": cost}


def fsync_cell(folder, mode, records):
    """Without rotation, so that it is the price of the mode alone."""
    logger, handler = _logger("duramen", "FileHandler", os.path.join(folder, "app.log"), fsync=FSYNC[mode])
    cost = _per_record(logger, int(records))
    handler.close()
    return {"cost": cost, "synced": handler.fsync.stats()["synced"] if mode != "never" else 0}


def processes_cell(folder, peer, records):
    """Forked workers with a handler each; records for a second, and how many are in the files."""
    path, each = os.path.join(folder, "app.log"), int(records) // _PROCESSES
    # More than there will be, so that all can be counted.
    backups = int(records) * 200 // _MOST + 10
    read, write = os.pipe()
    children = []
    for worker in range(_PROCESSES):
        child = os.fork()
        if child == 0:
            os.close(write)
            logger, handler = _logger(peer, "RotatingFileHandler", path, backups)
            # All begin when the parent closes its end.
            os.read(read, 1)
            for number in range(each):
                logger.info("worker %d, order %d of pears", worker, number)
            handler.close()
            os._exit(0)
        children.append(child)
    started = time.perf_counter()
    os.close(write)
    for child in children:
        os.waitpid(child, 0)
    taken = time.perf_counter() - started
    found = sum(file.read_bytes().count(b"\n") for file in Path(folder).glob("app.log*"))
    return {"rate": each * _PROCESSES / taken, "lost": each * _PROCESSES - found}


def _fill(path, size):
    """A file of so many bytes: lines that differ as those of a log do."""
    with open(path, "wb") as file:
        number = 0
        while file.tell() < size:
            lines = [
                f"2026-01-02 03:04:05,{one % 1000:03d} - app - INFO - order {one * 7919 % 10**9} of pears\n"
                for one in range(number, number + 10_000)
            ]
            file.write("".join(lines).encode())
            number += 10_000


def _gzip_rotator(source, target):
    """What the standard library's documentation proposes (Logging Cookbook, "Using a rotator and namer")."""
    with open(source, "rb") as plain, gzip.open(target, "wb", compresslevel=6) as packed:
        shutil.copyfileobj(plain, packed)
    os.remove(source)


def pause_cell(folder, way, size):
    """The caller's longest pauses from a rollover until the backup is there in its last form, in milliseconds."""
    path = os.path.join(folder, "app.log")
    if int(size) <= _MOST:
        raise SystemExit(f"a file of {size} bytes is not rolled over: more than {_MOST} are needed")
    _fill(path, int(size))
    peer = "duramen" if way.startswith("duramen") else "standard"
    packed = way in ("duramen-gzip", "duramen-zstd", "standard-gzip")
    options = {"compression": way.split("-")[1]} if peer == "duramen" and packed else {}
    logger, handler = _logger(peer, "RotatingFileHandler", path, 2, **options)
    ending = {"duramen-gzip": ".gz", "duramen-zstd": ".zst", "standard-gzip": ".gz"}.get(way, "")
    if way == "standard-gzip":
        handler.namer = lambda name: name + ".gz"
        handler.rotator = _gzip_rotator
    done = f"{path}.1{ending}"
    times = array("q")
    clock = time.perf_counter_ns
    begun = clock()
    while not os.path.exists(done) or len(times) < 10_000:
        for number in range(100):
            started = clock()
            logger.info(_MESSAGE, number, 9.5)
            times.append(clock() - started)
        # At most a tenth of what a rollover would need, and a caller who has something else to do.
        time.sleep(0.005)
        if os.path.getsize(path) > _MOST // 2:
            os.truncate(path, 0)
    taken = (clock() - begun) / 1e9
    handler.close()
    ordered = sorted(times)
    return {"worst": ordered[-1] / 1e6, "p99.9": ordered[-1 - len(ordered) // 1000] / 1e6, "seconds": taken}


CELLS = {"handler": handler_cell, "fsync": fsync_cell, "processes": processes_cell, "pause": pause_cell}


def run(*words, inside=None):
    """Run a cell in a process of its own, with a folder ``inside`` another; gives what it has found, or why not."""
    # What this process has found, the other one finds.
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with tempfile.TemporaryDirectory(prefix="duramen-bench-", dir=inside) as folder:
        command = [sys.executable, "-m", "bench.files", "--folder", folder, "--cell", *map(str, words)]
        try:
            process = subprocess.run(
                command, stdout=subprocess.PIPE, text=True, timeout=_TIME_LIMIT, env=variables
            )
        except subprocess.TimeoutExpired:
            return f"hung ({_TIME_LIMIT} s)"
        return json.loads(process.stdout) if process.returncode == 0 else "failed"


def _is_there(peer):
    return peer != "concurrent" or importlib.util.find_spec("concurrent_log_handler") is not None


def _best(rounds, name, *words):
    """The least of so many processes, or why there is none."""
    found = [run(*words) for _ in range(rounds)]
    good = [one for one in found if isinstance(one, dict)]
    return min(good, key=lambda one: one[name]) if good else found[0]


def handler_rows(records, rounds):
    costs = {}
    for kind, peers in KINDS.items():
        for peer in filter(_is_there, peers):
            found = _best(rounds, "cost", "handler", peer, kind, records)
            if isinstance(found, str):
                yield f"| {kind} | {PEERS[peer]} | {found} | |"
                continue
            costs[peer, kind] = found["cost"]
            plain = costs.get((peer, "FileHandler")) or costs.get(("standard", "FileHandler"))
            ratio = f"{found['cost'] / plain:.2f}" if plain else "—"
            yield f"| {kind} | {PEERS[peer]} | {found['cost']:.0f} | {ratio} |"


def fsync_rows(records, rounds):
    for mode, option in FSYNC.items():
        found = _best(rounds, "cost", "fsync", mode, records // 20 if mode == "record" else records)
        if isinstance(found, str):
            yield f'| `"{option}"` | {found} | |'
        else:
            yield f'| `"{option}"` | {found["cost"]:.0f} | {found["synced"]} |'


def processes_rows(records, rounds):
    for peer in filter(_is_there, PEERS):
        found = [run("processes", peer, records) for _ in range(rounds)]
        good = [one for one in found if isinstance(one, dict)]
        if not good:
            yield f"| {PEERS[peer]} | {found[0]} | |"
            continue
        rate = statistics.median(one["rate"] for one in good)
        yield f"| {PEERS[peer]} | {rate:.0f} | {max(one['lost'] for one in good)} |"


def pause_rows(size, inside):
    ways = {
        "duramen-plain": "Duramen, no compression",
        "duramen-gzip": 'Duramen, `compression="gzip"`',
        "duramen-zstd": 'Duramen, `compression="zstd"`',
        "standard-gzip": "standard library, a rotator that writes gzip",
    }
    for way, title in ways.items():
        found = run("pause", way, size, inside=inside)
        if isinstance(found, str):
            yield f"| {title} | {found} | | |"
        else:
            yield f"| {title} | {found['worst']:.1f} | {found['p99.9']:.2f} | {found['seconds']:.1f} |"


PAGE = """\
# The cost of files

Written by `{command}`: CPython {python}, {cpus} CPUs ({load} busy with other work when it began){note}. Each cell is a
process of its own; of {rounds} the best, and of the processes on one file the median.

## A record to a rotating file

Nanoseconds for a record of about 70 bytes, of {records}; by size the file is rolled over every {most} bytes (five backups),
by time at midnight, which does not come. "Beside plain": beside the same package's
`FileHandler`, or the standard library's; 1.10 is Duramen's goal.

| handler | package | ns a record | beside plain |
| --- | --- | --- | --- |
{handlers}

## {processes} processes rotate one file

Forked workers with a handler each, {records} records together, rolled over every {most} bytes. "Lost": in no file, the most of
all rounds.

| package | records/s | lost |
| --- | --- | --- |
{shared}

## The caller's pauses while a backup is compressed

A file of {megabytes} MB is rolled over; the caller logs a hundred records every 5 ms until its backup is there in its last
form. Milliseconds of one logging call, the one that rolls over among them, and seconds until the end.

| way | worst call, ms | 99.9 %, ms | seconds |
| --- | --- | --- | --- |
{pauses}

## `fsync`

Nanoseconds for a record to a `FileHandler` of Duramen's ([durability.md](durability.md)), and how often the file was brought
to the disk; with `"record"` a twentieth of the records. The disk is that of the temporary folder.

| `fsync` | ns a record | syncs |
| --- | --- | --- |
{fsync}
"""


def _parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--megabytes", type=int, default=1000, metavar="N", help="of the compressed file")
    parser.add_argument("--large-in", metavar="FOLDER", help="where that file is; else the temporary folder")
    parser.add_argument("--short", action="store_true", help="few records, one round, a small file")
    parser.add_argument("--report", type=Path, default=REPOSITORY / "docs" / "benchmarks-files.md")
    parser.add_argument("--command", default="make bench-files", help="what the report names as its command")
    parser.add_argument("--note", default="", help="words on the machine, for the report")
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--cell", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.short:
        options.records, options.rounds, options.megabytes = 4_000, 1, 4
    return options


def _shown(rows):
    """The rows as text, each printed when it is there."""
    lines = []
    for row in rows:
        print(row, flush=True)
        lines.append(row)
    return "\n".join(lines)


def main():
    options = _parse_arguments()
    if options.cell:
        name, *words = options.cell
        print(json.dumps(CELLS[name](options.folder, *words)))
        return
    load = os.getloadavg()[0]
    records, rounds = options.records, options.rounds
    page = PAGE.format(
        command=options.command,
        python=platform.python_version(),
        cpus=os.cpu_count(),
        load=f"{load:.1f}",
        note=options.note and f"; {options.note}",
        rounds=rounds,
        records=records,
        most=_MOST,
        processes=_PROCESSES,
        megabytes=options.megabytes,
        handlers=_shown(handler_rows(records, rounds)),
        shared=_shown(processes_rows(records, rounds)),
        pauses=_shown(pause_rows(options.megabytes * 1_000_000, options.large_in)),
        fsync=_shown(fsync_rows(records, rounds)),
    )
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(page)


if __name__ == "__main__":
    main()
