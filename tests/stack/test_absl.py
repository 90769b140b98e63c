"""absl-py: it replaces the logger class, makes a handler and formatter of its own, and skips frames."""

import re


def test_records_and_prefix(stack):
    completed = stack.run_source(
        """
        import logging
        import recorder
        from absl import logging as absl_logging

        recorder.record_to_file()
        absl_logging.use_absl_handler()
        absl_logging.set_verbosity(absl_logging.INFO)

        def order(number):
            absl_logging.info("order %d", number)
            for _ in range(4):
                absl_logging.log_every_n(absl_logging.WARNING, "every second", 2)

        order(7)
        logging.getLogger("shop").warning("from logging")
        try:
            raise LookupError("no such shop")
        except LookupError:
            absl_logging.exception("failed")
        absl_logging.vlog(1, "too low")
        absl_logging.info(recorder.implementation())
        absl_logging.fatal("the end")
    """,
        exit_code=-6,
    )
    assert [line for line in stack.read_lines() if "|" in line] == [
        "INFO|absl|program.order|order 7",
        "WARNING|absl|program.order|every second",
        "WARNING|absl|program.order|every second",
        "WARNING|shop|program.<module>|from logging",
        "ERROR|absl|program.<module>|failed",
        f"INFO|absl|program.<module>|{stack.implementation}",
        "CRITICAL|absl|program.<module>|the end",
    ]
    prefix = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ program\.py:\d+\] (.*)")
    shown = [match.groups() for match in map(prefix.fullmatch, completed.stderr.splitlines()) if match]
    assert shown == [
        ("I", "order 7"),
        ("W", "every second"),
        ("W", "every second"),
        ("W", "from logging"),
        ("E", "failed"),
        ("I", stack.implementation),
        ("F", "the end"),
    ]
    assert completed.stderr.count("LookupError: no such shop") == 1
