"""``AsyncHandler``: whole records in order, each of them in one place of the ledger, and ends that lose nothing."""

import asyncio
import gc
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import pytest

import duramen as logging
from duramen import _unfinished
from duramen.config import dictConfig
from duramen.formatters import JsonFormatter
from duramen.handlers import AsyncHandler

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


class Collecting(logging.Handler):
    """Keeps records; waits before each while its gate is closed."""

    def __init__(self):
        super().__init__()
        self.records = []
        self.gate = threading.Event()
        self.gate.set()

    def emit(self, record):
        self.gate.wait()
        self.records.append(record)

    def messages(self):
        return [record.getMessage() for record in self.records]


def logger_with(handler):
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    return logger


def wait_until(condition):
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.001)


def fill(pipe):
    """Write into a pipe until nothing more goes in; how much did."""
    os.set_blocking(pipe, False)
    filled = 0
    try:
        while True:
            filled += os.write(pipe, b"." * 4096)
    except BlockingIOError:
        os.set_blocking(pipe, True)
    return filled


def balance(stats):
    """What the ledger must give: zero."""
    gone = sum(stats[name] for name in ("delivered", "failed", "queued", "in_flight"))
    return stats["accepted"] - gone - stats["dropped"]["oldest"] - stats["dropped"]["abandoned"]


@pytest.fixture
def file(tmp_path):
    handler = logging.FileHandler(tmp_path / "out.log")
    handler.path = tmp_path / "out.log"
    yield handler
    handler.close()


@pytest.fixture
def collecting():
    handler = Collecting()
    yield handler
    handler.gate.set()


