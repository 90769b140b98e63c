"""The benchmark sees what a package drops, moves or changes, survives its hangs, and computes what it prints."""

import dataclasses
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import checks, files, goals, guard, report, structured
from bench.measure import Request, Result
from bench.output import Kept
from bench.plot import draw
from bench.runner import run_process
from bench.summary import Summary, summarise, summarise_all

LINES = [f"2026-01-02 03:04:05,678 - app - INFO - order {number} of pears" for number in range(100)]


def judged(found, expected=LINES, check="lines"):
    return checks.judge(checks.comparable(list(expected), check), checks.comparable(list(found), check))


class TestChecks:
    def test_the_time_alone_may_differ(self):
        later = [line.replace("03:04:05,678", "23:59:59,001") for line in LINES]
        assert judged(later).kind == checks.SAME

    def test_a_time_without_milliseconds_is_still_a_time(self):
        assert judged(["[02/Jan/2026 03:04:05,1] x"], ["[03/Feb/2026 13:14:15,001] x"]).kind == checks.SAME

    def test_a_dropped_line(self):
        assert judged(LINES[:50] + LINES[51:]) == checks.Verdict(checks.LOST, "drops 1 of 100 lines")

    def test_nothing_at_all(self):
        assert judged([]) == checks.Verdict(checks.LOST, "drops 100 of 100 lines")

    def test_a_line_twice(self):
        assert judged(LINES[:1] + LINES) == checks.Verdict(checks.LOST, "writes 1 lines too many")

    def test_two_lines_in_the_wrong_order(self):
        swapped = [LINES[1], LINES[0], *LINES[2:]]
        assert judged(swapped) == checks.Verdict(checks.REORDERED, "reorders lines")

    def test_a_line_formatted_otherwise(self):
        changed = [*LINES[:99], LINES[99].replace("INFO", "info")]
        verdict = judged(changed)
        assert verdict.kind == checks.DIFFERENT
        assert "info" in verdict.detail and "INFO" in verdict.detail

    def test_a_change_far_into_a_line_is_shown(self):
        verdict = judged(["x" * 500 + "wrong"], ["x" * 500 + "right"])
        assert "wrong" in verdict.detail and "right" in verdict.detail

    def test_threads_may_take_turns_but_not_within_one(self):
        first = [f"thread 0 order {number}" for number in range(5)]
        second = [f"thread 1 order {number}" for number in range(5)]
        mixed = [line for pair in zip(first, second) for line in pair]
        assert judged(mixed, first + second, "threads").kind == checks.SAME
        assert judged(first[::-1] + second, first + second, "threads").kind == checks.REORDERED
        assert judged(mixed[:-1], first + second, "threads").kind == checks.LOST

    def test_json_is_compared_as_objects_without_the_time(self):
        expected = ['{"timestamp": "a", "level": "INFO", "order": 1}']
        assert judged(['{"order":1,"level":"INFO","timestamp":"b"}'], expected, "json").kind == checks.SAME
        assert judged(['{"order":"1","level":"INFO"}'], expected, "json").kind == checks.DIFFERENT
        assert judged(["not json"], expected, "json").kind == checks.DIFFERENT


def test_rotated_files_are_read_oldest_first(tmp_path):
    for name, text in {"out.log": "d\n", "out.log.1": "c\n", "out.log.2": "b\n", "out.log.10": "a\n"}.items():
        (tmp_path / name).write_text(text)
    assert Kept(tmp_path).lines() == ["a", "b", "c", "d"]


class TestSummary:
    def test_the_ratio_is_taken_within_each_round(self):
        # The machine was ten times slower in the second round; the ratio is five in all of them.
        standard = [Result(call=call, end_to_end=call) for call in (1000.0, 10000.0, 1100.0)]
        own = [Result(call=call / 5, end_to_end=call / 2) for call in (1000.0, 10000.0, 1100.0)]
        summary = summarise(own, standard)
        assert summary.ratio == pytest.approx(5)
        assert summary.end_to_end_ratio == pytest.approx(2)
        assert (summary.fastest, summary.call, summary.slowest) == (200, 220, 2000)

    def test_one_bad_round_condemns(self):
        good = Result(call=1.0, end_to_end=1.0)
        bad = Result(call=1.0, end_to_end=1.0, verdict=checks.LOST, detail="drops 1 of 9 lines")
        summary = summarise([good, bad, good], [good, good, good])
        assert not summary.delivers
        assert summary.detail == "drops 1 of 9 lines"

    def test_a_round_that_failed_leaves_no_times(self):
        good = Result(call=1.0, end_to_end=1.0)
        summary = summarise([good, Result(missing="failed", detail="hangs")], [good, good])
        assert (summary.missing, summary.detail, summary.ratio) == ("failed", "hangs", 0.0)


