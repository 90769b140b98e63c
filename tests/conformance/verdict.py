"""Compares outcomes with those of the standard library, and with the list of what does not pass yet."""

from dataclasses import dataclass
from pathlib import Path

NOT_YET_FILE = Path(__file__).with_name("not_yet.txt")


@dataclass(frozen=True)
class Difference:
    """A test that the standard library passes on this interpreter and Duramen, in this mode, does not."""

    minor: str
    mode: str
    test: str
    kind: str
    detail: str

    @property
    def key(self):
        return self.minor, self.mode, self.test


def compare(minor, mode, baseline, outcomes):
    """The differences that count: a test that passes there passes here; one that runs there runs here."""
    found = []
    for test, there in baseline.items():
        here = outcomes[test]
        worse = there.kind == "passed" and here.kind != "passed"
        newly_skipped = there.kind != "skipped" and here.kind == "skipped"
        if worse or newly_skipped:
            found.append(Difference(minor, mode, test, here.kind, here.detail))
    return found


def read_not_yet(path=NOT_YET_FILE):
    """The list as {(minor version, mode, test)}; ``#`` begins a comment."""
    entries = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = line.partition("#")[0].split()
        if fields and len(fields) != 3:
            raise ValueError(f"{path.name}, line {number}: wants INTERPRETER MODE TEST, has {line!r}")
        if fields:
            entries.add(tuple(fields))
    return entries


def passing_entries(not_yet, checked, differences):
    """Entries of the list that were checked in this run and pass: they must leave the list."""
    failing = {difference.key for difference in differences}
    return sorted(entry for entry in not_yet if entry in checked and entry not in failing)
