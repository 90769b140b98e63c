"""``QueueHandler`` with a queue that was made for it: as with CPython's, whichever way records take."""

import contextlib
import importlib
import os
import queue
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

import duramen
from duramen import _core

#: Seconds for what takes none: a test that waits so long has failed.
PATIENCE = 30
makes_queues = pytest.mark.skipif(sys.version_info < (3, 12), reason="dictConfig makes queues from 3.12 on")


class Way:
    """One of the modules under which a program finds ``logging``."""

    def __init__(self, name):
        self.is_standard = name == "standard"
        package = "duramen" if name == "imported" else "logging"
        self.logging = importlib.import_module(package)
        self.handlers = importlib.import_module(f"{package}.handlers")
        self.config = importlib.import_module(f"{package}.config")
        self.listeners = []

    def front(self, *behind, formatter=None, **options):
        """A logger, a handler with a queue that was made for it, and its listener."""
        handler = (
            self.handlers.QueueHandler(queue.Queue()) if self.is_standard else self.handlers.QueueHandler()
        )
        handler.setFormatter(formatter)
        listener = self.handlers.QueueListener(handler.queue, *behind, **options)
        self.listeners.append(listener)
        logger = self.logging.Logger("shop", self.logging.DEBUG)
        logger.addHandler(handler)
        return logger, handler, listener

    def takes_the_fast_way(self, logger):
        return not self.is_standard and _core.route(logger) is None


@pytest.fixture(params=["standard", "imported", "installed"])
def way(request):
    if request.param == "installed":
        duramen.install()
    way = Way(request.param)
    yield way
    for listener in way.listeners:
        if listener._thread is not None:
            listener.stop()
    duramen.uninstall()


@pytest.fixture
def lines(way, tmp_path):
    """A handler that writes to a file, and what that holds."""
    path = tmp_path / "out.log"
    handler = way.logging.FileHandler(path, encoding="utf-8")
    yield handler, lambda: path.read_text(encoding="utf-8").splitlines()
    handler.close()


class Keeps(duramen.Handler):
    """Keeps the records, each when ``gate`` lets it."""

    def __init__(self, gate=None):
        super().__init__()
        self.records = []
        self.gate = gate

    def emit(self, record):
        if self.gate is not None:
            assert self.gate.wait(PATIENCE)
        self.records.append(record)

    @property
    def messages(self):
        return [record.getMessage() for record in self.records]


