"""Writes what was measured as Markdown."""

from dataclasses import dataclass, field

from bench import checks, structured
from bench.environments import REPOSITORY
from bench.goals import (
    GOALS,
    IMPORT_MEMORY_AT_MOST,
    IMPORT_TIME_AT_MOST,
    faster_peers,
    most_possible,
    score,
)
from bench.peers import PEERS
from bench.scenario import SCENARIOS


@dataclass(frozen=True)
class Measured:
    """One interpreter's part of the report."""

    version: str
    minor: str
    #: {scenario: {peer: Summary}}
    summaries: dict
    #: {module: Footprint}
    footprints: dict
    #: {distribution: version}
    versions: dict
    #: {scenario: {peer: instructions for a call}}
    instructions: dict
    #: Nanoseconds for one turn of an empty loop: fastest, median, slowest.
    loop: tuple
    #: Nanoseconds that the system takes for one write, by the kind of file.
    limits: dict
    #: {name: nanoseconds} of the rows about structured records and masking.
    structured: dict = field(default_factory=dict)


INTRODUCTION = """\
# Benchmarks

Written by `{command}`; every number below is of one run, in which the packages were measured in turn.
`make bench` does it again on the machine at hand, [CONTRIBUTING.md](../CONTRIBUTING.md) has its options.

![How many times faster than the standard library]({plot})
"""

#: What the numbers cannot say, written by hand.
NOTES = REPOSITORY / "benches" / "notes.md"

POSSIBLE = """\
"Possible" is the ratio of a package that takes no time at all but for one `write(2)` a record. That alone took, in
processor time, for a line like those that are measured:
"""

WRITTEN_TO = {"devnull": "`/dev/null`", "file": "a file"}

METHOD = """\
## How it is measured

- Each number comes from processes of their own, {rounds} for each cell, in turn with those of the other packages.
  A cell has the median of the rounds, and in brackets the fastest and the slowest. The ratio is the median of
  the ratios to the standard library in the same round.
- Within a process the records are logged in batches after a warm-up, and the lower quartile of the batches
  counts: other programs on the machine make a batch slower, never faster. What an empty loop takes is taken off.
  Where threads or queues are measured a batch has as many records as it takes for their start and end to be a
  small part, however few calls are asked for, and for every package.
- What has one thread is pinned to one CPU and measured in processor time (user and system, of the thread that
  calls); what has several threads uses all CPUs and is measured by the clock on the wall.
- Each process then reads what was written and compares it with the standard library's output for the same
  records: every line, the right number of them, in order, equal apart from the time; between threads the order
  is free. JSON is compared as objects. A package that writes something else has that in its cell, and no ratio
  of it counts. What is timed against a stream that does nothing or `/dev/null` is written to a file afterwards,
  in the same process, and checked there.
- "end" is the time for one record until the package has said, by its own flush or close, that the last byte is
  in the file: all of that, from the first record of the process on, by the number of records. It stands in the asynchronous rows, and wherever much is done outside the calls.
- Instructions are those that the processor counts for the calling thread outside the kernel, the loop included.
  They hardly depend on what else the machine does; `make bench-guard` keeps them from growing.
- Duramen runs as it is released. "Installed" is `duramen.install()` with the standard library's `logging`,
  "imported" is `import duramen as logging`. The goals are held by the first.
- A standard library cell of the JSON row is `logging` with python-json-logger.
"""


def render(measured, facts, rounds, command, plot):
    """The whole page; ``measured`` is a list of ``Measured``."""
    parts = [INTRODUCTION.format(command=command, plot=plot), _machine(facts, measured)]
    parts += [_goals(measured), _behind(measured), METHOD.format(rounds=rounds)]
    for one in measured:
        parts += [_table(one), _structured(one), _instructions(one), _imports(one), _packages(one)]
    parts.append(NOTES.read_text(encoding="utf-8"))
    return "\n".join(part for part in parts if part)


def _machine(facts, measured):
    rows = [f"| {what} | {text} |" for what, text in facts.items()]
    for one in measured:
        fastest, median, slowest = one.loop
        rows.append(
            f"| steadiness, {one.minor} | one turn of an empty loop took {median:.1f} ns"
            f" ({fastest:.1f} to {slowest:.1f}) |"
        )
    return "\n".join(["| | |", "| --- | --- |", *rows, ""])


def _goals(measured):
    """The table of goals, a column for each interpreter."""
    lines = [
        "## Goals",
        "",
        "As ratios to the standard library. On versions other than 3.12 and 3.13 80% of a ratio is asked for.",
        "",
        "| goal | at least | " + " | ".join(one.minor for one in measured) + " |",
        "| --- | --- |" + " --- |" * len(measured),
    ]
    for goal in GOALS:
        scores = [_score_cell(goal, one) for one in measured]
        lines.append(f"| {goal.title} | {_times(goal.at_least)} | " + " | ".join(scores) + " |")
    lines.append(_import_goal("import time, times `import logging`", "time", IMPORT_TIME_AT_MOST, measured))
    lines.append(_import_goal("import memory, MB more", "memory", IMPORT_MEMORY_AT_MOST, measured))
    lines += ["", POSSIBLE]
    for one in measured:
        prices = [f"{duration(price)} to {WRITTEN_TO[kind]}" for kind, price in one.limits.items()]
        lines.append(f"- {one.minor}: {', '.join(prices)}")
    return "\n".join([*lines, ""])


