"""Logs from where a record is being handled already: an argument, a handler, a destructor, a signal handler.

reentrancy.py RECORDS: prints how many records of each kind reached the handler.
"""

import gc
import signal
import sys
from collections import Counter

from patience import show_threads_after
from prelude import logging

RECORDS = int(sys.argv[1])
show_threads_after(100)
logger = logging.getLogger("app")
logger.propagate = False
logger.setLevel(logging.INFO)


class Lines:
    """A stream that counts its lines by their first word, and logs in the middle of some of them."""

    def __init__(self):
        self.kinds = Counter()
        self.torn = 0

    def write(self, text):
        self.torn += not text.endswith("|\n") or text.count("\n") != 1
        kind = text.rstrip("|\n").split()[0]
        self.kinds[kind] += 1
        if kind == "streamed":
            logger.info("inner from a stream")

    def flush(self):
        pass


class LoggingArgument:
    """Logs when it is turned into text."""

    def __str__(self):
        logger.info("inner from an argument")
        return "argument"


class LoggingHandler(logging.Handler):
    """Logs for each record that is not its own."""

    def emit(self, record):
        if record.msg.startswith("handled"):
            logger.info("inner from a handler")


class LoggingCycle:
    """Logs when the collector destroys it."""

    def __init__(self):
        self.cycle = self

    def __del__(self):
        logger.info("destroyed")


lines = Lines()
handler = logging.StreamHandler(lines)
handler.setFormatter(logging.Formatter("%(message)s|"))
logger.addHandler(handler)
for number in range(RECORDS):
    logger.info("plain %d %s", number, LoggingArgument())
    logger.info("streamed %d", number)

signals = Counter()


def on_signal(number, frame):
    signals["seen"] += 1
    logger.info("signalled")


signal.signal(signal.SIGUSR1, on_signal)
gc.set_threshold(5)
for number in range(RECORDS):
    LoggingCycle()
    logger.info("collected %s", [number])
    if number % 10 == 0:
        signal.raise_signal(signal.SIGUSR1)
gc.collect()
gc.set_threshold(700)
logger.addHandler(LoggingHandler())
for number in range(RECORDS):
    logger.info("handled %d", number)
print(lines.torn, signals["seen"] == lines.kinds["signalled"], sorted(lines.kinds.items()))