class TestDelivery:
    def test_a_file_gets_whole_lines_in_the_order_of_each_thread(self, file):
        handler = AsyncHandler(file, capacity=100)
        logger = logger_with(handler)

        def work(thread):
            for number in range(500):
                logger.info("%d %d %s", thread, number, "é" * number)

        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert handler.flush() is True
        lines = [line.split(" ") for line in file.path.read_text(encoding="utf-8").splitlines()]
        for thread in range(4):
            own = [(int(number), tail) for which, number, tail in lines if int(which) == thread]
            assert own == [(number, "é" * number) for number in range(500)]
        assert handler.stats()["delivered"] == 2000

    @pytest.mark.parametrize("kind", ["FileHandler", "WatchedFileHandler", "RotatingFileHandler"])
    def test_a_line_that_somebody_else_has_left_without_an_end_is_ended(self, tmp_path, kind):
        # A process of its own, since reports come at a limited rate.
        program = f"""
        import duramen as logging
        import duramen.handlers
        from duramen.handlers import AsyncHandler
        kind = getattr(logging, "{kind}", None) or getattr(logging.handlers, "{kind}")
        handler = AsyncHandler(kind("out.log"))
        logger = logging.Logger("n")
        logger.addHandler(handler)
        logger.info("one")
        handler.flush()
        # As a process leaves it that is killed while it writes.
        with open("out.log", "ab") as other:
            other.write(b"a part")
        logger.info("two")
        handler.flush()
        logger.info("three")
        """
        package = os.path.dirname(os.path.dirname(logging.__file__))
        path = os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])
        result = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        assert (tmp_path / "out.log").read_text().splitlines() == ["one", "a part", "two", "three"]
        assert "the last line of a file was cut off, and got an end" in result.stderr

    def test_a_file_that_was_replaced_is_gone_on_with(self, file):
        handler = AsyncHandler(file)
        logger = logger_with(handler)
        logger.info("one")
        handler.flush()
        moved = file.path.rename(file.path.with_suffix(".1"))
        file.path.write_text("of somebody else")
        logger.info("two")
        handler.close()
        assert (moved.read_text(), file.path.read_text()) == ("one\ntwo\n", "of somebody else")

    def test_no_thread_of_python_is_needed_for_a_file(self, file):
        handler = AsyncHandler(file)
        before = threading.active_count()
        logger_with(handler).info("m")
        assert (handler.flush(), threading.active_count()) == (True, before)

    def test_an_exception_and_extra_fields_arrive_whole_in_each_formatter(self, tmp_path, collecting):
        plain, structured = (logging.FileHandler(tmp_path / name) for name in ("a", "b"))
        structured.setFormatter(JsonFormatter())
        for behind in ([plain, structured], [plain, structured, collecting]):
            handler = AsyncHandler(*behind)
            try:
                raise LookupError("no such order")
            except LookupError:
                logger_with(handler).exception("failed: %s", "x", extra={"order": {"id": 7}})
            assert handler.flush()
            text = (tmp_path / "a").read_text().splitlines()
            assert (text[0], text[-1]) == ("failed: x", "LookupError: no such order")
            fields = json.loads((tmp_path / "b").read_text().splitlines()[-1])
            assert fields["order"] == {"id": 7}
            assert "LookupError: no such order" in json.dumps(fields)
        (record,) = collecting.records
        assert (record.order, record.exc_info[0]) == ({"id": 7}, LookupError)
        assert record.exc_info[2].tb_frame.f_code.co_name.startswith("test_an_exception")

    def test_what_is_changed_after_the_call_arrives_as_it_was(self, collecting):
        handler = AsyncHandler(collecting)
        collecting.gate.clear()
        basket = ["tea"]
        logger = logger_with(handler)
        logger.info("basket %s", basket, extra={"basket": basket})
        logger.info({"basket": basket})
        basket.append("milk")
        collecting.gate.set()
        assert handler.flush()
        first, second = collecting.records
        assert (first.getMessage(), first.basket, second.msg) == (
            "basket ['tea']",
            ["tea"],
            {"basket": ["tea"]},
        )

    def test_levels_and_filters_of_the_handlers_behind_hold(self, file, collecting):
        file.setLevel("WARNING")
        collecting.addFilter(lambda record: "secret" not in record.getMessage())
        handler = AsyncHandler(file, collecting)
        logger = logger_with(handler)
        logger.info("low")
        logger.error("secret")
        assert handler.flush()
        assert (file.path.read_text(), collecting.messages()) == ("secret\n", ["low"])
        assert handler.stats()["handlers"][0] == {"delivered": 1, "failed": 0, "below_level": 1}

    def test_the_order_holds_when_native_and_python_records_alternate(self, file):
        handler = AsyncHandler(file)
        logger = logger_with(handler)
        for number in range(200):
            # A lone surrogate is carried in Python form only, and refused by the file.
            logger.info("%d", number)
            if number % 50 == 49:
                handler.addFilter(str)
                logger.info("filtered %d", number)
                handler.removeFilter(str)
        assert handler.flush()
        expected = []
        for number in range(200):
            expected.append(str(number))
            if number % 50 == 49:
                expected.append(f"filtered {number}")
        assert file.path.read_text().splitlines() == expected

    def test_a_stream_that_is_closed_takes_no_line_to_another_file(self, file, tmp_path):
        handler = AsyncHandler(file, flush_interval=60)
        logger_with(handler).info("m")
        file.stream.close()
        file.stream = None
        with open(tmp_path / "other", "w") as other:
            assert handler.flush()
            other.flush()
        assert (file.path.read_text(), (tmp_path / "other").read_text()) == ("m\n", "")

    def test_a_handler_that_fails_is_counted_and_the_others_go_on(self, collecting):
        class Failing(logging.Handler):
            def handle(self, record):
                raise ValueError("no")

            def handleError(self, record):
                pass

        handler = AsyncHandler(Failing(), collecting)
        logger_with(handler).info("m")
        assert (handler.flush(), collecting.messages(), handler.stats()["failed"]) == (True, ["m"], 1)
        assert [counts["failed"] for counts in handler.stats()["handlers"]] == [1, 0]

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full disk")
    def test_a_full_disk_is_counted(self, capfd):
        with open("/dev/full", "w") as full:
            handler = AsyncHandler(logging.StreamHandler(full))
            logger_with(handler).info("m")
            handler.flush()
            assert (handler.stats()["failed"], balance(handler.stats())) == (1, 0)
        assert "No space left" in capfd.readouterr().err


