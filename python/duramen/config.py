"""What ``logging.config`` has, over Duramen's classes."""

import duramen as logging
import duramen.handlers
from duramen._interpreter import run_module

run_module("logging.config", globals())
del run_module
