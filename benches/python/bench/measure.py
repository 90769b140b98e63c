"""Measures one scenario with one peer, in a process of its own, and checks what was written.

``python -m bench.measure REQUEST RESULT``: the request is a JSON file with the fields of ``Request``, the
result is a JSON file that this process writes.
"""

import dataclasses
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from bench import checks, peers, scenarios  # noqa: F401  (registers the scenarios)
from bench.output import Discarded, Kept
from bench.scenario import SCENARIOS

BATCHES = 16
#: Of what is timed without a disk, so many calls are checked in a second run.
CHECKED_CALLS = 1_000


@dataclass(frozen=True)
class Request:
    """What one process is asked for."""

    scenario: str
    peer: str
    #: How many numbers to log after the warm-up.
    calls: int
    #: The file with the standard library's lines; the peer "standard" writes it when it is not there.
    reference: str
    cpu: int | None = None


@dataclass(frozen=True)
class Result:
    """What one process has measured; times are nanoseconds for one record."""

    #: The caller's cost: the lower quartile of the batches.
    call: float = 0.0
    #: The whole run, until the peer said that the last byte is in the file.
    end_to_end: float = 0.0
    #: What was done outside the calls: by other threads, or by the flush at the end.
    behind: float = 0.0
    #: One turn of an empty loop, which tells how fast the machine was just then.
    loop: float = 0.0
    verdict: str = checks.SAME
    detail: str = ""
    #: Why there are no times: "unsupported" or "failed", with the detail.
    missing: str = ""


class Timing:
    """Times a scenario once it is prepared."""

    def __init__(self, scenario, request):
        self._scenario = scenario
        self._batch = max(scenario.least_batch, request.calls // BATCHES)
        self._warm_up = max(2, self._batch)
        self.numbers = self._warm_up + self._batch * BATCHES

    def take(self, peer, output):
        """Gives the times of ``Result``."""
        run = self._scenario.prepare(peer, output)
        clocks = self._clocks()
        started = clocks.read()
        run(0, self._warm_up)
        batches = []
        for start in range(self._warm_up, self.numbers, self._batch):
            before = clocks.read()
            run(start, start + self._batch)
            batches.append(clocks.since(before))
        before = clocks.read()
        peer.finish()
        finishing, whole = clocks.since(before), clocks.since(started)
        behind = max(whole.process - whole.caller, finishing.process)
        loop = self._loop(clocks)
        call = _lower_quartile([one.caller for one in batches]) / (self._batch * self._scenario.records)
        # With several records for a number the loop is not in proportion.
        if self._scenario.records == 1:
            call = max(call - loop, 0.0)
        written = self.numbers * self._scenario.records
        return {
            "call": call,
            "end_to_end": whole.process / written,
            "behind": behind / written,
            "loop": loop,
        }

    def _clocks(self):
        return _ProcessorClocks() if self._scenario.pinned else _WallClocks()

    def _loop(self, clocks):
        """What one turn of an empty loop takes."""
        times = []
        for _ in range(BATCHES):
            before = clocks.read()
            _empty(0, 20_000)
            times.append(clocks.since(before).caller)
        return _lower_quartile(times) / 20_000


@dataclass(frozen=True)
class _Moment:
    """Readings or differences of three clocks, in nanoseconds."""

    caller: int
    process: int
    wall: int


class _WallClocks:
    """What waits for other threads is measured by the clock on the wall."""

    def read(self):
        now = time.perf_counter_ns()
        return _Moment(now, now, now)

    def since(self, before):
        now = self.read()
        return _Moment(now.caller - before.caller, now.process - before.process, now.wall - before.wall)


class _ProcessorClocks(_WallClocks):
    """What waits for nothing is measured in processor time, so that other programs do not count.

    The caller's is that of its thread; a peer's own threads are in the time of the process.
    """

    def read(self):
        return _Moment(time.thread_time_ns(), time.process_time_ns(), time.perf_counter_ns())


def _lower_quartile(times):
    """What the fastest quarter of the batches stays below: other programs make a batch slower, never faster."""
    return statistics.quantiles(times, n=4, method="inclusive")[0]


def _empty(start, stop):
    for _ in range(start, stop):
        pass


def measure(request, folder):
    """Do what the request asks for, with output files in the folder."""
    scenario = SCENARIOS[request.scenario]
    if request.cpu is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {request.cpu})
    peer = peers.make(request.peer)
    output = Kept(folder)
    times = {}

    def body():
        destination = Discarded() if scenario.discards else output
        times.update(Timing(scenario, request).take(peer, destination))

    scenario.around(body)
    if scenario.discards:
        scenario.prepare(peer, output)(0, CHECKED_CALLS)
        peer.finish()
    return times, _check(scenario, request, output)


def _check(scenario, request, output):
    if scenario.check is None:
        return checks.Verdict(checks.SAME)
    found = checks.comparable(output.lines(), scenario.check)
    reference = Path(request.reference)
    if not reference.exists():
        if request.peer != "standard" or not found:
            raise RuntimeError("there are no lines of the standard library to compare with")
        fresh = reference.with_suffix(".new")
        fresh.write_text(json.dumps(found))
        fresh.replace(reference)
    return checks.judge(json.loads(reference.read_text()), found)


def main():
    request = Request(**json.loads(Path(sys.argv[1]).read_text()))
    folder = tempfile.mkdtemp(prefix="duramen-bench-")
    try:
        times, verdict = measure(request, folder)
        result = Result(**times, verdict=verdict.kind, detail=verdict.detail)
    except peers.Unsupported as reason:
        result = Result(missing="unsupported", detail=str(reason))
    except Exception as error:
        traceback.print_exc(file=sys.__stderr__)
        result = Result(missing="failed", detail=f"{type(error).__name__}: {error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    Path(sys.argv[2]).write_text(json.dumps(dataclasses.asdict(result)))
    # A peer that hangs while the interpreter ends has been measured all the same.
    os._exit(0)


if __name__ == "__main__":
    main()
