"""What ``logging.handlers`` has, over Duramen's classes."""

import duramen as logging  # noqa: F401  (the name that the code of the module uses)
from duramen._interpreter import build_module

build_module("logging.handlers", globals())
del build_module
