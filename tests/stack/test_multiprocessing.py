"""multiprocessing: one file for parent and children, its own logger, and the queue recipe."""

import pytest

METHODS = pytest.mark.parametrize("method", ["fork", "spawn"])


@METHODS
def test_parent_and_children_append_to_one_file(stack, method):
    stack.run_source(f"""
        import logging
        import multiprocessing
        import recorder

        recorder.record_to_file(format="%(levelname)s|%(processName)s|%(message)s")

        def work(count):
            for number in range(count):
                logging.info("%s %d", recorder.implementation(), number)

        if __name__ == "__main__":
            logging.warning("before")
            context = multiprocessing.get_context({method!r})
            children = [
                context.Process(target=work, args=(100,), name=f"child-{{number}}")
                for number in range(3)
            ]
            for child in children:
                child.start()
            for child in children:
                child.join()
            logging.warning("after")
    """)
    lines = stack.read_lines()
    assert lines[0] == "WARNING|MainProcess|before"
    assert lines[-1] == "WARNING|MainProcess|after"
    assert len(lines) == 302
    for child in range(3):
        assert [line for line in lines if f"|child-{child}|" in line] == [
            f"INFO|child-{child}|{stack.implementation} {number}" for number in range(100)
        ]


@METHODS
def test_queue_handler_in_the_children_and_listener_in_the_parent(stack, method):
    stack.run_source(f"""
        import logging
        import logging.handlers
        import multiprocessing
        import recorder

        def work(records, number):
            root = logging.getLogger()
            root.handlers[:] = [logging.handlers.QueueHandler(records)]
            root.setLevel(logging.DEBUG)
            logger = logging.getLogger(f"shop.{{number}}")
            logger.info("from %s", recorder.implementation(), extra={{"order": number}})
            try:
                raise LookupError("no such shop")
            except LookupError:
                logger.exception("failed")

        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            records = context.Queue()
            target = logging.FileHandler("records.log")
            target.setFormatter(
                logging.Formatter(
                    "%(levelname)s|%(name)s|%(processName)s|%(funcName)s|%(order)s|%(message)s",
                    defaults={{"order": "-"}},
                )
            )
            listener = logging.handlers.QueueListener(records, target)
            listener.start()
            children = [
                context.Process(target=work, args=(records, number), name=f"child-{{number}}")
                for number in range(3)
            ]
            for child in children:
                child.start()
            for child in children:
                child.join()
            listener.stop()
    """)
    lines = stack.read_lines()
    for child in range(3):
        assert [line for line in lines if f"|child-{child}|" in line] == [
            f"INFO|shop.{child}|child-{child}|work|{child}|from {stack.implementation}",
            f"ERROR|shop.{child}|child-{child}|work|-|failed",
        ]
    assert lines.count("Traceback (most recent call last):") == 3
    assert lines.count("LookupError: no such shop") == 3


@METHODS
def test_multiprocessings_own_logger(stack, method):
    completed = stack.run_source(f"""
        import logging
        import multiprocessing

        def work():
            multiprocessing.get_logger().warning("in the child")

        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            logger = multiprocessing.log_to_stderr(logging.INFO)
            child = context.Process(target=work, name="child")
            child.start()
            child.join()
            logger.info("joined")
    """)
    lines = completed.stderr.splitlines()
    assert lines[:2] == [
        "[INFO/child] child process calling self.run()",
        "[WARNING/child] in the child",
    ]
    # Which of the two comes first differs between the versions of Python.
    assert sorted(lines[2:4]) == [
        "[INFO/child] process exiting with exitcode 0",
        "[INFO/child] process shutting down",
    ]
    assert lines[4:] == [
        "[INFO/MainProcess] joined",
        "[INFO/MainProcess] process shutting down",
    ]
