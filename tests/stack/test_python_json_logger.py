"""python-json-logger: a formatter that reads `_style`, `_fmt` and the record's `__dict__`."""

import json


def test_fields_extra_dict_messages_and_exceptions(stack):
    completed = stack.run_source("""
        import logging
        import sys
        import recorder
        from pythonjsonlogger.json import JsonFormatter

        def handler(**settings):
            handler = logging.StreamHandler(sys.stdout)
            handler.setFormatter(JsonFormatter(**settings))
            return handler

        logger = logging.getLogger("shop")
        logger.setLevel(logging.INFO)
        logger.addHandler(handler(
            fmt="%(levelname)s %(name)s %(funcName)s %(message)s",
            rename_fields={"levelname": "severity"},
            static_fields={"service": "shop"},
        ))
        logger.addHandler(handler(fmt="{message}{name}", style="{", defaults={"user": "nobody"}))

        def order(number):
            logger.info("order %d", number, extra={"order": number})

        order(7)
        logger.warning({"event": "late", "minutes": 5})
        try:
            raise LookupError("no such shop")
        except LookupError:
            logger.exception("failed")
        logger.info(recorder.implementation())
    """)
    lines = [json.loads(line) for line in completed.stdout.splitlines()]
    for line in lines[4:6]:
        assert line.pop("exc_info").endswith("LookupError: no such shop")
    # From 3.12 on asyncio's task is a field of the record that the formatter takes for an extra.
    for line in lines:
        line.pop("taskName", None)
    full = {"severity": "INFO", "name": "shop", "funcName": "<module>", "service": "shop"}
    assert lines == [
        {**full, "funcName": "order", "message": "order 7", "order": 7},
        {"message": "order 7", "name": "shop", "order": 7, "user": "nobody"},
        {**full, "severity": "WARNING", "message": "", "event": "late", "minutes": 5},
        {"message": "", "name": "shop", "event": "late", "minutes": 5, "user": "nobody"},
        {**full, "severity": "ERROR", "message": "failed"},
        {"message": "failed", "name": "shop", "user": "nobody"},
        {**full, "message": stack.implementation},
        {"message": stack.implementation, "name": "shop", "user": "nobody"},
    ]


def test_from_dict_config(stack):
    completed = stack.run_source("""
        import logging
        import logging.config

        logging.config.dictConfig({
            "version": 1,
            "formatters": {
                "json": {
                    "()": "pythonjsonlogger.json.JsonFormatter",
                    "fmt": "%(asctime)s %(levelname)s %(message)s",
                    "datefmt": "%Y",
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
        logging.info("started", extra={"port": 80})
    """)
    line = json.loads(completed.stdout)
    line.pop("taskName", None)
    assert len(line.pop("asctime")) == 4
    assert line == {"levelname": "INFO", "message": "started", "port": 80}
