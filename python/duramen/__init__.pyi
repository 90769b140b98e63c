# ruff: noqa: F403, I001
# The types are the standard library's own, so that Duramen's objects and logging's go together and a
# program that type-checks against logging does so against duramen.
import datetime
import logging
from os import PathLike

from logging import *
from logging import (
    _STYLES as _STYLES,
    _ArgsType as _ArgsType,
    _ExcInfoType as _ExcInfoType,
    _FilterType as _FilterType,
    _FormatStyle as _FormatStyle,
    _L as _L,
    _Level as _Level,
    _levelToName as _levelToName,
    _nameToLevel as _nameToLevel,
    _srcfile as _srcfile,
    _StreamT as _StreamT,
    _SupportsFilter as _SupportsFilter,
    _SysExcInfoType as _SysExcInfoType,
    Filterer as Filterer,
    Manager as Manager,
    PercentStyle as PercentStyle,
    PlaceHolder as PlaceHolder,
    RootLogger as RootLogger,
    StrFormatStyle as StrFormatStyle,
    StringTemplateStyle as StringTemplateStyle,
    currentframe as currentframe,
    logMultiprocessing as logMultiprocessing,
    logProcesses as logProcesses,
    logThreads as logThreads,
    root as root,
)

# A program that says `import duramen as logging` and `import duramen.handlers` finds the latter as
# logging.handlers; pyright sees that only when it is said here.
from . import config as config, handlers as handlers

# With the keyword that Duramen's takes beside CPython's parameters; `fsync` is there where it was given.
class FileHandler(logging.FileHandler):
    fsync: handlers._FileSync
    def __init__(
        self,
        filename: str | PathLike[str],
        mode: str = "a",
        encoding: str | None = None,
        delay: bool = False,
        errors: str | None = None,
        *,
        fsync: str | float | datetime.timedelta | None = None,
    ) -> None: ...

def install() -> None: ...
def uninstall() -> None: ...
def is_installed() -> bool: ...
