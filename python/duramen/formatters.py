"""Structured and coloured output: ``JsonFormatter``, ``LogfmtFormatter``, ``ConsoleFormatter``.

Each takes the place of a ``logging.Formatter`` anywhere, and is native: a record that meets only Duramen's
own parts never becomes a Python object. Options are checked when the formatter is made; a wrong one raises
``ValueError`` with its path.

Values of ``extra`` are written by these rules, each in its depth:

=============================================== =====================================================
``str``, ``int``, ``float``, ``bool``, ``None``  as JSON has them, subclasses too; whole numbers exactly;
                                                 NaN and the infinities as ``null``; lone surrogates as
                                                 ``\\udc80``
``dict`` and other mappings                      an object; keys by ``str()``, but ``true``, ``null``
``list``, ``tuple``, ``deque``                   a list
``set``, ``frozenset``                           a list in the order of its elements' JSON
``datetime``, ``date``, ``time``                 ``isoformat()``
``bytes``, ``bytearray``, ``memoryview``         Base64, safe in URLs
``Enum``                                         its value
dataclasses                                      an object of the fields
classes                                          their name
exceptions                                       the class's name and what it says, ``ValueError: no``
tracebacks                                       their text, as ``traceback.format_tb`` gives it
numpy's ``datetime64``, ``timedelta64``          ``str()``: the unit is in the text; ``NaT`` as ``null``
numpy's other scalars                            their ``item()``; ``longdouble`` as the nearest ``float``, beyond
                                                 its range ``str()``
all else (``Decimal``, ``UUID``, ``Path`` …)     ``str()``
what contains itself, or nests too deep          ``<cycle: dict>``, ``<too deep: list>``
what raises while it is written                  ``<unwritable Order: ValueError>``
=============================================== =====================================================

Control characters, U+2028 and U+2029 are escaped everywhere: no text can forge a line or drive a terminal.
"""

import copy
import functools
import importlib
import json
import operator
import os
import re
import socket
import sys

import duramen.context  # noqa: F401  (records have the identifiers of a trace from here on)
from duramen import Formatter, _core

__all__ = ["ConsoleFormatter", "EscapingFormatter", "JsonFormatter", "LogfmtFormatter"]

#: How a format string of each style names a field.
_FIELD_PATTERNS = {
    "%": re.compile(r"%\((.+?)\)"),
    "{": re.compile(r"\{(.+?)(?:![rsa])?(?::[^}]*)?\}"),
    "$": re.compile(r"\$(?:\$|\{(.+?)\}|([_a-z][_a-z0-9]*))", re.IGNORECASE),
}

#: What the default layout shows.
_DEFAULT_FIELDS = ("timestamp", "levelname", "name", "message")

#: What every layout shows for records that have it.
_WHERE_THERE = ("exc_info", "stack_info")


def _refuse(class_name, path, found, expected):
    raise ValueError(f"{class_name}: {path}: found {found!r}, expected {expected}")


def _layout(formatter, kind, options):
    try:
        return _core.StructuredLayout(kind, options)
    except ValueError as error:
        raise ValueError(f"{type(formatter).__name__}: {error}") from None


def _resolved(value):
    """``value`` with what it refers to: the dicts of a configuration look ``ext://`` and ``cfg://`` up by key alone."""
    if hasattr(value, "convert_with_key"):
        if isinstance(value, dict):
            return {key: _resolved(value[key]) for key in value}
        return [_resolved(value[index]) for index in range(len(value))]
    return value


def _names_in(fmt, style):
    """The fields that a format string names."""
    if style == ",":
        return [name.strip() for name in fmt.split(",") if name.strip()]
    found = _FIELD_PATTERNS[style].findall(fmt)
    return [name for groups in found for name in ([groups] if isinstance(groups, str) else groups) if name]


def _fields_of(class_name, fields):
    """Key and source of each field that the option ``fields`` names."""
    if isinstance(fields, str) or not hasattr(fields, "__iter__"):
        _refuse(class_name, "fields", fields, "names, or a mapping from keys to names")
    return dict(fields) if hasattr(fields, "items") else {name: name for name in fields}


