"""The environment variables that Duramen reads, and the environment that activates a child process.

``DURAMEN_DISABLE``
    Any value but an empty one, ``0``, ``false``, ``no`` and ``off`` turns Duramen off in this process
    and in those that it starts.
``DURAMEN_CONFIG``
    Path of a configuration file, applied when a process starts with Duramen active.
``DURAMEN_LEVEL``
    Level of the root logger, a name or a number, set after the configuration file was applied.
"""

import logging
import os

DISABLE = "DURAMEN_DISABLE"
CONFIG = "DURAMEN_CONFIG"
LEVEL = "DURAMEN_LEVEL"
PYTHONPATH = "PYTHONPATH"

# The folder whose sitecustomize.py activates a Python process that has it on PYTHONPATH.
BOOTSTRAP_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_bootstrap")

_MEANS_NO = frozenset({"", "0", "false", "no", "off"})


def is_disabled(environ=os.environ):
    """True if ``DURAMEN_DISABLE`` turns Duramen off."""
    return environ.get(DISABLE, "").strip().lower() not in _MEANS_NO


def child_environment(environ, config=None):
    """A copy of ``environ`` in which Python processes start with Duramen active.

    ``config`` is the path of a configuration file that takes the place of ``DURAMEN_CONFIG``; it is
    made absolute, since a child may have another working directory.
    """
    child = dict(environ)
    paths = [path for path in child.get(PYTHONPATH, "").split(os.pathsep) if path != BOOTSTRAP_FOLDER]
    # A PYTHONPATH that was unset or empty must not turn into one with an empty entry, which means the
    # working directory.
    child[PYTHONPATH] = os.pathsep.join([BOOTSTRAP_FOLDER] + (paths if any(paths) else []))
    if config is not None:
        child[CONFIG] = os.path.abspath(config)
    return child


def level_names():
    """The names of the levels as a phrase, the most severe first."""
    return ", ".join(name for _, name in sorted(logging._levelToName.items(), reverse=True))


def parse_level(text):
    """The level that ``text`` names: the name of a level in any case, or a number.

    Raises ``ValueError``, whose message says what is allowed.
    """
    word = text.strip()
    if word.isdecimal():
        return int(word)
    for name in (word, word.upper()):
        if name in logging._nameToLevel:
            return logging._nameToLevel[name]
    raise ValueError(f"{text!r} is no level; use one of {level_names()}, or a number")
