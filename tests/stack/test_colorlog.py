"""colorlog: its formatter wraps the record, and its styles are logging's."""


def test_colours_by_level(stack):
    completed = stack.run_source("""
        import logging
        import sys
        import colorlog
        import recorder

        handler = colorlog.StreamHandler(sys.stdout)
        handler.setFormatter(colorlog.ColoredFormatter(
            "%(log_color)s%(levelname)-8s%(reset)s %(blue)s%(name)s%(reset)s %(mark_log_color)s%(message)s",
            secondary_log_colors={"mark": {"ERROR": "red"}},
            force_color=True,
        ))
        logger = colorlog.getLogger("shop")
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
        logger.debug("order %d", 7)
        logger.error("failed")
        handler.setFormatter(colorlog.ColoredFormatter(
            "{log_color}{levelname}{reset} {user} {message}", style="{", no_color=True))
        logger.warning("plain", extra={"user": "alice"})
        print(recorder.implementation())
    """)
    reset = "\x1b[0m"
    blue = f"\x1b[34mshop{reset}"
    assert completed.stdout.splitlines() == [
        f"\x1b[37mDEBUG   {reset} {blue} order 7{reset}",
        f"\x1b[31mERROR   {reset} {blue} \x1b[31mfailed{reset}",
        "WARNING alice plain",
        stack.implementation,
    ]


def test_from_dict_config_and_basic_config(stack):
    completed = stack.run_source("""
        import logging
        import logging.config
        import sys
        import colorlog

        logging.config.dictConfig({
            "version": 1,
            "formatters": {
                "colour": {
                    "()": "colorlog.ColoredFormatter",
                    "format": "%(log_color)s%(levelname)s %(message)s",
                    "force_color": True,
                    "reset": False,
                },
            },
            "handlers": {
                "out": {
                    "class": "colorlog.StreamHandler",
                    "stream": "ext://sys.stdout",
                    "formatter": "colour",
                },
            },
            "root": {"handlers": ["out"], "level": "INFO"},
        })
        logging.info("started")
        logging.getLogger().handlers.clear()
        colorlog.basicConfig(level="INFO", stream=sys.stdout, format="%(message)s")
        logging.info("again")
    """)
    assert completed.stdout.splitlines() == ["\x1b[32mINFO started", "again"]
