"""Finds what is wrong in a configuration for ``dictConfig``, all of it, without opening anything.

Each problem is a line that opens with the option's path, as in ``handlers.file.level: …``, and says
what would be right. What only the program itself can know is left to ``dictConfig``: factories,
classes outside ``logging`` and ``duramen``, and values written as ``ext://…`` or ``cfg://…``.
"""

import difflib
import importlib
import inspect
import logging
import os
import sys

from duramen import _formatter_config
from duramen._environment import level_names
from duramen._native import keywords_of

_TOP = (
    "version",
    "incremental",
    "disable_existing_loggers",
    "formatters",
    "filters",
    "handlers",
    "loggers",
    "root",
    "redact",
)
_LOGGER = ("level", "handlers", "filters", "propagate")
_HANDLER = ("()", ".", "class", "level", "formatter", "filters")
_FORMATTER = ("()", ".", "class", "format", "datefmt", "style", "validate", "defaults")
# What dictConfig takes out of a handler's options before it calls the class, by the class's name.
_TAKEN_BY_DICT_CONFIG = {"MemoryHandler": ("target",)}
if sys.version_info >= (3, 12):
    _TAKEN_BY_DICT_CONFIG["QueueHandler"] = ("queue", "listener", "handlers", "respect_handler_level")


def check_dict(config):
    """The list of what is wrong in ``config``; empty when it can be applied."""
    if not isinstance(config, dict):
        return [f"it has to hold a mapping, not {_kind(config)}"]
    return _Check(config).run()


