"""OpenTelemetry's active span on records: what OpenTelemetry's own functions say, read without calling them."""

import contextvars
import gc
import json
import subprocess
import sys
import weakref
from unittest import mock

import pytest
from structured.test_ways_to_a_file import assert_all_ways_agree, lines_of

import duramen
from duramen import context as bound_fields
from duramen.filters import RedactingFilter
from duramen.formatters import JsonFormatter, LogfmtFormatter

trace = pytest.importorskip("opentelemetry.trace")
api_context = pytest.importorskip("opentelemetry.context")
sdk = pytest.importorskip("opentelemetry.sdk.trace")
Resource = pytest.importorskip("opentelemetry.sdk.resources").Resource

JSON = JsonFormatter(fields=["message"])


@pytest.fixture(autouse=True)
def provider():
    provider = sdk.TracerProvider(resource=Resource({"service.name": "shop"}))
    before = trace._TRACER_PROVIDER
    trace._TRACER_PROVIDER = provider
    yield provider
    trace._TRACER_PROVIDER = before


def expected():
    """The fields of the span by OpenTelemetry's own functions."""
    found = trace.get_current_span().get_span_context()
    if not found.is_valid:
        return {}
    service = trace.get_tracer_provider().resource.attributes["service.name"]
    identifiers = f"{found.trace_id:032x}", f"{found.span_id:016x}", f"{found.trace_flags:02x}"
    return dict(zip(("trace_id", "span_id", "trace_flags"), identifiers), service_name=service)


def assert_they_are_on_records(tmp_path, enter, **bound):
    """``enter`` is called in a context of its own, in which records are written by each way."""
    want = []

    def call(logger):
        logger.info("x")
        want.append(expected())
        logger.info("x", extra={"order": 7})

    def run():
        enter()
        with bound_fields.bound(**bound):
            return assert_all_ways_agree(JSON, [call], tmp_path)

    lines, _ = contextvars.copy_context().run(run)
    found = [json.loads(line) for line in lines if line][1:]
    assert len(found) == 2 * len(want) / 3
    for plain, with_extra in zip(found[::2], found[1::2]):
        assert plain == {"message": "x", **bound, **want[0]}
        assert with_extra == {"message": "x", "order": 7, **bound, **want[0]}
    return want[0]


def span_of(trace_id=0x0AF7651916CD43DD8448EB211C80319C, span_id=0xB7AD6B7169203331, flags=1, remote=False):
    identifiers = trace.SpanContext(trace_id, span_id, is_remote=remote, trace_flags=trace.TraceFlags(flags))
    return trace.NonRecordingSpan(identifiers)


def entered(span):
    return lambda: api_context.attach(trace.set_span_in_context(span))


def recording(provider):
    return provider.get_tracer("test").start_span("work")


class Wrapped(trace.NonRecordingSpan):
    """As libraries wrap spans."""

    def get_span_context(self):
        return trace.SpanContext(1, 2, is_remote=False)


class Named(trace.NonRecordingSpan):
    """One of a subclass with the same methods."""


def with_own_method():
    span = span_of()
    span.get_span_context = lambda: trace.SpanContext(3, 4, is_remote=False)
    return span


def ended(provider):
    span = recording(provider)
    span.end()
    return span


SPANS = {
    "recording": (recording, True),
    "ended": (ended, True),
    "remote": (lambda provider: span_of(remote=True), True),
    "not sampled": (lambda provider: span_of(flags=0), True),
    "small numbers": (lambda provider: span_of(1, 2, 255), True),
    "largest": (lambda provider: span_of(2**128 - 1, 2**64 - 1), True),
    "invalid": (lambda provider: trace.INVALID_SPAN, False),
    "no trace": (lambda provider: span_of(trace_id=0), False),
    "no span": (lambda provider: span_of(span_id=0), False),
    "too large": (lambda provider: span_of(trace_id=2**128), False),
    "negative": (lambda provider: span_of(span_id=-1), False),
    "wrapped": (lambda provider: Wrapped(trace.INVALID_SPAN_CONTEXT), True),
    "subclass": (lambda provider: Named(span_of().get_span_context()), True),
    "with its own method": (lambda provider: with_own_method(), True),
}


