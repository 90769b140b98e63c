"""Prints, as JSON, what can be asked about every name of the three modules: {kind: {name: fact}}."""

import copy
import inspect
import io
import json
import pickle
import pydoc
import sys
import weakref
from unittest import mock

from prelude import logging

MODULES = {"logging": logging, "logging.handlers": logging.handlers, "logging.config": logging.config}
#: Attributes of every class that say nothing of its interface.
BOOKKEEPING = {"__dict__", "__weakref__", "__module__", "__static_attributes__", "__firstlineno__"}

#: How to make one object of each class that can be made here.
MAKERS = {
    "Logger": lambda: logging.Logger("n", 20),
    "RootLogger": lambda: logging.RootLogger(10),
    "Manager": lambda: logging.Manager(logging.RootLogger(10)),
    "PlaceHolder": lambda: logging.PlaceHolder(logging.Logger("n")),
    "LogRecord": lambda: logging.LogRecord("n", 20, "/p/f.py", 1, "m %s", (1,), None),
    "PercentStyle": lambda: logging.PercentStyle("%(message)s"),
    "StrFormatStyle": lambda: logging.StrFormatStyle("{message}"),
    "StringTemplateStyle": lambda: logging.StringTemplateStyle("$message"),
    "Formatter": lambda: logging.Formatter("%(message)s", "%Y"),
    "BufferingFormatter": lambda: logging.BufferingFormatter(),
    "Filter": lambda: logging.Filter("n"),
    "Filterer": lambda: logging.Filterer(),
    "Handler": lambda: logging.Handler(20),
    "StreamHandler": lambda: logging.StreamHandler(io.StringIO()),
    "FileHandler": lambda: logging.FileHandler("f.log", delay=True),
    "NullHandler": lambda: logging.NullHandler(),
    "_StderrHandler": lambda: logging._StderrHandler(30),
    "LoggerAdapter": lambda: logging.LoggerAdapter(logging.getLogger("n"), {"a": 1}),
    "RotatingFileHandler": lambda: logging.handlers.RotatingFileHandler("f.log", delay=True),
    "TimedRotatingFileHandler": lambda: logging.handlers.TimedRotatingFileHandler("f.log", delay=True),
    "WatchedFileHandler": lambda: logging.handlers.WatchedFileHandler("f.log", delay=True),
    "SocketHandler": lambda: logging.handlers.SocketHandler("localhost", 1),
    "DatagramHandler": lambda: logging.handlers.DatagramHandler("localhost", 1),
    "SysLogHandler": lambda: logging.handlers.SysLogHandler(("localhost", 9)),
    "SMTPHandler": lambda: logging.handlers.SMTPHandler("localhost", "a@b", ["c@d"], "s", ("u", "p")),
    "HTTPHandler": lambda: logging.handlers.HTTPHandler("localhost", "/x", "POST"),
    "BufferingHandler": lambda: logging.handlers.BufferingHandler(5),
    "MemoryHandler": lambda: logging.handlers.MemoryHandler(5),
    "QueueHandler": lambda: logging.handlers.QueueHandler(None),
    "QueueListener": lambda: logging.handlers.QueueListener(None),
    "ConvertingDict": lambda: logging.config.ConvertingDict({"a": 1}),
    "ConvertingList": lambda: logging.config.ConvertingList([1]),
    "ConvertingTuple": lambda: logging.config.ConvertingTuple((1,)),
    "BaseConfigurator": lambda: logging.config.BaseConfigurator({"version": 1}),
    "DictConfigurator": lambda: logging.config.DictConfigurator({"version": 1}),
}


def outcome(function, *args, **kwargs):
    """What ``function`` gives, or what it raises, as text."""
    try:
        return str(function(*args, **kwargs))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def standard_name(module):
    """The module's name; Duramen's own classes may name the module that they are imported from."""
    return "logging" + module.removeprefix("duramen") if module.startswith("duramen") else module


def category(value):
    """What a value is, where a native method and a Python function count as the same."""
    if isinstance(value, type):
        return "class"
    if inspect.isroutine(value):
        return "routine"
    return type(value).__name__


