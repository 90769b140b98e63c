"""What happens when a process starts with Duramen active.

In this order, where the later wins: the configuration file (``--config``, else ``DURAMEN_CONFIG``),
then ``DURAMEN_LEVEL``, then whatever the program itself does to ``logging``. Nothing that goes wrong
here stops the program: it is reported on stderr, once, and the program runs.
"""

import importlib
import logging
import os
import sys

from duramen import _environment


def report(message):
    """Write one message of Duramen's own to stderr."""
    if sys.stderr is not None:
        sys.stderr.write(f"duramen: {message}\n")
        sys.stderr.flush()


def why_unavailable():
    """Why Duramen cannot be active in this process, as a phrase; None when it can."""
    try:
        importlib.import_module("duramen._core")
    except Exception as error:
        return f"its extension does not load ({type(error).__name__}: {error})"
    return None


def start(environ=os.environ):
    """Activate Duramen in this process and apply what the environment asks for.

    Gives the reason as a phrase when Duramen cannot be active, else None. Does nothing when
    ``DURAMEN_DISABLE`` says so.
    """
    if _environment.is_disabled(environ):
        return None
    reason = why_unavailable()
    if reason is not None:
        return reason
    import duramen

    duramen.install()
    _apply_config(environ.get(_environment.CONFIG, ""))
    _apply_level(environ.get(_environment.LEVEL, ""))
    return None


def start_child():
    """``start()`` for a process that inherited its activation: where it is not possible, stay silent."""
    try:
        start()
    except Exception as error:
        report(f"not active in process {os.getpid()}: {type(error).__name__}: {error}")


def _apply_config(path):
    if not path:
        return
    # Only here: most processes start without a file and need not pay for its reader.
    from duramen import _config_file

    try:
        _config_file.load(path).apply()
    except _config_file.ConfigFileError as error:
        report(f"{error}\n  The program runs without it.")


def _apply_level(text):
    if not text:
        return
    try:
        level = _environment.parse_level(text)
    except ValueError as error:
        report(f"{_environment.LEVEL}: {error}")
    else:
        logging.getLogger().setLevel(level)