class _Structured(Formatter):
    """What the formatters share whose members can be chosen."""

    def usesTime(self):
        """False: the creation time is not put on the record as ``asctime``."""
        return False

    def _begin(self, fmt, datefmt, style, validate):
        """What ``logging.Formatter`` keeps; it knows no list of names."""
        if style not in (*_FIELD_PATTERNS, ","):
            _refuse(type(self).__name__, "style", style, "one of %, {, $ and a comma")
        if isinstance(fmt, str) and style != ",":
            super().__init__(fmt, datefmt, style, validate)
        else:
            super().__init__(datefmt=datefmt)

    def _options(self, fmt, style, *, fields, preset, timestamp, reserved_attrs, json_default, **options):
        """The options as the extension takes them."""
        name = type(self).__name__
        fields, reserved_attrs = _resolved(fields), _resolved(reserved_attrs)
        options = {option: _resolved(value) for option, value in options.items()}
        options["default"] = options["default"] or json_default
        nothing = {}
        if sum(option is not None for option in (fmt, fields, preset)) > 1:
            _refuse(name, "fields", fields, "one of fmt, fields and preset alone")
        if fmt is not None:
            # As python-json-logger lays its lines out.
            fields = {field: field for field in (_names_in(fmt, style) if isinstance(fmt, str) else fmt)}
            options["private_hidden"] = True
            nothing = {name: None for name in (*_WHERE_THERE, "exc_text") if name in fields}
        elif fields is not None:
            fields = _fields_of(name, fields)
        renames = options["rename_fields"] or {}
        if not hasattr(renames, "items"):
            _refuse(name, "rename_fields", renames, "a mapping from names to keys")
        renames = dict(renames)
        if timestamp and fields is not None:
            fields["timestamp" if timestamp is True else timestamp] = "timestamp"
        elif isinstance(timestamp, str):
            renames.setdefault("timestamp", timestamp)
        if reserved_attrs is not None:
            fields, options["hidden"] = self._with_unreserved(fields, list(reserved_attrs))
            nothing.update({name: None for name in _WHERE_THERE if name not in reserved_attrs})
        if options.pop("rename_fields_keep_missing", False) and preset is None:
            there = _DEFAULT_FIELDS if fields is None else fields
            missing = [name for name in renames if name not in there]
            hidden = [
                name for name in missing if name in _core.RECORD_ATTRIBUTES and name not in _WHERE_THERE
            ]
            nothing.update({renames[name] if name in hidden else name: None for name in missing})
        if nothing:
            options["defaults"] = {**nothing, **(options["defaults"] or {})}
        return {**options, "preset": preset, "fields": fields, "rename_fields": renames}

    @staticmethod
    def _with_unreserved(fields, reserved):
        """The fields with the record's own attributes that are not reserved, and the extra fields that are."""
        absent = {"taskName"} if sys.version_info < (3, 12) else set()
        shown = [name for name in _core.RECORD_ATTRIBUTES if name not in reserved and name not in absent]
        if fields is None and shown:
            fields = {"timestamp": "timestamp", "message": "message"}
        if fields is not None:
            present = set(fields.values())
            unformatted = {"asctime", "message"} - present
            fields = {**fields, **{name: name for name in shown if name not in present | unformatted}}
        return fields, [name for name in reserved if name not in _core.RECORD_ATTRIBUTES]


