"""Threads, forks, the end of the interpreter and re-entrant calls: nothing hangs, and each line is whole.

Each program runs on the standard library, too, unless that cannot do it.
"""

import os
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "differential"))
from ways import WAYS, run_everywhere  # noqa: E402

PROGRAMS = Path(__file__).with_name("programs")
#: DURAMEN_STRESS=20 does everything twenty times as long.
STRESS = int(os.environ.get("DURAMEN_STRESS", "1"))
OWN_WAYS = WAYS[1:]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks, and waits with alarms")


@pytest.fixture(autouse=True)
def find_helpers_of_programs(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(PROGRAMS), os.environ.get("PYTHONPATH", "")]))
    # That a process with threads forks is the subject here.
    monkeypatch.setenv("PYTHONWARNINGS", "ignore::DeprecationWarning")


def run(name, *numbers, ways=WAYS):
    """Run the program in each way; gives {way: Result}, each of which has ended well and said nothing."""
    program = (PROGRAMS / f"{name}.py").read_text()
    results = run_everywhere(program, ways, [str(number) for number in numbers])
    for way, result in results.items():
        assert (result.code, result.stderr) == (0, ""), f"{way}: {result.stderr}"
    return results


# The standard library leaves out this one: there a child waits forever for the lock of a stream.
def test_a_fork_while_threads_log_neither_hangs_nor_tears_nor_doubles_a_line():
    forks = 40 * STRESS
    for way, result in run("fork", forks, ways=OWN_WAYS).items():
        codes, *written = result.stdout.rsplit(maxsplit=4)
        assert codes == "[0]", way
        expected = {
            f"INFO parent {n} {line}|": 1 for n, count in enumerate(written) for line in range(int(count))
        }
        expected |= {f"INFO child {child} {line}|": 1 for child in range(forks) for line in range(5)}
        assert Counter(result.files["out.log"].splitlines()) == expected, way


def test_what_changes_while_threads_log_loses_no_record_elsewhere():
    for way, result in run("changes", 500 * STRESS).items():
        assert result.stdout.split() == ["True", "True"], way


@pytest.mark.parametrize("attempt", range(3 * STRESS))
def test_daemon_threads_may_log_while_the_interpreter_ends(attempt):
    line = re.compile(
        r"####-##-## ##:##:##,### (MainThread|Thread-\d+ \(keep_logging\)) (record \d+ of .*|main \d+|the end)"
    )
    for way, result in run("exit").items():
        lines = result.files["out.log"].splitlines()
        # The last line may be that of a thread which the interpreter has ended in the middle.
        assert all(line.fullmatch(text) for text in lines[:-1]), way
        assert sum(" main " in text for text in lines) == 100, way


def test_an_interpreter_ends_while_its_daemon_threads_log():
    line = re.compile(r"daemon-\d record \d+\||MainThread the end of \d+\|")
    for way, result in run("exits", 20 * STRESS).items():
        code, *ended = result.stdout.split()
        assert code == "[0]", way
        lines = result.files["out.log"].splitlines()
        last_words = {text for text in lines if text.startswith("MainThread")}
        assert last_words == {f"MainThread the end of {pid}|" for pid in ended}, way
        torn = [text for text in lines if not line.fullmatch(text)]
        # A thread which the interpreter ends in the middle of a line leaves its beginning.
        assert len(torn) <= len(ended), (way, torn[:5])


def test_daemon_threads_in_code_of_the_program_are_no_harm_to_the_end():
    for way, result in run("late").items():
        assert result.stdout == "the end\n", way


def test_a_listener_that_nobody_stops_does_not_hold_up_the_end():
    # An end that waits for the listener does so each time, a busy machine is late now and then: the quickest tells.
    quickest = dict.fromkeys(WAYS, float("inf"))
    for _ in range(20):
        for way, result in run("listener", ways=[way for way in WAYS if quickest[way] >= 0.5]).items():
            quickest[way] = min(quickest[way], float(result.stdout.split()[-1]))
    assert max(quickest.values()) < 0.5, quickest


def test_records_made_while_a_record_is_handled_arrive():
    results = run("reentrancy", 500 * STRESS)
    expected = results.pop("standard").stdout
    assert expected.startswith("0 True ")
    for way, result in results.items():
        assert result.stdout == expected, way
