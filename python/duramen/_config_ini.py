"""Finds what is wrong in a configuration for ``fileConfig``, all of it, without opening anything.

Each problem is a line that opens with the section and the option, as in ``[handler_file] level: …``.
"""

import logging

from duramen._environment import level_names


def check_ini(parser):
    """The list of what is wrong in a ``ConfigParser``; empty when it can be applied."""
    return _Check(parser).run()


class _Check:
    def __init__(self, parser):
        self._parser = parser
        self._problems = []

    def run(self):
        names = {kind: self._names(kind) for kind in ("loggers", "handlers", "formatters")}
        if "root" not in names["loggers"] and self._parser.has_section("loggers"):
            self._problem("loggers", "keys", "has to name 'root'")
        for name in names["formatters"]:
            self._section(f"formatter_{name}")
        for name in names["handlers"]:
            self._check_handler(f"handler_{name}", names["formatters"])
        for name in names["loggers"]:
            self._check_logger(f"logger_{name}", name == "root", names["handlers"])
        self._check_redact()
        return self._problems

    def _check_redact(self):
        from duramen import _redaction

        try:
            _redaction.filter_of(_redaction.config_of(self._parser))
        except _redaction.RedactError as error:
            self._problems.append(str(error))

    def _problem(self, section, option, text):
        place = f"[{section}] {option}" if option else f"[{section}]"
        self._problems.append(f"{place}: {text}")

    def _section(self, name):
        """The options of a section that has to exist; None, and a problem, when it does not."""
        if not self._parser.has_section(name):
            self._problem(name, "", "the section is missing")
            return None
        return self._parser[name]

    def _names(self, kind):
        section = self._section(kind)
        if section is None:
            return []
        keys = _value(section, "keys")
        if keys is None:
            self._problem(kind, "keys", f"is missing; it lists the names of the {kind}")
            return []
        return _split(keys)

    def _check_level(self, section, options):
        level = _value(options, "level")
        if level is not None and level not in logging._nameToLevel:
            self._problem(section, "level", f"{level!r} is no level; use one of {level_names()}")

    def _check_handler(self, section, formatters):
        options = self._section(section)
        if options is None:
            return
        if "class" not in options:
            self._problem(section, "class", "is missing; it names a class such as StreamHandler")
        self._check_level(section, options)
        formatter = _value(options, "formatter", "")
        if formatter and formatter not in formatters:
            self._problem(section, "formatter", f"[formatters] keys has no {formatter!r}")
        for option in ("args", "kwargs"):
            self._check_expression(section, option, _value(options, option, "()"))

    def _check_expression(self, section, option, text):
        try:
            compile(text, option, "eval")
        except (SyntaxError, ValueError) as error:
            self._problem(section, option, f"{text!r} is no Python expression: {error}")

    def _check_logger(self, section, is_root, handlers):
        options = self._section(section)
        if options is None:
            return
        if not is_root and "qualname" not in options:
            self._problem(section, "qualname", "is missing; it is the name of the logger")
        if "handlers" not in options:
            self._problem(section, "handlers", "is missing; it lists handlers, or is empty")
        self._check_level(section, options)
        for name in _split(_value(options, "handlers", "")):
            if name not in handlers:
                self._problem(section, "handlers", f"[handlers] keys has no {name!r}")


def _value(section, option, default=None):
    """The text of an option as it stands in the file, interpolation aside."""
    return section.get(option, default, raw=True)


def _split(text):
    return [name.strip() for name in text.split(",") if name.strip()]
