"""daiquiri: adapters with keyword fields, outputs of its own, and its formatters."""

import json


def test_keyword_fields_and_outputs(stack):
    completed = stack.run_source("""
        import logging
        import sys
        import daiquiri
        import daiquiri.formatter
        import recorder

        daiquiri.setup(
            level=logging.INFO,
            program_name="shop",
            outputs=(
                daiquiri.output.Stream(
                    sys.stdout,
                    formatter=daiquiri.formatter.ColorExtrasFormatter(
                        fmt="%(levelname)s %(name)s%(extras)s: %(message)s", keywords=[]),
                ),
                daiquiri.output.File(
                    "shop.json", formatter=daiquiri.formatter.JSON_FORMATTER),
            ),
        )
        logger = daiquiri.getLogger("shop", subsystem="orders")
        daiquiri.getLogger("shop").info("order", number=7)
        logger.info("started")
        logger.debug("too low")
        logging.getLogger("library").warning("from logging")
        try:
            raise LookupError("no such shop")
        except LookupError:
            logger.exception("failed")
        logger.info(recorder.implementation())
    """)
    lines = completed.stdout.splitlines()
    assert lines[:4] == [
        "INFO shop [number: 7]: order",
        "INFO shop [subsystem: orders]: started",
        "WARNING library: from logging",
        "ERROR shop [subsystem: orders]: failed",
    ]
    assert lines[-2] == "LookupError: no such shop"
    assert lines[-1] == f"INFO shop [subsystem: orders]: {stack.implementation}"
    records = [json.loads(line) for line in stack.read_lines("shop.json")]
    assert [(record["message"], record.get("number")) for record in records] == [
        ("order", 7),
        ("started", None),
        ("from logging", None),
        ("failed", None),
        (stack.implementation, None),
    ]
