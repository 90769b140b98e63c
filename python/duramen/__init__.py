"""Python's logging, implemented in Rust.

Everything that ``logging`` has, under the same names. Importing it changes nothing; ``install()``
makes the standard library's ``logging`` go through it.
"""

from duramen._interpreter import build_module
from duramen._native import set_globals_owner

build_module("logging", globals())
set_globals_owner(globals())
del build_module, set_globals_owner

from duramen._activation import install, is_installed, uninstall  # noqa: E402
