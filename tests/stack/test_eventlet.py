"""eventlet: its locks in place of the interpreter's, and a hub that no wait for a handler stops."""

import pytest

LOGGERS = """
    eventlet_first = __import__("sys").argv[1:] == ["patched-first"]
    if eventlet_first:
        import eventlet
        eventlet.monkey_patch()
    import logging
    import recorder
    handler = recorder.record_to_file(format="%(levelname)s|%(name)s|%(message)s")
    if not eventlet_first:
        import eventlet
        eventlet.monkey_patch()
    import eventlet.event
"""

HELD_LOCK = (
    LOGGERS
    + """
    ticks = 0
    let_go = eventlet.event.Event()
    waiting = eventlet.event.Event()

    def hold():
        handler.acquire()
        try:
            let_go.wait()
        finally:
            handler.release()

    def log():
        waiting.send()
        logging.getLogger("shop").warning("after the lock was free")

    def tick():
        # The others go on while `log` waits for the handler: this loop needs the hub to run.
        global ticks
        waiting.wait()
        while ticks < 10:
            ticks += 1
            eventlet.sleep(0)
        print(open("records.log").read() == "", flush=True)
        let_go.send()

    threads = [eventlet.spawn(hold), eventlet.spawn(log), eventlet.spawn(tick)]
    for thread in threads:
        thread.wait()
    print(ticks, recorder.implementation())
"""
)

MANY_THREADS = (
    LOGGERS
    + """
    def work(number):
        for step in range(20):
            logging.getLogger(f"shop.{number}").info("step %d", step)
            eventlet.sleep(0)

    pool = eventlet.GreenPool()
    for number in range(10):
        pool.spawn(work, number)
    pool.waitall()
    print(recorder.implementation())
"""
)

ORDERS = pytest.mark.parametrize("order", ["patched-first", "patched-later"])


@ORDERS
def test_a_held_handler_does_not_stop_the_hub(stack, order):
    completed = stack.run_source(HELD_LOCK, order)
    assert completed.stdout == f"True\n10 {stack.implementation}\n"
    assert stack.read_lines() == ["WARNING|shop|after the lock was free"]


@ORDERS
def test_each_record_of_many_green_threads_is_there_once(stack, order):
    assert stack.run_source(MANY_THREADS, order).stdout == stack.implementation + "\n"
    assert sorted(stack.read_lines()) == sorted(
        f"INFO|shop.{number}|step {step}" for number in range(10) for step in range(20)
    )


def test_lines_of_a_stream_that_yields_to_the_hub_stay_whole(stack):
    completed = stack.run_source("""
        import eventlet
        eventlet.monkey_patch()
        import logging
        import sys
        import recorder

        class Stream:
            def write(self, text):
                for character in text:
                    eventlet.sleep(0)
                    sys.stdout.write(character)

            def flush(self):
                eventlet.sleep(0)

        logging.basicConfig(level=logging.INFO, stream=Stream(), format="%(message)s")
        pool = eventlet.GreenPool()
        for number in range(5):
            pool.spawn(logging.info, "from %d", number)
        pool.waitall()
        print(recorder.implementation())
    """)
    *lines, implementation = completed.stdout.splitlines()
    assert sorted(lines) == [f"from {number}" for number in range(5)]
    assert implementation == stack.implementation
