"""OpenTelemetry: the record factory of its instrumentation, and the handler that exports records."""

import json
import re

TRACES = """
    import logging
    import recorder
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.id_generator import IdGenerator

    class CountedIds(IdGenerator):
        def generate_span_id(self):
            return 0xA1

        def generate_trace_id(self):
            return 0xB2

    trace.set_tracer_provider(TracerProvider(id_generator=CountedIds()))
    tracer = trace.get_tracer("shop")
"""

TRACE_ID = f"{0xB2:032x}"
SPAN_ID = f"{0xA1:016x}"


def test_instrumentation_adds_the_trace_to_each_record(stack):
    stack.run_source(
        TRACES
        + """
    from opentelemetry.instrumentation.logging import LoggingInstrumentor

    logger = logging.getLogger("shop")
    LoggingInstrumentor().instrument(
        inject_trace_context=True,
        log_hook=lambda span, record: setattr(record, "hooked", span.name)
    )
    recorder.record_to_file(
        format="%(name)s|%(funcName)s|%(otelTraceID)s|%(otelSpanID)s|%(otelTraceSampled)s"
        "|%(otelServiceName)s|%(message)s"
    )

    def order(number):
        logger.info("order %d", number)

    with tracer.start_as_current_span("ordering"):
        order(1)
    order(2)
    logger.info("on %s", recorder.implementation())
    LoggingInstrumentor().uninstrument()
    logging.getLogger().handlers[:] = []
    recorder.record_to_file(format="%(name)s|%(message)s")
    order(3)
    """,
        OTEL_SERVICE_NAME="shop-service",
    )
    lines = [line for line in stack.read_lines() if line.startswith("shop|")]
    assert lines == [
        f"shop|order|{TRACE_ID}|{SPAN_ID}|True|shop-service|order 1",
        "shop|order|0|0|False|shop-service|order 2",
        f"shop|<module>|0|0|False|shop-service|on {stack.implementation}",
        "shop|order 3",
    ]


def test_instrumentation_sets_a_format_and_exports_too(stack):
    completed = stack.run_source(
        TRACES
        + """
    from opentelemetry._logs import set_logger_provider
    from opentelemetry.instrumentation.logging import LoggingInstrumentor
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    set_logger_provider(provider)
    LoggingInstrumentor().instrument(set_logging_format=True)
    with tracer.start_as_current_span("ordering"):
        logging.getLogger("shop").info("order %d", 7)
    [exported] = exporter.get_finished_logs()
    print(exported.log_record.body, exported.log_record.trace_id)
    print(recorder.implementation())
    """,
        OTEL_SERVICE_NAME="shop-service",
    )
    assert completed.stdout == f"order 7 {0xB2}\n{stack.implementation}\n"
    [line] = [line for line in completed.stderr.splitlines() if "order 7" in line]
    assert re.fullmatch(
        r"[\d-]+ [\d:,]+ INFO \[shop\] \[program\.py:\d+\] "
        rf"\[trace_id={TRACE_ID} span_id={SPAN_ID} resource\.service\.name=shop-service "
        r"trace_sampled=True\] - order 7",
        line,
    )


def test_handler_exports_records(stack):
    completed = stack.run_source(
        TRACES
        + """
    import json
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = logging.getLogger("shop")
    logger.setLevel(logging.INFO)
    logger.addHandler(LoggingHandler(level=logging.INFO, logger_provider=provider))

    with tracer.start_as_current_span("ordering"):
        logger.warning("order %d", 7, extra={"order": 7})
    try:
        raise LookupError("no such shop")
    except LookupError:
        logger.exception("failed")
    logger.debug("not exported")

    for exported in exporter.get_finished_logs():
        record = exported.log_record
        attributes = dict(record.attributes)
        attributes.pop("code.file.path")
        attributes.pop("code.line.number")
        attributes.pop("exception.stacktrace", None)
        print(json.dumps([
            record.severity_text, record.severity_number.value, record.body, record.trace_id,
            record.span_id, exported.instrumentation_scope.name, attributes,
        ]))
    print(recorder.implementation())
    """
    )
    *exported, implementation = completed.stdout.splitlines()
    assert implementation == stack.implementation
    assert [json.loads(line) for line in exported] == [
        ["WARN", 13, "order 7", 0xB2, 0xA1, "shop", {"order": 7, "code.function.name": "<module>"}],
        [
            "ERROR",
            17,
            "failed",
            0,
            0,
            "shop",
            {
                "code.function.name": "<module>",
                "exception.type": "LookupError",
                "exception.message": "no such shop",
            },
        ],
    ]
