"""Python's logging, implemented in Rust.

Everything that ``logging`` has, under the same names. Importing it changes nothing; ``install()``
makes the standard library's ``logging`` go through it.
"""

from duramen import _native
from duramen._interpreter import run_module

run_module("logging", globals())
#: What ``logging`` has too: read and set there while Duramen is installed.
_shared_names = frozenset(globals())
_native.put_native_methods(globals(), "logging")
_native.set_globals_owner(globals())
del run_module

from duramen import _pickling  # noqa: E402
from duramen._activation import install, is_installed, uninstall  # noqa: E402

_pickling.name_the_standard_classes(globals())
del _pickling
