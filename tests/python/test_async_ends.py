"""``AsyncHandler`` at the end of a process of each kind, and across forks."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

import duramen as logging

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")

PROGRAM = """
import os, sys, threading, time
# What is registered first is called last.
before_fork = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=lambda: [look() for look in before_fork])
import {module} as logging
import duramen._unfinished
from duramen.handlers import AsyncHandler

class Slow(logging.Handler):
    def emit(self, record):
        with open("python.log", "a") as file:
            file.write(record.getMessage() + "\\n")

handler = AsyncHandler(logging.FileHandler("native.log"), flush_interval=1)
logging.getLogger("n").addHandler(handler)
logging.getLogger("p").addHandler(AsyncHandler(Slow()))
for name in "np":
    logging.getLogger(name).propagate = False

def log(text, count=50):
    for number in range(count):
        logging.getLogger("n").warning("%s %d", text, number)
        logging.getLogger("p").warning("%s %d", text, number)

def stall():
    # A queue whose worker waits for a pipe that is full, and that nobody reads.
    duramen._unfinished.LONGEST_WAIT = 2
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, b"." * 4096)
    except BlockingIOError:
        os.set_blocking(write, True)
    stalled = AsyncHandler(logging.StreamHandler(open(write, "w")), capacity=10, overflow="drop_newest")
    logger = logging.Logger("stalled")
    logger.addHandler(stalled)
    for _ in range(20):
        logger.error("x")
        while stalled.stats()["in_flight"] < 1:
            time.sleep(0.001)

