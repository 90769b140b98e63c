"""Runs the tests of released projects on the standard library's ``logging`` and on Duramen, and compares.

``python tests/projects [NAME …]``: for each project of ``catalogue.py`` its source distribution is unpacked, the
project is installed into an environment of its own, and its tests run twice, as they are and under
``duramen run``. A test whose outcome is another one is run again both ways, and is a difference if it is another
one again. Exit code 1 where there are differences. What is made is kept in the folder ``duramen-projects`` for
temporary files.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from pathlib import Path

from catalogue import PROJECTS

import duramen

BUILD = Path(tempfile.gettempdir()) / "duramen-projects" / platform.python_version()
#: Seconds after which a run is ended.
LIMIT = 600


class Unusable(Exception):
    """A project that cannot be tested here: the text says why."""


def main():
    parser = argparse.ArgumentParser(prog="tests/projects", description=__doc__.partition("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="projects of the catalogue (all of them)")
    arguments = parser.parse_args()
    chosen = [project for project in PROJECTS if project.name in arguments.names or not arguments.names]
    different = False
    for project in chosen:
        try:
            standard, changed = compare(project)
        except Unusable as reason:
            print(f"{project.requirement}: not tested: {reason}", flush=True)
            continue
        passed = sum(outcome == "passed" for outcome in standard.values())
        print(
            f"{project.requirement}: {len(standard)} tests, {passed} pass, {len(changed)} differ", flush=True
        )
        for test, (before, after) in sorted(changed.items()):
            print(f"  {test}: {before}, with Duramen {after}", flush=True)
        different = different or bool(changed)
    return 1 if different else 0


def compare(project):
    """The outcomes on the standard library, and those that are others with Duramen, as pairs."""
    source, python = prepare(project)
    first = {way: outcomes(project, source, python, way) for way in ("standard", "duramen")}
    if "passed" not in first["standard"].values():
        raise Unusable(f"nothing passes on the standard library, see {source.parent.parent / 'standard.txt'}")
    changed = differences(first["standard"], first["duramen"])
    if changed:
        again = {way: outcomes(project, source, python, way) for way in ("standard", "duramen")}
        kept = differences(again["standard"], again["duramen"])
        changed = {test: pair for test, pair in changed.items() if kept.get(test) == pair}
    return first["standard"], changed


def differences(standard, other):
    """``{test: (outcome, other outcome)}`` for the tests that did not come out the same."""
    return {
        test: (standard.get(test, "not run"), other.get(test, "not run"))
        for test in standard.keys() | other.keys()
        if standard.get(test) != other.get(test)
    }


def prepare(project):
    """The folder of the unpacked source distribution, and the interpreter that the project is installed for."""
    folder = BUILD / project.name
    unpacked, environment, done = folder / "unpacked", folder / "environment", folder / "installed"
    python = environment / "bin" / "python"
    wanted = f"{project.requirement} {project.requires}"
    if done.exists() and done.read_text() == wanted:
        return next(unpacked.iterdir()), python
    folder.mkdir(parents=True, exist_ok=True)
    uv = [sys.executable, "-m", "uv"]
    step(folder, *uv, "venv", "--clear", "--seed", "--python", sys.executable, environment)
    packages = ["pytest", "pytest-cov", "pytest-timeout", project.requirement, *project.requires.split()]
    step(folder, *uv, "pip", "install", "--python", python, *packages)
    # pip would build what it downloads; this only downloads.
    finder = [sys.executable, "-m", "unearth", "--no-binary", "--download", folder / "download"]
    step(folder, *finder, project.requirement)
    shutil.unpack_archive(next((folder / "download").iterdir()), unpacked)
    done.write_text(wanted)
    return next(unpacked.iterdir()), python


def step(folder, *command):
    with open(folder / "log.txt", "a") as log:
        ended = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, timeout=LIMIT)
    if ended.returncode != 0:
        raise Unusable(f"{command[1:4]} failed, see {log.name}")


def outcomes(project, source, python, way):
    """``{test: outcome}`` of one run; a run that ends without a report has one outcome, that of the process."""
    folder = source.parent.parent
    report = folder / f"{way}.xml"
    report.unlink(missing_ok=True)
    # Options of the project's own are for its reports and its way to run in parallel.
    options = ["-o", "addopts=", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    command = [python, "-m", "pytest", *options, f"--junit-xml={report}", *project.tests.split()]
    if way == "duramen":
        command = [python, "-m", "duramen", "run", *command]
    with open(folder / f"{way}.txt", "w") as output:
        try:
            code = subprocess.run(
                command, cwd=source, env=environment_of_tests(), stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, timeout=LIMIT,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            code = f"after {LIMIT} s not"
    if not report.exists():
        return {"the run": f"ended {code}"}
    return dict(read_outcome(case) for case in xml.etree.ElementTree.parse(report).iter("testcase"))


def environment_of_tests():
    """An environment in which Duramen can be imported, and nothing else of the environment that it is in."""
    folder = BUILD / "duramen-alone"
    folder.mkdir(exist_ok=True)
    link = folder / "duramen"
    package = Path(duramen.__file__).parent
    if link.resolve() != package.resolve():
        link.unlink(missing_ok=True)
        link.symlink_to(package)
    return {**os.environ, "PYTHONPATH": str(folder), "TZ": "UTC"}


def read_outcome(case):
    kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
    return f"{case.get('classname')}::{case.get('name')}", "+".join(kinds) or "passed"


if __name__ == "__main__":
    sys.exit(main())