class _Check:
    def __init__(self, config):
        self._config = config
        self._problems = []

    def run(self):
        config = self._config
        if config.get("version") != 1:
            found = repr(config["version"]) if "version" in config else "missing"
            self._problem("version", f"is {found}; it has to be 1")
        self._check_misspelt("", config, _TOP)
        for option in ("incremental", "disable_existing_loggers"):
            self._check_flag(option, config)
        if config.get("incremental"):
            self._check_incremental()
        else:
            for name, options in self._section("formatters"):
                self._check_formatter(f"formatters.{name}", options)
            self._section("filters")
            for name, options in self._section("handlers"):
                self._check_handler(f"handlers.{name}", options)
            self._check_redact()
        for name, options in self._section("loggers"):
            self._check_logger(f"loggers.{name}", options)
        root = config.get("root")
        if isinstance(root, dict):
            self._check_logger("root", root)
        elif root is not None:
            self._problem("root", f"has to be a mapping, not {_kind(root)}")
        return self._problems

    def _problem(self, path, text):
        self._problems.append(f"{path}: {text}")

    def _section(self, name):
        """The named mappings of a section; what is no mapping is reported and left out."""
        section = self._config.get(name)
        if section is None:
            return []
        if not isinstance(section, dict):
            self._problem(name, f"has to be a mapping, not {_kind(section)}")
            return []
        for key, options in section.items():
            if not isinstance(options, dict):
                self._problem(f"{name}.{key}", f"has to be a mapping, not {_kind(options)}")
        return [item for item in section.items() if isinstance(item[1], dict)]

    def _names(self, section):
        names = self._config.get(section)
        return list(names) if isinstance(names, dict) else []

    def _check_misspelt(self, path, options, known):
        # Other keys are allowed: dictConfig leaves them alone, and cfg:// may point at them.
        for key in options:
            close = difflib.get_close_matches(str(key), known, n=1, cutoff=0.8)
            if key not in known and close:
                self._problem(_join(path, key), f"is not an option; did you mean {close[0]!r}?")

    def _check_flag(self, path, options):
        value = options.get(path.rpartition(".")[2], False)
        if not isinstance(value, (bool, int)) and not _is_reference(value):
            self._problem(path, f"is {value!r}; it has to be true or false")

    def _check_level(self, path, options):
        level = options.get("level")
        if level is None or _is_reference(level):
            return
        if isinstance(level, bool) or not isinstance(level, (int, str)):
            self._problem(f"{path}.level", f"has to be a name or a number, not {_kind(level)}")
        elif isinstance(level, str) and level not in logging._nameToLevel:
            self._problem(f"{path}.level", f"{level!r} is no level; use one of {level_names()}, or a number")

    def _check_redact(self):
        from duramen import _redaction

        try:
            _redaction.filter_of(self._config)
        except _redaction.RedactError as error:
            self._problems.append(str(error))

    def _check_incremental(self):
        for name, options in self._section("handlers"):
            self._check_level(f"handlers.{name}", options)

    def _check_logger(self, path, options):
        self._check_misspelt(path, options, _LOGGER)
        self._check_level(path, options)
        self._check_flag(f"{path}.propagate", options)
        if not self._config.get("incremental"):
            self._check_references(f"{path}.handlers", options, "handlers")
            self._check_references(f"{path}.filters", options, "filters")

    def _check_references(self, path, options, section):
        """``options`` may list names that have to stand in ``section``."""
        listed = options.get(path.rpartition(".")[2])
        if listed is None or _is_reference(listed):
            return
        if not isinstance(listed, (list, tuple)):
            self._problem(path, f"has to be a list, [{listed!r}], not {_kind(listed)}")
            return
        for name in listed:
            self._check_name(path, name, section)

    def _check_name(self, path, name, section):
        known = self._names(section)
        if isinstance(name, str) and not _is_reference(name) and name not in known:
            self._problem(path, f"{section} has no {name!r}; {_one_of(known)}")

    def _check_formatter(self, path, options):
        if "()" in options:
            return
        if "class" in options:
            kind = self._check_class(f"{path}.class", options["class"])
            if _formatter_config.is_own(kind):
                self._check_own_formatter(path, options, kind)
            else:
                self._check_misspelt(path, options, _FORMATTER)
            return
        self._check_misspelt(path, options, _FORMATTER)
        style = options.get("style", "%")
        if style not in logging._STYLES:
            self._problem(f"{path}.style", f"is {style!r}; it has to be one of {', '.join(logging._STYLES)}")
            return
        text = options.get("format")
        if not options.get("validate", True) or _is_reference(text):
            return
        try:
            logging.Formatter(text, style=style)
        except (ValueError, TypeError) as error:
            self._problem(f"{path}.format", f"{text!r} does not suit style {style!r}: {error}")

    def _check_own_formatter(self, path, options, kind):
        if any(_is_reference(value) for value in options.values()):
            # Only the program knows what stands there.
            return
        try:
            _formatter_config.made(kind, options)
        except ValueError as error:
            self._problem(path, str(error))

    def _check_handler(self, path, options):
        self._check_level(path, options)
        self._check_references(f"{path}.filters", options, "filters")
        if isinstance(options.get("formatter"), str):
            self._check_name(f"{path}.formatter", options["formatter"], "formatters")
        if "()" in options:
            return
        if "class" not in options:
            self._problem(path, "needs 'class', the path of a class such as 'logging.StreamHandler'")
            return
        cls = self._check_class(f"{path}.class", options["class"])
        if cls is not None:
            self._check_arguments(path, options, cls)
            # By name, since Duramen's class is another one than the standard library's until it is installed.
            if any(base.__name__ == "FileHandler" for base in cls.__mro__):
                self._check_filename(f"{path}.filename", options.get("filename"))

    def _check_class(self, path, name):
        """The class of that name, where ``logging`` or ``duramen`` have to have it, else None."""
        if not isinstance(name, str):
            if not callable(name):
                self._problem(path, f"has to be the path of a class, not {_kind(name)}")
            return None
        module_name, _, attribute = name.rpartition(".")
        if module_name.partition(".")[0] not in ("logging", "duramen"):
            return None
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            self._problem(path, f"{name!r} cannot be imported: {error}")
            return None
        if not isinstance(getattr(module, attribute, None), type):
            close = difflib.get_close_matches(attribute, dir(module), n=1)
            hint = f"; did you mean {module_name + '.' + close[0]!r}?" if close else ""
            self._problem(path, f"{module_name} has no class {attribute!r}{hint}")
            return None
        return getattr(module, attribute)

    def _check_arguments(self, path, options, cls):
        taken = _TAKEN_BY_DICT_CONFIG.get(cls.__name__, ())
        given = [key for key in options if key not in _HANDLER and key not in taken]
        parameters = inspect.signature(cls).parameters
        # What Duramen's own constructors take beside these; a subclass with another one says itself what it takes.
        owner = next(base for base in cls.__mro__ if "__init__" in vars(base))
        known = {*parameters, *keywords_of(owner.__name__)}
        kinds = {parameter.kind for parameter in parameters.values()}
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            for key in given:
                if key not in known:
                    self._problem(
                        f"{path}.{key}",
                        f"{cls.__name__} has no such option; {_one_of(_in_order(parameters, known))}",
                    )
        for name, parameter in parameters.items():
            variable = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            required = not variable and parameter.default is parameter.empty and name not in taken
            if required and name not in given:
                self._problem(path, f"needs {name!r}, which {cls.__name__} cannot do without")
        if "target" in taken and isinstance(options.get("target"), str):
            self._check_name(f"{path}.target", options["target"], "handlers")
        if "handlers" in taken:
            self._check_references(f"{path}.handlers", options, "handlers")

    def _check_filename(self, path, filename):
        if not isinstance(filename, str) or _is_reference(filename):
            return
        if os.path.isdir(filename):
            self._problem(path, f"{filename!r} is a folder; it has to be a file")
        folder = os.path.dirname(filename)
        if folder and not os.path.isdir(folder):
            self._problem(path, f"the folder {folder!r} does not exist")


def _is_reference(value):
    return isinstance(value, str) and value.startswith(("ext://", "cfg://"))


def _join(path, key):
    return f"{path}.{key}" if path else str(key)


def _kind(value):
    return f"{type(value).__name__} {value!r}"


def _in_order(first, names):
    """The names, those of ``first`` in its order before the others."""
    return [*first, *sorted(set(names) - set(first))]


def _one_of(names):
    return f"it has {', '.join(map(str, names))}" if names else "it is empty"
