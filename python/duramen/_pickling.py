"""Pickles of Duramen's own classes name those of ``logging``, so that any process can read them.

Only Duramen's own tree needs this: while installed, the objects are of the classes of ``logging``.
"""

from copyreg import __newobj__


def _standard_counterpart(definition):
    """What ``logging`` has for a class or function of Duramen's; anything else stands for itself."""
    package, dot, module = definition.__module__.partition(".")
    if package != "duramen" or module not in ("", "handlers", "config"):
        return definition
    from importlib import import_module

    return getattr(import_module("logging" + dot + module), definition.__name__, definition)


def _reduce_ex(self, protocol):
    # Protocols 0 and 1 know no __newobj__; what protocol 2 makes can be written in them as well.
    reduced = object.__reduce_ex__(self, max(protocol, 2))
    maker, arguments, *state = reduced
    if maker is __newobj__:
        # With __newobj__ itself the pickler would insist on the object's own class.
        class_, *arguments = arguments
        return (class_.__new__, (_standard_counterpart(class_), *arguments), *state)
    return (_standard_counterpart(maker), arguments, *state)


def _copy(self):
    import copy

    # A copy is of the same class, whatever a pickle names.
    return copy._reconstruct(self, None, *object.__reduce_ex__(self, 4))


def _deepcopy(self, memo):
    import copy

    return copy._reconstruct(self, memo, *object.__reduce_ex__(self, 4))


def name_the_standard_classes(namespace):
    """Give the classes that ``namespace`` defines their pickling."""
    for value in list(namespace.values()):
        if isinstance(value, type) and _is_ours(value) and not _is_ours(value.__base__):
            value.__reduce_ex__ = _reduce_ex
            value.__copy__ = _copy
            value.__deepcopy__ = _deepcopy


def _is_ours(class_):
    return class_.__module__.partition(".")[0] == "duramen"
