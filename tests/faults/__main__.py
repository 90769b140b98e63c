"""``python tests/faults``: the campaigns at length, beside other packages, into docs/faults.md.

The exit code is 1 when Duramen has lost, doubled or mangled a record, or a process hung.
"""

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from faults import audit_trails, kernel_faults  # noqa: E402
from faults.campaigns import CAMPAIGNS, OWN_KINDS, OWN_WAYS, run  # noqa: E402

PACKAGES = {
    "duramen": "Duramen, imported",
    "installed": "Duramen, installed",
    "standard": "standard library",
    "concurrent": "concurrent-log-handler",
}


def is_there(name, package):
    """Whether the package has a handler for the campaign."""
    if CAMPAIGNS[name][1] in OWN_KINDS:
        return package in ("duramen", "installed")
    return (name, package) not in OWN_WAYS | {("moved away by others (watched)", "concurrent")}


PAGE = """\
# Faults

Written by `{command}`: {processes} processes, {records} records each, CPython {python}, {cpus} CPUs.{note}
[shared-files.md](shared-files.md) says how several processes agree on one file.

A record counts as written when its logging call has returned. A cell has the records that were lost, doubled and
mangled, of how many, and how many files they were found in.

{table}

- "apart": processes that were started one by one. "Forked": workers that have inherited an open handler. The files are
  rolled over every 20 000 bytes, or every second.
- "Killed": 20 times a process is killed with SIGKILL at a random moment, and another one started; the files are rolled
  over every 10 000 bytes, so that many die in the middle of a rollover.
- "All options": by size and by time, with `compression="gzip"`, `max_age`, `max_total_bytes`, five backups and an archive,
  in which the records are counted too. After the kills one more process starts, which brings in order what they left.
- "Records of a megabyte": the files are rolled over every 20 MB; "torn" are the beginnings of records that a kill has cut, and
  whose logging call has not returned.
- "In their own rollover": a `rotator` kills its process before or behind the renaming, while it holds the lock (that of
  concurrent-log-handler is not asked). "While compressing": all are killed whenever a backup is half compressed.
- "Stopped": half of the processes, chosen at random, are stopped for up to 120 ms (SIGSTOP), again and again, while the others
  roll the file over every 10 000 bytes.
- "A signal": a handler in Python runs every 100 microseconds, with `siginterrupt`.
- "Clock": all processes see one clock that jumps, every 100 ms, by up to a month, and a time zone that changes.
- "Moved away": somebody renames the file 20 times, and `WatchedFileHandler` follows.

## Faults of the kernel

One process logs {records} records with a handler that rolls over every {most} bytes; the fault lasts for the second third
of them. Here a record counts as written when its logging call has returned and `handleError` was not called for it: it was
told otherwise. A cell has what was lost, doubled and mangled of the records that were written, how many were told, and
whether the record after the fault is in the file.

{kernel_table}

- "Full disk": a small tmpfs that another file fills, until it is emptied; it takes root. "3 processes": each logs a third of
  the records to the same file, and the disk fills while they do. "Torn": lines of pieces of records that were told; where
  several processes write, another one may come between the two pieces of a record that had no room. "Limit": `RLIMIT_FSIZE`, with
  `SIGXFSZ` ignored. "Away": the log's folder is renamed, and named back. "No file descriptors": the process has as many
  files open as `RLIMIT_NOFILE` lets it; who closes a file before the next one is opened gets by.

## Audit trails whose writers are killed

{processes} processes with two threads each write {audit_records} records each to one trail (`AuditFileHandler`, another file every
2 MB), some records 400 000 bytes long. {audit_kills} times one of them, or all at once, is killed with SIGKILL at a random
moment, and others are started. A record counts as acknowledged when its logging call has returned without an error. Each
time that all were killed `duramen check --audit` looks at what they have left: it has to accept it, or to name a torn last
line, which the next start takes away and notes. At the end it has to accept the trail.

{audit_table}

Rust programs: `DURAMEN_KILLS={audit_kills} cargo test --test kills`, which asserts the same of `duramen::handler::AuditFileHandler`, and
of a file that is rolled over and compressed.
"""

AUDIT_KILLS = 30
AUDIT_HEAD = (
    "| trail | acknowledged | lost | doubled | torn lines taken away | files | not accepted by the check |"
)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=8, metavar="N")
    parser.add_argument("--records", type=int, default=5000, metavar="N", help="for each process")
    parser.add_argument("--package", action="append", choices=PACKAGES, help="this one alone (repeatable)")
    parser.add_argument("--report", type=Path, metavar="FILE", default=HERE.parents[1] / "docs" / "faults.md")
    parser.add_argument("--command", default="make faults", help="what the report names as its command")
    parser.add_argument("--note", default="", help="a sentence on the machine, for the report")
    return parser.parse_args()


