"""Activates Duramen in a Python process that has this folder on PYTHONPATH, and then steps aside.

The interpreter imports ``sitecustomize`` when it starts. This one takes its folder from ``sys.path``
again and imports the ``sitecustomize`` that would have been found without it, so that the outcome,
errors included, is the one that the interpreter would have seen. Any Python may meet this file, hence
the plain syntax.
"""

import os
import sys


def _activate():
    if sys.version_info < (3, 10):  # noqa: UP036
        return
    try:
        from duramen._start import start_child

        start_child()
    except Exception:
        # Another virtual environment, another interpreter, a sub-interpreter, an extension that does
        # not load: this process logs through the standard library.
        pass


def _import_next():
    folder = os.path.normcase(os.path.dirname(os.path.abspath(__file__)))
    sys.path[:] = [entry for entry in sys.path if os.path.normcase(os.path.abspath(entry)) != folder]
    sys.modules.pop("sitecustomize", None)
    # An ImportError that names this module is how the interpreter knows that there is none.
    import sitecustomize  # noqa: F401


_activate()
_import_next()