class TestPolicies:
    @pytest.mark.parametrize(
        ("overflow", "cause", "kept"),
        [
            ("drop_newest", "newest", [0, 1, 2]),
            ("drop_oldest", "oldest", [0, 3, 4]),
            ("drop_below:WARNING", "below_level", [0, 1, 2]),
        ],
    )
    def test_a_full_queue_drops_and_counts(self, collecting, overflow, cause, kept):
        handler = AsyncHandler(collecting, capacity=2, overflow=overflow, flush_interval=0)
        logger = logger_with(handler)
        collecting.gate.clear()
        logger.info(0)
        wait_until(lambda: handler.stats()["in_flight"] == 1)
        for number in range(1, 5):
            logger.info(number)
        stats = handler.stats()
        assert (stats["dropped"][cause], balance(stats)) == (2, 0)
        collecting.gate.set()
        assert handler.flush()
        assert collecting.messages() == [str(number) for number in kept]

    def test_a_caller_waits_no_longer_than_it_was_told(self, collecting):
        handler = AsyncHandler(collecting, capacity=1, block_timeout=0.05, flush_interval=0)
        logger = logger_with(handler)
        collecting.gate.clear()
        logger.info(0)
        wait_until(lambda: handler.stats()["in_flight"] == 1)
        logger.info(1)
        begun = time.monotonic()
        # A call that waited until there is room would not return.
        logger.info(2)
        assert time.monotonic() - begun >= 0.05
        assert handler.stats()["dropped"]["timeout"] == 1
        assert handler.flush(timeout=0.01) is False

    @needs_fork
    @pytest.mark.parametrize(
        "options, cause, dropped",
        [
            ({"overflow": "drop_newest"}, "newest", 18),
            ({"overflow": "drop_oldest"}, "oldest", 18),
            ({"overflow": "drop_below:ERROR"}, "below_level", 18),
            ({"overflow": "block", "block_timeout": 0}, "timeout", 18),
            ({"overflow": "block", "block_timeout": 0.01}, "timeout", 18),
        ],
    )
    def test_an_event_loop_goes_on_while_the_receiver_is_stalled(self, collecting, options, cause, dropped):
        """The receiver takes nothing until the loop has ended: a call that waited for it would never return."""
        collecting.gate.clear()
        handler = AsyncHandler(collecting, capacity=2, flush_interval=0, **options)
        logger = logger_with(handler)
        turns = []

        async def logs():
            for number in range(20):
                logger.info("%d", number)
                await asyncio.sleep(0)

        async def counts():
            for turn in range(20):
                turns.append(turn)
                await asyncio.sleep(0)

        async def main():
            logger.info("the one that the receiver is stalled with")
            while handler.stats()["in_flight"] < 1:
                await asyncio.sleep(0.001)
            await asyncio.gather(logs(), counts())

        asyncio.run(main())
        stats = handler.stats()
        assert (len(turns), stats["dropped"][cause], balance(stats)) == (20, dropped, 0)
        collecting.gate.set()
        handler.close()

    def test_a_receiver_that_takes_nothing_holds_up_nobody_but_its_queue(self):
        read, write = os.pipe()
        filled = fill(write)
        stream = open(write, "w")
        handler = AsyncHandler(logging.StreamHandler(stream), capacity=10, overflow="drop_newest")
        logger = logger_with(handler)
        logger.info("the one that the worker is stalled with")
        while handler.stats()["in_flight"] < 1:
            time.sleep(0.001)
        assert handler.flush(timeout=0.01) is False
        for _ in range(30):
            logger.info("x" * 1000)
        stats = handler.stats()
        assert (stats["queued"], stats["dropped"]["newest"], balance(stats)) == (10, 20, 0)
        received = []
        reader = threading.Thread(target=lambda: received.append(open(read).read()))
        reader.start()
        assert handler.flush(timeout=20)
        handler.close()
        stream.close()
        # The worker's own descriptor is closed with the queue.
        del handler, logger
        reader.join(20)
        assert received[0][filled:].count("\n") == stats["accepted"] == 11

    def test_the_ledger_balances_while_threads_log(self, collecting):
        handler = AsyncHandler(collecting, capacity=8, overflow="drop_oldest", flush_interval=0)
        logger = logger_with(handler)
        work = [threading.Thread(target=lambda: [logger.info("m") for _ in range(2000)]) for _ in range(3)]
        [thread.start() for thread in work]
        balances = set()
        while any(thread.is_alive() for thread in work):
            balances.add(balance(handler.stats()))
        assert handler.flush()
        stats = handler.stats()
        assert balances <= {0}
        assert (stats["accepted"], len(collecting.records)) == (6000, stats["delivered"])


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"capacity": 0}, "capacity: found 0, expected a whole number"),
            ({"capacity": True}, "capacity: found True"),
            ({"overflow": "wait"}, "overflow: found 'wait', expected 'block'"),
            ({"overflow": "drop_below:LOUD"}, "overflow: found 'drop_below:LOUD'"),
            ({"block_timeout": -1}, "block_timeout: found -1"),
            ({"block_timeout": 1, "overflow": "drop_newest"}, "block_timeout: found 1, expected None"),
            ({"flush_interval": float("nan")}, "flush_interval: found nan"),
        ],
    )
    def test_a_wrong_one_is_refused_by_name(self, options, said):
        with pytest.raises(ValueError, match="AsyncHandler: ") as caught:
            AsyncHandler(logging.NullHandler(), **options)
        assert said in str(caught.value)

    def test_handlers_are_needed_and_formatters_belong_to_them(self):
        with pytest.raises(ValueError, match="handlers: found none"):
            AsyncHandler()
        with pytest.raises(ValueError, match="formatter: found one"):
            AsyncHandler(logging.NullHandler()).setFormatter(logging.Formatter())

    def test_a_configuration_names_the_handlers(self, tmp_path):
        dictConfig(
            {
                "version": 1,
                "handlers": {
                    "a_queue": {
                        "class": "duramen.handlers.AsyncHandler",
                        "handlers": ["file"],
                        "capacity": 10,
                        "level": "INFO",
                    },
                    "file": {"class": "logging.FileHandler", "filename": str(tmp_path / "out.log")},
                },
                "loggers": {"configured": {"handlers": ["a_queue"], "level": "DEBUG"}},
            }
        )
        logger = logging.getLogger("configured")
        (handler,) = logger.handlers
        logger.debug("low")
        logger.info("m")
        assert (type(handler), handler.flush()) == (AsyncHandler, True)
        assert (tmp_path / "out.log").read_text() == "m\n"


