# ruff: noqa: F403, I001
# The types are the standard library's own, so that Duramen's objects and logging's go together and a
# program that type-checks against logging does so against duramen.
import datetime
import logging
import sys
from os import PathLike

# One by one: with an asterisk mypy would keep the standard library's FileHandler in place of the one below.
from logging import (
    BASIC_FORMAT as BASIC_FORMAT,
    BufferingFormatter as BufferingFormatter,
    CRITICAL as CRITICAL,
    DEBUG as DEBUG,
    ERROR as ERROR,
    FATAL as FATAL,
    Filter as Filter,
    Formatter as Formatter,
    Handler as Handler,
    INFO as INFO,
    LogRecord as LogRecord,
    Logger as Logger,
    LoggerAdapter as LoggerAdapter,
    NOTSET as NOTSET,
    NullHandler as NullHandler,
    StreamHandler as StreamHandler,
    WARN as WARN,
    WARNING as WARNING,
    addLevelName as addLevelName,
    basicConfig as basicConfig,
    captureWarnings as captureWarnings,
    critical as critical,
    debug as debug,
    disable as disable,
    error as error,
    exception as exception,
    fatal as fatal,
    getLevelName as getLevelName,
    getLogger as getLogger,
    getLoggerClass as getLoggerClass,
    info as info,
    log as log,
    makeLogRecord as makeLogRecord,
    setLoggerClass as setLoggerClass,
    shutdown as shutdown,
    warning as warning,
    getLogRecordFactory as getLogRecordFactory,
    setLogRecordFactory as setLogRecordFactory,
    lastResort as lastResort,
    raiseExceptions as raiseExceptions,
    warn as warn,
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

if sys.version_info >= (3, 11):
    from logging import getLevelNamesMapping as getLevelNamesMapping
if sys.version_info >= (3, 12):
    from logging import getHandlerByName as getHandlerByName, getHandlerNames as getHandlerNames

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
