"""Figures that a module of the benchmark measures in a process of its own, in each round."""

import json
import statistics
import subprocess
import tempfile


class Figures:
    """Runs ``python -m MODULE FOLDER``, which prints {name: nanoseconds} as JSON, in each round."""

    def __init__(self, environment, module):
        self._environment = environment
        self._module = module
        self._found = []

    def round(self):
        with tempfile.TemporaryDirectory(prefix="duramen-bench-") as folder:
            process = subprocess.run(
                [self._environment.python, "-m", self._module, folder],
                env=self._environment.variables(),
                capture_output=True,
                text=True,
                check=True,
            )
        self._found.append(json.loads(process.stdout))

    def results(self):
        """{name: nanoseconds}, medians."""
        return {name: statistics.median(one[name] for one in self._found) for name in self._found[0]}
