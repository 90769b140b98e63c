"""Signal handlers that close, fork, raise or end the process while a queue is closed or its process forks: nothing hangs, and
nothing that was accepted is lost, doubled or out of order."""

import sys
import textwrap

import pytest
from interruption_support import AT
from journal_support import lines, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs fork and alarms of POSIX")

PREPARED = (
    AT
    + """
import importlib, warnings
signal.alarm(50)
# CPython 3.12 and later warn of forks beside other threads, which some of these are.
warnings.simplefilter("ignore", DeprecationWarning)
class Own(logging.FileHandler):
    def emit(self, record):
        super().emit(record)
made = {kind}("out.log")
handler = AsyncHandler(made, capacity=4)
log.addHandler(handler)

def fill(text):
    for number in range(10):
        log.info("%s %d", text, number)

def interrupt():
    raise KeyboardInterrupt

def goes_on(text):
    # Other threads find no lock held, and the worker starts.
    def work():
        logging.getLogger("another")
        made.acquire()
        made.release()
        fill(text)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handler.flush(20), handler.stats()

def wait_for(child):
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

fill("first")
handler.flush()
"""
)

KINDS = ["logging.FileHandler", "Own"]


def texts(*names):
    return [f"{name} {number}" for name in names for number in range(10)]


def run_prepared(folder, body, kind="logging.FileHandler"):
    return run(folder, PREPARED.format(kind=kind) + textwrap.dedent(body))[1]


CLOSED_WITHIN = {
    "a fork": 'with At("park", act, "c_return"): wait_for(os.fork() or os._exit(0))',
    "closing, before": 'with At("rest", act): handler.close()',
    "closing, after": 'with At("rest", act, "c_return"): handler.close()',
    "what holds the lock of the handler behind": "with made.lock: act()",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CLOSED_WITHIN)
def test_a_handler_is_closed_by_what_interrupts_a_thread_on_which_its_worker_waits(tmp_path, case, kind):
    body = f"""
        def act():
            fill("held")
            handler.close()
        {CLOSED_WITHIN[case]}
        fill("after")
        handler.close()
        assert not any(handler.stats()["dropped"].values()), handler.stats()
    """
    assert run_prepared(tmp_path, body, kind) == ""
    assert lines(tmp_path) == texts("first", "held", "after")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moment", ['"rest", interrupt, "c_return"', '"forget", interrupt, "call"'])
def test_closing_that_is_interrupted_leaves_a_handler_that_goes_on(tmp_path, moment, kind):
    body = f"""
        try:
            with At({moment}):
                fill("closed")
                handler.close()
        except KeyboardInterrupt:
            goes_on("after")
    """
    assert run_prepared(tmp_path, body, kind) == ""
    assert lines(tmp_path) == texts("first", "closed", "after")


HOOKS = {
    "before a lock is taken": '"hold", interrupt',
    "when a lock has been taken": '"hold", interrupt, "c_return"',
    "before any is taken": '"_before", interrupt, "call"',
    "before the queues are brought to rest": '"_before_fork", interrupt, "call"',
    "when a worker has ended": '"park", interrupt, "c_return"',
    "in the child": '"_begin_child", interrupt, "call", "duramen._queue_forks"',
}


@pytest.mark.parametrize("moment", HOOKS)
def test_a_fork_whose_hooks_are_interrupted_leaves_parent_and_child_that_go_on(tmp_path, moment):
    body = f"""
        with At({HOOKS[moment]}):
            child = os.fork()
        if child == 0:
            fill("child")
            os._exit(0 if handler.flush(20) else 1)
        wait_for(child)
        goes_on("after")
    """
    # The interpreter says that it goes on.
    errors = run_prepared(tmp_path, body)
    assert errors.startswith("Exception ignored in") and errors.count("KeyboardInterrupt") == 1, errors
    assert lines(tmp_path) == texts("first", "child", "after")


