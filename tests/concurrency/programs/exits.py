"""Ends an interpreter again and again while its daemon threads log; all write to one file.

exits.py EXITS: prints the exit codes of the processes.
"""

import os
import signal
import sys
import threading

from patience import show_threads_after
from prelude import logging

THREADS = 3

show_threads_after(100)
# The threads take turns often: more moments at which the end can find them.
sys.setswitchinterval(1e-4)
logging.basicConfig(filename="out.log", level=logging.INFO, format="%(threadName)s %(message)s|")


def log_until_the_end():
    started = threading.Barrier(THREADS + 1)

    def keep_logging():
        started.wait()
        for number in range(1_000_000):
            logging.info("record %d", number)

    for number in range(THREADS):
        threading.Thread(target=keep_logging, daemon=True, name=f"daemon-{number}").start()
    started.wait()
    logging.info("the end of %d", os.getpid())


codes = set()
ended = []
for _ in range(int(sys.argv[1])):
    # A fork of a process without threads is as good as a new one, and comes a hundred times faster.
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        log_until_the_end()
        sys.exit()
    codes.add(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    ended.append(pid)
print(sorted(codes), *ended)
