"""For extension modules in Rust or C that log on their own: ``forwarder``, a capsule with functions that give their
messages to the loggers of this process.

An extension that uses pyo3-log needs none of this: it calls ``logging``. docs/extensions.md has the declarations and
a backend for the ``log`` crate.
"""

from duramen import _core

__all__ = ["forwarder"]

#: A ``PyCapsule`` called ``duramen.extensions.forwarder``. Its functions may be called by any thread.
forwarder = _core.forwarder()
