"""Queues beside whatever else ends, interrupts or watches a process: nothing hangs, nothing that was accepted is lost."""

import signal
import sys
import textwrap

import pytest
from journal_support import journals, lines, run, start

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="journals are tried out on Linux")

DELIVER = "queue().flush(60)"
PREPARED = "signal.alarm(50)\nq = queue({options})\n"

#: Ends at which no code of the process runs: what waits is the journal's business.
ABRUPT = {
    "os._exit() in a thread": ("threading.Thread(target=os._exit, args=(3,)).start(); time.sleep(60)", 3),
    "a crash that faulthandler tells": (
        "import faulthandler; faulthandler.enable(); os.kill(os.getpid(), signal.SIGSEGV)",
        -signal.SIGSEGV,
    ),
    "os.abort()": ("import faulthandler; faulthandler.enable(); os.abort()", -signal.SIGABRT),
    "SIGINT with the system's meaning": (
        "signal.signal(signal.SIGINT, signal.SIG_DFL); os.kill(os.getpid(), signal.SIGINT); time.sleep(60)",
        -signal.SIGINT,
    ),
    "another program in its place": ("os.execv(sys.executable, [sys.executable, '-c', ''])", 0),
}


@pytest.mark.parametrize("end", ABRUPT)
def test_a_journal_keeps_what_an_abrupt_end_leaves(tmp_path, end):
    body, code = ABRUPT[end]
    logged = "for number in range(50): log.info('%d', number)\n"
    run(tmp_path, PREPARED.format(options="flush_interval=60") + logged + body, code=code)
    assert len(journals(tmp_path)) == 1
    run(tmp_path, DELIVER)
    assert lines(tmp_path) == [str(number) for number in range(50)]
    assert journals(tmp_path) == []


STALLED = """
import _thread
read, write = os.pipe()
kind = type("Own", (logging.StreamHandler,), {{"emit": lambda self, record: logging.StreamHandler.emit(self, record)}})
stalled = AsyncHandler({kind}(open(write, "w")), capacity=10, {policy})
logger = logging.Logger("stalled")
logger.addHandler(stalled)
# Tests that a shell runs in the background would hand on that SIGINT is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.alarm(50)
"""


@pytest.mark.parametrize("kind", ["logging.StreamHandler", "kind"])
@pytest.mark.parametrize("policy", ["overflow='block'", "overflow='drop_below:INFO'"])
def test_a_caller_that_waits_for_room_can_be_interrupted(tmp_path, kind, policy):
    """The pipe is full and nobody reads: the call would wait for ever."""
    body = (
        STALLED.format(kind=kind, policy=policy)
        + """
def interrupt_when_full():
    while stalled.stats()["queued"] < 10:
        time.sleep(0.001)
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGINT)
try:
    threading.Thread(target=interrupt_when_full).start()
    while True:
        logger.error("x" * 5000)
except KeyboardInterrupt:
    pass
else:
    raise SystemExit("not interrupted")
before = stalled.stats()
try:
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    stalled.flush(60)
except KeyboardInterrupt:
    pass
else:
    raise SystemExit("flush was not interrupted")
stats = stalled.stats()
assert stats["accepted"] == stats["delivered"] + stats["queued"] + stats["in_flight"], stats
# Whoever reads now gets all that was accepted.
def drain():
    found = 0
    while block := os.read(read, 65536):
        found += block.count(b"\\n")
        if found == stats["accepted"]:
            print("all")
            return
reader = threading.Thread(target=drain, daemon=True)
reader.start()
assert stalled.flush(30)
reader.join(30)
"""
    )
    assert run(tmp_path, body)[0] == "all\n"


@pytest.mark.parametrize("kind", ["logging.StreamHandler", "kind"])
@pytest.mark.parametrize("policy", ["overflow='block'", "overflow='drop_below:INFO'"])
@pytest.mark.parametrize(
    "receiver",
    ["os.pipe()", "(lambda pair: (pair[0].detach(), pair[1].detach()))(__import__('socket').socketpair())"],
)
def test_a_stalled_receiver_costs_no_more_than_the_longest_wait(tmp_path, kind, policy, receiver):
    body = (
        STALLED.format(kind=kind, policy=policy + ", block_timeout=0.2").replace("os.pipe()", receiver)
        + """
duramen = sys.modules["duramen"]
duramen._unfinished.LONGEST_WAIT = 0.2
longest = 0
while stalled.stats()["dropped"]["timeout"] < 5:
    begun = time.monotonic()
    logger.error("x" * 5000)
    longest = max(longest, time.monotonic() - begun)
# A loaded machine is slow; without the limit it would be for ever.
assert 0.2 <= longest < 10, longest
"""
    )
    run(tmp_path, body)


