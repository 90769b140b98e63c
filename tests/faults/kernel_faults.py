"""Faults that the kernel makes, beside other packages: what a rotating handler loses, doubles, mangles, and whether it
recovers.

As a program, ``python kernel_faults.py SETTING`` (JSON), it is one process that logs before, during and after a fault, or
several that do so together.
"""

import json
import multiprocessing
import os
import re
import resource
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve()
#: Seconds. A process that takes longer hangs.
TIME_LIMIT = 120
#: The file is rolled over before it is longer; more backups are kept than there will be.
MOST, KEPT = 20_000, 500
#: A file that may not be longer than this never gets so far.
SIZE_LIMIT = 10_000


@dataclass(frozen=True)
class Outcome:
    """What came of a fault."""

    #: Records whose logging call has returned without an error for ``handleError``.
    written: int
    #: Those of them that are in no file.
    lost: int
    doubled: int
    #: Lines that are no record, nor pieces of some that were told.
    mangled: int
    #: Lines that are made of pieces of records of which ``handleError`` was told.
    torn: int
    #: Records of which ``handleError`` was told.
    told: int
    #: The last record, which comes when the cause is gone, is in the file.
    recovered: bool

    @property
    def is_good(self):
        """Each record is there once and whole, or was told, and the handler goes on afterwards."""
        return (self.lost, self.doubled, self.mangled, self.recovered) == (0, 0, 0, True)


def line_of(number):
    return f"{number} {'x' * (number * 7 % 97)}"


def find(folder, accepted, told, records):
    """Compare the files in ``folder`` with what was accepted."""
    found, mangled, torn = Counter(), 0, 0
    accepted = set(accepted)
    for path in Path(folder).glob("app.log*"):
        for line in path.read_text(errors="replace").split("\n")[:-1]:
            number = line.split(" ", 1)[0]
            if number.isdigit() and line == line_of(int(number)):
                found[int(number)] += 1
            elif is_torn(line, accepted):
                torn += 1
            else:
                mangled += 1
    return Outcome(
        written=len(accepted),
        lost=len(accepted - set(found)),
        doubled=sum(times - 1 for times in found.values()),
        mangled=mangled,
        torn=torn,
        told=told,
        recovered=records - 1 in found,
    )


def is_torn(line, accepted):
    """Whether the line is the rest of a record, or beginnings of records, none of which was accepted."""
    rest = line.lstrip("x")
    begun = re.findall(r"(\d+)(?: x*|$)", rest)
    return re.fullmatch(r"(?:\d+ x*)*\d*", rest) is not None and not accepted.intersection(map(int, begun))


def is_there(fault):
    """Whether the kernel can be made to: mounting takes root."""
    return fault not in FULL or (sys.platform.startswith("linux") and os.geteuid() == 0)


def run(fault, folder, package, records):
    """Have a process log ``records`` records with ``package`` around ``fault``; gives its ``Outcome``."""
    logs = Path(folder) / "logs"
    logs.mkdir(parents=True)
    is_mounted = fault in FULL
    if is_mounted:
        # Room for all records, and for what fills the rest.
        size = f"size={records * 100 // 1024 + 256}k"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", logs], check=True, capture_output=True)
    try:
        setting = {"fault": fault, "path": str(logs / "app.log"), "package": package, "records": records}
        finished = subprocess.run(
            [sys.executable, str(HERE), json.dumps(setting)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=TIME_LIMIT,
        )
        # A program that has ended by an error has accepted nothing that could be asked for.
        said = json.loads(finished.stdout or '{"accepted": [], "told": 0}')
        return find(logs, said["accepted"], said["told"], records)
    finally:
        if is_mounted:
            subprocess.run(["umount", logs], check=True)


class FullDisk:
    """Another file takes all the room; then it is emptied."""

    def __init__(self, path):
        self.blocker = open(os.path.join(os.path.dirname(path), "blocker"), "wb", buffering=0)

    def begin(self):
        for size in (65536, 1):
            try:
                while True:
                    self.blocker.write(b"x" * size)
            except OSError:
                pass

    def end(self):
        self.blocker.truncate(0)


class SizeLimit:
    """No file may grow beyond ``SIZE_LIMIT``."""

    def __init__(self, path):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def begin(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE_LIMIT, resource.RLIM_INFINITY))

    def end(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class NoFolder:
    """The folder gets another name, and its old one again."""

    def __init__(self, path):
        self.folder = os.path.dirname(path)

    def begin(self):
        os.rename(self.folder, self.folder + ".away")

    def end(self):
        # A handler may have made the folder again.
        if os.path.exists(self.folder):
            for name in os.listdir(self.folder):
                os.rename(
                    os.path.join(self.folder, name), os.path.join(self.folder + ".away", name + ".made")
                )
            os.rmdir(self.folder)
        os.rename(self.folder + ".away", self.folder)


class NoDescriptors:
    """The process has all the files open that it may."""

    def __init__(self, path):
        self.taken = []

    def begin(self):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        try:
            while True:
                self.taken.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass

    def end(self):
        for number in self.taken:
            os.close(number)


#: How many processes share the disk, by the fault.
FULL = {"full disk": 1, "full disk, 3 processes": 3}

FAULTS = {
    **dict.fromkeys(FULL, FullDisk),
    "limit of a file's size": SizeLimit,
    "the folder is away": NoFolder,
    "no file descriptors": NoDescriptors,
}


def handler_of(package, path):
    """What stands for ``logging``, and the handler."""
    sys.path.insert(0, str(HERE.parent))
    from writer import modules_of

    logging, handlers = modules_of(package)
    if package == "concurrent":
        import concurrent_log_handler as concurrent

        handler = concurrent.ConcurrentRotatingFileHandler(path, maxBytes=MOST, backupCount=KEPT)
    else:
        handler = handlers.RotatingFileHandler(path, maxBytes=MOST, backupCount=KEPT)
    handler.setFormatter(logging.Formatter("%(message)s"))
    return logging, handler


class Alone:
    """The barrier of one process."""

    def wait(self):
        pass


def log(setting, worker, workers, barrier):
    """Log each record whose turn it is; gives the numbers of those that were accepted, and how many were told."""
    logging, handler = handler_of(setting["package"], setting["path"])
    told, accepted = [], []
    handler.handleError = told.append
    logger = logging.Logger("faults")
    logger.addHandler(handler)
    fault = FAULTS[setting["fault"]](setting["path"]) if worker == 0 else None
    records = setting["records"]
    third = records // 3
    for begin, end, change in ((0, third, "begin"), (third, 2 * third, "end"), (2 * third, records, None)):
        for number in range(begin + worker, end, workers):
            before = len(told)
            logger.warning("%s", line_of(number))
            if len(told) == before:
                accepted.append(number)
        barrier.wait()
        if fault and change:
            getattr(fault, change)()
        barrier.wait()
    handler.close()
    return accepted, len(told)


def log_together(setting, workers):
    """The same by forked processes, each with a handler of its own."""
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(workers), context.SimpleQueue()
    processes = [
        context.Process(target=lambda own=worker: results.put(log(setting, own, workers, barrier)))
        for worker in range(workers)
    ]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    return [number for accepted, _ in found for number in accepted], sum(told for _, told in found)


def main():
    setting = json.loads(sys.argv[1])
    workers = FULL.get(setting["fault"], 1)
    accepted, told = log(setting, 0, 1, Alone()) if workers == 1 else log_together(setting, workers)
    print(json.dumps({"accepted": accepted, "told": told}))


if __name__ == "__main__":
    main()
