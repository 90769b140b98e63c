"""What an import costs: time and memory of ``import duramen`` beside ``import logging``."""

import json
import statistics
import subprocess
from dataclasses import dataclass

_PROGRAM = """
import json, time
def resident():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1000
    return 0.0
before = resident()
started = time.perf_counter_ns()
import {module}
taken = time.perf_counter_ns() - started
print(json.dumps([taken / 1e6, resident() - before]))
"""

MODULES = ("logging", "duramen", "picologging", "logxide", "loguru", "structlog")
IMPORTS_IN_A_ROUND = 5


@dataclass(frozen=True)
class Footprint:
    """One module: medians, milliseconds and megabytes, with the fastest and slowest import."""

    time: float
    fastest: float
    slowest: float
    memory: float
    #: The median of the ratios to ``import logging`` right before it.
    ratio: float


class Footprints:
    """Imports each module many times, in turn, each time in a process of its own."""

    def __init__(self, environment):
        self._environment = environment
        self._found = {module: [] for module in MODULES}

    def round(self):
        for _ in range(IMPORTS_IN_A_ROUND):
            for module, found in self._found.items():
                if found is not None:
                    self._found[module] = self._import(module, found)

    def _import(self, module, found):
        process = subprocess.run(
            [self._environment.python, "-c", _PROGRAM.format(module=module)],
            env=self._environment.variables(),
            capture_output=True,
            text=True,
        )
        return [*found, json.loads(process.stdout)] if process.returncode == 0 else None

    def results(self):
        """{module: Footprint} of those that can be imported; the first round, without bytecode files, is left out."""
        standard = self._found["logging"][1:]
        return {module: _footprint(found[1:], standard) for module, found in self._found.items() if found}


def _footprint(found, standard):
    times = [time for time, _ in found]
    return Footprint(
        time=statistics.median(times),
        fastest=min(times),
        slowest=max(times),
        memory=statistics.median(memory for _, memory in found),
        ratio=statistics.median(own[0] / other[0] for own, other in zip(found, standard)),
    )
