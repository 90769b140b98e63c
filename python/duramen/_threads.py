"""Threads of the system, in programs too that have green ones in the place of Python's (gevent, eventlet).

A worker waits for its queue without the interpreter: in a green thread that would stop all others.
"""

import _thread
import sys
from importlib.machinery import BuiltinImporter
from importlib.util import module_from_spec
from types import BuiltinFunctionType


def are_green():
    """Whether the program has replaced what starts Python's threads."""
    return not isinstance(_thread.start_new_thread, BuiltinFunctionType)


def starter():
    """What has a thread of the system call a function. ``threading``, whose locks the caller may hold, takes no part in it."""
    if not are_green():
        return _thread.start_new_thread
    gevent = sys.modules.get("gevent")
    if gevent is not None:
        # Its first hub reads its settings, with imports, which ends in a recursion where two threads come to it at once.
        gevent.get_hub()
    return _shipped().start_new_thread


def _shipped():
    """The module as the interpreter has it, a second time."""
    spec = BuiltinImporter.find_spec("_thread")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
