"""Process-wide activation: the standard library's ``logging`` goes through Duramen.

``install()`` puts Duramen's native methods into the classes that ``logging`` and
``logging.handlers`` have already. The class objects stay the same, and so do all instances, subclasses
and references to them, however early somebody made them. ``uninstall()`` puts back each method that is
still Duramen's.
"""

import sys
import threading
from types import ModuleType

from duramen import _native
from duramen._forking import guard_forks

_lock = threading.RLock()
#: ``(class, method name, the interpreter's function, Duramen's method)`` for each method put in.
_changes = []


def install():
    """Make the standard library's ``logging`` go through Duramen in this process.

    Calling it again does nothing, and so does calling it where ``DURAMEN_DISABLE`` is set in the
    environment. Until ``uninstall()``, the names that ``duramen`` shares with ``logging`` are those of
    ``logging``: there is one tree of loggers.
    """
    from duramen._environment import is_disabled

    if is_disabled():
        return
    if _native.load_error is not None:
        raise ImportError("the extension of Duramen does not load") from _native.load_error
    with _lock:
        if _changes:
            return
        import logging
        import logging.config
        import logging.handlers

        if logging is sys.modules["duramen"]:
            # Somebody has put Duramen's modules under the standard names: nothing is left to do.
            return
        _changes.extend(_native.put_native_methods(vars(logging), "logging"))
        _changes.extend(_native.put_native_methods(vars(logging.handlers), "logging.handlers"))
        from duramen import _async, _formatter_config, _listening, _redaction

        _changes.append(_async.put_into(logging.config.DictConfigurator))
        _changes.extend(filter(None, [_listening.put_into(logging.config.DictConfigurator)]))
        _changes.append(_formatter_config.put_into(logging.config.DictConfigurator))
        _changes.append(_redaction.put_into(logging.config.DictConfigurator))
        _changes.extend(_redaction.put_into_file_config(logging.config))
        _native.set_globals_owner(vars(logging))
        guard_forks(vars(logging))
        for standard in (logging, logging.handlers, logging.config):
            _forward(standard)


def uninstall():
    """Undo ``install()``.

    Each method that is still Duramen's becomes the interpreter's own again; what somebody replaced
    meanwhile stays replaced. Objects that were made meanwhile keep working.
    """
    with _lock:
        for owner, name, original, replacement in reversed(_changes):
            if vars(owner).get(name) is replacement:
                setattr(owner, name, original)
        _changes.clear()
        _native.set_globals_owner(vars(sys.modules["duramen"]))
        for module in _forwarded:
            module.__class__ = ModuleType
        _forwarded.clear()


def is_installed():
    """True between ``install()`` and ``uninstall()``."""
    return bool(_changes)


_forwarded = []
#: Names that a module keeps for itself, whatever the module that it forwards to has under them.
_OWN_NAMES = frozenset(
    {"__name__", "__doc__", "__package__", "__loader__", "__spec__", "__path__", "__file__", "__cached__"}
    | {"__builtins__", "__class__", "__dict__", "config", "handlers"}
)


class _ForwardingModule(ModuleType):
    """A module of Duramen's while it is installed: what ``logging`` has is read and set there."""

    def __getattribute__(self, name):
        namespace = ModuleType.__getattribute__(self, "__dict__")
        standard = namespace["_standard"]
        if name not in _OWN_NAMES and name in standard and name in namespace["_shared_names"]:
            return standard[name]
        return ModuleType.__getattribute__(self, name)

    def __setattr__(self, name, value):
        namespace = vars(self)
        if name in namespace["_shared_names"] and name not in _OWN_NAMES:
            namespace["_standard"][name] = value
        else:
            ModuleType.__setattr__(self, name, value)

    def __delattr__(self, name):
        namespace = vars(self)
        if name in namespace["_shared_names"] and name not in _OWN_NAMES:
            if namespace["_standard"].pop(name, self) is self:
                raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        else:
            ModuleType.__delattr__(self, name)


def _forward(standard):
    name = "duramen" + standard.__name__[len("logging") :]
    module = sys.modules.get(name)
    if module is None:
        __import__(name)
        module = sys.modules[name]
    module._standard = vars(standard)
    module.__class__ = _ForwardingModule
    _forwarded.append(module)
