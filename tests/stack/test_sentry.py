"""sentry-sdk: it replaces `Logger.callHandlers`, and sends what it saw to a transport of the test's."""

import json

import pytest

PROGRAM = """
    import json
    import logging
    import sys
    import recorder

    if "loggers-first" in sys.argv:
        logger = logging.getLogger("shop")
        recorder.record_to_file()

    import sentry_sdk
    from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger
    from sentry_sdk.transport import Transport

    class Kept(Transport):
        events = []
        logs = []

        def capture_envelope(self, envelope):
            event = envelope.get_event()
            if event is not None:
                self.events.append(event)
            for item in envelope.items:
                if item.type == "log":
                    self.logs += item.payload.json["items"]

    sentry_sdk.init(
        dsn="http://key@127.0.0.1/1",
        transport=Kept,
        enable_logs=True,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(
                level=logging.INFO, event_level=logging.ERROR, sentry_logs_level=logging.WARNING
            )
        ],
    )

    if "loggers-later" in sys.argv:
        logger = logging.getLogger("shop")
        recorder.record_to_file()

    logger.debug("too low for a breadcrumb")
    logger.info("visit of %s", "alice")
    logger.error("order %d failed", 7, extra={"order": 7})
    try:
        raise LookupError("no such shop")
    except LookupError:
        logger.exception("failed")
    ignore_logger("noisy")
    logging.getLogger("noisy").error("ignored")
    sentry_sdk.flush()

    print(json.dumps([
        {
            "level": event["level"],
            "logger": event["logger"],
            "logentry": event["logentry"],
            "order": event["extra"].get("order"),
            "exceptions": [
                (exception["type"], exception["value"], exception["mechanism"]["type"])
                for exception in event.get("exception", {}).get("values", ())
            ],
            "breadcrumbs": [
                (crumb["level"], crumb["category"], crumb["message"])
                for crumb in event["breadcrumbs"]["values"]
            ],
        }
        for event in Kept.events
    ]))
    print(json.dumps([
        (log["body"], log["level"], log["attributes"]["code.function.name"]["value"],
         log["attributes"]["code.line.number"]["value"])
        for log in Kept.logs
    ]))
    print(recorder.implementation())
"""


@pytest.mark.parametrize("order", ["loggers-first", "loggers-later"])
def test_events_breadcrumbs_and_logs(stack, order):
    completed = stack.run_source(PROGRAM, order)
    events, logs, implementation = completed.stdout.splitlines()
    visit = ["info", "shop", "visit of alice"]
    order_failed = ["error", "shop", "order 7 failed"]
    assert json.loads(events) == [
        {
            "level": "error",
            "logger": "shop",
            "logentry": {"message": "order %d failed", "formatted": "order 7 failed", "params": [7]},
            "order": 7,
            "exceptions": [],
            "breadcrumbs": [visit],
        },
        {
            "level": "error",
            "logger": "shop",
            "logentry": {"message": "failed", "formatted": "failed", "params": []},
            "order": None,
            "exceptions": [["LookupError", "no such shop", "logging"]],
            "breadcrumbs": [visit, order_failed],
        },
    ]
    assert json.loads(logs) == [
        ["order 7 failed", "error", "<module>", stack.line_number("order %d")],
        ["failed", "error", "<module>", stack.line_number('exception("failed")')],
        ["ignored", "error", "<module>", stack.line_number("ignored")],
    ]
    assert implementation == stack.implementation
    assert [line for line in stack.read_lines() if "|program." in line] == [
        "DEBUG|shop|program.<module>|too low for a breadcrumb",
        "INFO|shop|program.<module>|visit of alice",
        "ERROR|shop|program.<module>|order 7 failed",
        "ERROR|shop|program.<module>|failed",
        "ERROR|noisy|program.<module>|ignored",
    ]
