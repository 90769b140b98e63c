"""Runs measurements, each in a process of its own, the peers of a scenario one right after the other."""

import dataclasses
import json
import os
import subprocess
import tempfile
from pathlib import Path

from bench.measure import Request, Result

#: Seconds. A peer that takes longer hangs; it is not tried again in the scenario.
TIME_LIMIT = 30


class Runner:
    """All measurements on one environment; ``results`` is {scenario: {peer: [Result of each round]}}."""

    def __init__(self, environment, scenarios, folder, scale=1.0, time_limit=TIME_LIMIT):
        self._environment = environment
        self._scenarios = scenarios
        self._folder = Path(folder)
        self._scale = scale
        self._time_limit = time_limit
        self.results = {one.name: {peer: [] for peer in one.peers} for one in scenarios}

    def round(self, number, report):
        """Measure everything once; ``report`` is called with each scenario's name."""
        for scenario in self._scenarios:
            report(scenario.name)
            if number == 0:
                # The lines that all others are compared with; an untimed run, so that all find them there.
                self._measure(scenario, "standard")
            # Each begins in turn: whoever comes first finds another machine than whoever comes last.
            shift = number % len(scenario.peers)
            for peer in scenario.peers[shift:] + scenario.peers[:shift]:
                earlier = self.results[scenario.name][peer]
                if earlier and earlier[-1].missing:
                    earlier.append(earlier[-1])
                else:
                    earlier.append(self._measure(scenario, peer))

    def _measure(self, scenario, peer):
        request = Request(
            scenario.name,
            peer,
            max(16, int(scenario.calls * self._scale)),
            str(self._folder / f"{scenario.name}.json"),
            max(os.sched_getaffinity(0)) if scenario.pinned and hasattr(os, "sched_getaffinity") else None,
        )
        return run_process(self._environment, request, self._time_limit)


def run_process(environment, request, time_limit=TIME_LIMIT):
    """Run one measurement; gives its ``Result`` whatever becomes of the process."""
    with tempfile.TemporaryDirectory(prefix="duramen-bench-") as folder:
        asked, answered = Path(folder, "request.json"), Path(folder, "result.json")
        asked.write_text(json.dumps(dataclasses.asdict(request)))
        try:
            process = subprocess.run(
                [environment.python, "-m", "bench.measure", str(asked), str(answered)],
                env=environment.variables(TMPDIR=folder),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=time_limit,
            )
        except subprocess.TimeoutExpired:
            return Result(missing="failed", detail=f"hangs: no end within {time_limit:g} s")
        if not answered.exists():
            last = process.stderr.decode(errors="replace").strip().splitlines()[-1:]
            detail = f"ends with {process.returncode}: {' '.join(last)}"
            return Result(missing="failed", detail=detail)
        return Result(**json.loads(answered.read_text()))
