"""``python -m bench``: measures, checks and writes the report."""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from bench import scenarios  # noqa: F401  (registers the scenarios)
from bench.counting import MAIN_SCENARIOS, choose_counter, count
from bench.environments import REPOSITORY, REQUIREMENTS, choose, with_peers
from bench.figures import Figures
from bench.footprint import Footprints
from bench.instructions import NoCounter
from bench.machine import describe
from bench.plot import draw
from bench.report import Measured, render
from bench.runner import TIME_LIMIT, Runner
from bench.scenario import SCENARIOS
from bench.summary import summarise_all

#: The interpreter that the plot shows, where it is measured.
SHOWN = "3.12"

#: What is there for its instructions alone (`bench.guard`) has nothing beside it.
COMPARED = {name: one for name, one in SCENARIOS.items() if "standard" in one.peers}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--python", action="append", metavar="PATH", help="this interpreter (repeatable)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="processes for each cell")
    parser.add_argument("--only", action="append", metavar="NAME", help="this scenario (repeatable)")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="so many times the calls")
    parser.add_argument("--time-limit", type=float, default=TIME_LIMIT, metavar="S", help="for one process")
    parser.add_argument("--report", type=Path, default=REPOSITORY / "docs" / "benchmarks.md", metavar="FILE")
    parser.add_argument("--command", help="what the report names as its command")
    options = parser.parse_args()
    unknown = [name for name in options.only or () if name not in COMPARED]
    if unknown:
        parser.error(f"no scenario {unknown[0]!r}; there are {', '.join(COMPARED)}")
    return options


def measure(interpreter, options):
    """All rounds on one interpreter; gives ``Measured``."""
    environment = with_peers(interpreter)
    chosen = [one for one in COMPARED.values() if not options.only or one.name in options.only]
    limits = Figures(environment, "bench.limits")
    footprints = None if options.only else Footprints(environment)
    structured = None if options.only else Figures(environment, "bench.structured")
    with tempfile.TemporaryDirectory(prefix="duramen-bench-") as folder:
        runner = Runner(environment, chosen, folder, options.scale, options.time_limit)
        for number in range(options.rounds):
            print(f"\nCPython {interpreter.version}, round {number + 1} of {options.rounds}:", end="")
            runner.round(number, lambda name: print(f" {name}", end="", flush=True))
            limits.round()
            if footprints:
                footprints.round()
                structured.round()
    print()
    return Measured(
        version=interpreter.version,
        minor=interpreter.minor,
        summaries=summarise_all(runner.results),
        footprints=footprints.results() if footprints else {},
        versions=_named(environment.versions()),
        instructions={} if options.only else _count_instructions(environment),
        loop=_loop(runner.results),
        limits=limits.results(),
        structured=structured.results() if structured else {},
    )


def _count_instructions(environment):
    """{scenario: {peer: count}} of the main scenarios; empty where this machine has no counter."""
    try:
        counter = choose_counter()
    except NoCounter as reason:
        print(f"no instruction counter: {reason}")
        return {}
    return {
        scenario: {peer: count(environment, scenario, peer, counter) for peer in ("standard", "duramen")}
        for scenario in MAIN_SCENARIOS
    }


def _named(versions):
    wanted = {line.split("==")[0].lower() for line in _requirements()}
    return {name: version for name, version in versions.items() if name.lower() in wanted}


def _requirements():
    return [line for line in REQUIREMENTS.read_text().splitlines() if "==" in line]


def _loop(results):
    times = [
        one.loop for peers in results.values() for rounds in peers.values() for one in rounds if one.loop
    ]
    return min(times), statistics.median(times), max(times)


def write(measured, options):
    """Write the report and its plot."""
    shown = next((one for one in measured if one.minor == SHOWN), measured[-1])
    plot = options.report.with_suffix(".svg")
    options.report.parent.mkdir(parents=True, exist_ok=True)
    title = f"Times faster than the standard library, CPython {shown.version}"
    plot.write_text(draw(shown.summaries, title), encoding="utf-8")
    page = render(measured, describe(), options.rounds, options.command or _command(options), plot.name)
    options.report.write_text(page, encoding="utf-8")
    print(f"written: {options.report} and {plot.name}")


def _command(options):
    only = f' ONLY="{" ".join(options.only)}"' if options.only else ""
    scale = f" SCALE={options.scale:g}" if options.scale != 1 else ""
    return f"make bench ROUNDS={options.rounds}{scale}{only}"


def faults(measured):
    """What Duramen or the standard library failed to deliver; a peer's faults stand in its cell alone."""
    for one in measured:
        for scenario, peers in one.summaries.items():
            for peer in ("standard", "duramen", "duramen-imported"):
                summary = peers.get(peer)
                if summary and summary.missing != "unsupported" and not summary.delivers:
                    yield f"{one.minor} {scenario} {peer}: {summary.detail}"


def main():
    options = parse_arguments()
    measured = []
    for interpreter in choose(options.python):
        measured.append(measure(interpreter, options))
        # After each: a run that is broken off leaves what it has.
        write(measured, options)
    if not measured:
        sys.exit("no CPython that Duramen supports was found")
    found = list(faults(measured))
    for fault in found:
        print(f"wrong: {fault}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
