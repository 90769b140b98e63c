"""Forks again and again while threads log; parent and children write to one file.

fork.py FORKS: prints the exit codes of the children, then how many lines each thread has written.
"""

import os
import signal
import sys
import threading

from patience import show_threads_after
from prelude import logging

THREADS = 4
LINES_OF_A_CHILD = 5

show_threads_after(100)
logger = logging.getLogger("app.fork")
handler = logging.FileHandler("out.log")
handler.setFormatter(logging.Formatter("%(levelname)s %(message)s|"))
logger.addHandler(handler)
logger.setLevel(logging.INFO)

done = threading.Event()
written = [0] * THREADS


def keep_logging(number):
    while not done.is_set():
        logger.info("parent %d %d", number, written[number])
        written[number] += 1


def child(number):
    signal.alarm(20)
    for line in range(LINES_OF_A_CHILD):
        logger.info("child %d %d", number, line)
    # A logger and a handler made in the child take the lock of the module.
    logging.getLogger(f"app.fork.child{number}").addHandler(logging.NullHandler())
    logging.shutdown()


threads = [threading.Thread(target=keep_logging, args=(number,)) for number in range(THREADS)]
for thread in threads:
    thread.start()
codes = set()
for number in range(int(sys.argv[1])):
    pid = os.fork()
    if pid == 0:
        child(number)
        os._exit(0)
    codes.add(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
done.set()
for thread in threads:
    thread.join()
print(sorted(codes), *written)
