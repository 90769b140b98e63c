"""The presets against the schemas of the systems that they are named after.

The schemas are written down from the vendors' documents that each names: what must be there, what may be
there, and of which type. Fields that a user adds are checked apart.
"""

import json
import re

import pytest
from structured.both_ways import raised, record

from duramen.formatters import JsonFormatter

RFC_3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d)"


def text(pattern=r"(?s).*"):
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value)


def whole(least=0, most=2**63 - 1):
    return lambda value: type(value) is int and least <= value <= most


def number(value):
    return type(value) in (int, float)


def one_of(*values):
    return lambda value: value in values


def members(required=(), **optional):
    """An object of these members and no others."""
    required = dict(required)
    allowed = {**required, **optional}

    def check(value):
        assert isinstance(value, dict)
        assert not set(required) - set(value), f"missing: {set(required) - set(value)}"
        assert not set(value) - set(allowed), f"unknown: {set(value) - set(allowed)}"
        return all(holds(allowed[key], inner, key) for key, inner in value.items())

    return check


def holds(check, value, key):
    assert check(value), f"{key}: {value!r}"
    return True


#: "ECS Logging" specification (github.com/elastic/ecs-logging, spec/spec.json) and the ECS field reference
#: (elastic.co/guide/en/ecs/current/ecs-field-reference.html): the first four in this order.
ECS = members(
    {
        "@timestamp": text(RFC_3339),
        "log.level": text(),
        "message": text(),
        "ecs.version": text(r"\d+\.\d+\.\d+"),
    },
    **{
        "log.logger": text(),
        "log.origin.file.name": text(),
        "log.origin.file.line": whole(1),
        "log.origin.function": text(),
        "process.pid": whole(),
        "process.name": text(),
        "process.thread.id": whole(),
        "process.thread.name": text(),
        "trace.id": text(),
        "span.id": text(),
        "error.type": text(),
        "error.message": text(),
        "error.stack_trace": text(),
        "service.name": text(),
        "service.version": text(),
        "service.node.name": text(),
    },
)

#: "Logs Data Model" (opentelemetry.io/docs/specs/otel/logs/data-model/): the top-level fields, the ranges of
#: SeverityNumber; attributes by the semantic conventions for code, threads and exceptions. 64-bit moments as
#: text, as the JSON mapping of protocol buffers has them.
OPENTELEMETRY = members(
    {"Timestamp": text(r"\d{19}"), "Body": text()},
    ObservedTimestamp=text(r"\d{19}"),
    TraceId=text("[0-9a-f]{32}"),
    SpanId=text("[0-9a-f]{16}"),
    TraceFlags=lambda value: whole(0, 255)(value) or text("[0-9a-f]{2}")(value),
    SeverityText=text(),
    SeverityNumber=whole(1, 24),
    Resource=members(
        {"process.pid": whole()},
        **{
            "service.name": text(),
            "service.namespace": text(),
            "service.version": text(),
            "service.instance.id": text(),
        },
    ),
    InstrumentationScope=members({"Name": text()}, Version=text()),
    Attributes=members(
        {"code.file.path": text(), "code.line.number": whole(), "code.function.name": text()},
        **{
            "thread.id": whole(),
            "thread.name": text(),
            "exception.type": text(),
            "exception.message": text(),
            "exception.stacktrace": text(),
            "order": whole(),
        },
    ),
    EventName=text(),
)

#: "Structured logging" and "LogEntry" (cloud.google.com/logging/docs/structured-logging, …/docs/reference/v2/
#: rest/v2/LogEntry): the special fields; all others become the payload. Error Reporting reads `stack_trace`.
GOOGLE_CLOUD = members(
    {
        "severity": one_of(
            "DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"
        ),
        "time": text(RFC_3339),
        "message": text(),
    },
    **{
        "logging.googleapis.com/sourceLocation": members(
            {"file": text(), "line": text(r"\d+"), "function": text()}
        ),
        "logging.googleapis.com/trace": text(),
        "logging.googleapis.com/spanId": text("[0-9a-f]{16}"),
        "logging.googleapis.com/trace_sampled": one_of(True, False),
        "logging.googleapis.com/labels": lambda value: isinstance(value, dict),
        "stack_trace": text(r"(?s)Traceback \(most recent call last\):\n.*"),
        "serviceContext": members({"service": text()}, version=text()),
        "logger": text(),
        "service.name": text(),
    },
)

