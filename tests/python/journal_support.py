"""Programs that log through a journal and are killed, and what has become of their records."""

import os
import signal
import subprocess
import sys
import textwrap

import duramen
from duramen.handlers import AsyncHandler

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


def start(folder, body, way="imported", before=()):
    """A process that runs ``body`` in ``folder``; ``before``: words of a command that starts it."""
    module, install = WAYS[way]
    program = PROGRAM.format(module=module, install=install, body=textwrap.dedent(body))
    package = os.path.dirname(os.path.dirname(duramen.__file__))
    path = os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [*before, sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
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


#: What the next start does.
DELIVER = "q = queue(); q.flush(60)"

HANDLERS = {
    "file": "logging.FileHandler('out.log')",
    "rotating": "logging.handlers.RotatingFileHandler('out.log', maxBytes=10**6, backupCount=2)",
}


def journaled(file, folder, **options):
    """A handler of this process."""
    return AsyncHandler(file, journal=folder / "spool", **{"flush_interval": 60, **options})


def logger_with(handler):
    logger = duramen.Logger("shop")
    logger.addHandler(handler)
    return logger


def balance(stats):
    """What the ledger must give: zero."""
    gone = sum(stats[name] for name in ("delivered", "failed", "queued", "in_flight"))
    return (
        stats["accepted"]
        + stats["recovered"]
        - gone
        - stats["dropped"]["oldest"]
        - stats["dropped"]["abandoned"]
    )
