"""Counts the instructions that a thread of this process executes in user mode.

``python -m bench.instructions SCENARIO PEER FOLDER`` prints how many a call of the scenario takes;
``… SCENARIO PEER FOLDER CALLS`` only makes so many calls, to be counted from outside.
"""

import ctypes
import gc
import os
import platform
import statistics
import struct
import sys

from bench import peers, scenarios  # noqa: F401  (registers the scenarios)
from bench.output import Discarded, Kept
from bench.scenario import SCENARIOS
from bench.scenarios import journaled  # noqa: F401  (the same)

_SYSTEM_CALLS = {"x86_64": 298, "aarch64": 241}

# struct perf_event_attr in its first version, 64 bytes.
_ATTRIBUTES = struct.Struct("=IIQQQQQIIQ")
_HARDWARE, _INSTRUCTIONS = 0, 1
_EXCLUDE_KERNEL, _EXCLUDE_HYPERVISOR = 1 << 5, 1 << 6

WARM_UP = 300
FEW, MANY = 200, 1_200
REPEATS = 5


class NoCounter(Exception):
    """Instructions cannot be counted in this way on this machine."""


class InstructionCounter:
    """The processor's own counter, for the calling thread; Linux lets every user read it."""

    def __init__(self):
        number = _SYSTEM_CALLS.get(platform.machine())
        if number is None or not sys.platform.startswith("linux"):
            raise NoCounter("perf_event_open is known on Linux on x86_64 and aarch64 only")
        attributes = _ATTRIBUTES.pack(
            _HARDWARE,
            _ATTRIBUTES.size,
            _INSTRUCTIONS,
            0,
            0,
            0,
            _EXCLUDE_KERNEL | _EXCLUDE_HYPERVISOR,
            0,
            0,
            0,
        )
        libc = ctypes.CDLL(None, use_errno=True)
        libc.syscall.restype = ctypes.c_long
        this_thread, any_cpu, no_group, no_flags = 0, -1, -1, 0
        self._file = libc.syscall(number, attributes, this_thread, any_cpu, no_group, no_flags)
        if self._file < 0:
            raise NoCounter(f"perf_event_open: {os.strerror(ctypes.get_errno())}")

    def read(self):
        """How many instructions there were since this counter was made."""
        return struct.unpack("=Q", os.read(self._file, 8))[0]


def count(scenario, peer, output):
    """Instructions for one call of ``scenario``; what a call costs once (caches, growth) is not in it."""
    run = scenario.prepare(peer, output)
    counter = InstructionCounter()
    run(0, WARM_UP)
    # A collection would fall into one window and not into the other.
    gc.disable()
    counts, number = [], WARM_UP
    for _ in range(REPEATS):
        windows = []
        for calls in (FEW, MANY):
            before = counter.read()
            run(number, number + calls)
            windows.append(counter.read() - before)
            number += calls
        counts.append((windows[1] - windows[0]) / (MANY - FEW))
    peer.finish()
    return statistics.median(counts)


def main():
    name, peer_name, folder, *calls = sys.argv[1:]
    scenario, peer = SCENARIOS[name], peers.make(peer_name)
    output = Discarded() if scenario.discards else Kept(folder)
    if calls:
        gc.disable()
        scenario.prepare(peer, output)(0, int(calls[0]))
        peer.finish()
    else:
        print(count(scenario, peer, output))


if __name__ == "__main__":
    main()
