# ruff: noqa: F403, I001
from logging.config import *
from logging.config import (
    _DictConfigArgs as _DictConfigArgs,
    _FilterConfiguration as _FilterConfiguration,
    _FilterConfigurationTypedDict as _FilterConfigurationTypedDict,
    _FormatterConfiguration as _FormatterConfiguration,
    _FormatterConfigurationTypedDict as _FormatterConfigurationTypedDict,
    _HandlerConfiguration as _HandlerConfiguration,
    _LoggerConfiguration as _LoggerConfiguration,
    _RootLoggerConfiguration as _RootLoggerConfiguration,
)