def test_a_signal_handler_forks_while_its_thread_has_the_locks_for_a_fork(tmp_path):
    body = """
        with At("end_threads_before_fork", lambda: wait_for(os.fork() or os._exit(0))):
            child = os.fork()
        if child == 0:
            os._exit(0)
        wait_for(child)
        goes_on("after")
    """
    assert run_prepared(tmp_path, body) == ""
    assert lines(tmp_path) == texts("first", "after")


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="no code of Python's runs in the hooks of logging")
def test_a_signal_handler_forks_after_a_fork_while_another_thread_does(tmp_path):
    """No lock for the first fork is held then that the other one waits for with those that the second one needs."""
    body = """
        import logging as standard
        def fork():
            wait_for(os.fork() or os._exit(0))
        def act():
            thread = threading.Thread(target=fork)
            thread.start()
            for _ in range(300):
                # It has that lock, or comes no further before this thread has gone on.
                if not (thread.is_alive() and standard._lock.acquire(blocking=False)):
                    break
                standard._lock.release()
                time.sleep(0.001)
            fork()
            # It may have to wait for this thread's first fork still.
        with At("_releaseLock", act, "return", "logging"):
            child = os.fork()
        if child == 0:
            os._exit(0)
        wait_for(child)
        goes_on("after")
    """
    assert run_prepared(tmp_path, body) == ""
    assert lines(tmp_path) == texts("first", "after")


@pytest.mark.parametrize("installed", [False, True])
@pytest.mark.parametrize("module", ["duramen", "logging"])
def test_a_thread_that_has_the_lock_of_a_module_forks_while_another_one_does(tmp_path, module, installed):
    """Both modules take theirs before a fork."""
    body = f"""
        import duramen
        if {installed}:
            duramen.install()
        owned = importlib.import_module("{module}")._lock
        def forks():
            for _ in range(100):
                wait_for(os.fork() or os._exit(0))
        def configures():
            for _ in range(100):
                with owned:
                    child = os.fork() or os._exit(0)
                wait_for(child)
        threads = [threading.Thread(target=work) for work in (forks, configures)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        goes_on("after")
    """
    assert run_prepared(tmp_path, body) == ""
    assert lines(tmp_path) == texts("first", "after")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "moment", ['At("park", act, "c_return"): os.fork()', 'At("rest", act, "c_return"): handler.close()']
)
def test_what_waits_is_delivered_when_sigterm_comes_while_the_worker_is_at_rest(tmp_path, moment, kind):
    body = f"""
        def act():
            fill("held")
            os.kill(os.getpid(), signal.SIGTERM)
        if (child := os.fork()) == 0:
            with {moment}
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
    """
    assert run_prepared(tmp_path, body, kind) == ""
    assert lines(tmp_path) == texts("first", "held")


def test_a_flush_that_begins_while_another_thread_forks_ends_when_that_is_over(tmp_path):
    """No worker can be started then, and no record comes afterwards that would start one."""
    body = """
        answers, begins = [], threading.Event()
        def flush():
            with At("flush", begins.set):
                answers.append(handler.flush(30))
        thread = threading.Thread(target=flush)
        def act():
            fill("held")
            thread.start()
            begins.wait()
            time.sleep(0.1)
        with At("park", act, "c_return"):
            child = os.fork()
        if child == 0:
            os._exit(0)
        wait_for(child)
        thread.join()
        assert answers == [True]
    """
    assert run_prepared(tmp_path, body) == ""
    assert lines(tmp_path) == texts("first", "held")


@pytest.mark.parametrize("ends", ["handler.close()", "assert handler.flush()"])
@pytest.mark.parametrize("event", ["c_call", "c_return"])
def test_a_child_that_is_forked_while_another_thread_closes_can_log_and_close(tmp_path, event, ends):
    """The lock that is held for closing has no owner in the child, and the queue waits for nobody there."""
    body = f"""
        is_ending, has_forked = threading.Event(), threading.Event()
        def close():
            with At("rest", lambda: (is_ending.set(), has_forked.wait()), "{event}"):
                handler.close()
        thread = threading.Thread(target=close)
        thread.start()
        is_ending.wait()
        child = os.fork()
        if child == 0:
            fill("child")
            {ends}
            os._exit(0 if handler.stats()["delivered"] == 10 else 1)
        has_forked.set()
        wait_for(child)
        thread.join()
    """
    assert run_prepared(tmp_path, body) == ""
    assert lines(tmp_path) == texts("first", "child")


FORKS = """
class Forks(logging.FileHandler):
    def emit(self, record):
        super().emit(record)
        if record.getMessage() == "held 3" and os.getpid() == parent:
            child = os.fork()
            if child == 0:
                logging.raiseExceptions = False
                log.info("child")
            else:
                wait_for(child)
parent = os.getpid()
log.removeHandler(handler)
"""


