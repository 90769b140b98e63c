"""Daemon threads log while the interpreter ends, and an object logs when it is destroyed last."""

import logging.handlers as standard_handlers
import sys
import threading
import time

from patience import show_threads_after
from prelude import logging

show_threads_after(100)
handlers = standard_handlers if logging is sys.modules["logging"] else logging.handlers
logging.basicConfig(
    level=logging.INFO,
    format="%(asctime)s %(threadName)s %(message)s",
    handlers=[
        logging.FileHandler("out.log"),
        handlers.RotatingFileHandler("rotating.log", maxBytes=20_000, backupCount=1),
    ],
)
started = threading.Barrier(5)


def keep_logging():
    started.wait()
    while True:
        logging.info("record %d of %s", time.monotonic_ns(), threading.current_thread().name)


class LogsAtTheEnd:
    """Logs when it is destroyed."""

    def __del__(self):
        logging.info("the end")


for _ in range(4):
    threading.Thread(target=keep_logging, daemon=True).start()
started.wait()
last = LogsAtTheEnd()
sys.last = last
for number in range(100):
    logging.info("main %d", number)