def test_sys_exit_in_a_handler_behind_the_queue_ends_no_thread_of_it(tmp_path):
    body = """
    signal.alarm(50)
    class Exits(logging.FileHandler):
        def emit(self, record):
            if record.args is None and record.getMessage() == "5":
                sys.exit("not now")
            super().emit(record)
    q = AsyncHandler(Exits("out.log"))
    log.addHandler(q)
    for number in range(10):
        log.info("%d", number)
    assert q.flush(20)
    stats = q.stats()
    assert (stats["delivered"], stats["failed"]) == (9, 1), stats
    """
    run(tmp_path, body)
    assert lines(tmp_path) == [str(number) for number in range(10) if number != 5]


def test_threads_may_log_after_logging_shutdown(tmp_path):
    body = """
    signal.alarm(50)
    q = queue()
    def work(name):
        for number in range(500):
            log.info("%s %d", name, number)
    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    logging.shutdown()
    log.info("after")
    for thread in threads:
        thread.join()
    """
    run(tmp_path, body)
    for name in "ab":
        own = [line for line in lines(tmp_path) if line.startswith(name + " ")]
        assert own == [f"{name} {number}" for number in range(500)]
    assert "after" in lines(tmp_path) and len(lines(tmp_path)) == 1001
    assert journals(tmp_path) == []


WATCHERS = {
    "an audit hook": """
        watching = threading.local()
        def hook(event, arguments):
            if not getattr(watching, "is_in", False) and event != "sys._getframe":
                watching.is_in = True
                try:
                    log.info("hook")
                finally:
                    watching.is_in = False
        sys.addaudithook(hook)
    """,
    "a trace function": """
        def trace(frame, event, argument):
            sys.settrace(None)
            log.info("traced")
            sys.settrace(trace)
        sys.settrace(trace)
    """,
    "a profile function": """
        def profile(frame, event, argument):
            sys.setprofile(None)
            log.info("profiled")
            sys.setprofile(profile)
        sys.setprofile(profile)
    """,
    "a context variable whose value logs": """
        import contextvars, duramen.context
        class Logs:
            def __eq__(self, other):
                log.info("compared"); return False
            __hash__ = None
            def __repr__(self):
                if not hasattr(self, "is_in"):
                    self.is_in = True
                    log.info("shown")
                    del self.is_in
                return "logs"
        contextvars.ContextVar("own").set(Logs())
        duramen.context.bind(value=Logs())
    """,
}


@pytest.mark.parametrize("has_journal", [False, True])
@pytest.mark.parametrize("watcher", WATCHERS)
def test_what_watches_the_program_may_log(tmp_path, watcher, has_journal):
    # So few places that watchers wait for room as well.
    begin = "signal.alarm(50)\nq = " + (
        "queue(capacity=4)"
        if has_journal
        else "AsyncHandler(logging.FileHandler('out.log'), capacity=4); log.addHandler(q)"
    )
    body = f"""
{begin}
formatter = logging.Formatter("%(message)s")
{textwrap.dedent(WATCHERS[watcher])}
def work():
    for number in range(50):
        log.info("main %d %s", number, object)
work()
sys.settrace(None); sys.setprofile(None)
assert q.flush(20)
stats = q.stats()
assert stats["accepted"] >= stats["delivered"] >= 50, stats
"""
    run(tmp_path, body)
    own = [line for line in lines(tmp_path) if line.startswith("main")]
    assert own == [f"main {number} <class 'object'>" for number in range(50)]