def cell(count):
    text = f"{count.lost} · {count.doubled} · {count.mangled} of {count.written}, {count.files} files"
    if count.killed:
        text += f", {count.killed} killed"
    if count.torn:
        text += f", {count.torn} torn"
    if count.stopped:
        text += f", stopped {count.stopped} times"
    if count.hung:
        text += f", **{count.hung} hung**"
    if count.failed:
        text += f", {count.failed} ended with an error"
    return text if count.is_whole else f"**{text}**"


def kernel_cell(outcome):
    text = f"{outcome.lost} · {outcome.doubled} · {outcome.mangled} of {outcome.written}, {outcome.told} told"
    if outcome.torn:
        text += f", {outcome.torn} torn"
    text += ", recovered" if outcome.recovered else ", not recovered"
    return text if outcome.is_good else f"**{text}**"


def kernel_rows(packages, records):
    """The rows of the second table, each with whether Duramen has failed in it."""
    for fault in kernel_faults.FAULTS:
        cells, failed = [], False
        for package in packages:
            if not kernel_faults.is_there(fault):
                cells.append("—")
                continue
            with tempfile.TemporaryDirectory(prefix="duramen-faults-") as folder:
                outcome = kernel_faults.run(fault, Path(folder) / "run", package, records)
            print(f"{fault}, {PACKAGES[package]}: {kernel_cell(outcome)}", flush=True)
            cells.append(kernel_cell(outcome))
            failed |= package in ("duramen", "installed") and not outcome.is_good
        yield f"| {fault} | {' | '.join(cells)} |", failed


def audit_rows(processes, records):
    """The rows of the third table, each with whether it has failed."""
    for package, commit in (("duramen", "record"), ("duramen", "group"), ("installed", "group")):
        with tempfile.TemporaryDirectory(prefix="duramen-faults-") as folder:
            trail = audit_trails.killed(
                Path(folder) / "run", package, processes, records, AUDIT_KILLS, commit, long=0.05
            )
        cells = [trail.written, trail.lost, trail.doubled, trail.torn, trail.files, len(trail.findings)]
        row = f'| {PACKAGES[package]}, `commit="{commit}"` | {" | ".join(map(str, cells))} |'
        print(row, *trail.findings, flush=True)
        yield row, not trail.is_whole


def table_of(corner, packages, rows):
    head = f"| {corner} | " + " | ".join(PACKAGES[package] for package in packages) + " |"
    return "\n".join([head, "| --- |" + " --- |" * len(packages), *rows])


def main():
    options = parse_arguments()
    packages = options.package or list(PACKAGES)
    rows, kernel, audit, failed = [], [], [], False
    for name in CAMPAIGNS:
        cells = []
        for package in packages:
            if not is_there(name, package):
                cells.append("—")
                continue
            with tempfile.TemporaryDirectory(prefix="duramen-faults-") as folder:
                count = run(name, Path(folder) / "run", package, options.processes, options.records)
            print(f"{name}, {PACKAGES[package]}: {cell(count)}", flush=True)
            cells.append(cell(count))
            # A program that has ended by an error has written nothing.
            failed |= package in ("duramen", "installed") and not (count.is_whole and count.written)
        rows.append(f"| {name} | {' | '.join(cells)} |")
    for row, has_failed in kernel_rows(packages, options.records):
        kernel.append(row)
        failed |= has_failed
    audit_records = max(1, options.records // 10)
    for row, has_failed in audit_rows(options.processes, audit_records):
        audit.append(row)
        failed |= has_failed
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(
        PAGE.format(
            command=options.command,
            note=options.note and f" {options.note}",
            processes=options.processes,
            records=options.records,
            python=platform.python_version(),
            cpus=os.cpu_count(),
            table=table_of("lost · doubled · mangled", packages, rows),
            most=kernel_faults.MOST,
            audit_records=audit_records,
            audit_kills=AUDIT_KILLS,
            audit_table="\n".join([AUDIT_HEAD, "| --- " * 7 + "|", *audit]),
            kernel_table=table_of("lost · doubled · mangled", packages, kernel),
        )
    )
    sys.exit(failed)


if __name__ == "__main__":
    main()
