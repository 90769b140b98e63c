"""Python's logging, implemented in Rust.

Everything that ``logging`` has, under the same names. Importing it changes nothing; ``install()``
makes the standard library's ``logging`` go through it.
"""

from duramen._forking import guard_forks
from duramen._interpreter import build_module
from duramen._native import set_globals_owner

build_module("logging", globals())
set_globals_owner(globals())
guard_forks(globals())
del build_module, guard_forks, set_globals_owner

from duramen._activation import install, is_installed, uninstall  # noqa: E402
