"""Logs the same records through a handler for a file that is made in one of Python's ways, for each of several jobs.

Arguments: the way, and a file of JSON with the jobs: the name of a class, its options, and the time of day, if any.
"""

import datetime
import json
import os
import sys

WAYS = ("standard", "code", "dictConfig", "installed", "installed dictConfig")


def log(shop, orders):
    """What the Rust example 05_configuration_file logs, but for what fields add."""
    shop.info("open, with password=%s", "hunter2")
    for _ in range(3):
        orders.info("order accepted")
    orders.warning("mail to %s", "ada@example.org")
    for _ in range(2):
        shop.error('disk "%s" is slow', "a\u00e9")
    shop.debug("done")
    shop.info("deep")


def run(way, jobs):
    if way == "standard":
        import logging
        import logging.config
        import logging.handlers

        config, handlers = logging.config, logging.handlers
    else:
        import duramen
        import duramen.config
        import duramen.handlers

        logging, config, handlers = duramen, duramen.config, duramen.handlers
        if way.startswith("installed"):
            duramen.install()
            import logging
            import logging.config

            config = logging.config
    shop = logging.getLogger("shop")
    for name, options, at_time in jobs:
        if at_time is not None:
            options["atTime"] = datetime.time.fromisoformat(at_time)
        # As the name of its class stands in a configuration.
        _, _, last = name.rpartition(".")
        if way.endswith("dictConfig"):
            config.dictConfig(
                {
                    "version": 1,
                    "formatters": {"f": {"format": "%(message)s"}},
                    "handlers": {"file": {"class": name, "formatter": "f", **options}},
                    "loggers": {"shop": {"level": "DEBUG", "handlers": ["file"], "propagate": False}},
                }
            )
            (handler,) = shop.handlers
        else:
            module = logging if last == "FileHandler" else handlers
            if way == "installed" and not name.startswith("duramen."):
                module = logging if last == "FileHandler" else sys.modules["logging.handlers"]
            handler = getattr(module, last)(**options)
            handler.setFormatter(logging.Formatter("%(message)s"))
            shop.setLevel("DEBUG")
            shop.propagate = False
            shop.addHandler(handler)
        log(shop, logging.getLogger("shop.orders"))
        if hasattr(handler, "upkeep"):
            handler.upkeep.wait(30)
        shop.removeHandler(handler)
        handler.close()


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as file:
        run(sys.argv[1], json.load(file))
    sys.stdout.flush()
    os._exit(0)
