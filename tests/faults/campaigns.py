"""Campaigns against a file that several processes write to: what is lost, doubled or mangled is counted."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from faults.writer import CLOCK, ZONES

WRITER = Path(__file__).with_name("writer.py")
#: Seconds. A process that takes longer hangs.
TIME_LIMIT = 300


@dataclass(frozen=True)
class Count:
    """What came of a campaign."""

    written: int
    lost: int
    doubled: int
    mangled: int
    files: int
    hung: int = 0
    killed: int = 0
    #: Beginnings of records whose logging call has not returned, each on a line of its own.
    torn: int = 0
    stopped: int = 0
    #: Processes that have ended with an error.
    failed: int = 0

    @property
    def is_whole(self):
        """Nothing was lost, doubled or mangled, and nobody hung or ended with an error."""
        return (self.lost, self.doubled, self.mangled, self.hung, self.failed) == (0, 0, 0, 0, 0)


class Campaign:
    """Processes that log to ``folder/app.log`` with one package."""

    def __init__(self, folder, package, kind, most=20_000, pause=0.0, **more):
        self.folder = Path(folder)
        self.logs = self.folder / "logs"
        self.logs.mkdir(parents=True)
        self.setting = {
            "package": package,
            "kind": kind,
            "path": str(self.logs / "app.log"),
            "most": most,
            "pause": pause,
            "forks": 0,
            "long": 0,
            "dies": False,
            "disturbed": False,
            "clock": None,
            **more,
        }
        self.hung = self.killed = self.stopped = 0
        self.started = []

    def start(self, worker, records, first=0, forks=0):
        """Start a process that writes so many records, or, with ``forks``, one that forks so many such."""
        setting = {
            **self.setting,
            "worker": worker,
            "records": records,
            "first": first,
            "forks": forks,
            "acknowledged": str(self.folder / f"acknowledged-{worker}"),
        }
        command = [sys.executable, str(WRITER), json.dumps(setting)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.started.append(process)
        return process

    def wait_until_writing(self, running):
        """Wait until each of the processes, by their workers, has written a record, or has ended."""
        for worker, process in running.items():
            while process.poll() is None and not (self.folder / f"acknowledged-{worker}").exists():
                time.sleep(0.001)

    def wait_for(self, processes):
        for process in processes:
            try:
                process.wait(TIME_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                self.hung += 1

    def acknowledged(self):
        """(worker, number) of each record whose logging call has returned."""
        found = set()
        for path in self.folder.glob("acknowledged-*"):
            worker = int(path.name.rsplit("-", 1)[1])
            # A process that was killed while it wrote has left its last line without an end.
            found.update((worker, int(line)) for line in path.read_bytes().split(b"\n")[:-1])
        return found

    def count(self, lines_of_others=()):
        """Compare the files with what was acknowledged."""
        if self.setting["kind"] == "kept":
            # What a killed process has left is brought in order when the next one starts.
            self.wait_for([self.start(10_000, 0)])
        found, mangled, torn = Counter(), 0, 0
        long = self.setting["long"]
        folders = [folder for folder in (self.logs, self.folder / "archive") if folder.exists()]
        files = [path for folder in folders for path in folder.iterdir() if path.name.startswith("app.log")]
        for path in files:
            text = path.read_bytes()
            for line in (gzip.decompress(text) if path.suffix == ".gz" else text).split(b"\n")[:-1]:
                words = line.split(b" ")
                is_whole = (
                    len(words) == 3 and words[0].isdigit() and words[1].isdigit() and not words[2].strip(b"x")
                )
                if long and is_begun(line, long):
                    torn += 1
                elif is_whole:
                    found[int(words[0]), int(words[1])] += 1
                elif line not in lines_of_others:
                    mangled += 1
        written = self.acknowledged()
        return Count(
            written=len(written),
            lost=len(written - set(found)),
            doubled=sum(times - 1 for times in found.values()),
            mangled=mangled,
            files=len(files),
            hung=self.hung,
            killed=self.killed,
            torn=torn,
            stopped=self.stopped,
            # A negative number is a signal's, by which the campaigns end processes.
            failed=sum((process.returncode or 0) > 0 for process in self.started),
        )


def is_begun(line, long):
    """Whether the line is the beginning of a record that is so long."""
    worker, _, rest = line.partition(b" ")
    number, _, padding = rest.partition(b" ")
    is_number = (worker + number).isdigit() or not worker
    return is_number and len(padding) < long and not padding.strip(b"x")


def started_apart(folder, package, kind, processes, records):
    """Processes that know nothing of each other."""
    campaign = Campaign(folder, package, kind, pause=0.0005 if kind == "time" else 0.0)
    campaign.wait_for([campaign.start(worker, records) for worker in range(processes)])
    return campaign.count()


def forked(folder, package, kind, processes, records):
    """Workers that have inherited an open handler."""
    campaign = Campaign(folder, package, kind, pause=0.0005 if kind == "time" else 0.0)
    campaign.wait_for([campaign.start(0, records, forks=processes)])
    return campaign.count()


def killed(folder, package, kind, processes, records, kills=20, pause=0.2, seed=1, most=10_000, **more):
    """Processes of which one after the other is killed at random moments, and replaced by another."""
    # Small files, so that many are killed in the middle of a rollover.
    campaign = Campaign(folder, package, kind, most=most, **more)
    chance = random.Random(seed)
    running = {worker: campaign.start(worker, records) for worker in range(processes)}
    next_worker = processes
    for _ in range(kills):
        if campaign.setting["long"]:
            campaign.wait_until_writing(running)
        time.sleep(chance.random() * pause)
        victim = chance.choice(sorted(running))
        process = running.pop(victim)
        process.kill()
        process.wait()
        campaign.killed += 1
        running[next_worker] = campaign.start(next_worker, records)
        next_worker += 1
    campaign.wait_for(running.values())
    return campaign.count()


def killed_in_long_records(folder, package, kind, processes, records):
    """Records of a megabyte, in the middle of which processes are killed."""
    kills, records = min(20, records // 100), max(10, records // 40)
    return killed(folder, package, kind, processes, records, kills, 0.01, most=20_000_000, long=1_000_000)


def killed_in_rollovers(folder, package, kind, processes, records, deaths=20):
    """Processes that are killed while they hold the lock of a rollover, and replaced by others."""
    campaign = Campaign(folder, package, kind, most=10_000, dies=True)
    running = [campaign.start(worker, records) for worker in range(processes)]
    next_worker = processes
    while running:
        process = running.pop(0)
        campaign.wait_for([process])
        if process.returncode == -signal.SIGKILL and campaign.killed < deaths:
            campaign.killed += 1
            running.append(campaign.start(next_worker, records))
            next_worker += 1
    return campaign.count()


def killed_while_compressing(folder, package, kind, processes, records, kills=10):
    """All processes are killed at once when one of them compresses a backup, or copies it to the archive."""
    campaign = Campaign(folder, package, kind, most=200_000)
    next_worker = 0
    for _ in range(kills):
        running = [campaign.start(next_worker + index, 10 * records) for index in range(processes)]
        next_worker += processes
        while any(process.poll() is None for process in running) and not is_compressing(campaign):
            time.sleep(0.0002)
        for process in running:
            campaign.killed += process.poll() is None
            process.kill()
        campaign.wait_for(running)
    return campaign.count()


def is_compressing(campaign):
    folders = [folder for folder in (campaign.logs, campaign.folder / "archive") if folder.exists()]
    return any(name.endswith(".partial") for folder in folders for name in os.listdir(folder))


def stopped(folder, package, kind, processes, records, seed=1):
    """Processes are stopped at random moments (SIGSTOP), and continued later; the others go on."""
    campaign = Campaign(folder, package, kind, most=10_000, pause=0.0005)
    running = [campaign.start(worker, records) for worker in range(processes)]
    chance = random.Random(seed)
    while alive := [process for process in running if process.poll() is None]:
        held = chance.sample(alive, max(1, len(alive) // 2))
        for process in held:
            process.send_signal(signal.SIGSTOP)
            campaign.stopped += 1
        time.sleep(0.02 + chance.random() * 0.1)
        for process in held:
            process.send_signal(signal.SIGCONT)
        time.sleep(chance.random() * 0.02)
    campaign.wait_for(running)
    return campaign.count()


def disturbed(folder, package, kind, processes, records):
    """Calls of the system are interrupted by a signal each 100 microseconds."""
    campaign = Campaign(folder, package, kind, disturbed=True)
    campaign.wait_for([campaign.start(worker, records) for worker in range(processes)])
    return campaign.count()


def clock_jumps(folder, package, kind, processes, records, seed=1):
    """The clock of all processes goes forward and back by seconds, hours and days, and their time zone is another one."""
    os.makedirs(folder)
    path = Path(folder) / "clock"
    path.write_bytes(CLOCK.pack(0, 0))
    campaign = Campaign(folder, package, kind, pause=0.001, clock=str(path))
    running = [campaign.start(worker, records) for worker in range(processes)]
    chance = random.Random(seed)
    with open(path, "r+b", buffering=0) as shared:
        while any(process.poll() is None for process in running):
            time.sleep(0.1)
            ahead = chance.choice([0, 3, -3, 3600, -3600, 7200, 86_400, -86_400, 30 * 86_400])
            shared.seek(0)
            shared.write(CLOCK.pack(ahead, chance.randrange(len(ZONES))))
    campaign.wait_for(running)
    return campaign.count()


def moved_away(folder, package, kind, processes, records, moves=20):
    """Somebody renames the file again and again, as logrotate does."""
    campaign = Campaign(folder, package, "watched")
    running = [campaign.start(worker, records) for worker in range(processes)]
    path = Path(campaign.setting["path"])
    for number in range(moves):
        while not path.exists() and any(process.poll() is None for process in running):
            time.sleep(0.001)
        if path.exists():
            path.rename(f"{path}.{number}")
        time.sleep(0.01)
    campaign.wait_for(running)
    return campaign.count()


#: What no other package has a handler for.
OWN_KINDS = {"kept"}

#: Whose rollovers are its own, and ask no rotator that could be killed.
OWN_WAYS = {("killed in their own rollover", "concurrent")}

#: What each campaign does, by its name in the table.
CAMPAIGNS = {
    "size, started apart": (started_apart, "size"),
    "size, forked": (forked, "size"),
    "time, started apart": (started_apart, "time"),
    "time, forked": (forked, "time"),
    "size, killed at random": (killed, "size"),
    "all options, started apart": (started_apart, "kept"),
    "all options, forked": (forked, "kept"),
    "all options, killed at random": (killed, "kept"),
    "records of a megabyte, killed at random": (killed_in_long_records, "size"),
    "killed in their own rollover": (killed_in_rollovers, "size"),
    "all options, killed while compressing": (killed_while_compressing, "kept"),
    "size, stopped and continued": (stopped, "size"),
    "all options, stopped and continued": (stopped, "kept"),
    "size, a signal each 100 µs": (disturbed, "size"),
    "time, clock and time zone jump": (clock_jumps, "time"),
    "moved away by others (watched)": (moved_away, "watched"),
}


def run(name, folder, package, processes, records):
    """Run one campaign; gives its ``Count``."""
    campaign, kind = CAMPAIGNS[name]
    os.makedirs(folder)
    return campaign(Path(folder) / "campaign", package, kind, processes, records)