@pytest.mark.parametrize("name", SPANS)
def test_spans(name, provider, tmp_path):
    make, is_shown = SPANS[name]
    found = assert_they_are_on_records(tmp_path, entered(make(provider)))
    assert bool(found) == is_shown
    assert_they_are_on_records(tmp_path, entered(make(provider)), user="ann", job="x")


def test_no_span(tmp_path):
    assert assert_they_are_on_records(tmp_path, lambda: None) == {}
    assert assert_they_are_on_records(tmp_path, lambda: None, user="ann") == {}
    assert assert_they_are_on_records(tmp_path, entered(None)) == {}
    assert assert_they_are_on_records(tmp_path, entered("no span")) == {}
    # Another value in the context.
    assert (
        assert_they_are_on_records(tmp_path, lambda: api_context.attach(api_context.set_value("a", 1))) == {}
    )


def test_an_invalid_span_within_a_span(provider, tmp_path):
    entered(recording(provider))
    assert assert_they_are_on_records(tmp_path, entered(trace.INVALID_SPAN)) == {}


def lines_while(change, tmp_path, call=lambda logger: logger.info("x")):
    """The last of the fields that are written before, while and after ``change`` holds, by the shortest way."""
    found = []

    def run(logger):
        call(logger)
        with change:
            call(logger)
        call(logger)

    def all_of_it():
        entered(span_of())()
        found.extend(lines_of("file", JSON, [run], tmp_path)[0])

    contextvars.copy_context().run(all_of_it)
    return [json.loads(line).get("trace_id") for line in found if line][-3:]


OF_SPAN = "0af7651916cd43dd8448eb211c80319c"
OTHER = f"{5:032x}"


class Runtime:
    """Another runtime for contexts, as ``OTEL_PYTHON_CONTEXT`` chooses it."""

    def get_current(self):
        return trace.set_span_in_context(span_of(5), api_context.Context())


CHANGES = {
    "function": mock.patch.object(trace, "get_current_span", lambda context=None: span_of(5)),
    "propagation": mock.patch("opentelemetry.trace.propagation.get_value", lambda *args, **more: span_of(5)),
    "context": mock.patch("opentelemetry.context.get_current", lambda: {_key(): span_of(5)}),
    "key": mock.patch("opentelemetry.trace.propagation._SPAN_KEY", "another"),
    "runtime": mock.patch("opentelemetry.context._RUNTIME_CONTEXT", Runtime()),
    "runtime's class": mock.patch(
        "opentelemetry.context.contextvars_context.ContextVarsRuntimeContext.get_current",
        lambda self: Runtime().get_current(),
    ),
    "runtime's method": mock.patch.object(
        api_context._RUNTIME_CONTEXT, "get_current", Runtime().get_current, create=True
    ),
    "span's class": mock.patch.object(
        trace.NonRecordingSpan, "get_span_context", lambda self: trace.SpanContext(5, 6, is_remote=False)
    ),
    "base of spans": mock.patch("opentelemetry.trace.propagation.Span", int),
    "module": mock.patch.dict(
        sys.modules,
        {
            "opentelemetry.trace": mock.Mock(
                **{
                    "get_current_span.return_value": span_of(5),
                    "INVALID_SPAN": None,
                    "get_tracer_provider.return_value": None,
                }
            )
        },
    ),
    "no module": mock.patch.dict(sys.modules, {"opentelemetry.trace": None}),
}


def _key():
    from opentelemetry.trace import propagation

    return propagation._SPAN_KEY


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_replaced_is_asked(name, tmp_path):
    meanwhile = None if name in ("key", "base of spans", "no module") else OTHER
    for _ in range(2):
        assert lines_while(CHANGES[name], tmp_path) == [OF_SPAN, meanwhile, OF_SPAN]


def test_spans_in_turn(provider, tmp_path):
    spans = [recording(provider), span_of(), span_of(7), Wrapped(trace.INVALID_SPAN_CONTEXT)]

    def call(logger):
        for span in spans * 2:
            with trace.use_span(span):
                logger.info("x")
                with bound_fields.bound(user="ann", trace_id="bound"):
                    logger.info("x", extra={"span_id": "given"})
                    logger.info({"trace_id": "message", "a": 1}, extra={"span_id": "given"})
            logger.info("none")

    renamed = JsonFormatter(fields={"text": "message", "trace": "trace_id"})
    for formatter in (JSON, LogfmtFormatter(fields=["message"]), renamed):
        lines, _ = contextvars.copy_context().run(assert_all_ways_agree, formatter, [call], tmp_path)
        assert len(lines) == 2 + 3 * 8 * 4