@pytest.mark.parametrize("front", ["AsyncHandler", "QueueHandler"])
def test_a_child_that_comes_back_to_the_thread_behind_the_queue_delivers_nothing_twice(tmp_path, front):
    """It delivers what it has logged itself, and ends, since it has no other thread."""
    made = {
        "AsyncHandler": "front = AsyncHandler(Forks('forks.log'), flush_interval=5)",
        "QueueHandler": """
            from duramen.handlers import QueueHandler, QueueListener
            front = QueueHandler()
            listener = QueueListener(front.queue, Forks('forks.log'))
            listener.start()
        """,
    }
    body = f"{FORKS}{textwrap.dedent(made[front])}\nlog.addHandler(front)\nfill('held')\n"
    assert run_prepared(tmp_path, body) == ""
    written = lines(tmp_path, "forks.log")
    assert sorted(written) == sorted([*texts("held"), "child"])


def test_a_child_has_a_deliverer_where_its_parent_had_no_thread_for_it(tmp_path):
    """Who logs delivers then; the one that did so when the process was forked does not exist in the child."""
    body = """
        import duramen._threads
        def refuse(*_):
            raise RuntimeError("can't start new thread")
        duramen._threads.starter = lambda: refuse
        is_in, has_forked = threading.Event(), threading.Event()
        class Waits(logging.FileHandler):
            def emit(self, record):
                if record.getMessage() == "waits":
                    is_in.set()
                    has_forked.wait()
                super().emit(record)
        log.removeHandler(handler)
        own = AsyncHandler(Waits("own.log"))
        log.addHandler(own)
        thread = threading.Thread(target=log.info, args=("waits",))
        thread.start()
        is_in.wait()
        child = os.fork()
        if child == 0:
            fill("child")
            os._exit(0 if own.stats()["delivered"] == 10 else 1)
        has_forked.set()
        wait_for(child)
        thread.join()
    """
    assert run_prepared(tmp_path, body) == ""
    assert sorted(lines(tmp_path, "own.log")) == [*texts("child"), "waits"]


def test_a_record_that_has_waited_for_room_while_files_were_opened_anew_keeps_its_place(tmp_path):
    """Its line is for the file as it was before, and those before and behind it are for the new one."""
    body = """
        log.removeHandler(handler)
        read, write = os.pipe()
        queue = AsyncHandler(made, logging.StreamHandler(open(write, "w")), capacity=4, flush_interval=60)
        log.addHandler(queue)
        is_closed = []
        def drain():
            while os.read(read, 65536):
                pass
        def act(*_):
            threading.Thread(target=drain, daemon=True).start()
            queue.close()
            log.info("within")
            is_closed.append(True)
        signal.signal(signal.SIGUSR1, act)
        def interrupt_when_full():
            while queue.stats()["queued"] < 4:
                time.sleep(0.001)
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGUSR1)
        threading.Thread(target=interrupt_when_full).start()
        number = 0
        log.info("0 %s", "x" * 100_000)
        while not is_closed:
            number += 1
            log.info("%d", number)
        log.info("%d", number + 1)
        assert queue.flush()
    """
    assert run_prepared(tmp_path, body) == ""
    written = [line.split()[0] for line in lines(tmp_path)[10:] if line != "within"]
    assert written == [str(number) for number in range(len(written))]


def test_ctrl_c_while_the_end_waits_for_a_receiver_leaves_nothing_untold(tmp_path):
    body = """
        log.removeHandler(handler)
        read, write = os.pipe()
        stalled = AsyncHandler(logging.StreamHandler(open(write, "w")), flush_interval=0)
        gathers = AsyncHandler(logging.FileHandler("gathers.log"), flush_interval=60)
        for front, text in ((stalled, "x" * 100_000), (stalled, "waits"), (gathers, "gathers")):
            logger = logging.Logger(text[:9])
            logger.addHandler(front)
            logger.info(text)
        def act():
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.kill(os.getpid(), signal.SIGINT)
        sys.setprofile(At("bypass", act).look)
    """
    errors = run_prepared(tmp_path, body)
    assert errors.count("KeyboardInterrupt") == 1 and "2 records were not delivered" in errors, errors
    assert lines(tmp_path, "gathers.log") == ["gathers"]