def defined_names():
    """(dotted name, value) of everything that the three modules define, classes with their attributes."""
    for module_name, module in MODULES.items():
        for name, value in list(vars(module).items()):
            if name.startswith("__") or inspect.ismodule(value):
                continue
            yield f"{module_name}.{name}", value
            if isinstance(value, type) and value.__module__ in (module_name, module.__name__):
                for attribute, member in list(vars(value).items()):
                    if attribute not in BOOKKEEPING:
                        yield f"{module_name}.{name}.{attribute}", member


def facts_of_definitions():
    kinds = {
        kind: {} for kind in ("names", "signature", "doc", "qualname", "mro", "autospec", "help", "module")
    }
    for name, value in defined_names():
        kinds["names"][name] = category(value)
        unwrapped = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
        if not (isinstance(unwrapped, type) or inspect.isroutine(unwrapped)):
            continue
        kinds["signature"][name] = outcome(inspect.signature, unwrapped)
        kinds["doc"][name] = str(unwrapped.__doc__)
        kinds["qualname"][name] = f"{unwrapped.__name__} {unwrapped.__qualname__}"
        if isinstance(unwrapped, type):
            kinds["module"][name] = standard_name(unwrapped.__module__)
            kinds["mro"][name] = " ".join(cls.__name__ for cls in unwrapped.__mro__)
            kinds["help"][name] = outcome(pydoc.render_doc, unwrapped, renderer=pydoc.plaintext)
        kinds["autospec"][name] = facts_of_autospec(unwrapped)
    return kinds


def facts_of_autospec(definition):
    try:
        spec = mock.create_autospec(definition)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    calls = [
        outcome(lambda: bool(spec())),
        outcome(lambda: bool(spec(1, 2))),
        outcome(lambda: bool(spec(nonsense=1))),
    ]
    if isinstance(definition, type):
        for attribute, member in sorted(vars(definition).items()):
            if inspect.isroutine(member) and not attribute.startswith("__"):
                calls.append(outcome(lambda: bool(getattr(spec, attribute)())))
                calls.append(
                    outcome(lambda: bool(getattr(spec, attribute)(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)))
                )
    return " | ".join(calls)


def shape(thing):
    """The class and the instance attributes of an object, in their order."""
    attributes = [f"{key}:{type(value).__name__}" for key, value in getattr(thing, "__dict__", {}).items()]
    return f"{type(thing).__name__} {standard_name(type(thing).__module__)} {' '.join(attributes)}"


def facts_of_objects():
    kinds = {kind: {} for kind in ("repr", "attributes", "copy", "deepcopy", "pickle", "weakref", "subclass")}
    for name, make in MAKERS.items():
        thing = make()
        kinds["repr"][name] = outcome(repr, thing)
        kinds["attributes"][name] = shape(thing)
        kinds["copy"][name] = outcome(lambda: shape(copy.copy(thing)))
        kinds["deepcopy"][name] = outcome(lambda: shape(copy.deepcopy(thing)))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            fact = outcome(lambda: pickle.dumps(thing, protocol) and "can be pickled")
            kinds["pickle"][f"{name}, protocol {protocol}"] = fact
        kinds["weakref"][name] = outcome(lambda: weakref.ref(thing)() is thing)
        kinds["subclass"][name] = outcome(subclassed, thing)
    return kinds


def subclassed(thing):
    """Whether a subclass with a second base and more arguments can be made, and given to an object."""

    class Mixin:
        pass

    class Sub(type(thing), Mixin):
        def __new__(cls, *args, own=None, **kwargs):
            return super().__new__(cls)

        def __init__(self, *args, own=None):
            self.own = own

    made = Sub(1, 2, own=3)
    facts = f"{made.own} {[cls.__name__ for cls in Sub.__mro__]} "
    thing.__class__ = Sub
    return facts + type(thing).__name__


def write_pickles():
    """Leave the pickles of all objects that have one in ``pickles``, for another process."""
    pickles = {}
    for name, make in MAKERS.items():
        try:
            pickles[name] = pickle.dumps(make(), 2).hex()
        except Exception:
            continue
    with open("pickles", "w", encoding="ascii") as file:
        json.dump(pickles, file)


if __name__ == "__main__":
    write_pickles()
    json.dump({**facts_of_definitions(), **facts_of_objects()}, sys.stdout)
