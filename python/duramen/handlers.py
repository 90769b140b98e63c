"""What ``logging.handlers`` has, over Duramen's classes."""

import duramen as logging
from duramen._interpreter import run_module

run_module("logging.handlers", globals())
del run_module
