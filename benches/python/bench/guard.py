"""``python -m bench.guard``: instructions for a call of the main scenarios, beside those that are kept.

Times are noisy on shared machines, the number of executed instructions is not. The baselines are in
``benches/guard.json``, per interpreter, machine and counter; the exit code is 1 where a count is above its
baseline by more than the margin, and where nothing could be compared.
"""

import argparse
import json
import os
import platform
import sys

from bench.counting import GUARDED, choose_counter, count
from bench.environments import REPOSITORY, bare, choose
from bench.instructions import NoCounter

BASELINES = REPOSITORY / "benches" / "guard.json"

#: In the environment, lets a machine without any counter pass.
OPTIONAL = "DURAMEN_GUARD_OPTIONAL"


class Baselines:
    """The kept counts; ``margin`` is in percent."""

    def __init__(self, kept):
        self.margin = kept.get("margin", 8)
        self._counts = kept.get("instructions", {})

    def of(self, key):
        """{scenario: count}, empty where none are kept for the key."""
        return self._counts.get(key, {})

    def put(self, key, counts):
        self._counts[key] = {scenario: round(count) for scenario, count in counts.items()}

    def as_json(self):
        return (
            json.dumps({"margin": self.margin, "instructions": self._counts}, indent=2, sort_keys=True) + "\n"
        )


def judge(count, kept, margin):
    """What is to be said about a count; the second is true when it is an error."""
    if kept is None:
        return "no baseline", False
    change = 100 * (count - kept) / kept
    if change > margin:
        return f"{change:+.1f}%, more than the margin of {margin}%", True
    if change < -margin:
        return f"{change:+.1f}%, the baseline can be lowered", False
    return f"{change:+.1f}%", False


def key_of(interpreter, counter):
    """What a baseline depends on."""
    return f"CPython {interpreter.version}, {platform.machine()}, {counter}"


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench.guard", description=__doc__)
    parser.add_argument("--python", action="append", metavar="PATH", help="this interpreter (repeatable)")
    parser.add_argument("--update", action="store_true", help="write the counts as the new baselines")
    return parser.parse_args()


def main():
    options = parse_arguments()
    try:
        counter = choose_counter()
    except NoCounter as reason:
        print(f"skipped: no instruction counter ({reason})")
        sys.exit(not os.environ.get(OPTIONAL))
    baselines = Baselines(json.loads(BASELINES.read_text()) if BASELINES.exists() else {})
    compared, above = 0, 0
    for interpreter in choose(options.python):
        key = key_of(interpreter, counter)
        print(f"\n{key}", flush=True)
        environment, counts = bare(interpreter), {}
        for scenario in GUARDED:
            counts[scenario] = count(environment, scenario, "duramen", counter)
            kept = baselines.of(key).get(scenario)
            text, wrong = judge(counts[scenario], kept, baselines.margin)
            compared += kept is not None
            above += wrong
            print(f"  {scenario:16}{counts[scenario]:12.0f}  {text}", flush=True)
        if options.update:
            baselines.put(key, counts)
    if options.update:
        BASELINES.write_text(baselines.as_json())
        print(f"\nwritten: {BASELINES}")
        return
    print(f"\nbench-guard: {compared} counts compared, {above} above their baselines")
    if not compared:
        print("nothing was compared: make bench-guard UPDATE=1 writes baselines for these interpreters")
    sys.exit(above > 0 or compared == 0)


if __name__ == "__main__":
    main()