class TestClosing:
    def test_it_delivers_what_waits_and_closes_the_handlers(self, file):
        handler = AsyncHandler(file, flush_interval=60)
        logger = logger_with(handler)
        logger.info("m")
        handler.close()
        handler.close()
        assert (file.path.read_text(), file.stream) == ("m\n", None)

    @pytest.mark.parametrize("kind", ["native", "python"])
    def test_what_comes_later_is_written_too_as_to_a_file_that_was_closed(self, file, kind):
        if kind == "python":
            file.addFilter(lambda record: True)
        handler = AsyncHandler(file, flush_interval=60)
        logger = logger_with(handler)
        for number in range(3):
            logger.info("%d", number)
            handler.close()
        logger.info("3")
        assert handler.flush() is True
        assert file.path.read_text().split() == ["0", "1", "2", "3"]
        stats = handler.stats()
        assert (stats["accepted"], stats["delivered"], set(stats["dropped"].values())) == (4, 4, {0})
        handler.close()
        assert file.stream is None

    def test_one_that_could_not_deliver_takes_nothing_more_and_counts_it(
        self, collecting, capfd, monkeypatch
    ):
        monkeypatch.setattr(_unfinished, "LONGEST_WAIT", 0.2)
        handler = AsyncHandler(collecting)
        logger = logger_with(handler)
        collecting.gate.clear()
        for _ in range(3):
            logger.info("m")
        handler.close()
        logger.info("late")
        stats = handler.stats()
        collecting.gate.set()
        assert stats["dropped"]["closed"] == 1
        assert stats["accepted"] == stats["delivered"] + stats["in_flight"] + stats["dropped"]["abandoned"]
        assert "records were not delivered" in capfd.readouterr().err

    def test_what_a_handler_behind_raises_is_reported_and_stays_with_it(self, file, capsys):
        class Broken(Collecting):
            def flush(self):
                raise OSError("the receiver is gone")

            def close(self):
                super().close()
                raise RuntimeError("closed twice")

        handler = AsyncHandler(Broken(), file)
        logger_with(handler).info("m")
        assert handler.flush() is True
        assert "AsyncHandler: Broken.flush raised OSError: the receiver is gone" in capsys.readouterr().err
        handler.close()
        assert "Broken.close raised RuntimeError: closed twice" in capsys.readouterr().err
        assert file.stream is None, "the other one is closed all the same"


