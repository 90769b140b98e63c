"""structlog on top of logging: its loggers, its processors, and its formatter for foreign records."""

import json


def test_events_go_through_loggers_of_logging(stack):
    stack.run_source("""
        import logging
        import recorder
        import structlog

        recorder.record_to_file(level=logging.INFO)
        structlog.configure(
            processors=[
                structlog.stdlib.filter_by_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
                structlog.stdlib.PositionalArgumentsFormatter(),
                structlog.processors.format_exc_info,
                structlog.processors.KeyValueRenderer(key_order=["event"]),
            ],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
        )

        def order(logger):
            logger.debug("filtered by level")
            logger.info("order %d", 7, user="alice")
            logger.bind(shop="main").warning("late")

        order(structlog.get_logger("shop"))
        order(structlog.get_logger("shop.other"))
        structlog.get_logger("shop").info("done", on=recorder.implementation())
    """)
    rendered = [
        ("INFO", "event='order 7' user='alice' logger='{name}' level='info'"),
        ("WARNING", "event='late' shop='main' logger='{name}' level='warning'"),
    ]
    # structlog's own frames are skipped: the caller is the program's function.
    assert stack.read_lines() == [
        *(
            f"{level}|{name}|program.order|{text.format(name=name)}"
            for name in ("shop", "shop.other")
            for level, text in rendered
        ),
        f"INFO|shop|program.<module>|event='done' on='{stack.implementation}' logger='shop' level='info'",
    ]


def test_formatter_renders_own_and_foreign_records(stack):
    completed = stack.run_source("""
        import logging
        import logging.config
        import recorder
        import structlog

        shared = [
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.CallsiteParameterAdder(
                {structlog.processors.CallsiteParameter.FUNC_NAME}
            ),
        ]
        logging.config.dictConfig({
            "version": 1,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.format_exc_info,
                        structlog.processors.JSONRenderer(sort_keys=True),
                    ],
                    "foreign_pre_chain": shared,
                },
            },
            "handlers": {
                "out": {
                    "class": "logging.StreamHandler",
                    "stream": "ext://sys.stdout",
                    "formatter": "json",
                },
            },
            "root": {"handlers": ["out"], "level": "INFO"},
        })
        structlog.configure(
            processors=shared + [structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
        )

        def own():
            structlog.get_logger("shop").info("own", order=7)

        def foreign():
            logging.getLogger("library").warning("foreign %d", 8, extra={"order": 8})

        structlog.contextvars.bind_contextvars(request="req-1")
        own()
        foreign()
        try:
            raise LookupError("no such shop")
        except LookupError:
            logging.getLogger("library").exception("failed")
        logging.getLogger("library").error(recorder.implementation())
    """)
    own, foreign, failed, last = map(json.loads, completed.stdout.splitlines())
    assert own == {
        "event": "own",
        "func_name": "own",
        "level": "info",
        "logger": "shop",
        "order": 7,
        "request": "req-1",
    }
    assert foreign == {
        "event": "foreign 8",
        "func_name": "foreign",
        "level": "warning",
        "logger": "library",
        "order": 8,
        "request": "req-1",
    }
    assert failed.pop("exception").endswith("LookupError: no such shop")
    assert failed == {
        "event": "failed",
        "func_name": "<module>",
        "level": "error",
        "logger": "library",
        "request": "req-1",
    }
    assert last["event"] == stack.implementation