class JsonFormatter(_Structured):
    """One JSON object on one line for each record.

    By default its members are, in this order: ``timestamp``, ``level``, ``logger``, ``message``, every
    ``extra`` field, ``exception`` and ``stack`` where there are any. An extra field with the name of one of
    these is written under ``extra.`` and its name.

    The parameters of python-json-logger's class of this name are understood, so that a configuration moves
    here by the change of the class's path:

    - ``fmt``, ``style``: the fields, named by a format string (``style=","``: by commas) or a sequence;
      exceptions and stacks follow as ``exc_info`` and ``stack_info``, extra fields that begin with ``_`` are
      left out. ``datefmt`` is the form of ``asctime``.
    - ``prefix``: text before the object.
    - ``rename_fields``: new keys, by the name of the field. ``rename_fields_keep_missing`` keeps those that
      the record has not, as ``null``.
    - ``static_fields``, ``defaults``: values for every record; an ``extra`` field takes their place.
    - ``reserved_attrs``: the attributes of a record that are not shown (default: all); other names hide extra
      fields.
    - ``timestamp``: true, or the key under which the creation time stands.
    - ``exc_info_as_array``, ``stack_info_as_array``: lists of lines.
    - ``json_default``: a function for values that JSON has no form for; ``TypeError`` from it leaves them to
      the rules of this module. ``json_encoder``: a class whose ``default`` method is that function.
    - ``json_indent``: each member on a line of its own, so many columns (or this text) before it for each level.
    - ``json_serializer``: the object is written again by this function, which costs what it costs in Python.
      Each of these functions and classes may be named by its path, as ``orders.encoding.default``.
    - ``json_ensure_ascii``: ``\\uXXXX`` for all that is not ASCII (default: false).

    Its own parameters:

    - ``fields``: names, or a mapping from keys to names: attributes of ``LogRecord``, ``timestamp``,
      ``exc_info``, ``stack_info``, or extra fields, which are ``null`` where a record has none. All other
      extra fields follow.
    - ``preset``: the schema of a log system: ``"ecs"``, ``"opentelemetry"``, ``"google_cloud"``,
      ``"datadog"``, ``"gelf"`` (with ``host``, by default this machine's name), ``"logstash"``. ``project``: where
      Google Cloud keeps the traces.
    - ``time_format``: ``"rfc3339"`` (default), ``"epoch"`` (seconds), ``"epoch_ms"``, ``"epoch_us"``,
      ``"epoch_ns"``. ``time_zone``: ``"UTC"`` (default), ``"local"`` or a zone's name.
    - ``exceptions``: ``"text"`` (default), ``"lines"``, ``"object"`` (``type``, ``module``, ``message``,
      ``notes``, ``frames``, ``cause`` or ``context``, ``exceptions`` of a group), ``"both"``.
    - ``default``: as ``json_default``.
    - ``max_depth``: how deep values nest, 1 to 100 (default: 16).

    >>> import duramen as logging
    >>> record = logging.makeLogRecord({"name": "app", "levelname": "INFO", "msg": "hello", "created": 0.5})
    >>> record.user_id = 7
    >>> JsonFormatter().format(record)
    '{"timestamp": "1970-01-01T00:00:00.500000Z", "level": "INFO", "logger": "app", "message": "hello", "user_id": 7}'
    >>> JsonFormatter("%(levelname)s %(message)s", rename_fields={"levelname": "severity"}).format(record)
    '{"severity": "INFO", "message": "hello", "user_id": 7}'
    >>> JsonFormatter(fields={"at": "timestamp", "text": "message"}, time_format="epoch_ms").format(record)
    '{"at": 500, "text": "hello", "user_id": 7}'
    """

    def __init__(
        self,
        fmt=None,
        datefmt=None,
        style="%",
        validate=True,
        *,
        prefix=None,
        rename_fields=None,
        rename_fields_keep_missing=False,
        static_fields=None,
        reserved_attrs=None,
        timestamp=False,
        defaults=None,
        exc_info_as_array=False,
        stack_info_as_array=False,
        json_default=None,
        json_encoder=None,
        json_serializer=None,
        json_indent=None,
        json_ensure_ascii=False,
        fields=None,
        preset=None,
        host=None,
        project=None,
        time_format=None,
        time_zone=None,
        exceptions=None,
        default=None,
        max_depth=None,
    ):
        self._begin(fmt, datefmt, style, validate)
        name = type(self).__name__
        json_default = _object_of(name, "json_default", json_default)
        json_encoder = _object_of(name, "json_encoder", json_encoder)
        json_serializer = _object_of(name, "json_serializer", json_serializer)
        options = self._options(
            fmt,
            style,
            fields=fields,
            preset=preset,
            timestamp=timestamp,
            reserved_attrs=reserved_attrs,
            json_default=json_encoder().default if json_default is None and json_encoder else json_default,
            prefix=prefix,
            rename_fields=rename_fields,
            rename_fields_keep_missing=rename_fields_keep_missing,
            static_fields=static_fields,
            defaults=defaults,
            exceptions=exceptions or ("lines" if exc_info_as_array else None),
            stack_as_lines=stack_info_as_array,
            host=host if host is not None else socket.gethostname(),
            project=project,
            time_format=time_format,
            time_zone=time_zone,
            default=_object_of(name, "default", default),
            max_depth=max_depth,
            ascii=json_ensure_ascii,
        )
        if json_serializer not in (None, json.dumps):
            options["finish"] = functools.partial(
                _serialized_again,
                prefix=prefix or "",
                serializer=json_serializer,
                indent=json_indent,
                ensure_ascii=json_ensure_ascii,
            )
        elif json_indent is not None:
            options["indent"] = _indent(name, json_indent)
        self._layout = _layout(self, "json", options)
        self._given = (json_default, json_encoder, json_serializer, json_indent, json_ensure_ascii)

    json_default, json_encoder, json_serializer, json_indent, json_ensure_ascii = (
        property(lambda self, place=place: self._given[place], doc="The option as it was given.")
        for place in range(5)
    )

    def format(self, record):
        """The record as one line of JSON."""


