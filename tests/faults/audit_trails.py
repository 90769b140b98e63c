"""Audit trails whose writers are killed: what was acknowledged has to be there, and the check has to accept the trail.

As a program, ``python audit_trails.py SETTING`` (JSON), it is one process that writes to a trail.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve()
KEY = "a key for tests of 16 bytes or more"
#: Seconds. A process that takes longer hangs.
TIME_LIMIT = 120


@dataclass(frozen=True)
class Trail:
    """What came of a campaign."""

    #: Records whose logging call has returned without an error for ``handleError``.
    written: int
    #: Those of them that are not in the trail.
    lost: int
    doubled: int
    kills: int
    #: Lines that a killed process left torn, and the next start took away, by the notes of the trail.
    torn: int
    files: int
    #: What the check found, where it did not accept the trail.
    findings: list = field(default_factory=list)

    @property
    def is_whole(self):
        """Each record is there once, and the check has accepted the trail each time."""
        return (self.lost, self.doubled, self.findings) == (0, 0, [])


def write(setting):
    """Log records on some threads until the process is killed, or so many are written."""
    if setting["package"] == "installed":
        import logging

        import duramen
        import duramen.handlers

        duramen.install()
    else:
        import duramen as logging
        import duramen.handlers

    failed = threading.local()

    class Handler(duramen.handlers.AuditFileHandler):
        def handleError(self, record):
            failed.now = True

    handler = Handler(setting["path"], commit=setting["commit"], maxBytes=setting["most"])
    logger = logging.Logger("audit")
    logger.addHandler(handler)
    acknowledged = os.open(setting["acknowledged"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def log(thread):
        chance = random.Random(setting["worker"] * 10 + thread)
        for number in range(thread, setting["records"], setting["threads"]):
            failed.now = False
            # Now and then one that takes a while to be written, so that it is torn by a kill.
            size = 400_000 if chance.random() < setting["long"] else chance.randrange(100)
            logger.warning("%d %d %s", setting["worker"], number, "x" * size)
            if not failed.now:
                os.write(acknowledged, b"%d\n" % number)

    threads = [threading.Thread(target=log, args=(thread,)) for thread in range(setting["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handler.close()


def check(path):
    """The exit code of ``duramen check --audit`` and what it prints."""
    command = [sys.executable, "-m", "duramen", "check", "--audit", str(path)]
    environment = {**os.environ, "DURAMEN_AUDIT_KEY": KEY}
    finished = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT, env=environment)
    return finished.returncode, finished.stdout + finished.stderr


def killed(folder, package, processes, records, kills, commit="record", long=0.02, seed=1):
    """Processes of which some or all are killed at random moments, and replaced by others.

    Where all are killed at once, the trail is checked as they left it: it is whole up to a line that a kill has torn, if
    there is one, which the next start has to take away.
    """
    folder = Path(folder)
    path = folder / "trail" / "audit.log"
    path.parent.mkdir(parents=True)
    chance = random.Random(seed)
    findings, workers = [], iter(range(1_000_000))

    def start():
        worker = next(workers)
        setting = {
            "package": package,
            "path": str(path),
            "acknowledged": str(folder / f"acknowledged-{worker}"),
            "worker": worker,
            "commit": commit,
            "most": 2_000_000,
            "threads": 2,
            "records": records,
            "long": long,
        }
        environment = {**os.environ, "DURAMEN_AUDIT_KEY": KEY}
        return subprocess.Popen([sys.executable, str(HERE), json.dumps(setting)], env=environment)

    def is_writing(process):
        """Wait until the process has written a record, or has ended."""
        worker = json.loads(process.args[-1])["worker"]
        while process.poll() is None and not (folder / f"acknowledged-{worker}").exists():
            time.sleep(0.001)

    running = [start() for _ in range(processes)]
    for number in range(kills):
        for process in running:
            is_writing(process)
        time.sleep(chance.random() * 0.05)
        victims = running[:] if number % 3 == 0 else [chance.choice(running)]
        for process in victims:
            process.kill()
        for process in victims:
            process.wait()
            running.remove(process)
        if not running:
            code, said = check(path)
            if code != 0 and not (code == 1 and "the last line has no end" in said):
                findings.append(said)
        running += [start() for _ in victims]
    for process in running:
        process.wait(TIME_LIMIT)
    # One more start, after which nothing is torn.
    if start().wait(TIME_LIMIT):
        findings.append("a process failed")
    code, said = check(path)
    if code:
        findings.append(said)
    return count(folder, path, kills, findings)


def count(folder, path, kills, findings):
    """Compare the trail with what was acknowledged."""
    written = set()
    for acknowledged in folder.glob("acknowledged-*"):
        worker = int(acknowledged.name.rsplit("-", 1)[1])
        written.update((worker, int(line)) for line in acknowledged.read_bytes().split(b"\n")[:-1])
    found, torn = Counter(), 0
    files = [file for file in path.parent.iterdir() if not file.name.endswith(".head")]
    for file in files:
        for line in file.read_bytes().split(b"\n")[:-1]:
            _, _, mark, text = line.split(b" ", 3)
            if mark == b"+":
                worker, number, _ = text.split(b" ", 2)
                found[int(worker), int(number)] += 1
            else:
                torn += "torn" in json.loads(text)
    return Trail(
        written=len(written),
        lost=len(written - set(found)),
        doubled=sum(times - 1 for times in found.values()),
        kills=kills,
        torn=torn,
        files=len(files),
        findings=findings,
    )


if __name__ == "__main__":
    write(json.loads(sys.argv[1]))
