"""Fields that are bound: on every record of the task or thread, on both ways, and nowhere else."""

import asyncio
import concurrent.futures
import contextvars
import io
import json
import os
import subprocess
import sys
import threading

import pytest
from structured.both_ways import lines_of

import duramen as logging
from duramen import context
from duramen.formatters import JsonFormatter


@pytest.fixture(autouse=True)
def nothing_bound():
    """Run each test in a context of its own, in which nothing is bound yet."""
    context.clear()
    yield
    context.clear()


def fields_of(call, formatter=None):
    """The members of the JSON of one record beyond time, level, logger and message; both ways agree on them."""
    texts = lines_of(formatter or JsonFormatter(fields=["message"]), call)
    assert texts[0] == texts[1]
    found = json.loads(texts[0])
    del found["message"]
    return found


def info(logger):
    logger.info("order %d", 5)


def test_bound_fields_are_on_records_until_they_are_unbound():
    context.bind(request_id="7f3a", user_id=123)
    assert fields_of(info) == {"request_id": "7f3a", "user_id": 123}
    context.unbind("user_id", "never_bound")
    assert fields_of(info) == {"request_id": "7f3a"}
    context.clear()
    assert fields_of(info) == {}


def test_what_a_block_has_bound_ends_with_it():
    context.bind(a=1)
    with context.bound(b=2):
        context.bind(c=3)
        assert list(fields_of(info)) == ["a", "b", "c"]
    assert context.get() == {"a": 1}


def test_a_block_that_fails_ends_too():
    with pytest.raises(KeyError), context.bound(b=2):
        raise KeyError
    assert context.get() == {}


def test_extra_wins_over_what_is_bound():
    with context.bound(user="bound", request="r"):
        found = fields_of(lambda logger: logger.info("m", extra={"user": "given"}))
        assert found == {"user": "given", "request": "r"}


def test_an_adapter_wins_over_what_is_bound():
    with context.bound(user="bound", request="r"):
        found = fields_of(lambda logger: logging.LoggerAdapter(logger, {"user": "adapter"}).info("m"))
        assert found == {"user": "adapter", "request": "r"}


def test_a_field_with_the_name_of_a_record_s_own_never_raises():
    context.bind(name="x", message="y", args=(1,), getMessage=2, exc_info="z")
    found = fields_of(info)
    assert found == {"name_": "x", "message_": "y", "args_": [1], "getMessage_": 2, "exc_info_": "z"}
    context.unbind("name", "message", "args", "getMessage")
    assert context.get() == {"exc_info_": "z"}


def test_the_call_itself_stays_what_it_is():
    with context.bound(user="u"), pytest.raises(KeyError, match="overwrite 'name'"):
        logging.Logger("x").info("m", extra={"name": "clash"})


def test_a_layout_names_bound_fields():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(request_id)s %(message)s"))
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    with context.bound(request_id="7f3a"):
        logger.info("m")
    assert stream.getvalue() == "7f3a m\n"


def test_filters_and_handlers_find_them_on_the_record():
    seen = []

    class Kept(logging.Handler):
        def emit(self, record):
            seen.append((record.user, record.getMessage()))

    logger = logging.Logger("shop")
    logger.addHandler(Kept())
    logger.addFilter(lambda record: record.user == "u")
    with context.bound(user="u"):
        logger.info("m")
    with context.bound(user="v"):
        logger.info("n")
    assert seen == [("u", "m")]


def test_records_of_a_factory_have_them_where_they_have_no_own():
    made = []

    def factory(*args, **keywords):
        made.append(logging.LogRecord(*args, **keywords))
        made[-1].user = "factory"
        return made[-1]

    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(factory)
    try:
        logger = logging.Logger("shop")
        logger.addHandler(logging.StreamHandler(io.StringIO()))
        with context.bound(user="u", request="r"):
            logger.info("m")
    finally:
        logging.setLogRecordFactory(before)
    assert (made[0].user, made[0].request) == ("factory", "r")


def test_records_that_come_from_elsewhere_are_left_alone():
    with context.bound(user="u"):
        assert not hasattr(logging.makeLogRecord({"msg": "m"}), "user")


def test_a_field_that_changes_later_is_not_changed_on_the_record():
    seen = []

    class Kept(logging.Handler):
        def emit(self, record):
            seen.append(record)

    logger = logging.Logger("shop")
    logger.addHandler(Kept())
    context.bind(step=1)
    logger.info("m")
    context.bind(step=2)
    logger.info("m")
    seen[0].step = 10
    logger.info("m")
    assert [record.step for record in seen] == [10, 2, 2]


