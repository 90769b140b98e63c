"""Puts Duramen in the place of ``logging`` in this process, in the way that the environment asks for.

Must be imported before anything imports ``logging``, hence before ``unittest``. Child processes inherit
the environment, and import this file for the same effect.
"""

import os
import sys

WAY_VARIABLE = "DURAMEN_CONFORMANCE_WAY"
PACKAGE_VARIABLE = "DURAMEN_CONFORMANCE_PACKAGE"


def _activate(way, package_folder):
    if way == "standard":
        return
    if "logging" in sys.modules:
        raise RuntimeError("logging was imported before Duramen could take its place")
    sys.path.insert(0, package_folder)
    import duramen

    if type(duramen.Logger.info) is type(_activate):
        # Without the extension the interpreter's own functions run: all would pass and nothing be shown.
        raise RuntimeError("the methods of Duramen's loggers are not native")
    if way == "install":
        duramen.install()
        return
    import duramen.config
    import duramen.handlers

    sys.modules["logging"] = duramen
    sys.modules["logging.handlers"] = duramen.handlers
    sys.modules["logging.config"] = duramen.config


# A child of a child may have imported this already, under another name.
if "duramen" not in sys.modules:
    _activate(os.environ.get(WAY_VARIABLE, "standard"), os.environ.get(PACKAGE_VARIABLE, ""))
