"""Runs the interpreter's own ``logging`` modules in a namespace of Duramen's.

Every public and private name of ``logging`` differs a little between the versions of CPython. The
running interpreter is the one place that knows them all, so Duramen takes the outline of its modules
from there (the names, signatures and docstrings, and the functions that only wire things together)
and puts its native methods into the classes. The standard library's own module objects are neither
imported nor touched by this.
"""

import threading

# What ``importlib`` gives out as its own, and a program that has not imported that need not load it.
from _frozen_importlib_external import PathFinder
from os.path import dirname

from duramen import _native, _pickling

_STANDARD_NAME = "logging"
_OUR_NAME = "duramen"


def renamed(name):
    """The name that an import in the interpreter's modules gets here: ``logging.x`` is ``duramen.x``."""
    head, dot, tail = name.partition(".")
    return _OUR_NAME + dot + tail if head == _STANDARD_NAME else name


def _find_code(name):
    """The code object of the standard library's module ``name``."""
    # Next to another module of the standard library first: a user's own logging.py must not be found.
    package, _, submodule = name.partition(".")
    spec = PathFinder.find_spec(package, [dirname(threading.__file__)])
    if spec is None:
        from importlib.util import find_spec

        spec = find_spec(package)
    if submodule:
        spec = PathFinder.find_spec(name, spec.submodule_search_locations)
    return spec.loader.get_code(name)


def build_module(name, namespace):
    """Make ``namespace`` what the standard library's module ``name`` is, over Duramen.

    The module's code runs in it, where imports of ``logging`` mean Duramen; the classes get their native
    methods and their pickling.
    """
    code = _find_code(name)
    own_doc = namespace.get("__doc__")
    exec(code.replace(co_names=tuple(map(renamed, code.co_names))), namespace)
    namespace["__doc__"] = own_doc
    # What the module of the standard library has too: read and set there while Duramen is installed.
    namespace["_shared_names"] = frozenset(namespace)
    _native.put_native_methods(namespace, name)
    _pickling.name_the_standard_classes(namespace)