def _object_of(class_name, option, value):
    """``value``, or what it names: ``package.module.name``, as a configuration file has it."""
    if not isinstance(value, str):
        return value
    module, _, attribute = value.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"{class_name}: {option}: {value!r} cannot be found: {error}") from None


def _indent(class_name, given):
    """What stands before a member for each level."""
    if isinstance(given, str):
        return given
    if not isinstance(given, int) or not 0 <= given <= 100:
        _refuse(class_name, "json_indent", given, "a number of columns from 0 to 100, or what stands there")
    return " " * given


def _serialized_again(line, *, prefix, serializer, indent, ensure_ascii):
    # A lone surrogate, which neither a file nor every serializer takes, becomes the text of its escape.
    line = _ESCAPE.sub(lambda escape: _LONE.sub(r"\\\g<0>", escape[0]), line[len(prefix) :])
    text = serializer(json.loads(line), default=None, cls=None, indent=indent, ensure_ascii=ensure_ascii)
    return prefix + (text.decode() if isinstance(text, bytes) else text)


#: Escapes in JSON: two surrogates that stand for one character, or any other.
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u....|.)")
_LONE = re.compile(r"^\\u[dD][89a-fA-F]..$")


class LogfmtFormatter(_Structured):
    """Pairs of ``key=value`` on one line for each record.

    The members are those of ``JsonFormatter``, and so are the parameters that it has too. A value that is
    one word stands as it is, all else in quotes with the escapes of JSON; lists and objects as their JSON in
    quotes. What a record does not have is left out. In keys ``_`` stands for what would end them.

    >>> import duramen as logging
    >>> record = logging.makeLogRecord({"levelname": "INFO", "msg": "hello there", "created": 0.5})
    >>> record.user_id = 7
    >>> LogfmtFormatter(fields={"level": "levelname", "msg": "message"}).format(record)
    'level=INFO msg="hello there" user_id=7'
    """

    def __init__(
        self,
        fmt=None,
        datefmt=None,
        style="%",
        validate=True,
        *,
        rename_fields=None,
        static_fields=None,
        defaults=None,
        fields=None,
        time_format=None,
        time_zone=None,
        exceptions=None,
        default=None,
        max_depth=None,
    ):
        self._begin(fmt, datefmt, style, validate)
        options = self._options(
            fmt,
            style,
            fields=fields,
            preset=None,
            timestamp=False,
            reserved_attrs=None,
            json_default=None,
            rename_fields=rename_fields,
            static_fields=static_fields,
            defaults=defaults,
            time_format=time_format,
            time_zone=time_zone,
            exceptions=exceptions,
            default=default,
            max_depth=max_depth,
        )
        self._layout = _layout(self, "logfmt", options)

    def format(self, record):
        """The record as one line of pairs."""


