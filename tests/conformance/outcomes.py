"""Runs ``worker.py`` under an interpreter and collects the outcome of each test."""

import concurrent.futures
import json
import os
import re
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from activate import PACKAGE_VARIABLE, WAY_VARIABLE

WORKER = Path(__file__).with_name("worker.py")


@dataclass
class Outcome:
    """What became of one test: passed, failed, skipped, or lost (a crash or a time-out took it)."""

    kind: str
    detail: str = ""


@dataclass
class Setting:
    """How the tests run: with whose ``logging``, and within which limits."""

    interpreter: object
    way: str = "standard"
    package_folder: str = ""
    time_limit: float = 120.0
    parallel: int = 2


def _environment(setting):
    # Neither the interpreter's settings nor Duramen's own (DURAMEN_DISABLE=1) may reach the tests.
    foreign = ("PYTHON", "DURAMEN_")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    environment[WAY_VARIABLE] = setting.way
    environment[PACKAGE_VARIABLE] = str(setting.package_folder)
    return environment


def _run_worker(setting, command, names, time_limit):
    """Run the worker in a folder of its own; gives (text of its file, its output, what ended it early)."""
    with tempfile.TemporaryDirectory(prefix="duramen-conformance-") as folder:
        result = Path(folder) / "result"
        work = Path(folder) / "work"
        work.mkdir()
        with open(Path(folder) / "output", "w+", encoding="utf-8", errors="replace") as output:
            process = subprocess.Popen(
                [setting.interpreter.executable, str(WORKER), command, str(result), *names],
                cwd=work,
                env=_environment(setting),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            ended_by = _wait(process, time_limit)
            output.seek(0)
            printed = output.read()
        text = result.read_text(encoding="utf-8") if result.exists() else ""
    return text, printed, ended_by


def _wait(process, time_limit):
    """Wait for the end of ``process``; gives the reason when it is not a normal end, or ''."""
    try:
        code = process.wait(time_limit)
    except subprocess.TimeoutExpired:
        # SIGABRT makes faulthandler print where each thread stands.
        process.send_signal(signal.SIGABRT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        code = None
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    if code is None:
        return f"no end within {time_limit:g} s"
    return f"ended with code {code}" if code else ""


def list_tests(setting):
    """{class name: [test id, …]} of the interpreter's test_logging."""
    text, printed, ended_by = _run_worker(setting, "list", [], setting.time_limit)
    if ended_by:
        raise RuntimeError(f"listing the tests of {setting.interpreter}: {ended_by}\n{printed}")
    return json.loads(text)


def run_classes(setting, classes, whole_file=False):
    """Run every class in a process of its own (or all in one); gives {test id: Outcome}."""
    if whole_file:
        tests = [test for tests in classes.values() for test in tests]
        return _run_one(setting, list(classes), tests, setting.time_limit * 4)
    outcomes = {}
    with concurrent.futures.ThreadPoolExecutor(setting.parallel) as pool:
        running = [
            pool.submit(_run_one, setting, [name], tests, setting.time_limit)
            for name, tests in classes.items()
        ]
        for one in running:
            outcomes.update(one.result())
    return outcomes


def _run_one(setting, names, tests, time_limit):
    text, printed, ended_by = _run_worker(setting, "run", names, time_limit)
    outcomes = {}
    fixtures = ""
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the process died while it wrote this line
        test, kind = entry["test"], entry["outcome"]
        if test not in tests:
            fixtures += entry["detail"]  # a failure of setUpModule or setUpClass bears no test's name
        elif kind == "started":
            outcomes[test] = Outcome("lost", f"{ended_by}\n{printed}")
        elif test not in outcomes or outcomes[test].kind != "failed":  # a sub-test may have failed before
            outcomes[test] = Outcome(kind, entry["detail"])
    if ended_by and outcomes and not any(one.kind == "lost" for one in outcomes.values()):
        outcomes[list(outcomes)[-1]] = Outcome("lost", f"after the last test: {ended_by}\n{printed}")
    for test in tests:
        outcomes.setdefault(test, Outcome("lost", f"not run: {ended_by}\n{fixtures}{printed}"))
    return outcomes


def find_leaks(setting):
    """What regrtest reports as leaking after three warm-ups and three measured runs: {what: its line}."""
    text, printed, ended_by = _run_worker(setting, "leaks", [], setting.time_limit * 10)
    if not text:
        return {"end of the hunt": f"{ended_by}\n{printed}"}
    found = {}
    for line in printed.splitlines():
        match = re.search(r" leaked \[.*\] (references|memory blocks|file descriptors)", line)
        if match and "(this is fine)" not in line:
            found[match[1]] = line
    if json.loads(text)["exit"] and not found:
        found["failing tests"] = printed
    return found