#: "Standard attributes" (docs.datadoghq.com/standard-attributes/) and the default log-status remapper
#: (docs.datadoghq.com/logs/log_configuration/processors/); OpenTelemetry's identifiers of traces as
#: docs.datadoghq.com/opentelemetry/correlate/logs_and_traces has them.
DATADOG = members(
    {
        "timestamp": text(RFC_3339),
        "status": one_of("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"),
        "message": text(),
    },
    **{
        "logger.name": text(),
        "logger.method_name": text(),
        "logger.thread_name": text(),
        "trace_id": text("[0-9a-f]{32}"),
        "span_id": text("[0-9a-f]{16}"),
        "service": text(),
        "version": text(),
        "error.kind": text(),
        "error.message": text(),
        "error.stack": text(),
        "service.name": text(),
    },
)


#: "GELF Payload Specification" version 1.1 (go2docs.graylog.org, "GELF"): additional fields have an
#: underscore and characters of [\w.-], values are text or numbers, and `_id` is not allowed.
def gelf(value):
    own = {
        "version": one_of("1.1"),
        "host": text("(?s).+"),
        "short_message": text("(?s).+"),
        "full_message": text(),
        "timestamp": number,
        "level": whole(0, 7),
    }
    assert {"version", "host", "short_message"} <= set(value)
    assert "_id" not in value
    for key, inner in value.items():
        if key in own:
            holds(own[key], inner, key)
        else:
            assert re.fullmatch(r"_[\w.\-]*", key), key
            assert type(inner) in (str, int, float), (key, inner)
    return True


#: "logstash-logback-encoder", standard fields (github.com/logfellow/logstash-logback-encoder), which is what
#: version 1 of Logstash's events looks like in practice; "Event API" (elastic.co/guide/en/logstash/current/).
LOGSTASH = members(
    {
        "@timestamp": text(RFC_3339),
        "@version": one_of("1"),
        "message": text(),
        "logger_name": text(),
        "level": text(),
        "level_value": whole(),
    },
    thread_name=text(),
    stack_trace=text(),
    **{"service.name": text()},
)

SCHEMAS = {
    "ecs": ECS,
    "opentelemetry": OPENTELEMETRY,
    "google_cloud": GOOGLE_CLOUD,
    "datadog": DATADOG,
    "gelf": gelf,
    "logstash": LOGSTASH,
}
TRACED = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}


def line(preset, options=None, **attributes):
    return json.loads(JsonFormatter(preset=preset, **(options or {})).format(record(**attributes)))


@pytest.mark.parametrize("preset", SCHEMAS)
def test_records_follow_the_schema(preset):
    check = SCHEMAS[preset]
    assert check(line(preset))
    assert check(line(preset, {"static_fields": {"service.name": "shop"}}))
    assert check(line(preset, exc_info=raised(LookupError("gone"))))
    assert check(line(preset, levelno=10, levelname="DEBUG", process=None, thread=None, threadName=None))
    if preset != "logstash":
        assert check(line(preset, **TRACED))
        assert check(line(preset, service_name="shop", service_version="1.2"))


def test_the_service_of_the_trace_goes_where_the_system_looks_for_it():
    of_trace = {"service_name": "shop", "service_version": "1.2", "service_instance_id": "i-7"}
    ecs = line("ecs", **of_trace)
    assert [ecs[f"service.{name}"] for name in ("name", "version", "node.name")] == ["shop", "1.2", "i-7"]
    resource = line("opentelemetry", **of_trace)["Resource"]
    assert (resource["service.name"], resource["service.instance.id"]) == ("shop", "i-7")
    context = line("google_cloud", **of_trace)["serviceContext"]
    assert context == {"service": "shop", "version": "1.2"}
    datadog = line("datadog", **of_trace)
    assert (datadog["service"], datadog["version"]) == ("shop", "1.2")


@pytest.mark.parametrize(("preset", "key"), [("ecs", "service.name"), ("datadog", "service")])
def test_a_fixed_service_stands_where_the_trace_names_none(preset, key):
    options = {"static_fields": {key: "fixed"}}
    assert line(preset, options)[key] == "fixed"
    assert line(preset, options, service_name="shop")[key] == "shop"


def test_google_cloud_follows_a_trace_of_the_project():
    found = line("google_cloud", {"project": "web-7"}, trace_flags="01", **TRACED)
    assert GOOGLE_CLOUD({name: found[name] for name in found if name != "trace_flags"})
    trace = found["logging.googleapis.com/trace"]
    assert trace == f"projects/web-7/traces/{TRACED['trace_id']}"
    assert found["logging.googleapis.com/trace_sampled"] is True
    assert line("google_cloud", trace_flags="00")["logging.googleapis.com/trace_sampled"] is False
    assert "logging.googleapis.com/trace_sampled" not in line("google_cloud")
    for options in ({"preset": "ecs", "project": "web-7"}, {"preset": "google_cloud", "project": "a/b"}):
        with pytest.raises(ValueError, match="project: found "):
            JsonFormatter(**options)


