"""coloredlogs and verboselogs: formatters with colours, a host name filter, and more levels."""


def test_install_replaces_the_root_handler(stack):
    completed = stack.run_source("""
        import logging
        import sys
        import coloredlogs
        import recorder

        logging.basicConfig(stream=sys.stdout, format="replaced %(message)s")
        coloredlogs.install(
            level="INFO", stream=sys.stdout, isatty=True, fmt="%(name)s %(levelname)s %(message)s",
            programname="shop", hostname=False,
        )
        logger = logging.getLogger("shop")
        logger.info("order %d", 7)
        logger.warning("late")
        logger.debug("too low")
        coloredlogs.set_level("DEBUG")
        logger.debug(recorder.implementation())
        coloredlogs.install(
            level="DEBUG", stream=sys.stdout, isatty=False,
            fmt="{programname} {levelname} {message}", style="{",
        )
        logger.debug("plain")
    """)
    bold, reset = "\x1b[1;30m", "\x1b[0m"
    assert completed.stdout.splitlines() == [
        f"\x1b[34mshop{reset} {bold}INFO{reset} order 7",
        f"\x1b[34mshop{reset} {bold}WARNING{reset} \x1b[33mlate{reset}",
        f"\x1b[34mshop{reset} {bold}DEBUG{reset} \x1b[32m{stack.implementation}{reset}",
        "program.py DEBUG plain",
    ]


def test_verboselogs_levels(stack):
    stack.run_source("""
        import logging
        import recorder
        import verboselogs

        verboselogs.install()
        recorder.record_to_file(format="%(levelno)d|%(levelname)s|%(name)s|%(funcName)s|%(message)s")

        def order(logger):
            logger.spam("spam")
            logger.verbose("verbose %d", 7)
            logger.notice("notice")
            logger.success("success")
            logger.warning("warning")

        order(logging.getLogger("shop"))
        order(logging.getLogger("apart"))
        logging.getLogger("shop").notice(recorder.implementation())
    """)
    # The added methods are the callers that logging finds, since they do not ask for a stacklevel.
    assert stack.read_lines() == [
        *(
            line
            for name in ("shop", "apart")
            for line in (
                f"15|VERBOSE|{name}|verbose|verbose 7",
                f"25|NOTICE|{name}|notice|notice",
                f"35|SUCCESS|{name}|success|success",
                f"30|WARNING|{name}|order|warning",
            )
        ),
        f"25|NOTICE|shop|notice|{stack.implementation}",
    ]
