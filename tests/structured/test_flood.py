"""Filters against floods: what is held back is counted and said, and errors go on."""

import io
import os
import pickle
import subprocess
import sys

import pytest
from structured.both_ways import record

import duramen as logging
from duramen.filters import DuplicateFilter, RateLimitFilter, SamplingFilter


def logger_with(filter):
    """A logger with a handler that has the filter, the handler's stream, and a clock that the test sets."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(filter)
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    clock = [100.0]
    filter._now = lambda: clock[0]
    return logger, stream, clock


class TestRateLimit:
    def test_a_burst_then_the_rate(self):
        logger, stream, clock = logger_with(RateLimitFilter(rate=2, burst=3))
        for number in range(5):
            logger.info("m %d", number)
        clock[0] += 0.5
        logger.info("later")
        logger.info("later")
        assert stream.getvalue().splitlines() == ["m 0", "m 1", "m 2", "later [2 more suppressed]"]

    def test_what_was_held_back_is_a_field_too(self):
        limit = RateLimitFilter(rate=1, burst=1)
        limit._now = iter([0.0, 0.0, 5.0]).__next__
        first = record(levelno=20)
        assert limit.filter(first) is first
        assert limit.filter(record(levelno=20)) is False
        said = limit.filter(record(levelno=20))
        assert (said.suppressed, limit.suppressed()) == (1, 1)

    def test_the_record_itself_is_left_as_it_was(self):
        logger, _, clock = logger_with(RateLimitFilter(rate=1, burst=1))
        seen = []

        class Kept(logging.Handler):
            def emit(self, record):
                seen.append(record.getMessage())

        logger.addHandler(Kept())
        logger.info("m")
        logger.info("m")
        clock[0] += 10
        logger.info("m")
        assert seen == ["m", "m", "m"]

    def test_errors_go_on(self):
        logger, stream, _ = logger_with(RateLimitFilter(rate=1, burst=1))
        for _ in range(3):
            logger.error("e")
        assert stream.getvalue() == "e\n" * 3

    @pytest.mark.parametrize(
        ("per", "passing"),
        [
            ("logger", 2),
            ("level", 2),
            (None, 1),
            (lambda record: record.user, 3),
            ("field:user", 3),
            ("field:nobody", 1),
            (lambda record: record.nobody, 1),
        ],
    )
    def test_what_has_a_limit_of_its_own(self, per, passing):
        limit = RateLimitFilter(rate=1, burst=1, per=per)
        limit._now = lambda: 0.0
        records = [
            record(name=name, levelno=level, user=user)
            for name, level, user in (("a", 10, 1), ("b", 10, 2), ("a", 20, 3), ("b", 20, 1))
        ]
        assert sum(bool(limit.filter(one)) for one in records) == passing

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"rate": 0}, "rate: found 0"),
            ({"rate": float("nan")}, "rate: found NaN"),
            ({"rate": 1, "burst": 0.5}, "burst: found 0.5, expected a number of records, 1 or more"),
            (
                {"rate": 1, "per": "day"},
                "per: found 'day', expected 'logger', 'level', 'field:' and the name of",
            ),
            ({"rate": 1, "per": "field:"}, "per: found 'field:'"),
            ({"rate": 1, "per": "field:threadName"}, "per: found 'field:threadName'"),
            ({"rate": 1, "exempt": "LOUD"}, "exempt: found 'LOUD', expected a level or None"),
            ({"rate": 1, "exempt": 1.5}, "exempt: found 1.5, expected a level or None"),
            ({"rate": "fast"}, "rate: found 'fast', expected a number"),
        ],
    )
    def test_wrong_options_are_refused(self, options, problem):
        with pytest.raises(ValueError, match=problem):
            RateLimitFilter(**options)

    def test_a_million_keys_do_not_fill_the_memory(self):
        limit = RateLimitFilter(rate=1, burst=1, per=lambda record: record.user)
        now = iter(range(10**9))
        limit._now = lambda: float(next(now))
        one = record(levelno=20)
        for number in range(30_000):
            one.user = number
            assert limit.filter(one)


class TestDuplicates:
    def test_the_same_message_becomes_one_in_a_window(self):
        logger, stream, clock = logger_with(DuplicateFilter(window=10))
        for _ in range(4):
            logger.info("disk %s is slow", "a")
        logger.info("disk %s is slow", "b")
        logger.warning("disk %s is slow", "a")
        clock[0] += 10
        logger.info("disk %s is slow", "a")
        assert stream.getvalue().splitlines() == [
            "disk a is slow",
            "disk b is slow",
            "disk a is slow",
            "disk a is slow [repeated 3 times]",
        ]

    def test_an_exception_is_not_written_again_on_its_way_up(self):
        logger, stream, _ = logger_with(DuplicateFilter(window=10))
        try:
            try:
                raise ValueError("v")
            except ValueError:
                logger.exception("inner")
                raise
        except ValueError as error:
            logger.exception("outer")
            assert pickle.loads(pickle.dumps(error)).args == ("v",)
        text = stream.getvalue()
        assert text.count("Traceback") == 1
        assert text.endswith("outer [exception logged before]\n")

    @pytest.mark.parametrize(
        ("filter", "note"),
        [
            ("DuplicateFilter(window=60)", "repeated 3 times"),
            ("RateLimitFilter(0.01, burst=1)", "3 more suppressed"),
        ],
    )
    def test_the_end_of_the_program_says_what_was_held_back(self, filter, note):
        program = f"""if True:
            import duramen as logging
            from duramen.filters import *
            logging.basicConfig(format="%(message)s", level="INFO")
            logging.getLogger().handlers[0].addFilter({filter})
            for _ in range(4):
                logging.info("m")
        """
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stderr.splitlines() == ["m", f"m [{note}]"]

    def test_the_end_says_it_in_the_order_in_which_the_filters_were_made(self):
        program = """if True:
            import duramen as logging
            from duramen.filters import DuplicateFilter
            for number in range(8):
                logger = logging.getLogger(f"l{number}")
                logger.addHandler(logging.StreamHandler())
                logger.handlers[0].addFilter(DuplicateFilter())
                for _ in range(2):
                    logger.warning(f"m{number}")
        """
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stderr.splitlines()[8:] == [f"m{number} [repeated 1 times]" for number in range(8)]

    @pytest.mark.parametrize("window", [0, -1, float("nan"), float("inf")])
    def test_a_window_has_a_length(self, window):
        problem = f"DuplicateFilter: window: found {window}, expected seconds, above 0"
        with pytest.raises(ValueError, match=problem):
            DuplicateFilter(window=window)


class TestSampling:
    def test_a_share_goes_on_and_says_which(self):
        sample = SamplingFilter(rate=0.25)
        passed = [one for one in (sample.filter(record(levelno=20)) for _ in range(2000)) if one]
        assert 400 < len(passed) < 600
        assert passed[0].sample_rate == 0.25
        assert sample.suppressed() == 2000 - len(passed)

    @pytest.mark.parametrize(("rate", "passing"), [(0, 0), (1, 100)])
    def test_none_and_all(self, rate, passing):
        sample = SamplingFilter(rate=rate)
        assert sum(bool(sample.filter(record(levelno=20))) for _ in range(100)) == passing

    def test_errors_are_kept(self):
        sample = SamplingFilter(rate=0)
        assert sample.filter(record(levelno=40))
        assert not SamplingFilter(rate=0, keep=None).filter(record(levelno=50))

    def test_traces_go_on_as_a_whole(self):
        sample = SamplingFilter(rate=0.5)
        passed = 0
        for number in range(200):
            trace = f"{number:032x}"
            answers = {bool(sample.filter(record(levelno=20, trace_id=trace))) for _ in range(5)}
            assert len(answers) == 1
            passed += answers.pop()
        assert 60 < passed < 140

    def test_another_process_decides_alike(self):
        program = """if True:
            import duramen as logging
            from duramen.filters import SamplingFilter
            sample = SamplingFilter(rate=0.5)
            of = lambda n: logging.makeLogRecord({"trace_id": f"{n:032x}"})
            print([n for n in range(50) if sample.filter(of(n))])
        """
        found = {
            subprocess.run(
                [sys.executable, "-c", program],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, "PYTHONHASHSEED": seed},
            ).stdout
            for seed in "12"
        }
        assert len(found) == 1

    @pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan")])
    def test_a_rate_is_a_share(self, rate):
        with pytest.raises(ValueError, match="SamplingFilter: rate: found .*, expected a share, 0 to 1"):
            SamplingFilter(rate=rate)

    @pytest.mark.parametrize(
        ("option", "problem"),
        [("keep", "keep: found 2.5, expected a level"), ("field", "field: found 2.5, expected the name")],
    )
    def test_wrong_options_are_refused(self, option, problem):
        with pytest.raises(ValueError, match=f"SamplingFilter: {problem}"):
            SamplingFilter(rate=1, **{option: 2.5})


def test_from_a_configuration():
    import duramen.config

    duramen.config.dictConfig(
        {
            "version": 1,
            "filters": {"limit": {"()": "duramen.filters.RateLimitFilter", "rate": 5, "per": "level"}},
            "handlers": {"h": {"class": "logging.NullHandler", "filters": ["limit"]}},
        }
    )


@pytest.mark.parametrize("make", [lambda: RateLimitFilter(rate=1, burst=1), DuplicateFilter])
def test_arguments_that_fail_are_no_error_of_the_application(make, capsys):
    """The handler says so, as without the filter; those that are alike are alike by their text."""
    logger, stream, clock = logger_with(make())
    for _ in range(3):
        logger.info("%d", "x")
    assert capsys.readouterr().err.count("--- Logging error ---") == 1
    clock[0] += 100
    logger.info("%d", "x")
    assert stream.getvalue().startswith("%d [")