def wait_until(condition):
    """The listener's thread looks at what is set when it comes to a record."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.001)


def test_handlers_behind_get_what_they_get_from_cpython(way, lines):
    behind, written = lines
    behind.setFormatter(way.logging.Formatter("%(levelname)s|%(name)s|%(message)s|%(threadName)s|%(lineno)d"))
    behind.setLevel("ERROR")
    logger, _, listener = way.front(behind)
    logger.info("before %d", 1)
    listener.start()
    assert way.takes_the_fast_way(logger) is not way.is_standard
    logger.info("plain")
    logger.info("arguments %s %r", "ä", {"k": 1})
    logger.info("mapping %(a)s", {"a": 5})
    logger.info("extra", extra={"tenant": 7})
    logger.warning("none", exc_info=True)
    try:
        raise KeyError("lost")
    except KeyError:
        logger.exception("caught %s", "it")
    logger.error("stack", stack_info=True)
    logger.error("lone \ud800 surrogate")
    listener.stop()
    shown = written()
    starts = ["INFO|shop|before 1|MainThread|", "INFO|shop|plain|", "INFO|shop|arguments ä {'k': 1}|"]
    starts += ["INFO|shop|mapping 5|", "INFO|shop|extra|", "WARNING|shop|none"]
    assert [line[: len(start)] for line, start in zip(shown, starts)] == starts
    # Without respect_handler_level the listener gives all, and the exception is part of the message.
    exception = shown.index("ERROR|shop|caught it")
    assert shown[exception + 1] == "Traceback (most recent call last):"
    ends = [line for line in shown if line.startswith("KeyError: 'lost'|MainThread|")]
    assert len(ends) == 1
    assert any(line.startswith("Stack (most recent call last):") for line in shown)


def test_a_formatter_in_front_makes_the_message(way, lines):
    behind, written = lines
    behind.setFormatter(way.logging.Formatter("[%(message)s] %(levelname)s"))
    front = way.logging.Formatter("<%(levelname)s %(message)s>")
    logger, _, listener = way.front(behind, formatter=front)
    listener.start()
    logger.info("a %d", 1)
    try:
        raise KeyError("lost")
    except KeyError:
        logger.exception("caught")
    listener.stop()
    shown = written()
    assert shown[0] == "[<INFO a 1>] INFO"
    assert shown[1] == "[<ERROR caught>"
    assert shown[-1] == "KeyError: 'lost'] ERROR"


@pytest.mark.parametrize("respects", [False, True])
def test_levels_of_the_handlers_behind(way, lines, respects):
    behind, written = lines
    behind.setLevel("ERROR")
    logger, handler, listener = way.front(behind, respect_handler_level=respects)
    handler.setLevel("INFO")
    listener.start()
    assert way.takes_the_fast_way(logger) is not way.is_standard
    for level in ("debug", "info", "error"):
        getattr(logger, level)(level)
    listener.stop()
    assert written() == (["error"] if respects else ["info", "error"])


def test_filters_in_front_and_behind(way, lines):
    behind, written = lines
    logger, handler, listener = way.front(behind)
    handler.addFilter(way.logging.Filter("shop"))
    behind.addFilter(lambda record: "drop" not in record.getMessage())
    listener.start()
    logger.info("keep")
    logger.info("drop")
    listener.stop()
    assert written() == ["keep"]


def test_records_behind_are_prepared(way):
    behind = Keeps()
    logger, handler, listener = way.front(behind)
    listener.start()
    try:
        raise KeyError("lost")
    except KeyError:
        logger.exception("caught %d", 5, extra={"tenant": 7})
    listener.stop()
    (record,) = behind.records
    assert record.msg == record.message
    assert record.msg.startswith("caught 5\nTraceback ") and record.msg.endswith("KeyError: 'lost'")
    assert (record.args, record.exc_info, record.exc_text, record.tenant) == (None, None, None, 7)


def test_what_no_listener_takes_waits_in_order(way, lines):
    behind, written = lines
    logger, handler, listener = way.front(behind)
    logger.info("1")
    listener.start()
    logger.info("2")
    listener.stop()
    logger.info("3")
    logger.info("4")
    assert written() == ["1", "2"]
    listener.start()
    logger.info("5")
    listener.stop()
    assert written() == ["1", "2", "3", "4", "5"]
    logger.info("6")
    assert handler.queue.qsize() == 1
    assert handler.queue.get_nowait().getMessage() == "6"


def test_who_looks_before_the_start_finds_records(way):
    logger, handler, listener = way.front(Keeps())
    logger.info("a %d", 1)
    assert [record.msg for record in handler.queue.queue] == ["a 1"]
    assert handler.queue.unfinished_tasks == 1
    assert type(handler.queue) is queue.Queue
    assert repr(handler.queue).startswith("<queue.Queue object at ")
    listener.start()
    logger.info("a %d", 2)
    listener.stop()
    assert listener.handlers[0].messages == ["a 1", "a 2"]


def test_who_looks_meanwhile_loses_nothing(way):
    gate = threading.Event()
    behind = Keeps(gate)
    logger, handler, listener = way.front(behind)
    listener.start()
    for number in range(3):
        logger.info("%d", number)
    assert handler.queue.full() is False
    assert type(handler.queue) is queue.Queue
    for number in range(3, 6):
        logger.info("%d", number)
    handler.queue.put_nowait(way.logging.makeLogRecord({"msg": "own"}))
    gate.set()
    handler.queue.join()
    assert behind.messages == ["0", "1", "2", "3", "4", "5", "own"]
    thread = listener._thread
    listener.stop()
    assert not thread.is_alive()
    assert listener._thread is None


def test_threads_keep_their_order_while_somebody_looks(way, lines):
    behind, written = lines
    each, threads = 200, 8
    logger, handler, listener = way.front(behind)
    listener.start()
    halfway = threading.Event()

    def work(name):
        for number in range(each):
            if number == each // 2:
                halfway.set()
            logger.info("%s %d", name, number)

    workers = [threading.Thread(target=work, args=(name,)) for name in range(threads)]
    for worker in workers:
        worker.start()
    assert halfway.wait(PATIENCE)
    handler.queue.qsize()
    for worker in workers:
        worker.join()
    listener.stop()
    shown = [line.split() for line in written()]
    for name in range(threads):
        assert [int(number) for own, number in shown if own == str(name)] == list(range(each))
    assert len(shown) == each * threads


def test_the_thread_is_one_of_threading(way):
    logger, _, listener = way.front(Keeps())
    listener.start()
    assert listener._thread in threading.enumerate()
    assert listener._thread.daemon and listener._thread.is_alive()
    assert "(_monitor)" in listener._thread.name
    listener.stop()


def test_what_is_set_while_the_listener_runs_counts(way, lines):
    behind, written = lines
    other = Keeps()
    logger, handler, listener = way.front(behind)
    listener.start()
    logger.info("1")
    wait_until(written)
    listener.handlers = (behind, other)
    logger.info("2")
    wait_until(lambda: other.messages)
    handled = []
    own = listener.handle
    listener.handle = lambda record: (handled.append(record.getMessage()), own(record))
    logger.info("3")
    listener.stop()
    assert (written(), other.messages, handled) == (["1", "2", "3"], ["2", "3"], ["3"])


def test_own_methods_are_called(way):
    called = []

    class Handler(way.handlers.QueueHandler):
        def prepare(self, record):
            called.append("prepare")
            return super().prepare(record)

        def enqueue(self, record):
            called.append(type(self.queue).__name__)
            super().enqueue(record)

    class Listener(way.handlers.QueueListener):
        def dequeue(self, block):
            called.append("dequeue")
            return super().dequeue(block)

        def handle(self, record):
            called.append(record.msg)
            super().handle(record)

    handler = Handler(queue.Queue()) if way.is_standard else Handler()
    behind = Keeps()
    listener = Listener(handler.queue, behind)
    logger = way.logging.Logger("shop")
    logger.addHandler(handler)
    listener.start()
    logger.warning("a %d", 1)
    listener.stop()
    assert behind.messages == ["a 1"]
    assert sorted(called) == sorted(["prepare", "Queue", "dequeue", "dequeue", "a 1"])


def test_two_listeners_share_one_queue(way):
    ones, others = Keeps(), Keeps()
    before = threading.active_count()
    logger, handler, listener = way.front(ones)
    second = way.handlers.QueueListener(handler.queue, others)
    listener.start()
    second.start()
    for number in range(20):
        logger.info("%d", number)
    handler.queue.join()
    # Each order to stop ends one of the threads.
    for one in (listener, second):
        one.enqueue_sentinel()
    for one in (listener, second):
        one._thread.join(PATIENCE)
        assert not one._thread.is_alive()
        one._thread = None
    assert threading.active_count() == before
    assert sorted(ones.messages + others.messages, key=int) == [str(number) for number in range(20)]


def test_stopping_what_was_not_started(way):
    logger, handler, listener = way.front(Keeps())
    with contextlib.suppress(AttributeError):
        # Before CPython 3.12.3 this fails, with an order to stop left in the queue.
        listener.stop()
    logger.info("1")
    messages = [getattr(record, "msg", record) for record in handler.queue.queue]
    assert messages in (["1"], [None, "1"])


def test_a_listener_that_fails_goes_on_with_the_next_record(tmp_path, capsys):
    class Fails(duramen.Handler):
        def handle(self, record):
            raise KeyError(record.getMessage())

    way = Way("imported")
    kept = Keeps()
    logger, _, listener = way.front(kept, Fails())
    listener.start()
    logger.info("1")
    logger.info("2")
    listener.stop()
    assert kept.messages == ["1", "2"]
    assert capsys.readouterr().err.count("KeyError: ") == 2


def test_uninstalled_while_the_listener_runs(tmp_path):
    duramen.install()
    way = Way("installed")
    behind = Keeps()
    logger, handler, listener = way.front(behind)
    listener.start()
    logger.info("1")
    duramen.uninstall()
    logger.info("2")
    assert type(handler.queue) is queue.Queue
    listener.stop()
    assert behind.messages == ["1", "2"]


CONFIGURED = """
    import os, signal, sys, threading
    if {installed}:
        import duramen
        duramen.install()
        import logging, logging.config
    else:
        import duramen as logging
        import duramen.config
    logging.config.dictConfig({{
        "version": 1,
        "handlers": {{
            "file": {{"class": "logging.FileHandler", "filename": sys.argv[1]}},
            "queue": {{"class": "logging.handlers.QueueHandler", "handlers": ["file"]}},
        }},
        "root": {{"handlers": ["queue"], "level": "INFO"}},
    }})
    from duramen import _core
    log = logging.getLogger("shop")
    handler = logging.getHandlerByName("queue")
    handler.listener.start()
    assert _core.route(log) is None
    for number in range(2000):
        log.info("%d", number)
