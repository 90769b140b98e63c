"""Runs tests of the interpreter's ``test.test_logging`` and writes what became of each, a line of JSON each.

    worker.py list FILE                 the names of the TestCase classes and of their tests
    worker.py run FILE NAME …           runs the classes of these names
    worker.py leaks FILE                repeats the whole file, and writes the leaks that were found

A spawned child of ``multiprocessing`` runs this file too, and so has Duramen in place like its parent.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import activate  # noqa: E402  (before anything that imports logging)

import faulthandler  # noqa: E402
import json  # noqa: E402
import re  # noqa: E402
import unittest  # noqa: E402

MODULE = "test.test_logging"


class RecordingResult(unittest.TestResult):
    """Writes the outcome of each test at once, so that a crash loses none."""

    def __init__(self, out):
        super().__init__()
        self._out = out
        self._bad_subtests = set()

    def _write(self, test, outcome, detail=""):
        line = {"test": test.id(), "outcome": outcome, "detail": detail}
        self._out.write(json.dumps(line) + "\n")
        self._out.flush()

    def startTest(self, test):
        super().startTest(test)
        self._write(test, "started")

    def addSuccess(self, test):
        if test.id() not in self._bad_subtests:
            self._write(test, "passed")

    def addError(self, test, err):
        super().addError(test, err)
        self._write(test, "failed", self.errors[-1][1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._write(test, "failed", self.failures[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._write(test, "skipped", reason)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self._write(test, "passed")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._write(test, "failed", "passes, but the test expects a failure")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._bad_subtests.add(test.id())
            detail = f"{subtest}\n{self._exc_info_to_string(err, test)}"
            self._write(test, "failed", detail)


def classes_of_the_module():
    """The tests of each TestCase class of the module: {class name: [test id, …]}."""
    from test import test_logging

    loader = unittest.defaultTestLoader
    found = {}
    for name, value in vars(test_logging).items():
        if isinstance(value, type) and issubclass(value, unittest.TestCase) and value.__module__ == MODULE:
            tests = [f"{MODULE}.{value.__qualname__}.{test}" for test in loader.getTestCaseNames(value)]
            if tests:
                found[name] = tests
    return found


def activate_isolated_children():
    """Make the isolated interpreters that tests start through ``script_helper`` use Duramen too."""
    from test.support import script_helper

    plain = script_helper.run_python_until_end
    folder = os.path.dirname(os.path.abspath(__file__))

    def run_python_until_end(*args, **environment):
        if "-c" in args:
            place = args.index("-c") + 1
            args = (*args[:place], _activated(args[place], folder), *args[place + 1 :])
        return plain(*args, **environment)

    script_helper.run_python_until_end = run_python_until_end


def _activated(program, folder):
    """``program``, with Duramen put in place just before its first ``import logging``.

    Isolated interpreters ignore PYTHONPATH. Not earlier than that: one test patches ``time`` first.
    """
    activation = f"import sys; sys.path.insert(0, {folder!r}); import activate; import logging"
    return re.sub(r"\bimport logging$", lambda found: activation, program, count=1, flags=re.MULTILINE)


def run(out, names):
    """Run the classes ``names``; the fixtures of the module run around them, as under regrtest."""
    if os.environ.get(activate.WAY_VARIABLE, "standard") != "standard":
        activate_isolated_children()
    suite = unittest.defaultTestLoader.loadTestsFromNames([f"{MODULE}.{name}" for name in names])
    suite.run(RecordingResult(out))


def hunt_leaks(out):
    """``python -m test -R 3:3 test_logging`` in this process."""
    # Only a debug build can count all references. The hunt for lost memory blocks and file descriptors
    # works everywhere, once the count that release builds do not have is a constant.
    if not hasattr(sys, "gettotalrefcount"):
        sys.gettotalrefcount = lambda: 0
    from test.libregrtest.main import main as regrtest

    sys.argv[1:] = ["-R", "3:3", "test_logging"]
    try:
        regrtest()
    except SystemExit as exit_:
        json.dump({"exit": exit_.code or 0}, out)


def main():
    faulthandler.enable()
    command, path, *names = sys.argv[1:]
    with open(path, "w", encoding="utf-8") as out:
        if command == "list":
            json.dump(classes_of_the_module(), out)
        elif command == "run":
            run(out, names)
        else:
            hunt_leaks(out)


if __name__ == "__main__":
    main()
