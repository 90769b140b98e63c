"""Campaigns about journals: processes that are killed; ``python tests/faults/journals.py`` writes docs/journal-faults.md.

The exit code is 1 when a record that was accepted is lost, stands out of the order of its thread, or stands twice without
having been named.
"""

import argparse
import os
import platform
import random
import signal
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "python"))

from journal_support import WAYS, journals, lines, run, start  # noqa: E402

#: Logs numbered records from several threads and forked children, and notes each in a file of its own once its call
#: has returned.
WORK = """
queue({options})
def work(label, says=False):
    accepted = os.open(f"accepted-{name}-{{label}}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in range(5000):
        log.info("{name} %s %d", label, number)
        os.write(accepted, b"%d\\n" % number)
        if says and number == {begun}:
            print("begun", flush=True)
for thread in range({threads}):
    threading.Thread(target=work, args=(f"t{{thread}}", thread == 0)).start()
for child in range({children}):
    if os.fork() == 0:
        work(f"c{{child}}")
        kill()
"""

OPTIONS = [
    "flush_interval=0",
    "flush_interval=0.01",
    "flush_interval=60",
    "capacity=50",
    "journal_size=65536",
]

CAMPAIGNS = {
    "threads": {"threads": 4, "children": 0},
    "threads, and children forked while they log": {"threads": 2, "children": 3},
}


@dataclass
class Found:
    """What has become of the records of a campaign."""

    killed: int
    accepted: int
    lost: int
    doubled: int
    in_doubt: int
    swapped: int
    left: int

    @property
    def is_whole(self):
        return self.lost + self.swapped + self.left == 0 and self.doubled <= self.in_doubt


def kill_at_random(folder, chance, name, processes, rounds, way="imported"):
    """Kills processes at random moments, and starts others, which deliver meanwhile what those left."""
    errors = ""
    for turn in range(rounds):
        started = []
        for number in range(processes):
            options = {"options": chance.choice(OPTIONS), "begun": chance.randrange(1, 300)}
            started.append(
                start(folder, WORK.format(name=f"{turn}.{number}", **options, **CAMPAIGNS[name]), way)
            )
        for process in started:
            # Each has got to a random number of its records, the others go on meanwhile.
            line = process.stdout.readline()
            os.killpg(process.pid, signal.SIGKILL)
            errors += process.communicate()[1]
            assert line == "begun\n", errors
    errors += run(folder, "q = queue(); q.flush(60)", way)[1]
    killed = processes * rounds * (1 + CAMPAIGNS[name]["children"])
    return judge(folder, errors, killed)


def judge(folder, errors, killed):
    """Compares what was accepted with what stands in the log."""
    found = Counter(lines(folder))
    accepted = [
        f"{name} {label} {number}"
        for name, label, path in ((*path.name.split("-")[1:], path) for path in folder.glob("accepted-*"))
        for number in path.read_text().split("\n")[:-1]
    ]
    last, swapped = {}, 0
    for name, label, number in (line.split() for line in found):
        swapped += int(number) < last.get((name, label), -1)
        last[name, label] = int(number)
    doubt = [line for line in errors.splitlines() if "may stand twice" in line]
    return Found(
        killed=killed,
        accepted=len(accepted),
        lost=sum(record not in found for record in accepted),
        doubled=sum(count - 1 for count in found.values()),
        in_doubt=sum(int(line.partition(" entries, ")[0].split()[-1]) for line in doubt),
        swapped=swapped,
        left=len(journals(folder)),
    )


PAGE = """\
# Killed with a journal

Written by `{command}`: CPython {python}, {cpus} CPUs, seed {seed}. [journal.md](journal.md) says what is promised.

Processes log through `AsyncHandler(journal=…)` into one file from several threads, with different options, and are killed with
SIGKILL when they have got to a random number of records. Others start meanwhile and deliver what those left, and are killed in
the middle of that too. A record counts as accepted when its logging call has returned.

| processes killed | way | accepted | lost | out of order | twice | named as in doubt |
| --- | --- | --- | --- | --- | --- | --- |
{rows}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, metavar="N")
    parser.add_argument("--processes", type=int, default=4, metavar="N", help="at a time")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument(
        "--report", type=Path, metavar="FILE", default=HERE.parents[1] / "docs" / "journal-faults.md"
    )
    parser.add_argument("--command", default="make faults", help="what the report names as its command")
    options = parser.parse_args()
    rows, failed = [], False
    for name in CAMPAIGNS:
        for way in WAYS:
            with tempfile.TemporaryDirectory(prefix="duramen-faults-") as folder:
                chance = random.Random(options.seed)
                found = kill_at_random(Path(folder), chance, name, options.processes, options.rounds, way)
            print(f"{name}, {way}: {found}", flush=True)
            failed |= not found.is_whole
            counts = [found.accepted, found.lost, found.swapped, found.doubled, found.in_doubt]
            rows.append(f"| {found.killed}: {name} | {way} | {' | '.join(map(str, counts))} |")
    options.report.write_text(
        PAGE.format(
            command=options.command,
            python=platform.python_version(),
            cpus=os.cpu_count(),
            seed=options.seed,
            rows="\n".join(rows),
        )
    )
    sys.exit(failed)


if __name__ == "__main__":
    main()
