"""asyncio's debug logging, its exception handler, and the task's name in the records."""

import sys

import pytest

LOOP = """
    import asyncio
    import logging
    import recorder

    recorder.record_to_file(format="%(levelname)s|%(name)s|%(message)s")

    class Loop(asyncio.SelectorEventLoop):
        \"\"\"An event loop whose clock the program moves on, so that a callback is slow at no cost.\"\"\"

        slept = 0.0

        def time(self):
            return super().time() + self.slept

    loop = Loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 60
"""


def test_slow_callback(stack):
    stack.run_source(
        LOOP
        + """
    async def slow():
        loop.slept += 1000

    loop.run_until_complete(slow())
    loop.close()
    """
    )
    lines = stack.read_lines()
    warnings = [line for line in lines if line.startswith("WARNING")]
    assert len(warnings) == 1
    assert warnings[0].startswith("WARNING|asyncio|Executing <Task finished ")
    assert " took 1000." in warnings[0] and warnings[0].endswith(" seconds")
    assert lines[0] == "DEBUG|asyncio|Using selector: EpollSelector"


def test_exception_that_nobody_retrieves(stack):
    stack.run_source(
        LOOP
        + """
    async def fail():
        raise LookupError("no such shop")

    async def main():
        task = asyncio.create_task(fail(), name="forgotten")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    loop.run_until_complete(main())
    loop.close()
    """
    )
    lines = stack.read_lines()
    assert lines.count("ERROR|asyncio|Task exception was never retrieved") == 1
    assert lines.count("LookupError: no such shop") == 1
    assert any(line.startswith("future: <Task finished name='forgotten'") for line in lines)


def test_callback_that_raises(stack):
    stack.run_source(
        LOOP
        + """
    def broken():
        raise LookupError("no such shop")

    async def main():
        loop.call_soon(broken)
        await asyncio.sleep(0)

    loop.run_until_complete(main())
    loop.close()
    """
    )
    lines = stack.read_lines()
    errors = [line for line in lines if line.startswith("ERROR")]
    assert len(errors) == 1 and errors[0].startswith("ERROR|asyncio|Exception in callback broken()")
    assert lines.count("LookupError: no such shop") == 1


@pytest.mark.skipif(sys.version_info < (3, 12), reason="records know their task from 3.12 on")
def test_name_of_the_task(stack):
    stack.run_source("""
        import asyncio
        import logging
        import recorder

        recorder.record_to_file(level=logging.INFO, format="%(taskName)s|%(message)s")

        async def work(number):
            logging.info("before %d", number)
            await asyncio.sleep(0)
            logging.info("after %d", number)

        async def main():
            await asyncio.gather(
                *(asyncio.create_task(work(number), name=f"order-{number}") for number in range(3))
            )

        asyncio.run(main())
        logging.info("%s", recorder.implementation())
        logging.logAsyncioTasks = False
        logging.info("off")
    """)
    assert stack.read_lines() == [
        "order-0|before 0",
        "order-1|before 1",
        "order-2|before 2",
        "order-0|after 0",
        "order-1|after 1",
        "order-2|after 2",
        f"None|{stack.implementation}",
        "None|off",
    ]