class TestReentrancy:
    def test_a_handler_behind_the_queue_may_log_into_it(self):
        class Echoing(Collecting):
            def emit(self, record):
                super().emit(record)
                if record.getMessage() == "m":
                    logger.info("echo")

        behind = Echoing()
        handler = AsyncHandler(behind, capacity=1)
        logger = logger_with(handler)
        logger.info("m")
        assert handler.flush() and handler.flush()
        assert behind.messages() == ["m", "echo"]

    def test_what_is_logged_may_log(self, file):
        handler = AsyncHandler(file)
        logger = logger_with(handler)

        class Talking:
            def __repr__(self):
                logger.info("from repr")
                return "talking"

            def __del__(self):
                logger.info("from del")

        logger.info("%r", Talking())
        assert handler.flush()
        lines = file.path.read_text().splitlines()
        assert set(lines) == {"from repr", "talking", "from del"}

    @pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")
    def test_a_signal_handler_may_log_while_the_caller_waits_for_room(self, collecting):
        handler = AsyncHandler(collecting, capacity=1, flush_interval=0)
        logger = logger_with(handler)
        collecting.gate.clear()
        logger.info(0)
        wait_until(lambda: handler.stats()["in_flight"] == 1)
        logger.info(1)

        def on_signal(*_):
            collecting.gate.set()
            logger.info("from the signal")

        previous = signal.signal(signal.SIGALRM, on_signal)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            logger.info(2)
        finally:
            signal.signal(signal.SIGALRM, previous)
        assert handler.flush()
        assert sorted(collecting.messages()) == ["0", "1", "2", "from the signal"]


def test_a_handler_that_nobody_has_any_more_delivers_what_waits(file):
    handler = AsyncHandler(file, flush_interval=60)
    logger_with(handler).info("m")
    del handler
    wait_until(lambda: file.path.read_text() == "m\n")


def test_a_circle_of_handlers_is_collected():
    behind = Collecting()
    handler = AsyncHandler(behind)
    behind.front = handler
    gone = weakref.ref(handler)
    logger_with(handler).info("m")
    assert handler.flush()
    handler.close()
    del handler, behind
    gc.collect()
    assert gone() is None


def test_a_stream_in_memory_is_written_too():
    stream = io.StringIO()
    handler = AsyncHandler(logging.StreamHandler(stream))
    logger_with(handler).info("m")
    assert (handler.flush(), stream.getvalue()) == (True, "m\n")


def test_a_filter_that_is_attached_meanwhile_is_not_passed_by(file):
    handler = AsyncHandler(file)

    class Attaching:
        def __repr__(self):
            file.addFilter(lambda record: False)
            return "secret"

    logger_with(handler).info("%r", Attaching())
    assert (handler.flush(), file.path.read_text()) == (True, "")