def _score_cell(goal, one):
    found = score(goal, one.summaries, one.minor)
    if found.value is None:
        return f"— ({_escaped(found.reason)})"
    if found.reached:
        return f"{_times(found.value)} reached"
    most = most_possible(goal, one.summaries, one.limits)
    return f"{_times(found.value)} **missed**" + (f", of {_times(most)} possible" if most else "")


def _import_goal(title, what, limit, measured):
    cells = []
    for one in measured:
        own, standard = one.footprints.get("duramen"), one.footprints.get("logging")
        if own is None or standard is None:
            cells.append("— (not measured)")
            continue
        value = own.ratio if what == "time" else own.memory - standard.memory
        cells.append(f"{value:.2f} {'reached' if value <= limit else '**missed**'}")
    return f"| {title} | at most {limit:g} | " + " | ".join(cells) + " |"


def _behind(measured):
    lines = ["Peers that deliver the same output in less time than Duramen, installed:", ""]
    for one in measured:
        for scenario, peer, ratio in faster_peers(one.summaries):
            title = SCENARIOS[scenario].title
            lines.append(f"- {one.minor}, {title}: {PEERS[peer].title}, {_times(ratio)} as fast")
    if len(lines) == 2:
        lines.append("- none")
    return "\n".join([*lines, ""])


def _table(one):
    peers = [peer for peer in PEERS if any(peer in cells for cells in one.summaries.values())]
    lines = [
        f"## CPython {one.version}",
        "",
        "| scenario | " + " | ".join(PEERS[peer].title for peer in peers) + " |",
        "| --- |" + " --- |" * len(peers),
    ]
    for name, summaries in one.summaries.items():
        scenario = SCENARIOS[name]
        cells = [
            _cell(summaries[peer], peer == "standard", scenario.asynchronous) if peer in summaries else ""
            for peer in peers
        ]
        lines.append(f"| {scenario.title} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _cell(summary, is_standard, asynchronous):
    if summary.missing == "unsupported":
        return f"— {_escaped(summary.detail)}"
    if summary.missing:
        return f"**{_escaped(summary.detail)}**"
    text = f"{duration(summary.call)} ({duration(summary.fastest)}–{duration(summary.slowest)})"
    if asynchronous or summary.finishes_later:
        text += f", end {duration(summary.end_to_end)}"
    if summary.verdict != checks.SAME:
        return f"{text}, **{_escaped(summary.detail)}**"
    if is_standard:
        return text
    ratio = _times(summary.ratio)
    if asynchronous or summary.finishes_later:
        ratio += f", end {_times(summary.end_to_end_ratio)}"
    return f"**{ratio}** {text}"


def _instructions(one):
    if not one.instructions:
        return ""
    lines = [
        "| instructions for a call, in user mode | standard library | Duramen, installed | ratio |",
        "| --- | --- | --- | --- |",
    ]
    for scenario, counts in one.instructions.items():
        standard, own = counts["standard"], counts["duramen"]
        title = SCENARIOS[scenario].title
        lines.append(f"| {title} | {standard:.0f} | {own:.0f} | {_times(standard / own)} |")
    return "\n".join([*lines, ""])


def _structured(one):
    """What bound fields, spans and masking cost, and how fast long texts are looked through."""
    times = one.structured
    if not times:
        return ""
    lines = ["| the same call, and with | without | with | |", "| --- | --- | --- | --- |"]
    for row in structured.ROWS:
        without, with_it = duration(times[row.without]), duration(times[row.with_it])
        lines.append(f"| {row.title} | {without} | {with_it} | {structured.verdict(row, times)} |")
    lines += [
        "",
        f"| masking of {structured.LONG / 1e6:g} MB, packs {', '.join(structured.PACKS)} | Duramen "
        "| the regex crate, all patterns at once (which of them match) | one after the other |",
        "| --- | --- | --- | --- |",
    ]
    for name in structured.MESSAGES:
        speeds = (structured.LONG / times[f"{name}-long{kind}"] * 1000 for kind in ("", "-set", "-each"))
        lines.append(f"| {name} | " + " | ".join(f"{speed:.0f} MB/s" for speed in speeds) + " |")
    return "\n".join([*lines, ""])


def _imports(one):
    if not one.footprints:
        return ""
    lines = [
        "| import | time | times `import logging` | resident memory |",
        "| --- | --- | --- | --- |",
    ]
    for module, found in one.footprints.items():
        lines.append(
            f"| `{module}` | {found.time:.1f} ms ({found.fastest:.1f}–{found.slowest:.1f})"
            f" | {found.ratio:.2f} | {found.memory:.1f} MB |"
        )
    return "\n".join([*lines, ""])


def _packages(one):
    versions = [f"{name} {version}" for name, version in sorted(one.versions.items())]
    return f"Versions: {', '.join(versions)}.\n" if versions else ""


def duration(nanoseconds):
    """Three digits and a unit."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def _times(ratio):
    return f"{ratio:.2f}x" if ratio < 10 else f"{ratio:.1f}x"


def _escaped(text):
    printable = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    return printable.replace("|", "\\|")