def test_a_fork_within_a_fork_while_threads_log_rotate_and_flush(tmp_path):
    body = """
    signal.alarm(55)
    q = queue(logging.handlers.RotatingFileHandler("out.log", maxBytes=4000, backupCount=10000))
    is_over = threading.Event()
    counts = [0, 0]
    def load(name):
        while not is_over.is_set():
            log.info("thread %d %d|", name, counts[name])
            counts[name] += 1
            time.sleep(0.0005)
    def flush():
        while not is_over.is_set():
            q.flush(5)
    threads = [threading.Thread(target=load, args=(0,)), threading.Thread(target=load, args=(1,)), threading.Thread(target=flush)]
    for thread in threads:
        thread.start()
    for number in range(10):
        if (child := os.fork()) == 0:
            signal.alarm(20)
            log.info("child %d|", number)
            if (grandchild := os.fork()) == 0:
                signal.alarm(20)
                log.info("grandchild %d|", number)
                q.flush(10)
                os._exit(0)
            code = os.waitpid(grandchild, 0)[1]
            q.flush(10)
            os._exit(1 if code else 0)
        assert os.waitpid(child, 0)[1] == 0
    is_over.set()
    for thread in threads:
        thread.join()
    print(*counts)
    """
    output, _ = run(tmp_path, body)
    found = [line for path in tmp_path.glob("out.log*") for line in path.read_text().splitlines()]
    expected = [
        f"thread {name} {number}|"
        for name, count in enumerate(output.split())
        for number in range(int(count))
    ]
    expected += [f"{kind} {number}|" for kind in ("child", "grandchild") for number in range(10)]
    assert sorted(found) == sorted(expected)
    # Those whose process ended by os._exit are empty, and go with the next start.
    run(tmp_path, DELIVER)
    assert journals(tmp_path) == []


def test_sigint_twice_while_the_end_waits_for_a_stalled_receiver(tmp_path):
    body = (
        STALLED.format(kind="logging.StreamHandler", policy="overflow='drop_newest'")
        + """
for _ in range(200):
    logger.error("x" * 5000)
print("ready", flush=True)
time.sleep(60)
"""
    )
    process = start(tmp_path, body)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    # It is at its end when it has said why.
    assert any("KeyboardInterrupt" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=40)
    assert process.returncode in (1, 120, -signal.SIGINT)


def test_another_interpreter_in_the_process_gets_a_clear_answer(tmp_path):
    body = """
    signal.alarm(50)
    q = queue()
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        try:
            import _interpreters as interpreters
        except ImportError:
            raise SystemExit
    log.info("before")
    number = interpreters.create()
    code = '''
try:
    import duramen
except ImportError as error:
    assert "interpreter" in str(error), error
'''
    failed = interpreters.run_string(number, code)
    assert failed is None, failed
    interpreters.destroy(number)
    log.info("after")
    """
    run(tmp_path, body)
    assert lines(tmp_path) in (["before", "after"], [])


@pytest.mark.parametrize("asks", ["loggers[self.other].info('inner')", "handlers[self.other].flush(30)"])
def test_handlers_behind_queues_that_wait_for_each_other_go_on(tmp_path, asks):
    body = f"""
        signal.alarm(50)
        loggers, handlers = {{}}, {{}}
        class Asks(logging.Handler):
            def __init__(self, other):
                super().__init__()
                self.other, self.seen = other, []
            def handle(self, record):
                # No lock is held: that would be the handlers' own affair.
                self.seen.append(record.msg)
                if record.msg == "outer":
                    {asks}
        for name, other in ("ab", "ba"):
            handlers[name] = AsyncHandler(Asks(other), capacity=4)
            loggers[name] = logging.Logger(name)
            loggers[name].addHandler(handlers[name])
        def flood(name):
            for _ in range(200):
                loggers[name].info("outer")
        threads = [threading.Thread(target=flood, args=(name,)) for name in "aabb"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for handler in handlers.values():
            while handler.stats()["queued"] + handler.stats()["in_flight"]:
                handler.flush(0.1)
            print(handler.handlers[0].seen.count("outer"))
    """
    output, _ = run(tmp_path, body)
    assert output.split() == ["400", "400"]


def test_a_flush_waits_for_no_record_that_comes_after_it(tmp_path):
    """Each record that is delivered brings another one, so that the queue is never empty; `close` waits as `flush` does."""
    body = """
    signal.alarm(50)
    goes_on = True
    class Answers(logging.FileHandler):
        def emit(self, record):
            super().emit(record)
            time.sleep(0.001)
            if goes_on:
                log.info("answer")
    handler = AsyncHandler(Answers("out.log"))
    log.addHandler(handler)
    for number in range(300):
        log.info("%d", number)
    assert handler.flush(30), handler.stats()
    goes_on = False
    handler.close()
    assert not any(handler.stats()["dropped"].values()), handler.stats()
    """
    run(tmp_path, body)
    assert [line for line in lines(tmp_path) if line != "answer"] == [str(number) for number in range(300)]
