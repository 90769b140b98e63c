"""What ``logging.handlers`` has, over Duramen's classes."""

import duramen as logging
from duramen import _native
from duramen._interpreter import run_module

run_module("logging.handlers", globals())
#: What the module of the standard library has too: read and set there while Duramen is installed.
_shared_names = frozenset(globals())
_native.put_native_methods(globals(), "logging.handlers")
del run_module
