"""Programs that log through a journal and are killed, and what has become of their records."""

import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter

import duramen

PROGRAM = """
import os, signal, sys, threading, time
import {module} as logging
import {module}.handlers
{install}
from duramen.handlers import AsyncHandler

def queue(*handlers, **options):
    if not handlers:
        handlers = [logging.FileHandler("out.log")]
    handler = AsyncHandler(*handlers, journal="spool", **options)
    logging.getLogger("shop").addHandler(handler)
    return handler

log = logging.getLogger("shop")
log.propagate = False
log.setLevel("INFO")

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

{body}
"""

WAYS = {"imported": ("duramen", ""), "installed": ("logging", "import duramen; duramen.install()")}


def start(folder, body, way="imported"):
    """A process that runs ``body`` in ``folder``."""
    module, install = WAYS[way]
    program = PROGRAM.format(module=module, install=install, body=textwrap.dedent(body))
    package = os.path.dirname(os.path.dirname(duramen.__file__))
    path = os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder, body, way="imported", code=0):
    """Its output and what it said on stderr, once it has ended."""
    process = start(folder, body, way)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    return output, errors


def run_killed(folder, body, way="imported"):
    return run(folder, textwrap.dedent(body) + "\nkill()", way, code=-signal.SIGKILL)


def lines(folder, name="out.log"):
    path = folder / name
    return path.read_text().splitlines() if path.exists() else []


def journals(folder):
    return sorted(path.name for path in (folder / "spool").iterdir())


#: Logs numbered records from several threads, and notes each in a file of its own once its call has returned.
WORK = """
queue({options})
def work(thread):
    accepted = os.open(f"accepted-{name}-{{thread}}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in range(100000):
        log.info("{name} %d %d", thread, number)
        os.write(accepted, b"%d\\n" % number)
        if number == {begun} and thread == 0:
            print("begun", flush=True)
for thread in range({threads}):
    threading.Thread(target=work, args=(thread,)).start()
"""

OPTIONS = [
    "flush_interval=0",
    "flush_interval=0.01",
    "flush_interval=60",
    "capacity=50",
    "journal_size=65536",
]


def kill_at_random(folder, random, processes, threads, rounds, way="imported"):
    """Kills processes at random moments, and starts others, which deliver what those left.

    Gives how many records were accepted, how many of those were lost, how many stand twice, how many entries were said to
    be in doubt, and how many stand out of the order of their thread.
    """
    errors = ""
    for turn in range(rounds):
        started = []
        for number in range(processes):
            options = {"options": random.choice(OPTIONS), "begun": random.randrange(1, 300)}
            body = WORK.format(name=f"{turn}.{number}", threads=threads, **options)
            started.append(start(folder, body, way))
        for process in started:
            # Each has got to a random number of its records, the others go on meanwhile.
            line = process.stdout.readline()
            process.kill()
            errors += process.communicate()[1]
            assert line == "begun\n", errors
    errors += run(folder, "q = queue(); q.flush(60); print(q.stats())", way)[1]
    return judge(folder, errors)


def judge(folder, errors):
    found = Counter(lines(folder))
    accepted = [
        f"{name} {thread} {number}"
        for name, thread, path in ((*path.name.split("-")[1:], path) for path in folder.glob("accepted-*"))
        for number in path.read_text().split("\n")[:-1]
    ]
    doubt = [line for line in errors.splitlines() if "may stand twice" in line]
    order = {}
    swapped = 0
    for name, thread, number in (line.split() for line in dict.fromkeys(lines(folder))):
        swapped += int(number) < order.get((name, thread), -1)
        order[name, thread] = int(number)
    return {
        "accepted": len(accepted),
        "lost": sum(record not in found for record in accepted),
        "doubled": sum(count - 1 for count in found.values()),
        "in_doubt": sum(int(line.partition(" entries, ")[0].split()[-1]) for line in doubt),
        "swapped": swapped,
        "left": len(journals(folder)),
    }
