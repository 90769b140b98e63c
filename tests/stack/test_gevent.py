"""gevent: its locks in place of the interpreter's, and a hub that no wait for a handler stops."""

import pytest

LOGGERS = """
    gevent_first = __import__("sys").argv[1:] == ["patched-first"]
    if gevent_first:
        from gevent import monkey
        monkey.patch_all()
    import logging
    import recorder
    handler = recorder.record_to_file(format="%(levelname)s|%(name)s|%(threadName)s|%(message)s")
    if not gevent_first:
        from gevent import monkey
        monkey.patch_all()
    import gevent
    import gevent.event
"""

HELD_LOCK = (
    LOGGERS
    + """
    ticks = 0
    let_go = gevent.event.Event()
    waiting = gevent.event.Event()

    def hold():
        handler.acquire()
        try:
            let_go.wait()
        finally:
            handler.release()

    def log():
        waiting.set()
        logging.getLogger("shop").warning("after the lock was free")

    def tick():
        # The others go on while `log` waits for the handler: this loop needs the hub to run.
        global ticks
        waiting.wait()
        while ticks < 10:
            ticks += 1
            gevent.sleep(0)
        print(open("records.log").read() == "", flush=True)
        let_go.set()

    greenlets = [gevent.spawn(hold), gevent.spawn(log), gevent.spawn(tick)]
    gevent.joinall(greenlets, raise_error=True)
    print(ticks, recorder.implementation())
"""
)

MANY_GREENLETS = (
    LOGGERS
    + """
    def work(number):
        for step in range(20):
            logging.getLogger(f"shop.{number}").info("step %d", step)
            gevent.sleep(0)

    gevent.joinall([gevent.spawn(work, number) for number in range(10)], raise_error=True)
    print(recorder.implementation())
"""
)

ORDERS = pytest.mark.parametrize("order", ["patched-first", "patched-later"])


@ORDERS
def test_a_held_handler_does_not_stop_the_hub(stack, order):
    completed = stack.run_source(HELD_LOCK, order)
    assert completed.stdout == f"True\n10 {stack.implementation}\n"
    [line] = stack.read_lines()
    level, name, thread, message = line.split("|")
    assert (level, name, message) == ("WARNING", "shop", "after the lock was free")
    assert thread.startswith(("Dummy-", "Greenlet-"))


@ORDERS
def test_each_record_of_many_greenlets_is_there_once(stack, order):
    assert stack.run_source(MANY_GREENLETS, order).stdout == stack.implementation + "\n"
    lines = [line.split("|") for line in stack.read_lines()]
    assert sorted((name, message) for _, name, _, message in lines) == sorted(
        (f"shop.{number}", f"step {step}") for number in range(10) for step in range(20)
    )


HELD_MODULE_LOCK = (
    LOGGERS
    + """
    made = []
    let_go = gevent.event.Event()
    waiting = gevent.event.Event()

    def hold():
        with logging._lock:
            let_go.wait()

    # A logger asks for a level under the lock once, then it knows the answer.
    assert logging.getLogger().isEnabledFor(logging.INFO)

    def make_logger():
        waiting.set()
        made.append(logging.getLogger("made.while.held"))

    def tick():
        waiting.wait()
        for _ in range(10):
            gevent.sleep(0)
        # A known logger is free to write while the lock is held.
        logging.getLogger().info("known logger")
        print(made == [], flush=True)
        let_go.set()

    greenlets = [gevent.spawn(hold), gevent.spawn(make_logger), gevent.spawn(tick)]
    gevent.joinall(greenlets, raise_error=True)
    print(made, recorder.implementation())
"""
)


@ORDERS
def test_the_held_lock_of_the_module_does_not_stop_the_hub(stack, order):
    completed = stack.run_source(HELD_MODULE_LOCK, order)
    made = "[<Logger made.while.held (DEBUG)>]"
    assert completed.stdout == f"True\n{made} {stack.implementation}\n"
    [line] = stack.read_lines()
    assert line.endswith("|known logger")


YIELDING_STREAM = (
    LOGGERS
    + """
    import sys

    class Stream:
        writes = 0

        def write(self, text):
            Stream.writes += 1
            for character in text:
                gevent.sleep(0)
                sys.stdout.write(character)

        def flush(self):
            gevent.sleep(0)

    console = logging.StreamHandler(Stream())
    console.setFormatter(logging.Formatter("%(message)s"))
    logging.getLogger().addHandler(console)
    workers = [gevent.spawn(logging.info, "from %d", number) for number in range(5)]
    gevent.joinall(workers, raise_error=True)
    print(Stream.writes, recorder.implementation())
"""
)


@ORDERS
def test_lines_of_a_stream_that_yields_to_the_hub_stay_whole(stack, order):
    completed = stack.run_source(YIELDING_STREAM, order)
    *lines, last = completed.stdout.splitlines()
    assert sorted(lines) == [f"from {number}" for number in range(5)]
    assert last == f"5 {stack.implementation}"
    assert len(stack.read_lines()) == 5


def test_queue_listener_in_a_greenlet(stack):
    completed = stack.run_source("""
        from gevent import monkey
        monkey.patch_all()
        import gevent
        import logging
        import logging.handlers
        import queue
        import recorder
        import sys

        records = queue.Queue()
        listener = logging.handlers.QueueListener(records, logging.StreamHandler(sys.stdout))
        listener.start()
        logging.getLogger().addHandler(logging.handlers.QueueHandler(records))
        logging.getLogger().setLevel(logging.INFO)
        workers = [gevent.spawn(logging.info, "from %d", number) for number in range(5)]
        gevent.joinall(workers, raise_error=True)
        listener.stop()
        print(recorder.implementation())
    """)
    *lines, implementation = completed.stdout.splitlines()
    assert lines == [f"from {number}" for number in range(5)]
    assert implementation == stack.implementation
