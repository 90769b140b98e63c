"""The stubs: what type-checks against ``logging`` does so against ``duramen``, under mypy and pyright."""

import ast
import importlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import duramen

HERE = Path(__file__).resolve().parent
PACKAGE = Path(duramen.__file__).resolve().parent
# As in the repository, since mypy does not take a site-packages folder for a source folder.
STUBS = HERE.parents[1] / "python"
PROGRAMS = sorted((HERE / "programs").glob("*.py"))
VERSIONS = ["3.10", "3.13"]
MODULES = ["", ".handlers", ".config"]
#: What the package has once they are imported.
MODULES_OF_OUR_OWN = (
    "config context duramen extensions filters formatters handlers integrations logging testing".split()
)
TIME_LIMIT = 300

for line in (HERE / "requirements.txt").read_text().splitlines():
    if not line.startswith("#"):
        name, _, pinned = line.partition("==")
        pytest.importorskip(name)
        assert importlib.metadata.version(name) == pinned, f"the tests need {line}"


def over_duramen(source):
    """The same program with Duramen in the place of logging."""
    source = re.sub(r"^import logging$", "import duramen as logging", source, flags=re.M)
    source = re.sub(r"^import logging\.(\w+)$", r"import duramen.\1", source, flags=re.M)
    return re.sub(r"^from logging", "from duramen", source, flags=re.M)


def run_tool(*words, cwd):
    environ = {**os.environ, "MYPYPATH": str(STUBS), "PYTHONPATH": str(PACKAGE.parent)}
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=cwd,
        env=environ,
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
    )


def mypy(folder, version):
    """The places of mypy's errors as "file:line", and its whole output."""
    finished = run_tool(
        "mypy",
        "--strict",
        "--python-version",
        version,
        "--cache-dir",
        str(folder / ".cache"),
        "--no-error-summary",
        ".",
        cwd=folder,
    )
    assert finished.returncode in (0, 1), finished.stderr
    output = finished.stdout
    return sorted(re.findall(r"^(\S+?:\d+): error:", output, flags=re.M)), output


def pyright(folder, version):
    """The places of pyright's errors as "file:line", and its whole output."""
    settings = {"pythonVersion": version, "extraPaths": [str(STUBS)], "typeCheckingMode": "standard"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    finished = run_tool("pyright", "--outputjson", cwd=folder)
    assert finished.returncode in (0, 1), finished.stderr
    found = [
        item for item in json.loads(finished.stdout)["generalDiagnostics"] if item["severity"] == "error"
    ]
    places = {f"{Path(item['file']).name}:{item['range']['start']['line'] + 1}" for item in found}
    return sorted(places), finished.stdout


def write_programs(folder, change):
    for program in PROGRAMS:
        (folder / program.name).write_text(change(program.read_text()))


def expected_errors():
    return sorted(
        f"{program.name}:{number}"
        for program in PROGRAMS
        for number, line in enumerate(program.read_text().splitlines(), 1)
        if line.endswith("# error")
    )


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("checker", [mypy, pyright])
@pytest.mark.parametrize("change", [str, over_duramen], ids=["logging", "duramen"])
def test_programs_get_the_same_verdict(tmp_path, checker, change, version):
    write_programs(tmp_path, change)
    places, output = checker(tmp_path, version)
    assert places == expected_errors(), output


def names_in_typeshed(module):
    """Every name that typeshed's stub of ``logging`` defines for some version, private ones too."""
    import mypy as package

    folder = Path(package.__file__).parent / "typeshed" / "stdlib" / "logging"
    path = folder / ((module.lstrip(".") or "__init__") + ".pyi")
    return set(names_of(ast.parse(path.read_text()).body))


def names_of(statements):
    """The names that statements define, in each branch of an ``if``."""
    for statement in statements:
        if isinstance(statement, ast.If):
            yield from names_of(statement.body + statement.orelse)
        elif isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            yield statement.name
        elif isinstance(statement, ast.AnnAssign):
            yield statement.target.id
        elif isinstance(statement, ast.Assign):
            yield statement.targets[0].id


def unknown_names(folder, package, names):
    """Those of the names, as (module, name), that mypy does not find in a package."""
    # A folder for each: mypy takes a program of the same length, written in the same second, for the one that it knows.
    folder = folder / package
    folder.mkdir()
    lines = [f"import {package}{module}" for module in MODULES]
    lines += [f"{package}{module}.{name}" for module, name in names]
    (folder / "program.py").write_text("\n".join(lines) + "\n")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    places, _ = mypy(folder, version)
    return {names[int(place.rpartition(":")[2]) - len(MODULES) - 1] for place in places}


def test_every_name_of_the_modules_is_as_known_as_in_logging(tmp_path):
    names = sorted(
        (module, name)
        for module in MODULES
        for name in names_in_typeshed(module) | set(dir(importlib.import_module("duramen" + module)))
        if not name.startswith("__")
    )
    ours = {
        (module, name)
        for module, name in names
        if hasattr(importlib.import_module("duramen" + module), name)
        and not hasattr(importlib.import_module("logging" + module), name)
        and not name.startswith("_")
        and name not in MODULES_OF_OUR_OWN
    }
    assert ("", "install") in ours
    known = unknown_names(tmp_path, "logging", names) - ours
    assert unknown_names(tmp_path, "duramen", names) == known
    assert ("", "_levelToName") not in known


def test_the_types_are_the_standard_librarys(tmp_path):
    (tmp_path / "program.py").write_text(
        "import logging, duramen, duramen.handlers, duramen.testing\n"
        "logger: logging.Logger = duramen.getLogger()\n"
        "handler: logging.Handler = duramen.handlers.RotatingFileHandler('x')\n"
        "logging.getLogger().addHandler(duramen.StreamHandler())\n"
        "with duramen.testing.capture(logger, level='INFO') as captured:\n"
        "    line: str = captured.lines[0]\n"
        "rotating = duramen.handlers.RotatingFileHandler('x', maxBytes=1, compression='gzip', max_age='30d', fsync=1)\n"
        "removed: int = rotating.upkeep.stats()['removed'] + rotating.fsync.stats()['synced']\n"
        "duramen.handlers.TimedRotatingFileHandler('x', 'H', maxBytes=1, fsync='record')\n"
        "duramen.FileHandler('x', fsync='rotation')\n"
        "pending: int = duramen.handlers.AuditFileHandler('x', commit='group').stats()['pending']\n"
        "active: bool = duramen.is_installed()\n"
        "duramen.install()\n"
        "duramen.uninstall()\n"
        "duramen.install(1)\n"
    )
    for checker in (mypy, pyright):
        places, output = checker(tmp_path, "3.13")
        assert places == ["program.py:15"], output


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()


def test_a_stub_stands_beside_each_public_module():
    public = {path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("_")} | {"__init__"}
    assert {path.stem for path in PACKAGE.glob("*.pyi") if not path.stem.startswith("_c")} == public


def test_stubtest_finds_no_difference_in_what_is_ours(tmp_path):
    finished = run_tool(
        "mypy.stubtest", "duramen.testing", "duramen.formatters", "--ignore-missing-stub", cwd=tmp_path
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
