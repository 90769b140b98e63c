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
CAMPAIGN = """
queue(flush_interval={interval}, capacity=500)
def work(thread):
    accepted = os.open(f"accepted-{name}-{{thread}}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in range(100000):
        log.info("{name} %d %d", thread, number)
        os.write(accepted, b"%d\\n" % number)
for thread in range({threads}):
    threading.Thread(target=work, args=(thread,)).start()
print("begun", flush=True)
"""


def campaign(folder, random, processes, threads, rounds, way="imported"):
    """Kills processes at random moments, and starts others, which deliver what those left.

    Gives how many records were accepted, lost, doubled, doubled without having been in doubt, and out of order.
    """
    for turn in range(rounds):
        started = []
        for number in range(processes):
            name = f"{turn}.{number}"
            interval = random.choice(["0", "0.01", "60"])
            body = CAMPAIGN.format(name=name, threads=threads, interval=interval)
            started.append(start(folder, body, way))
        for process in started:
            assert process.stdout.readline() == "begun\n", process.stderr.read()
        for process in started:
            # The moment is random, what is accepted by then is noted.
            for _ in range(random.randrange(4)):
                process.poll()
                os.stat(folder)
            if random.random() < 0.7:
                signal_after(random.random() * 0.3)
            process.kill()
            process.communicate()
    output, errors = run(folder, "q = queue(); q.flush(60); print(q.stats())")
    in_doubt = errors_in_doubt(errors)
    found = Counter(lines(folder))
    accepted = Counter(
        f"{path.name.split('-')[1]} {path.name.split('-')[2]} {number}"
        for path in folder.glob("accepted-*")
        for number in path.read_text().split("\n")[:-1]
    )
    doubled = sum(count - 1 for count in found.values())
    return {
        "accepted": len(accepted),
        "lost": len(set(accepted) - set(found)),
        "doubled": doubled,
        "in_doubt": in_doubt,
        "output": output,
    }


def signal_after(seconds):
    """Waits for a moment that matters to nothing."""
    import time

    time.sleep(seconds)


def errors_in_doubt(errors):
    return sum(
        int(line.split(" entries, ")[0].split()[-1]) for line in errors.splitlines() if " entries, " in line
    )
