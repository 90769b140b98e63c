"""What the system alone takes for a line that is written at once: no package can be faster than that.

``python -m bench.limits FOLDER`` prints the processor time of one ``write(2)``, in nanoseconds, by the kind of file.
"""

import json
import os
import statistics
import sys
import time

_LINE = b"2026-01-02 03:04:05,678 - app - INFO - order 12345 of pears costs 9.50\n"
_BATCH = 2_000
_BATCHES = 15


def _price_of_write(path):
    """Without what the loop and the call of a built-in function take."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    times = []
    for _ in range(_BATCHES):
        started = time.thread_time_ns()
        for _ in range(_BATCH):
            os.write(descriptor, _LINE)
        written = time.thread_time_ns()
        for _ in range(_BATCH):
            os.fspath("")
        times.append((2 * written - started - time.thread_time_ns()) / _BATCH)
    os.close(descriptor)
    return statistics.quantiles(times, n=4, method="inclusive")[0]


def main():
    folder = sys.argv[1]
    paths = {"devnull": os.devnull, "file": os.path.join(folder, "file")}
    print(json.dumps({kind: _price_of_write(path) for kind, path in paths.items()}))


if __name__ == "__main__":
    main()
