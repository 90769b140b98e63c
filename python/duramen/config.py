"""What ``logging.config`` has, over Duramen's classes."""

import duramen as logging
import duramen.handlers
from duramen._interpreter import run_module

run_module("logging.config", globals())
#: What the module of the standard library has too: read and set there while Duramen is installed.
_shared_names = frozenset(globals())
del run_module