def test_datadogs_own_tracer_has_the_last_word():
    of_tracer = {"dd.trace_id": "6643e1a100000000", "dd.span_id": "1234", "dd.service": "shop"}
    found = line("datadog", **of_tracer)
    assert of_tracer.items() <= found.items()


def test_ecs_has_what_the_package_ecs_logging_writes():
    ecs_logging = pytest.importorskip("ecs_logging")

    def flat(members, prefix=""):
        for key, value in members.items():
            if isinstance(value, dict):
                yield from flat(value, f"{prefix}{key}.")
            else:
                yield prefix + key, value

    def comparable(members):
        members = dict(flat(members))
        # The time has another precision, the level another case, and frames come with a heading here.
        del members["@timestamp"], members["ecs.version"]
        members["log.level"] = members["log.level"].lower()
        members.pop("error.stack_trace", None)
        return members

    for attributes in ({"http": {"method": "GET"}}, {"exc_info": raised(LookupError("gone"))}):
        theirs = json.loads(ecs_logging.StdlibFormatter().format(record(**attributes)))
        theirs.pop("taskName", None)
        assert theirs["log"].pop("original") == theirs["message"]
        assert comparable(line("ecs", **attributes)) == comparable(theirs)


def test_opentelemetry_agrees_with_its_own_sdk_and_protocol():
    handlers = pytest.importorskip("opentelemetry.sdk._logs._internal")
    numbers = [line("opentelemetry", levelno=level)["SeverityNumber"] for level in (10, 20, 30, 40, 50)]
    assert numbers == [handlers.std_to_otel(level).value for level in (10, 20, 30, 40, 50)]
    logs = pytest.importorskip("opentelemetry.proto.logs.v1.logs_pb2")
    found = line("opentelemetry", trace_flags="01", **TRACED)
    message = logs.LogRecord(
        time_unix_nano=int(found["Timestamp"]),
        severity_number=found["SeverityNumber"],
        severity_text=found["SeverityText"],
        trace_id=bytes.fromhex(found["TraceId"]),
        span_id=bytes.fromhex(found["SpanId"]),
        flags=int(found["TraceFlags"], 16),
    )
    message.body.string_value = found["Body"]
    assert logs.SeverityNumber.Name(message.severity_number) == "SEVERITY_NUMBER_WARN"
    assert (len(message.trace_id), len(message.span_id)) == (16, 8)


def test_ecs_begins_with_the_four_fields_of_the_specification():
    assert list(line("ecs"))[:4] == ["@timestamp", "log.level", "message", "ecs.version"]


def test_opentelemetry_puts_each_kind_of_field_in_its_place():
    found = line(
        "opentelemetry", {"static_fields": {"service.name": "shop"}}, order=5, trace_flags=1, **TRACED
    )
    assert OPENTELEMETRY(found)
    assert found["Resource"]["service.name"] == "shop"
    assert found["Attributes"]["order"] == 5
    assert found["TraceId"] == TRACED["trace_id"]
    assert found["Timestamp"] == "1709294400250000000"


def test_severities_on_other_scales():
    levels = (1, 10, 20, 25, 30, 40, 50, 99)

    def scale(preset, key):
        return [line(preset, levelno=level)[key] for level in levels]

    assert scale("opentelemetry", "SeverityNumber") == [1, 5, 9, 11, 13, 17, 21, 24]
    assert scale("gelf", "level") == [7, 7, 6, 6, 4, 3, 2, 2]
    assert scale("google_cloud", "severity")[1:7] == ["DEBUG", "INFO", "INFO", "WARNING", "ERROR", "CRITICAL"]


def test_gelf_makes_text_of_what_is_no_number():
    found = line(
        "gelf", {"host": "web-1"}, id=7, tags=["a"], ok=True, none=None, n=1.5, exc_text="E", **{"a b/é": "x"}
    )
    assert gelf(found)
    assert found["host"] == "web-1"
    assert found["_extra.id"] == 7
    assert (found["_tags"], found["_ok"], found["_none"], found["_n"]) == ('["a"]', "true", "null", 1.5)
    assert found["_a_b___"] == "x"
    assert found["full_message"] == "late by 5 min\nE"


def test_google_cloud_keeps_labels_and_sampling():
    found = line("google_cloud", trace_sampled=True, labels={"a": "b"}, **TRACED)
    assert GOOGLE_CLOUD(found)
    assert found["logging.googleapis.com/labels"] == {"a": "b"}


@pytest.mark.parametrize("message", ["", " ", "\n\t", {"event": "late"}])
def test_gelf_always_has_a_short_message(message):
    """GELF 1.1 wants one that is not empty, and its servers refuse white space too."""
    found = line("gelf", msg=message, args=())
    assert gelf(found)
    assert found["short_message"] == "-"
    assert line("gelf", {"rename_fields": {"message": "_text"}}, msg=message, args=())["_text"] == "-"