def test_another_provider(tmp_path):
    def names(logger):
        for name in ("shop", "bank"):
            provider = sdk.TracerProvider(resource=Resource({"service.name": name, "service.version": "1"}))
            with mock.patch.object(trace, "_TRACER_PROVIDER", provider):
                with trace.use_span(span_of()):
                    logger.info("x")
                    logger.info("x")

    lines, _ = assert_all_ways_agree(JSON, [names], tmp_path)
    assert [json.loads(line)["service_name"] for line in lines[1:-1]] == ["shop", "shop", "bank", "bank"] * 3


def test_masking(tmp_path):
    def call(logger):
        with trace.use_span(span_of()):
            logger.info("password=hunter2", extra={"order": 7})
            logger.info("nothing", extra={"password": "hunter2"})

    lines, _ = assert_all_ways_agree(JSON, [call], tmp_path, [RedactingFilter(packs=["credentials", "pii"])])
    assert not any("hunter2" in line for line in lines)
    assert sum(OF_SPAN in line for line in lines) == 6


@pytest.mark.parametrize("kind", ["recording", "other", "none"])
@pytest.mark.parametrize("bound", [{}, {"user": "ann"}])
def test_opentelemetry_is_not_called(kind, bound, provider, tmp_path):
    """What Python code runs for a record is seen by the interpreter's own hook."""
    span = {"recording": recording(provider), "other": span_of(), "none": None}[kind]
    logger = duramen.Logger("shop", duramen.DEBUG)
    handler = duramen.FileHandler(tmp_path / "log")
    handler.setFormatter(JSON)
    logger.addHandler(handler)
    called = []

    def hook(frame, event, argument):
        if event == "call":
            called.append(frame.f_code.co_qualname if sys.version_info >= (3, 11) else frame.f_code.co_name)

    def run():
        entered(span)()
        with bound_fields.bound(**bound):
            for _ in range(3):
                logger.info("x", extra={"order": 7})
            sys.setprofile(hook)
            logger.info("x", extra={"order": 7})
            sys.setprofile(None)

    contextvars.copy_context().run(run)
    handler.close()
    assert called == []


def test_nothing_of_a_span_is_kept(provider, tmp_path):
    class Value:
        pass

    def run():
        span, value = recording(provider), Value()
        entered(span)()
        with bound_fields.bound(value=value):
            lines_of("file", JSON, [lambda logger: logger.info("x")], tmp_path)
        return weakref.ref(span), weakref.ref(value)

    references = contextvars.copy_context().run(run)
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_another_runtime_that_the_environment_chooses(tmp_path):
    """OpenTelemetry finds it by an entry point of an installed package."""
    package = tmp_path / "other-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[opentelemetry_context]\nother = other:Runtime\n")
    (tmp_path / "other.py").write_text(
        "from opentelemetry.context.context import Context, _RuntimeContext\n"
        "class Runtime(_RuntimeContext):\n"
        "    def __init__(self): self.current = Context()\n"
        "    def attach(self, context): before, self.current = self.current, context; return before\n"
        "    def get_current(self): return self.current\n"
        "    def detach(self, token): self.current = token\n"
    )
    program = (
        "import duramen, sys\n"
        "from duramen.formatters import JsonFormatter\n"
        "from opentelemetry import trace, context\n"
        "assert type(context._RUNTIME_CONTEXT).__module__ == 'other'\n"
        "handler = duramen.FileHandler(sys.argv[1]); handler.setFormatter(JsonFormatter(fields=['message']))\n"
        "logger = duramen.Logger('shop', 10); logger.addHandler(handler)\n"
        "span = trace.NonRecordingSpan(trace.SpanContext(5, 6, False))\n"
        "for _ in range(3):\n"
        "    logger.info('out')\n"
        "    with trace.use_span(span): logger.info('in')\n"
    )
    environment = {"OTEL_PYTHON_CONTEXT": "other", "PYTHONPATH": ":".join([str(tmp_path), *sys.path])}
    command = [sys.executable, "-c", program, str(tmp_path / "log")]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    found = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line.get("trace_id") for line in found] == [None, OTHER] * 3
