"""What ``logging.handlers`` has, over Duramen's classes, ``AsyncHandler`` and ``AuditFileHandler``."""

import duramen as logging  # noqa: F401  (the name that the code of the module uses)
from duramen import _native
from duramen._interpreter import build_module

build_module("logging.handlers", globals())
if _native.load_error is None:
    from duramen._async import AsyncHandler
    from duramen._audit import AuditFileHandler

    # Where they are imported from, and where documentation looks for them.
    AsyncHandler.__module__ = AuditFileHandler.__module__ = __name__
    _native.put_native_methods(globals(), __name__)
del build_module, _native