class TestTasksAndThreads:
    def test_tasks_have_their_own(self):
        async def request(number, barrier):
            context.bind(request=number)
            barrier.append(number)
            while len(barrier) < 20:
                await asyncio.sleep(0)
            return fields_of(info)

        async def main():
            context.bind(app="shop")
            barrier = []
            found = await asyncio.gather(*(request(number, barrier) for number in range(20)))
            return found, context.get()

        found, outside = asyncio.run(main())
        assert found == [{"app": "shop", "request": number} for number in range(20)]
        assert outside == {"app": "shop"}

    def test_threads_begin_with_none(self):
        context.bind(request="r")
        found = []
        # As all interpreters before 3.14 do, and those after it if they are told so.
        empty = contextvars.Context()
        thread = threading.Thread(target=lambda: empty.run(lambda: found.append(context.get())))
        thread.start()
        thread.join()
        assert found == [{}]

    def test_carried_functions_take_them_along(self):
        with concurrent.futures.ThreadPoolExecutor(4) as executor, context.bound(request="r"):
            carried = context.carry(lambda number: (context.bind(number=number), context.get())[1])
            found = list(executor.map(carried, range(50)))
        assert found == [{"request": "r", "number": number} for number in range(50)]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_a_forked_child_keeps_them(self):
        program = """if True:
            import os
            from duramen import context
            import duramen as logging
            logging.basicConfig(format="%(request)s %(process)d %(message)s", level="INFO")
            logging.getLogger().handlers[0].addFilter(lambda record: True)
            with context.bound(request="r"):
                logging.info("in the parent")
                child = os.fork()
                logging.info("%s %s", child == 0, os.getpid())
                if child:
                    os.waitpid(child, 0)
        """
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        first, *lines = (line.split() for line in done.stderr.splitlines())
        assert first[0] == "r"
        assert sorted(line[2] for line in lines) == ["False", "True"]
        # Each shows the process that it comes from, which is remembered until the fork.
        assert all(line[0] == "r" and line[1] == line[3] for line in lines)


class TestDecorated:
    def test_a_function(self):
        @context.bound(job="j")
        def work(value):
            """Do it."""
            return value, context.get()

        assert work(1) == (1, {"job": "j"})
        assert work.__doc__ == "Do it."
        assert context.get() == {}

    def test_a_coroutine_function(self):
        @context.bound(job="j")
        async def work():
            await asyncio.sleep(0)
            return context.get()

        async def main():
            return await asyncio.gather(work(), asyncio.sleep(0, context.get()))

        assert asyncio.run(main()) == [{"job": "j"}, {}]

    def test_a_generator_keeps_its_fields_from_its_caller(self):
        @context.bound(job="j")
        def steps():
            context.bind(step=1)
            given = yield context.get()
            try:
                yield context.get(), given
            except ValueError:
                yield "caught", context.get()
            return "end"

        running = steps()
        assert next(running) == {"job": "j", "step": 1}
        assert context.get() == {}
        with context.bound(caller="c"):
            assert running.send("given") == ({"job": "j", "step": 1}, "given")
            assert context.get() == {"caller": "c"}
            assert running.throw(ValueError()) == ("caught", {"job": "j", "step": 1})
            with pytest.raises(StopIteration) as end:
                next(running)
            assert end.value.value == "end"
        assert context.get() == {}

    def test_a_generator_that_is_closed_ends_within_its_fields(self):
        ended = []

        @context.bound(job="j")
        def steps():
            try:
                yield
            finally:
                ended.append(context.get())

        running = steps()
        next(running)
        running.close()
        assert ended == [{"job": "j"}]
        assert context.get() == {}

    def test_an_asynchronous_generator(self):
        @context.bound(job="j")
        async def steps():
            for number in range(3):
                await asyncio.sleep(0)
                context.bind(number=number)
                yield context.get()

        async def main():
            return [(inside, context.get()) async for inside in steps()]

        assert asyncio.run(main()) == [({"job": "j", "number": number}, {}) for number in range(3)]


class TestTraces:
    """The identifiers of OpenTelemetry's active span."""

    @pytest.fixture
    def tracer(self):
        trace = pytest.importorskip("opentelemetry.trace")
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        provider = TracerProvider(resource=Resource({"service.name": "shop", "service.version": "1.2"}))
        before = trace._TRACER_PROVIDER
        trace._TRACER_PROVIDER = provider
        yield provider.get_tracer("test")
        trace._TRACER_PROVIDER = before

    def test_they_are_on_records_while_a_span_is_active(self, tracer):
        with tracer.start_as_current_span("work") as span:
            found = fields_of(info)
            expected = span.get_span_context()
        assert found == {
            "trace_id": f"{expected.trace_id:032x}",
            "span_id": f"{expected.span_id:016x}",
            "trace_flags": f"{expected.trace_flags:02x}",
            "service_name": "shop",
            "service_version": "1.2",
        }
        assert fields_of(info) == {}

    def test_what_the_program_says_itself_stays(self, tracer):
        with tracer.start_as_current_span("work"), context.bound(trace_id="bound"):
            assert fields_of(info)["trace_id"] == "bound"
            given = fields_of(lambda logger: logger.info("m", extra={"trace_id": "given"}))
            assert given["trace_id"] == "given"

    def test_a_preset_puts_them_where_its_schema_has_them(self, tracer):
        with tracer.start_as_current_span("work") as span:
            found = json.loads(lines_of(JsonFormatter(preset="ecs"), info)[0])
        assert found["trace.id"] == f"{span.get_span_context().trace_id:032x}"

    def test_executors_get_them_with_a_carried_function(self, tracer):
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            with tracer.start_as_current_span("work") as span:
                carried = executor.submit(context.carry(fields_of), info).result()
                assert "trace_id" not in executor.submit(fields_of, info).result()
        assert carried["span_id"] == f"{span.get_span_context().span_id:016x}"


def test_the_names_of_a_records_own_attributes_are_those_of_the_interpreters_records():
    """They have one owner, the core crate: a version of CPython with another attribute is seen here."""
    from duramen._core import RECORD_ATTRIBUTES

    record = logging.makeLogRecord({"msg": "m"})
    logging.Formatter("%(asctime)s %(message)s").format(record)
    missing = {"taskName"} if sys.version_info < (3, 12) else set()
    assert set(vars(record)) == set(RECORD_ATTRIBUTES) - missing
