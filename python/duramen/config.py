"""What ``logging.config`` has, over Duramen's classes.

Names of ``logging`` in a configuration mean Duramen's: ``logging.StreamHandler`` is
``duramen.StreamHandler``. A ``redact`` section, ``[redact]`` for ``fileConfig``, makes every handler mask secrets:
docs/masking.md. Duramen's formatters take all of their options under ``class`` too: docs/structured.md.
"""

import builtins as _builtins
import sys as _sys

import duramen as logging  # noqa: F401  (the name that the code of the module uses)
import duramen.handlers
from duramen import _native
from duramen._formatter_config import put_into as _put_formatters_into
from duramen._interpreter import build_module
from duramen._interpreter import renamed as _renamed
from duramen._redaction import put_into as _put_redaction_into
from duramen._redaction import put_into_file_config as _put_redaction_into_file_config


def __import__(name, globals=None, locals=None, fromlist=(), level=0):
    # The functions of the module call this by its name to find what a configuration names.
    return _builtins.__import__(_renamed(name), globals, locals, fromlist, level)


__import__.__doc__ = _builtins.__import__.__doc__

build_module("logging.config", globals())
if _native.load_error is None:
    from duramen._async import put_into as _put_queues_into
    from duramen._listening import put_into as _put_unseen_queues_into

    _put_queues_into(DictConfigurator)  # noqa: F821  (a class of the module)
    _put_unseen_queues_into(DictConfigurator)  # noqa: F821  (a class of the module)
_put_formatters_into(DictConfigurator)  # noqa: F821  (a class of the module)
_put_redaction_into(DictConfigurator)  # noqa: F821  (a class of the module)
_put_redaction_into_file_config(_sys.modules[__name__])
del build_module, _native
