"""The ratios to the standard library that Duramen is held to, and whether a run reaches them."""

from dataclasses import dataclass

#: The interpreters that the goals are set for; the others may stay 20% below.
HELD_ON = ("3.12", "3.13")
ELSEWHERE = 0.8


@dataclass(frozen=True)
class Goal:
    """Duramen in a scenario, at least so many times as fast as another."""

    title: str
    scenario: str
    at_least: float
    against: str = "standard"
    #: Of the time until the last byte is in the file, not of the caller's cost.
    end_to_end: bool = False
    #: "Never slower": holds on every interpreter as it is.
    strict: bool = False
    #: Where each record is written to at once, "devnull" or "file": no ratio can be above what that leaves.
    writes: str = ""


#: A median of at most 1.05 times the standard library's.
NOT_SLOWER = 1 / 1.05

GOALS = (
    Goal("disabled call, no arguments", "disabled", 8),
    Goal("disabled call, 3 arguments", "disabled-3", 6),
    Goal("3 arguments to /dev/null, a write per record", "devnull", 35, writes="devnull"),
    Goal("3 arguments to a file, a write per record", "file", 20, writes="file"),
    Goal("the same with path, line and function", "file-caller", 18, writes="file"),
    Goal("three loggers deep, to a file", "deep", 18, writes="file"),
    Goal(
        "JSON with 4 extras, against the standard library with python-json-logger", "json", 22, writes="file"
    ),
    Goal("JSON with 4 extras, against structlog with orjson", "json", 6, against="structlog"),
    Goal("AsyncHandler against QueueHandler and listener: the caller's cost", "async", 60),
    Goal("AsyncHandler against QueueHandler and listener: end to end", "async", 60, end_to_end=True),
    Goal("a Python filter attached", "python-filter", 12, writes="file"),
    Goal("a Python handler attached", "python-handler", 3),
    Goal("a Python formatter attached", "python-formatter", 3),
    Goal("`exception()`, 5 frames", "exception", 8),
    Goal("rich: never slower", "rich", NOT_SLOWER, strict=True),
    Goal("pytest's caplog: never slower", "caplog", NOT_SLOWER, strict=True),
    Goal("Django's default configuration: never slower", "django", NOT_SLOWER, strict=True),
    Goal("uvicorn's default configuration: never slower", "uvicorn", NOT_SLOWER, strict=True),
    Goal("8 threads to one file, records per second", "8-threads", 20),
)

#: Of ``import duramen``: its time as a multiple of ``import logging``'s, and what it takes more of memory.
IMPORT_TIME_AT_MOST = 1.5
IMPORT_MEMORY_AT_MOST = 6.0  # MB


@dataclass(frozen=True)
class Score:
    """How a run stands to a goal. ``value`` is None where there is nothing to compare."""

    wanted: float
    value: float | None = None
    reason: str = ""

    @property
    def reached(self):
        return self.value is not None and self.value >= self.wanted


def wanted_on(goal, minor):
    """The ratio that the goal asks for on an interpreter, such as "3.12"."""
    return goal.at_least if goal.strict or minor in HELD_ON else goal.at_least * ELSEWHERE


def score(goal, summaries, minor):
    """The ``Score`` of Duramen, installed; ``summaries`` is {scenario: {peer: Summary}}."""
    wanted = wanted_on(goal, minor)
    peers = summaries.get(goal.scenario, {})
    own, other = peers.get("duramen"), peers.get(goal.against)
    for one in (own, other):
        if one is None or one.missing:
            return Score(wanted, reason=one.detail if one else "not measured")
    if not own.delivers:
        return Score(wanted, reason=own.detail)
    if goal.against == "standard":
        return Score(wanted, own.end_to_end_ratio if goal.end_to_end else own.ratio)
    return Score(wanted, other.call / own.call if own.call else None)


def most_possible(goal, summaries, limits):
    """The ratio of a package that takes no time but for writing; None where nothing is known of that."""
    standard = summaries.get(goal.scenario, {}).get("standard")
    if goal.writes not in limits or standard is None or not standard.call:
        return None
    return standard.call / limits[goal.writes]


def faster_peers(summaries):
    """(scenario, peer, ratio) wherever a peer delivers the same output in less time than Duramen."""
    found = []
    for scenario, peers in summaries.items():
        own = peers.get("duramen")
        if own is None or not own.delivers:
            continue
        for name, peer in peers.items():
            if name.startswith(("duramen", "standard")) or not peer.delivers:
                continue
            if peer.cost < own.cost:
                found.append((scenario, name, own.cost / peer.cost))
    return found