def summaries(**ratios):
    standard = Summary(call=10_000, fastest=9_000, slowest=11_000, end_to_end=10_000, ratio=1)
    peers = {"standard": standard}
    for name, ratio in ratios.items():
        call = 10_000 / ratio
        peers[name] = Summary(call, call, call, call, ratio, ratio)
    return {"file": peers}


FILE_GOAL = next(goal for goal in goals.GOALS if goal.scenario == "file")


class TestGoals:
    @pytest.mark.parametrize(
        "ratio, minor, reached", [(20, "3.12", True), (19.9, "3.13", False), (16, "3.10", True)]
    )
    def test_reached_and_missed(self, ratio, minor, reached):
        assert goals.score(FILE_GOAL, summaries(duramen=ratio), minor).reached == reached

    def test_wrong_lines_reach_no_goal(self):
        wrong = summaries(duramen=50)
        wrong["file"]["duramen"] = Summary(1, 1, 1, 1, 50, 50, checks.LOST, "drops 1 of 9 lines")
        score = goals.score(FILE_GOAL, wrong, "3.12")
        assert not score.reached
        assert score.reason == "drops 1 of 9 lines"

    def test_a_faster_peer_is_named_only_if_it_delivers(self):
        found = summaries(duramen=10, logxide=20, loguru=30)
        found["file"]["loguru"] = Summary(1, 1, 1, 1, 30, 30, checks.DIFFERENT, "x")
        assert [(scenario, peer) for scenario, peer, _ in goals.faster_peers(found)] == [("file", "logxide")]

    def test_a_peer_that_works_on_behind_the_caller_is_measured_by_its_end(self):
        found = summaries(duramen=10)
        found["file"]["loguru"] = Summary(call=10, end_to_end=50_000, ratio=1000, behind=49_990)
        assert goals.faster_peers(found) == []


def measured(found):
    return report.Measured(
        "3.12.1",
        "3.12",
        found,
        {},
        {"loguru": "0.7.3"},
        {"file": {"standard": 3000.0, "duramen": 120.4}},
        (5.0, 6.0, 7.0),
        {"file": 500.0},
    )


def test_the_place_of_the_repository_is_not_shown():
    path = Path(checks.__file__).resolve()
    assert str(path.parents[3]) not in checks.judge([f"a {path}"], [f"b {path}"]).detail


class TestReport:
    def render(self, found):
        return report.render([measured(found)], {"processor": "a CPU"}, 5, "make bench", "plot.svg")

    def test_what_a_package_does_wrong_stands_in_its_cell_without_a_ratio(self):
        found = summaries(duramen=25, logxide=50)
        found["file"]["logxide"] = Summary(200, 190, 210, 200, 50, 50, checks.LOST, "drops 3 of 9 lines")
        found["file"]["picologging"] = Summary(missing="failed", detail="hangs: no end within 60 s")
        page = self.render(found)
        row = next(line for line in page.splitlines() if line.startswith("| 3 arguments, to a file |"))
        assert "**25.0x** 400 ns (400 ns–400 ns)" in row
        assert "200 ns (190 ns–210 ns), **drops 3 of 9 lines**" in row
        assert "50.0x" not in row
        assert "**hangs: no end within 60 s**" in row

    def test_goals_are_said_to_be_reached_or_missed(self):
        assert "| 20.0x | 25.0x reached |" in self.render(summaries(duramen=25))
        # The standard library takes 10 µs there.
        assert "| 20.0x | 19.0x **missed**, of 20.0x possible |" in self.render(summaries(duramen=19))
        assert "500 ns to a file" in self.render(summaries(duramen=19))

    def test_the_end_is_shown_where_it_is_far_off(self):
        found = summaries(duramen=25)
        found["file"]["loguru"] = Summary(100, 90, 110, 8_000, 100, 1.25, behind=7_900)
        assert "**100.0x, end 1.25x** 100 ns (90 ns–110 ns), end 8 µs" in self.render(found)

    def test_cells_cannot_break_the_table(self):
        found = summaries(duramen=25)
        found["file"]["loguru"] = Summary(1, 1, 1, 1, 1, 1, checks.DIFFERENT, "writes `a|b\x00`")
        assert "a\\|b\N{REPLACEMENT CHARACTER}" in self.render(found)

    def test_what_masking_costs_is_reached_or_missed(self):
        names = {name for row in structured.ROWS for name in (row.without, row.with_it)}
        long = {f"{name}-long{kind}": 4e6 for name in structured.MESSAGES for kind in ("", "-set", "-each")}
        times = {**dict.fromkeys(names, 1000.0), **long, "plain-masked": 2500.0, "plain-re": 30_000.0}
        one = dataclasses.replace(measured(summaries(duramen=25)), structured=times)
        page = report.render([one], {"processor": "a CPU"}, 5, "make bench", "plot.svg")
        assert "masking | 1 µs | 2.5 µs | +1500 ns, 2.50 times: **missed** (at most 1000 ns more) |" in page
        assert "| 30 µs | 1 µs | 30x as fast, reached (20x) |" in page
        assert "| plain | 1000 MB/s | 1000 MB/s | 1000 MB/s |" in page

    def test_instructions_stand_beside_the_standard_library(self):
        assert "| 3 arguments, to a file | 3000 | 120 | 24.9x |" in self.render(summaries(duramen=25))

    def test_the_plot_has_a_bar_for_each_that_delivers(self):
        found = summaries(duramen=25, logxide=2)
        found["file"]["loguru"] = Summary(1, 1, 1, 1, 30, 30, checks.LOST, "x")
        picture = draw(found, "title <1>")
        assert "title &lt;1&gt;" in picture
        assert picture.count('height="8"') == 2


