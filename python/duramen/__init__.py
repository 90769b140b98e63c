"""Python's logging, implemented in Rust.

Everything that ``logging`` has, under the same names. Importing it changes nothing; ``install()``
makes the standard library's ``logging`` go through it.
"""

from duramen._interpreter import run_module

run_module("logging", globals())
del run_module

from duramen._activation import install, is_installed, uninstall  # noqa: E402