{body}
"""

EXITS = {
    "return": "log('m')",
    "exit": "log('m'); sys.exit(3)",
    "error": "log('m'); raise SystemError('as the test wants')",
    "thread": "threading.Thread(target=lambda: (time.sleep(0.05), log('m'))).start()",
    "shutdown": "log('m'); logging.shutdown()",
    "atexit": "import atexit; atexit.register(log, 'm'); handler.flush()",
}


def run(tmp_path, body, module="duramen", code=0):
    program = PROGRAM.format(module=module, body=textwrap.dedent(body))
    path = os.pathsep.join(
        [os.path.dirname(os.path.dirname(logging.__file__)), os.environ.get("PYTHONPATH", "")]
    )
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-W", "error::DeprecationWarning", "-c", program]
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == code, result.stderr
    return result, [(tmp_path / name).read_text().splitlines() for name in ("native.log", "python.log")]


class TestEnds:
    @pytest.mark.parametrize("kind", EXITS)
    def test_what_waits_is_delivered(self, tmp_path, kind):
        code = {"exit": 3, "error": 1}.get(kind, 0)
        _, files = run(tmp_path, EXITS[kind], code=code)
        assert files == [[f"m {number}" for number in range(50)]] * 2

    @pytest.mark.parametrize("is_in_a_circle", [False, True])
    @pytest.mark.parametrize("forks", [False, True])
    def test_handlers_that_nobody_has_any_more_are_waited_for(self, tmp_path, is_in_a_circle, forks):
        if forks and not hasattr(os, "fork"):
            pytest.skip("forks")
        body = f"""
            import gc
            emit = Slow.emit
            Slow.emit = lambda self, record: (time.sleep(0.01), emit(self, record))
            log("m")
            for name in "np":
                for each in logging.getLogger(name).handlers:
                    each.circle = each if {is_in_a_circle} else None
                logging.getLogger(name).handlers.clear()
            del handler, each
            gc.collect()
            if {forks} and os.fork() == 0:
                sys.exit()
        """
        _, files = run(tmp_path, body)
        assert files == [[f"m {number}" for number in range(50)]] * 2

    def test_with_the_standard_library_replaced(self, tmp_path):
        body = "import duramen; duramen.install(); log('m')"
        _, files = run(tmp_path, body, module="logging")
        assert files == [[f"m {number}" for number in range(50)]] * 2

    @needs_fork
    @pytest.mark.parametrize(
        "wait", ["time.sleep(60)", "asyncio.run(asyncio.sleep(60))", "threading.Event().wait()"]
    )
    def test_sigterm_delivers_what_waits_and_ends_the_process_all_the_same(self, tmp_path, wait):
        body = f"""
            import asyncio, signal
            log("m")
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
            {wait}
        """
        _, files = run(tmp_path, body, code=-signal.SIGTERM)
        assert files == [[f"m {number}" for number in range(50)]] * 2

    @needs_fork
    @pytest.mark.parametrize(
        "setting, code",
        [
            ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))", 7),
            ("signal.signal(signal.SIGTERM, lambda *_: os._exit(8))", 8),
            ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", 9),
            ("signal.signal(signal.SIGTERM, signal.SIG_DFL)", -signal.SIGTERM),
            ("import faulthandler; faulthandler.register(signal.SIGTERM)", 9),
        ],
    )
    @pytest.mark.parametrize("is_first", [True, False])
    def test_what_the_application_says_of_sigterm_holds(self, tmp_path, setting, code, is_first):
        another = "AsyncHandler(logging.NullHandler())"
        program = f"""
            import os, signal, sys, time
            import duramen as logging
            from duramen.handlers import AsyncHandler
            {setting if is_first else another}
            {another if is_first else setting}
            {another}
            set_by_us = getattr(signal.getsignal(signal.SIGTERM), "__module__", "") == "duramen._termination"
            print(set_by_us)
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.1)
            sys.exit(9)
        """
        result = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60
        )
        assert result.returncode == code, result.stderr
        # The system's meaning is what lets us set a handler, unless the application has gone back to it.
        assert result.stdout.strip() == str(
            is_first and "SIG_DFL" in setting or not is_first and "fault" in setting
        )

    @pytest.mark.skipif(sys.platform != "linux", reason="the interpreter's own gap remains elsewhere")
    @pytest.mark.parametrize("where", ["", "if os.fork() > 0: raise SystemExit(-os.wait()[1])"])
    def test_sigterm_ends_a_process_whose_main_thread_does_not_notice_it(self, tmp_path, where):
        body = f"""
        import signal
        {where}
        log("m")
        # The interpreter notes it; the main thread's sleep goes on.
        threading.Timer(0.1, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM)).start()
        time.sleep(600)
        """
        _, files = run(tmp_path, body, code=-signal.SIGTERM if not where else 256 - signal.SIGTERM)
        expected = [f"m {number}" for number in range(50)]
        assert files == [expected, expected]

    @needs_fork
    def test_a_worker_of_multiprocessing_that_is_terminated_delivers_what_waits(self, tmp_path):
        body = """
            import multiprocessing, signal
            context = multiprocessing.get_context("fork")
            ready = context.Event()
            def work():
                log("child")
                ready.set()
                time.sleep(60)
            worker = context.Process(target=work)
            worker.start()
            ready.wait()
            worker.terminate()
            worker.join()
            assert worker.exitcode == -signal.SIGTERM, worker.exitcode
        """
        _, files = run(tmp_path, body)
        assert files == [[f"child {number}" for number in range(50)]] * 2

    @needs_fork
    def test_sigterm_does_not_wait_for_ever(self, tmp_path):
        body = """
            import signal
            log("m", 1)
            stall()
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        """
        result, files = run(tmp_path, body, code=-signal.SIGTERM)
        assert files == [["m 0"]] * 2
        assert "records were not delivered" in result.stderr

    @needs_fork
    def test_a_worker_of_multiprocessing_delivers_what_waits(self, tmp_path):
        body = """
            import multiprocessing
            context = multiprocessing.get_context("fork")
            log("parent", 1)
            workers = [context.Process(target=log, args=(f"child{n}",)) for n in range(3)]
            [worker.start() for worker in workers]
            [worker.join() for worker in workers]
        """
        _, files = run(tmp_path, body)
        for lines in files:
            for child in range(3):
                own = [line for line in lines if line.startswith(f"child{child} ")]
                assert own == [f"child{child} {number}" for number in range(50)]
            assert lines.count("parent 0") == 1

    @needs_fork
    def test_a_thread_that_outlives_the_work_of_a_worker_of_multiprocessing_loses_nothing(self, tmp_path):
        """The worker waits for such threads after all that it does at its end, and then ends by `os._exit`."""
        body = """
            import multiprocessing
            context = multiprocessing.get_context("fork")
            def work():
                log("child")
                threading.Thread(target=lambda: (threading.main_thread().join(), log("thread"))).start()
            worker = context.Process(target=work)
            worker.start()
            worker.join()
            assert worker.exitcode == 0, worker.exitcode
        """
        _, files = run(tmp_path, body)
        assert files == [[f"{text} {number}" for text in ("child", "thread") for number in range(50)]] * 2

    @pytest.mark.parametrize("module", ["duramen", "logging"])
    @needs_fork
    def test_a_fork_finds_nothing_that_waits(self, tmp_path, module):
        """Also where handlers in Python are behind the queue, whose locks a fork takes too."""
        body = """
            if logging.__name__ == "logging":
                import duramen
                duramen.install()
            emit = Slow.emit
            Slow.emit = lambda self, record: (time.sleep(0.001), emit(self, record))
            queues = [queue for name in "np" for queue in logging.getLogger(name).handlers]
            before_fork.append(lambda: print([queue.stats()["delivered"] for queue in queues], flush=True))
            log("m")
            if os.fork() == 0:
                os._exit(0)
            os.wait()
        """
        result, _ = run(tmp_path, body, module)
        assert result.stdout == "[50, 50]\n"

    @needs_fork
    def test_forks_neither_warn_nor_double_nor_lose(self, tmp_path):
        body = """
            for fork in range(30):
                log(f"parent{fork}", 3)
                child = os.fork()
                if child == 0:
                    assert handler.stats()["accepted"] == 0
                    log(f"child{fork}", 3)
                    os._exit(not all(h.flush() for name in "np" for h in logging.getLogger(name).handlers))
                assert os.waitpid(child, 0)[1] == 0
        """
        result, files = run(tmp_path, body)
        expected = sorted(
            f"{who}{fork} {n}" for who in ("parent", "child") for fork in range(30) for n in range(3)
        )
        assert (result.stderr, *map(sorted, files)) == ("", expected, expected)

    @needs_fork
    def test_daemon_threads_may_log_while_the_interpreter_ends(self, tmp_path):
        body = """
            def forever():
                while True:
                    log("daemon", 1)
            [threading.Thread(target=forever, daemon=True).start() for _ in range(3)]
            time.sleep(0.05)
            log("main")
        """
        _, files = run(tmp_path, body)
        for lines in files:
            assert [line for line in lines if "main" in line] == [f"main {number}" for number in range(50)]

    @needs_fork
    def test_a_receiver_that_takes_nothing_does_not_hold_up_the_end(self, tmp_path):
        body = """
            log("m")
            stall()
        """
        result, files = run(tmp_path, body)
        assert files == [[f"m {number}" for number in range(50)]] * 2
        assert "records were not delivered" in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the signals of a thread are read from /proc")
def test_threads_of_a_queue_and_a_file_leave_the_signals_to_the_program(tmp_path):
    """A main thread in ``time.sleep`` does not notice the Ctrl-C that another thread got."""
    body = """
        import glob, signal
        from duramen.handlers import RotatingFileHandler
        file = RotatingFileHandler("rotated.log", maxBytes=1000, backupCount=9, compression="gzip", fsync=3600)
        logging.getLogger("n").addHandler(file)
        log("m")
        seen, until = {}, time.monotonic() + 20
        while len(seen) < 3 and time.monotonic() < until:
            log("m")
            for task in glob.glob("/proc/self/task/*"):
                try:
                    name, status = open(f"{task}/comm").read().strip(), open(f"{task}/status").read()
                except OSError:
                    continue  # It has ended.
                if name.startswith("duramen-"):
                    seen[name] = int(status.partition("SigBlk:")[2].split()[0], 16)
        own = {signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1, signal.SIGCHLD}
        for name, blocked in sorted(seen.items()):
            print(name, all(blocked >> signal - 1 & 1 for signal in own), blocked >> signal.SIGSEGV - 1 & 1)
    """
    result, _ = run(tmp_path, body)
    expected = [f"duramen-{name} True 0" for name in ("fsync", "queue", "upkeep")]
    assert result.stdout.splitlines() == expected