"""


@makes_queues
@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize(
    ("end", "code", "further"),
    [
        ("", 0, []),
        ("sys.exit(3)", 3, []),
        ("raise KeyError(5)", 1, []),
        ("os.kill(os.getpid(), signal.SIGTERM); threading.Event().wait(30)", -signal.SIGTERM, []),
        ("import atexit; atexit.register(log.info, 'late')", 0, ["late"]),
        ("import atexit; atexit.register(handler.listener.stop)", 0, []),
        ("handler.queue.qsize(); handler.listener.stop()", 0, []),
        (
            "child = os.fork()\nlog.info('child' if child == 0 else 'parent')\nif child: os.waitpid(child, 0)",
            0,
            ["child", "parent"],
        ),
    ],
)
def test_ends_of_a_configured_process(tmp_path, installed, end, code, further):
    path = tmp_path / "out.log"
    program = textwrap.dedent(CONFIGURED).format(installed=installed) + end + "\n"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(path)],
        env=environment,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr
    shown = path.read_text().splitlines()
    # A forked child does not wait for what its parent has put into the queue.
    assert [line for line in shown if line not in further] == [str(number) for number in range(2000)]
    assert sorted(line for line in shown if line in further) == further


@makes_queues
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("kind", ["QueueHandler", "AsyncHandler"])
def test_workers_of_multiprocessing_lose_nothing(tmp_path, method, kind):
    path = tmp_path / "out.log"
    end = """
    if __name__ == "__main__":
        import multiprocessing
        context = multiprocessing.get_context(sys.argv[2])
        workers = [context.Process(target=log.info, args=("worker %d", number)) for number in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        handler.listener.stop()
    """
    program = textwrap.dedent(CONFIGURED).format(installed=True) + textwrap.dedent(end)
    if method != "fork":
        program = program.replace("range(2000)", "range(1)")
    if kind == "AsyncHandler":
        program = program.replace("logging.handlers.QueueHandler", "duramen.handlers.AsyncHandler")
        program = program.replace("listener.start", "flush").replace("listener.stop", "flush")
    script = tmp_path / "program.py"
    script.write_text(program)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-W", "ignore", str(script), str(path), method]
    done = subprocess.run(words, env=environment, timeout=60, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shown = path.read_text().splitlines()
    assert sorted(line for line in shown if line.startswith("worker")) == [f"worker {n}" for n in range(4)]
