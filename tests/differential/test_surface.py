"""Every public and private name of the three modules, and what can be asked about it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ways import WAYS, run_everywhere

FACTS = Path(__file__).with_name("surface_facts.py").read_text(encoding="utf-8")

_LOADER = """
import json, pickle, sys
for name, data in json.load(sys.stdin).items():
    thing = pickle.loads(bytes.fromhex(data))
    print(name, type(thing).__module__, type(thing).__name__, sorted(vars(thing)) if hasattr(thing, "__dict__") else "")
assert not any(module.partition(".")[0] == "duramen" for module in sys.modules)
"""

#: COMPATIBILITY.md: ``logging.X`` in a configuration of ``duramen.config`` means Duramen's.
IMPORT_OF_THE_CONFIGURATION = ("logging.config.BaseConfigurator", "logging.config.BaseConfigurator.importer")


@pytest.fixture(scope="session")
def surfaces():
    results = run_everywhere(FACTS, ways=WAYS[:3])
    for way, result in results.items():
        assert result.code == 0, (way, result.stderr)
    return results


@pytest.mark.parametrize("way", WAYS[1:3])
@pytest.mark.parametrize(
    "kind",
    [
        "names", "signature", "doc", "qualname", "mro", "module", "autospec", "help",
        "repr", "attributes", "copy", "deepcopy", "pickle", "weakref", "subclass",
    ],
)  # fmt: skip
def test_surface(surfaces, way, kind):
    expected = json.loads(surfaces["standard"].stdout)[kind]
    found = json.loads(surfaces[way].stdout)[kind]
    if (way, kind) == ("imported", "help"):
        pytest.skip("help() says the module's name, which is duramen")
    differs_on_purpose = IMPORT_OF_THE_CONFIGURATION if way == "imported" else ()
    different = {
        name: (fact, found.get(name))
        for name, fact in expected.items()
        if found.get(name) != fact and name not in differs_on_purpose
    }
    assert not different, report(different)
    if way == "installed":
        assert sorted(found) == sorted(expected)


def report(different):
    """The facts that differ, each from a little before the place where it does."""
    lines = [f"{len(different)} names differ"]
    for name, (there, here) in list(different.items())[:20]:
        here = str(here)
        start = max(len(os.path.commonprefix([there, here])) - 60, 0)
        lines += [
            name,
            f"  standard library: {there[start:][:200]!r}",
            f"  Duramen:          {here[start:][:200]!r}",
        ]
    return "\n".join(lines)


@pytest.mark.parametrize("way", WAYS[1:3])
def test_pickles_are_read_by_a_process_without_duramen(surfaces, way):
    def loaded(pickles):
        outcome = subprocess.run(
            [sys.executable, "-c", _LOADER], input=pickles, capture_output=True, text=True
        )
        assert outcome.returncode == 0, outcome.stderr
        return outcome.stdout

    assert loaded(surfaces[way].files["pickles"]) == loaded(surfaces["standard"].files["pickles"])
