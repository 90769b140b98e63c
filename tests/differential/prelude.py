"""Gives a program of the differential tests its ``logging``, in the way that the environment names.

A program begins with ``from prelude import logging, …``; so its line numbers are the same in every way.
"""

import functools
import os
import sys

WAY = os.environ["DURAMEN_DIFFERENTIAL_WAY"]

if WAY == "standard":
    import logging
    import logging.config
    import logging.handlers
elif WAY == "installed":
    import duramen

    duramen.install()
    import logging
    import logging.config
    import logging.handlers
else:
    import duramen as logging
    import duramen.config
    import duramen.handlers

#: The methods that the way "overridden" replaces, each by a Python function that calls the original.
OVERRIDDEN = [
    ("Logger", "makeRecord"),
    ("Logger", "callHandlers"),
    ("Filterer", "filter"),
    ("Handler", "format"),
    ("Handler", "emit"),
    ("StreamHandler", "emit"),
    ("Formatter", "format"),
    ("Formatter", "formatException"),
    ("LogRecord", "getMessage"),
    ("PercentStyle", "format"),
]

_OVERRIDE = """
def {name}(self, *args, **kwargs):
    return original(self, *args, **kwargs)
"""


def _override_everything():
    """Replace methods on the classes, so that no record can take the native path."""
    # Code whose file lies beside logging's own is not shown in "Call stack:", as the original is not.
    path = os.path.join(os.path.dirname(os.__file__), "logging", "override.py")
    for class_name, name in OVERRIDDEN:
        owner = getattr(logging, class_name)
        namespace = {"original": getattr(owner, name)}
        exec(compile(_OVERRIDE.format(name=name), path, "exec"), namespace)
        setattr(owner, name, functools.update_wrapper(namespace[name], namespace["original"]))


if WAY == "overridden":
    _override_everything()


def show(*values):
    """Print values so that every character of them can be compared."""
    print(*(value if isinstance(value, str) and value.isascii() else ascii(value) for value in values))


def attempt(function, *args, **kwargs):
    """Call ``function`` and show what it gives, or the type and the text of what it raises."""
    try:
        show("gives", ascii(function(*args, **kwargs)))
    except BaseException as error:
        show("raises", type(error).__name__, ascii(str(error)))


def to_stdout(logger=None, fmt=None, style="%", handler_class=None, **options):
    """A stream handler on stdout with the formatter, on ``logger`` when one is given."""
    handler = (handler_class or logging.StreamHandler)(sys.stdout)
    if fmt is not None:
        handler.setFormatter(logging.Formatter(fmt, style=style, **options))
    if logger is not None:
        logger.addHandler(handler)
    return handler


def use(logger):
    """Log in each way that there is, and show what is raised."""
    calls = [
        lambda: logger.info("info %s", 1),
        lambda: logger.warning("%s", "warning", extra={"own": 1}),
        lambda: logger.error("error", exc_info=ValueError("given")),
        lambda: logger.log(35, sys),
        lambda: logger.isEnabledFor(10),
        lambda: logger.getChild("child").error("child"),
        lambda: logger.hasHandlers(),
    ]
    for call in calls:
        try:
            show(call())
        except Exception as error:
            show(type(error).__name__, str(error))
