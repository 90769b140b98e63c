"""Threads log while another one changes levels, handlers, filters, configuration and the record factory.

changes.py RECORDS: each thread logs so many records in each of several runs. Prints whether all reached the
handler that is never taken away, and whether a run leaves nothing behind in memory.
"""

import gc
import itertools
import logging.config as standard_config
import sys
import threading

from patience import show_threads_after
from prelude import logging

THREADS = 6
RUNS = 6
RECORDS = int(sys.argv[1])


class Counting(logging.Handler):
    """Counts its records by the thread that made them."""

    def __init__(self):
        super().__init__()
        self.counts = [0] * THREADS

    def emit(self, record):
        self.counts[record.args[0]] += 1


class Null:
    """A stream that keeps nothing."""

    def write(self, text):
        pass

    def flush(self):
        pass


show_threads_after(110)
dict_config = standard_config.dictConfig if logging is sys.modules["logging"] else logging.config.dictConfig
steady = logging.getLogger("steady")
changing = logging.getLogger("steady.changing")
kept = Counting()
steady.addHandler(kept)
steady.setLevel(logging.INFO)


def configuration(level):
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "%(asctime)s %(threadName)s %(message)s"}},
        "handlers": {"null": {"class": "logging.NullHandler", "formatter": "plain"}},
        "loggers": {"steady.changing": {"level": level, "handlers": ["null"]}},
    }


def other_factory(*args, **kwargs):
    record = logging.LogRecord(*args, **kwargs)
    record.own = True
    return record


def change_things(done):
    stream_handler = logging.StreamHandler(Null())
    stream_handler.setFormatter(logging.Formatter("%(asctime)s %(message)s %(threadName)s"))
    plain_factory = logging.getLogRecordFactory()
    steps = [
        lambda: changing.setLevel(logging.DEBUG),
        lambda: changing.addHandler(stream_handler),
        lambda: stream_handler.setLevel(logging.ERROR),
        lambda: logging.disable(logging.DEBUG),
        lambda: changing.addFilter(str),
        lambda: logging.setLogRecordFactory(other_factory),
        lambda: stream_handler.setFormatter(logging.Formatter("{message}", style="{")),
        lambda: changing.removeFilter(str),
        lambda: dict_config(configuration("INFO")),
        lambda: logging.setLogRecordFactory(plain_factory),
        lambda: stream_handler.setLevel(logging.NOTSET),
        lambda: changing.handlers.clear(),
        lambda: changing.setLevel(logging.NOTSET),
        lambda: logging.getLogger("steady.changing.below"),
        lambda: logging.disable(logging.NOTSET),
        lambda: changing.removeHandler(stream_handler),
    ]
    for step in itertools.cycle(steps):
        step()
        if done.is_set():
            break


def log(number):
    for record in range(RECORDS):
        changing.info("thread %d record %d", number, record)


def run():
    done = threading.Event()
    changer = threading.Thread(target=change_things, args=(done,))
    loggers = [threading.Thread(target=log, args=(number,)) for number in range(THREADS)]
    for thread in [changer, *loggers]:
        thread.start()
    for thread in loggers:
        thread.join()
    done.set()
    changer.join()


def blocks_left_behind_by(run):
    """How many more blocks of memory are in use afterwards."""
    gc.collect()
    before = sys.getallocatedblocks()
    run()
    gc.collect()
    return sys.getallocatedblocks() - before


sys.setswitchinterval(1e-5)
left_behind = [blocks_left_behind_by(run) for _ in range(RUNS)]
# Tables and caches fill up in the first runs, in an order that chance decides; a leak shows in each.
print(kept.counts == [RUNS * RECORDS] * THREADS, min(left_behind) < 100 or left_behind)
