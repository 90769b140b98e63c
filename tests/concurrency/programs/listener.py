"""Ends while the thread of a queue listener waits. Prints how long the functions of ``atexit`` took, in seconds."""

import atexit
import queue
import time

begun = []
# The functions of atexit run backwards: this one is the last.
atexit.register(lambda: print(time.monotonic() - begun[0]))

from prelude import logging  # noqa: E402

if "duramen" in logging.__name__:
    from duramen.handlers import QueueHandler, QueueListener
else:
    from logging.handlers import QueueHandler, QueueListener

from patience import show_threads_after  # noqa: E402

show_threads_after(100)
records = queue.SimpleQueue()
listener = QueueListener(records, logging.FileHandler("out.log"))
listener.start()
logger = logging.getLogger("app")
logger.addHandler(QueueHandler(records))
logger.warning("one")
atexit.register(lambda: begun.append(time.monotonic()))
