"""Campaigns against a file that several processes write to: what is lost, doubled or mangled is counted."""

import gzip
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

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

    @property
    def is_whole(self):
        """Nothing was lost, doubled or mangled, and nobody hung."""
        return (self.lost, self.doubled, self.mangled, self.hung) == (0, 0, 0, 0)


class Campaign:
    """Processes that log to ``folder/app.log`` with one package."""

    def __init__(self, folder, package, kind, most=20_000, pause=0.0):
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
        }
        self.hung = self.killed = 0

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
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

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
        found, mangled = Counter(), 0
        folders = [folder for folder in (self.logs, self.folder / "archive") if folder.exists()]
        files = [path for folder in folders for path in folder.iterdir() if path.name.startswith("app.log")]
        for path in files:
            text = path.read_bytes()
            for line in (gzip.decompress(text) if path.suffix == ".gz" else text).split(b"\n")[:-1]:
                words = line.split(b" ")
                is_whole = (
                    len(words) == 3 and words[0].isdigit() and words[1].isdigit() and not words[2].strip(b"x")
                )
                if is_whole:
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
        )


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


def killed(folder, package, kind, processes, records, kills=20, pause=0.2, seed=1):
    """Processes of which one after the other is killed at random moments, and replaced by another."""
    # Small files, so that many are killed in the middle of a rollover.
    campaign = Campaign(folder, package, kind, most=10_000)
    chance = random.Random(seed)
    running = {worker: campaign.start(worker, records) for worker in range(processes)}
    next_worker = processes
    for _ in range(kills):
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
    "moved away by others (watched)": (moved_away, "watched"),
}


def run(name, folder, package, processes, records):
    """Run one campaign; gives its ``Count``."""
    campaign, kind = CAMPAIGNS[name]
    os.makedirs(folder)
    return campaign(Path(folder) / "campaign", package, kind, processes, records)
