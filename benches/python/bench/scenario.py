"""What a scenario is, and the list of all of them in the order of the report."""

from collections.abc import Callable
from dataclasses import dataclass

LOGGING = ("standard", "duramen", "duramen-imported", "picologging", "logxide")
EVERYBODY = (*LOGGING, "loguru")
#: For what only matters where the standard library is replaced under other packages.
REPLACEMENTS = ("standard", "duramen")


def _call(body):
    body()


@dataclass(frozen=True)
class Scenario:
    """One thing to measure.

    ``prepare(peer, output)`` sets the peer up and gives ``run(start, stop)``, which logs the records
    numbered from ``start`` up to ``stop``, ``records`` of them for each number.
    """

    name: str
    title: str
    prepare: Callable
    peers: tuple = EVERYBODY
    #: How many numbers are timed in one process.
    calls: int = 20_000
    #: So many numbers are in a timed batch at least, however few calls are asked for: what a batch itself costs, as
    #: waking threads, is spread over its records.
    least_batch: int = 1
    #: How outputs are compared, see ``checks.comparable``; None where nothing is written.
    check: str | None = "lines"
    records: int = 1
    #: Timed without a disk; what is written is then checked in a second, untimed run into a file.
    discards: bool = False
    #: Runs on one CPU. False for what has several threads.
    pinned: bool = True
    #: The time until the last byte is in the file stands in each cell.
    asynchronous: bool = False
    #: Runs the whole measurement, for scenarios that have to be inside of something.
    around: Callable = _call


SCENARIOS = {}


def scenario(name, title, **options):
    """Put the decorated ``prepare`` into the list."""

    def register(prepare):
        SCENARIOS[name] = Scenario(name, title, prepare, **options)
        return prepare

    return register
