"""Says whether what was written is what the standard library writes, apart from the time."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

#: The forms in which the scenarios write the time: ISO 8601 and ``logging``'s, and that of rich and Django.
_TIMES = re.compile(r"(\d{4}-\d\d-\d\d[T ]|\d\d/\w{3}/\d{4} )\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:?\d\d)?")
_TIME_KEYS = frozenset({"timestamp", "time", "asctime"})
_THREAD = re.compile(r"thread (\d+)")
_SHOWN = 60
_REPOSITORY = str(Path(__file__).resolve().parents[3])


@dataclass(frozen=True)
class Verdict:
    """What became of the records: ``kind`` is one of the constants below, ``detail`` says it in words."""

    kind: str
    detail: str = ""


SAME = "same"
#: Lines are missing, or there are too many.
LOST = "lost"
REORDERED = "reordered"
DIFFERENT = "different"


def comparable(lines, check):
    """``lines`` in the form in which two runs can be compared.

    ``check`` is "lines", "json" (the order of the keys does not count) or "threads" (the order between
    threads does not count, within one it does).
    """
    if check == "json":
        return [_without_time(line) for line in lines]
    lines = [_TIMES.sub("TIME", line) for line in lines]
    if check == "threads":
        lines.sort(key=_thread)
    return lines


def _without_time(line):
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    if not isinstance(fields, dict):
        return line
    return json.dumps({key: value for key, value in fields.items() if key not in _TIME_KEYS}, sort_keys=True)


def _thread(line):
    found = _THREAD.search(line)
    return int(found[1]) if found else -1


def judge(expected, found):
    """Compare two lists of comparable lines; ``expected`` is the standard library's."""
    if found == expected:
        return Verdict(SAME)
    missing = Counter(expected) - Counter(found)
    foreign = Counter(found) - Counter(expected)
    if not missing and not foreign:
        return Verdict(REORDERED, "reorders lines")
    if not missing or not foreign:
        parts = []
        if missing:
            parts.append(f"drops {sum(missing.values())} of {len(expected)} lines")
        if foreign:
            parts.append(f"writes {sum(foreign.values())} lines too many")
        return Verdict(LOST, ", ".join(parts))
    return _difference(expected, found)


def _difference(expected, found):
    number = next(
        (number for number, (left, right) in enumerate(zip(expected, found)) if left != right),
        min(len(expected), len(found)),
    )
    counts = "" if len(expected) == len(found) else f"{len(found)} lines for {len(expected)}; "
    left = expected[number] if number < len(expected) else ""
    right = found[number] if number < len(found) else ""
    start = max(0, next((at for at, (a, b) in enumerate(zip(left, right)) if a != b), 0) - 10)
    shown = _shortened(right[start:]), _shortened(left[start:])
    return Verdict(DIFFERENT, "{}writes `{}` for `{}`".format(counts, *shown))


def _shortened(text):
    # Where the repository lies on this machine is of no interest.
    text = text.replace(_REPOSITORY, "…")
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
