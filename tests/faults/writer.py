"""One process that logs to a shared file: ``python writer.py SETTING``, SETTING being JSON as ``Setting`` has it.

Each record is ``WORKER NUMBER padding``. After a logging call has returned, its number is written to the worker's
own file of acknowledgements with a call to the system: what stands there survives the process.
"""

import json
import mmap
import os
import random
import signal
import struct
import sys
import time

#: Zones that a campaign changes between: two with daylight saving, one without, one of half an hour.
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
#: What a campaign shares with its writers: seconds that their clock is ahead, and the number of their zone.
CLOCK = struct.Struct("dd")


def modules_of(package):
    """What stands for ``logging`` and ``logging.handlers``."""
    if package == "duramen":
        import duramen
        import duramen.handlers

        return duramen, duramen.handlers
    import logging
    import logging.handlers

    if package == "installed":
        import duramen

        duramen.install()
    return logging, logging.handlers


def handler_of(setting):
    logging, handlers = modules_of(setting["package"])
    # More than there will be: each rollover looks for all of them.
    path, kept = setting["path"], 1_500
    if setting["package"] == "concurrent":
        import concurrent_log_handler as concurrent

        if setting["kind"] == "size":
            handler = concurrent.ConcurrentRotatingFileHandler(
                path, maxBytes=setting["most"], backupCount=kept
            )
        else:
            handler = concurrent.ConcurrentTimedRotatingFileHandler(path, when="S", backupCount=kept)
    elif setting["kind"] == "size":
        handler = handlers.RotatingFileHandler(path, maxBytes=setting["most"], backupCount=kept)
    elif setting["kind"] == "kept":
        # Nothing is deleted: what is too much goes to the archive.
        handler = handlers.RotatingFileHandler(
            path,
            maxBytes=setting["most"],
            when="S",
            backupCount=5,
            compression="gzip",
            max_age="1d",
            max_total_bytes=100_000,
            archive_to=os.path.join(os.path.dirname(path), "..", "archive"),
        )
    elif setting["kind"] == "time":
        handler = handlers.TimedRotatingFileHandler(path, when="S", backupCount=kept)
    else:
        handler = handlers.WatchedFileHandler(path)
    handler.setFormatter(logging.Formatter("%(message)s"))
    if setting["dies"]:
        handler.rotator = Dying(setting)
    return logging, handler


class Dying:
    """A rotator in which the process is killed now and then, before or behind its renaming: it holds the lock meanwhile."""

    def __init__(self, setting):
        self.chance = random.Random(setting["worker"])

    def __call__(self, source, destination):
        if self.chance.random() < 0.1:
            os.kill(os.getpid(), signal.SIGKILL)
        if os.path.exists(source):
            os.rename(source, destination)
        if self.chance.random() < 0.1:
            os.kill(os.getpid(), signal.SIGKILL)


class Clock:
    """The clock and the time zone of this process are those that the campaign has written into a file."""

    def __init__(self, path):
        with open(path, "r+b") as file:
            self.shared = mmap.mmap(file.fileno(), CLOCK.size)
        self.real, self.zone = time.time, None
        time.time = self.time

    def time(self):
        ahead, zone = CLOCK.unpack(self.shared[:])
        if zone != self.zone:
            self.zone = zone
            os.environ["TZ"] = ZONES[int(zone)]
            time.tzset()
        return self.real() + ahead


def be_disturbed():
    """A signal each 100 microseconds, by which calls of the system are interrupted."""
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, True)
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)


def write(setting, logging, handler):
    logger = logging.Logger("shared")
    logger.addHandler(handler)
    chance = random.Random(setting["worker"])
    acknowledged = os.open(setting["acknowledged"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in range(setting["first"], setting["first"] + setting["records"]):
        logger.warning(
            "%d %d %s", setting["worker"], number, "x" * (setting["long"] or chance.randrange(100))
        )
        os.write(acknowledged, b"%d\n" % number)
        if setting["pause"]:
            time.sleep(setting["pause"])


def main():
    setting = json.loads(sys.argv[1])
    if setting["clock"]:
        Clock(setting["clock"])
    if setting["disturbed"]:
        be_disturbed()
    logging, handler = handler_of(setting)
    if not setting["forks"]:
        write(setting, logging, handler)
        return
    # Workers of a server that has made its handlers before it forks.
    children = []
    for worker in range(setting["forks"]):
        child = os.fork()
        if child == 0:
            own = {**setting, "worker": worker, "acknowledged": f"{setting['acknowledged']}-{worker}"}
            try:
                write(own, logging, handler)
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
