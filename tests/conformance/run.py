"""Runs each installed CPython's own ``test.test_logging`` with Duramen in the place of ``logging``.

Every TestCase class runs in a process of its own, in two modes: ``module`` (Duramen's modules stand under
the standard names before the test module is imported) and ``install`` (``duramen.install()`` first). All
that passes on the interpreter's standard library must pass, and nothing may be skipped that is not skipped
there. The last line of the output is ``N passed, M failed``; ``not_yet.txt`` lists the failures that are
known, which count as failed and do not fail the run.
"""

import argparse
import hashlib
import json
import os
import sys
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from build import BUILD_FOLDER, BuildFailed, build_package  # noqa: E402
from interpreters import choose  # noqa: E402
from outcomes import Outcome, Setting, find_leaks, list_tests, run_classes  # noqa: E402
from verdict import Difference, compare, passing_entries, read_not_yet  # noqa: E402

MODES = ("module", "install")


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", action="append", metavar="PATH", help="this interpreter (repeatable)")
    parser.add_argument(
        "--except", dest="left_out", action="append", default=[], metavar="PATH", help="not this interpreter"
    )
    parser.add_argument("--mode", action="append", choices=MODES, help="this mode alone (repeatable)")
    parser.add_argument("--only", action="append", metavar="CLASS", help="this TestCase class (repeatable)")
    parser.add_argument("--whole-file", action="store_true", help="also all classes in one process")
    parser.add_argument("--leaks", action="store_true", help="also regrtest's -R 3:3 (minutes per mode)")
    parser.add_argument("--extension-dir", metavar="DIR", help="take built extensions from here")
    parser.add_argument("--time-limit", type=float, default=120.0, metavar="S", help="for one class")
    parser.add_argument("--parallel", type=int, default=2, metavar="N", help="processes at a time")
    parser.add_argument("--fresh-baseline", action="store_true", help="run the standard library again")
    parser.add_argument("--verbose", action="store_true", help="print the whole detail of each difference")
    return parser.parse_args()


def baseline(setting, options):
    """The tests of the interpreter and what its standard library makes of them, kept in the build folder.

    What does not pass at once is tried again alone: a test that is only slow on a busy machine must not
    fall out of the comparison.
    """
    key = hashlib.sha256(setting.interpreter.executable.encode()).hexdigest()[:8]
    path = BUILD_FOLDER / f"standard-{setting.interpreter.version}-{key}.json"
    if path.exists() and not options.fresh_baseline:
        stored = json.loads(path.read_text())
        outcomes = {test: Outcome(**outcome) for test, outcome in stored["outcomes"].items()}
        return stored["classes"], outcomes
    classes = list_tests(setting)
    outcomes = run_classes(setting, classes)
    unsure = {
        name: tests
        for name, tests in classes.items()
        if any(outcomes[test].kind in ("failed", "lost") for test in tests)
    }
    outcomes.update(run_classes(replace(setting, parallel=1), unsure))
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = {"classes": classes, "outcomes": {test: asdict(one) for test, one in outcomes.items()}}
    path.write_text(json.dumps(stored, indent=1))
    return classes, outcomes


def counted(outcomes):
    kinds = Counter(outcome.kind for outcome in outcomes.values())
    failed = kinds["failed"] + kinds["lost"]
    return f"{kinds['passed']} passed, {failed} failed, {kinds['skipped']} skipped"


class Run:
    """What one invocation has checked so far, and the differences that it met."""

    def __init__(self, options):
        self.options = options
        self.not_yet = read_not_yet()
        self.checked = set()
        self.differences = []

    def interpreter(self, interpreter):
        """Check one interpreter in every mode that was asked for."""
        options = self.options
        package = build_package(interpreter, options.extension_dir)
        standard = Setting(interpreter, time_limit=options.time_limit, parallel=options.parallel)
        classes, expected = baseline(standard, options)
        if options.only:
            classes = {name: classes[name] for name in options.only}
            expected = {test: expected[test] for tests in classes.values() for test in tests}
        print(f"\nCPython {interpreter}\n  standard library: {counted(expected)}", flush=True)
        leaks_there = find_leaks(standard) if options.leaks else {}
        for way in options.mode or MODES:
            setting = replace(standard, way=way, package_folder=str(package))
            self.mode(setting, way, expected, run_classes(setting, classes))
            if options.whole_file:
                outcomes = run_classes(setting, classes, whole_file=True)
                self.mode(setting, f"{way}/whole-file", expected, outcomes)
            if options.leaks:
                self.leaks(setting, f"{way}/leaks", leaks_there)

    def mode(self, setting, mode, expected, outcomes):
        """Compare the outcomes in one mode with those of the standard library."""
        minor = setting.interpreter.minor
        self.checked.update((minor, mode, test) for test in expected)
        differences = compare(minor, mode, expected, outcomes)
        print(
            f"  {mode}: {counted(outcomes)}; worse than the standard library: {len(differences)}", flush=True
        )
        self.report(differences)

    def leaks(self, setting, mode, leaks_there):
        """The repeated file is one test; it fails when something leaks that does not leak without Duramen."""
        minor = setting.interpreter.minor
        found = find_leaks(setting)
        self.checked.add((minor, mode, "test.test_logging"))
        more = [line for what, line in found.items() if what not in leaks_there]
        print(f"  {mode}: {'; '.join(found) or 'nothing'} leaked", flush=True)
        if more:
            self.report([Difference(minor, mode, "test.test_logging", "failed", "\n".join(more))])

    def report(self, differences):
        """Print the differences of a mode, the known ones by their name alone."""
        self.differences += differences
        for difference in differences:
            known = " (not yet)" if difference.key in self.not_yet else ""
            print(f"    {difference.kind}: {difference.test}{known}")
            if not known or self.options.verbose:
                lines = difference.detail.strip().splitlines()
                for line in lines if self.options.verbose else lines[-3:]:
                    print(f"      {line}")

    def verdict(self):
        """Print the end of the report; gives the exit code."""
        unknown = [one for one in self.differences if one.key not in self.not_yet]
        passing = passing_entries(self.not_yet, self.checked, self.differences)
        print(f"\n{len(self.differences) - len(unknown)} of the failures are in not_yet.txt")
        for entry in passing:
            print(f"passes and must leave not_yet.txt: {' '.join(entry)}")
        failed = len(self.differences)
        print(f"{len(self.checked) - failed} passed, {failed} failed")
        return 1 if unknown or passing else 0


def main():
    options = parse_arguments()
    run = Run(options)
    left_out = {os.path.realpath(path) for path in options.left_out}
    found = choose(options.python)
    chosen = [interpreter for interpreter in found if interpreter.executable not in left_out]
    for interpreter in chosen:
        if not interpreter.has_test_logging:
            print(f"\nCPython {interpreter}: left out, it is installed without test.test_logging")
            continue
        try:
            run.interpreter(interpreter)
        except BuildFailed as error:
            print(f"\nCPython {interpreter}: the extension was not built\n{error}")
            return 1
    if found and not chosen:
        return 0
    if not run.checked:
        print("no interpreter with test.test_logging was found")
        return 1
    return run.verdict()


if __name__ == "__main__":
    sys.exit(main())