class ConsoleFormatter(Formatter):
    """A line for people: time, level, logger, message and ``extra`` fields, in colour on a terminal.

    ``datefmt`` is as for ``logging.Formatter``; ``fmt`` has to be ``None``. ``color`` is true, false, or
    ``None`` (the default): then colour is used unless ``NO_COLOR`` is set in the environment, if
    ``FORCE_COLOR`` is set or ``sys.stderr`` is a terminal. The fields begin ``align`` columns (default: 32)
    after the message does, or behind it.

    >>> import duramen as logging
    >>> formatter = ConsoleFormatter(datefmt="%H:%M", color=False, align=0)
    >>> formatter.converter = __import__("time").gmtime
    >>> record = logging.makeLogRecord({"name": "app", "levelname": "INFO", "msg": "hello", "created": 0.5})
    >>> record.user_id = 7
    >>> formatter.format(record)
    '00:00 INFO     app: hello user_id=7'
    """

    def __init__(
        self, fmt=None, datefmt=None, style="%", validate=True, *, color=None, align=None, default=None
    ):
        if fmt is not None:
            _refuse("ConsoleFormatter", "fmt", fmt, "None, since the layout is fixed")
        super().__init__(datefmt=datefmt)
        self.color = _is_color_wanted() if color is None else bool(color)
        self._layout = _layout(self, "console", {"color": self.color, "align": align, "default": default})

    def format(self, record):
        """The record as a line for a terminal; tracebacks follow on lines of their own."""

    def usesTime(self):
        """True: the line begins with ``formatTime``'s text."""
        return True


def _is_color_wanted():
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False


class EscapingFormatter(Formatter):
    r"""A ``logging.Formatter`` in whose lines nothing that a record holds can forge a line or drive a terminal.

    Control characters of the message and of other texts that the layout shows are escaped, in exceptions and stacks
    those that are no line breaks or tabs. Everything else, the parameters too, is as in ``logging.Formatter``.

    >>> import duramen as logging
    >>> record = logging.makeLogRecord({"levelname": "INFO", "msg": "hello\nERROR:forged"})
    >>> EscapingFormatter("%(levelname)s:%(message)s").format(record)
    'INFO:hello\\nERROR:forged'
    """

    def format(self, record):
        """The record's text, escaped."""
        # Another handler's formatter may have left it there as it is.
        text = record.exc_text
        if text:
            record.exc_text = _escaped_lines(text)
        try:
            return super().format(record)
        finally:
            if text:
                record.exc_text = text

    def formatMessage(self, record):
        """The layout with the escaped message, and with the record's other texts escaped."""
        # A copy: other handlers are given the record as it was.
        shown = copy.copy(record)
        for name, value in vars(record).items():
            if isinstance(value, str):
                vars(shown)[name] = _core.escape_controls(value)
            elif type(value) not in _WITHOUT_CONTROLS:
                vars(shown)[name] = _Escaped(value)
        return super().formatMessage(shown)

    def formatException(self, ei):
        """The traceback, escaped but for its line breaks."""
        return _escaped_lines(super().formatException(ei))

    def formatStack(self, stack_info):
        """The stack, escaped but for its line breaks."""
        return _escaped_lines(super().formatStack(stack_info))


#: Classes whose texts never hold a control character.
_WITHOUT_CONTROLS = frozenset([int, float, complex, bool, type(None)])


class _Escaped:
    """An object as a layout shows it, whatever is asked of it: its texts are escaped."""

    def __init__(self, value):
        self.__value = value

    def __getattr__(self, name):
        return _Escaped(getattr(self.__value, name))

    def __getitem__(self, key):
        return _Escaped(self.__value[key])

    def __str__(self):
        return _core.escape_controls(str(self.__value))

    def __repr__(self):
        return _core.escape_controls(repr(self.__value))

    def __format__(self, specification):
        return _core.escape_controls(format(self.__value, specification))

    def __int__(self):
        return int(self.__value)

    def __float__(self):
        return float(self.__value)

    def __index__(self):
        return operator.index(self.__value)


def _escaped_lines(text):
    lines = ("\t".join(map(_core.escape_controls, line.split("\t"))) for line in text.split("\n"))
    return "\n".join(lines)


_core.put_native_methods(globals(), __name__)
