"""What ``logging.config`` has, over Duramen's classes.

Names of ``logging`` in a configuration mean Duramen's: ``logging.StreamHandler`` is
``duramen.StreamHandler``.
"""

import builtins

import duramen as logging
import duramen.handlers
from duramen._interpreter import renamed, run_module


def __import__(name, *arguments):
    # The functions below call this by its name to find what a configuration names.
    return builtins.__import__(renamed(name), *arguments)


run_module("logging.config", globals())
#: What the module of the standard library has too: read and set there while Duramen is installed.
_shared_names = frozenset(globals())
del run_module