@pytest.mark.parametrize(
    "nanoseconds, text",
    [(8.24, "8.24 ns"), (312.4, "312 ns"), (8635, "8.63 µs"), (2.5e6, "2.5 ms"), (3e9, "3 s")],
)
def test_durations(nanoseconds, text):
    assert report.duration(nanoseconds) == text


class TestGuard:
    def test_above_the_margin_is_an_error(self):
        assert guard.judge(109, 100, 8)[1]
        assert not guard.judge(108, 100, 8)[1]
        assert not guard.judge(50, 100, 8)[1]
        assert not guard.judge(50, None, 8)[1]

    def test_baselines_are_kept_per_interpreter(self):
        baselines = guard.Baselines({"margin": 5})
        baselines.put("CPython 3.12.1", {"file": 1234.6})
        again = guard.Baselines(json.loads(baselines.as_json()))
        assert again.of("CPython 3.12.1") == {"file": 1235}
        assert again.of("CPython 3.13.0") == {}
        assert again.margin == 5


class FakeEnvironment(SimpleNamespace):
    def variables(self, **more):
        return more


def fake_python(folder, text):
    script = folder / "python"
    script.write_text(f"#!{sys.executable}\n{text}")
    script.chmod(0o755)
    return FakeEnvironment(python=str(script))


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for the interpreter is a script")
class TestProcesses:
    request_ = Request("file", "standard", 16, "unused")

    def test_a_hang_ends_with_the_time_limit(self, tmp_path):
        environment = fake_python(tmp_path, "import time; time.sleep(600)")
        result = run_process(environment, self.request_, time_limit=0.2)
        assert (result.missing, result.detail) == ("failed", "hangs: no end within 0.2 s")

    def test_a_crash_is_told(self, tmp_path):
        environment = fake_python(tmp_path, "import os; os.write(2, b'boom\\n'); os.abort()")
        result = run_process(environment, self.request_)
        assert (result.missing, result.detail) == ("failed", "ends with -6: boom")


HERE = Path(__file__).resolve().parent


class RealEnvironment(SimpleNamespace):
    """The interpreter of the tests, where Duramen is installed or on the path."""

    python = sys.executable

    def variables(self, **more):
        path = os.pathsep.join(
            [str(HERE.parents[1] / "benches" / "python"), os.environ.get("PYTHONPATH", "")]
        )
        return {**os.environ, "PYTHONPATH": path, **more}


@pytest.mark.parametrize(
    "scenario", ["disabled", "devnull", "file", "exception", "rotating", "queue", "8-threads"]
)
def test_duramen_is_measured_and_writes_the_same(tmp_path, scenario):
    reference = str(tmp_path / "reference.json")
    results = {
        peer: [run_process(RealEnvironment(), Request(scenario, peer, 32, reference))]
        for peer in ("standard", "duramen", "duramen-imported")
    }
    for peer, summary in summarise_all({scenario: results})[scenario].items():
        assert summary.delivers, (peer, summary.missing, summary.detail)
        assert summary.call > 0


CELLS_OF_FILES = {
    "handler duramen RotatingFileHandler 500": "cost",
    "handler standard FileHandler 500": "cost",
    "fsync never 500": "cost",
    "fsync record 20": "cost",
    "processes duramen 800": "rate",
    "pause duramen-gzip 2000000": "worst",
    "pause standard-gzip 2000000": "worst",
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes of a cell are forked")
@pytest.mark.parametrize("words", CELLS_OF_FILES)
def test_the_cells_of_files_find_what_was_logged(words):
    found = files.run(*words.split())
    assert found[CELLS_OF_FILES[words]] > 0
    assert found.get("lost", 0) == 0
    assert found.get("synced", 0) == (221 if "record" in words else 0)


def test_nothing_is_compared_with_itself(tmp_path):
    request = Request("file", "duramen", 32, str(tmp_path / "reference.json"))
    result = run_process(RealEnvironment(), request)
    assert result.missing == "failed"
    assert "no lines of the standard library" in result.detail
