"""Formatters, styles and ``BufferingFormatter``."""

import pytest


def test_formats_of_every_style(same):
    same(
        """
        record = logging.makeLogRecord({"name": "n", "levelno": 30, "levelname": "WARNING", "msg": "m %s",
            "args": ("x",), "created": 1e9, "msecs": 7.25, "lineno": 12, "own": 2.5, "text": "\\u00e9"})
        for style, formats in {
            "%": ["%(message)s", "%(own)+08.3f", "%(lineno)#x", "%(text)5s|", "%(text)-5s|", "%(text)a %(text)r",
                  "%%(message)s %(message)s", "%(own)e %(own)G", "%(lineno)5.3d|% (lineno)d", "%(lineno)c",
                  "%(lineno)o%(lineno)i%(lineno)u", "%(own)s" * 20],
            "{": ["{message}", "{own:+08.3f}", "{lineno:#x}", "{text:^5}|", "{text!a} {text!r:>9}", "{{{message}}}",
                  "{own:e}", "{lineno:,}{lineno:_b}", "{own:%}", "{message:.1}", "{args[0]}", "{text.upper}"],
            "$": ["$message", "${message}x", "$$message $message", "$own $lineno", "${text}"],
        }.items():
            for fmt in formats:
                attempt(lambda: logging.Formatter(fmt, style=style).format(record))
                attempt(lambda: logging.Formatter(fmt, style=style, validate=False).format(record))
        """
    )


def test_bad_formats(same):
    same(
        """
        record = logging.makeLogRecord({"msg": "m"})
        for style in ("%", "{", "$", "!", None, ["%"]):
            for fmt in ("", "plain", "%", "%(", "%(message)", "%(message)q", "%(nothing)s", "%(a.b)s", "{", "}",
                        "{}", "{0}", "{nothing}", "{message!x}", "{message:", "{message:{lineno}}", "{a b}", "{a-b}",
                        "$", "${", "$nothing", "${no thing}", "$1", "$$", "$$$", "%(message)s {message} $message",
                        "{message:>{lineno}}", "%(message)*d", "{message[0]}", "{message.__class__}", 5, b"bytes"):
                attempt(logging.Formatter, fmt, None, style)
                attempt(lambda: logging.Formatter(fmt, style=style, validate=False).format(record))
        """,
        prints="raises ValueError",
    )


def test_defaults(same):
    same(
        """
        record = logging.makeLogRecord({"msg": "m", "there": "record"})
        for defaults in ({"missing": "default"}, {"there": "default", "missing": 5}, {}, None, [("missing", 1)], 5):
            for style, fmt in (("%", "%(message)s %(missing)s %(there)s"), ("{", "{message} {missing} {there}"),
                               ("$", "$message $missing $there")):
                attempt(lambda: logging.Formatter(fmt, style=style, defaults=defaults).format(record))
        attempt(logging.Formatter, "%(message)s", None, "%", True, {"a": 1})
        """,
        prints="m default record",
    )


def test_format_time_and_converter(same):
    same(
        """
        import time
        record = logging.makeLogRecord({"msg": "m", "created": 1700000000.123456, "msecs": 123.456})
        class Utc(logging.Formatter):
            converter = time.gmtime
        class NoMilliseconds(Utc):
            default_msec_format = None
        class Own(Utc):
            default_time_format = "%d.%m. %H:%M"
            default_msec_format = "%s and %d ms"
        class Overridden(logging.Formatter):
            def formatTime(self, record, datefmt=None):
                return f"time({datefmt})"
        for cls in (logging.Formatter, Utc, NoMilliseconds, Own, Overridden):
            for datefmt in (None, "", "%Y", "%H:%M:%S %%", "plain", "%j\\u00e9%z"):
                formatter = cls("%(asctime)s %(message)s", datefmt)
                formatter.converter = time.gmtime
                attempt(formatter.format, record)
                attempt(formatter.formatTime, record, datefmt)
        formatter = logging.Formatter("%(asctime)s")
        formatter.converter = lambda seconds: time.gmtime(0)
        attempt(formatter.format, record)
        formatter.default_msec_format = ""
        attempt(formatter.format, record)
        for created in (0, -1, 1e20, float("nan"), "text", None):
            record.created = created
            formatter.converter = time.gmtime
            attempt(formatter.format, record)
        show(formatter.usesTime(), logging.Formatter("%(message)s").usesTime(), record.asctime)
        """
    )


def test_time_patched_in_the_module(same):
    same(
        """
        from unittest import mock
        import time
        logger = logging.getLogger("app")
        handler = to_stdout(logger, "%(asctime)s|%(created).3f|%(msecs)03d")
        handler.formatter.converter = time.gmtime
        name = "time_ns" if sys.version_info >= (3, 13) else "time"
        value = 1500000000250000000 if name == "time_ns" else 1500000000.25
        with mock.patch.object(time, name, return_value=value):
            logger.warning("m")
        with mock.patch.object(time, "strftime", return_value="patched"):
            show(handler.formatter.formatTime(logging.makeLogRecord({"created": 0, "msecs": 0})))
        with mock.patch.object(logging, "time") as module:
            getattr(module, name).return_value = value
            module.strftime.return_value = "module patched"
            record = logging.makeLogRecord({})
            show(record.created, record.msecs)
            show(handler.formatter.formatTime(record))
        """,
        prints="module patched",
    )


def test_layouts_that_show_the_time_more_than_once(same):
    same(
        """
        import os, tempfile
        for number, layout in enumerate(["%(asctime)s %(asctime)s %(message)s", "%(asctime)s %(name)s %(asctime)30s|",
                                         "%(message)s %(asctime)s %(asctime)s", "%(levelname)s %(asctime)s %(message)s"]):
            for datefmt in (None, "date"):
                path = os.path.join(tempfile.mkdtemp(), "app.log")
                handler = logging.FileHandler(path)
                handler.setFormatter(logging.Formatter(layout, datefmt))
                logger = logging.getLogger("app")
                logger.addHandler(handler)
                for message in ("one", "two", "six"):
                    logger.warning(message)
                logger.removeHandler(handler)
                handler.close()
                with open(path) as file:
                    show([line if datefmt else len(line) for line in file])
        """,
        prints="date date one",
    )


def test_changes_of_a_formatter_between_calls(same):
    same(
        """
        logger = logging.getLogger("app")
        handler = to_stdout(logger, "first %(message)s")
        logger.warning("m")
        handler.formatter._style._fmt = "second %(message)s"
        logger.warning("m")
        handler.formatter._fmt = "only shown"
        logger.warning("m")
        handler.formatter._style = logging.StrFormatStyle("third {message}")
        logger.warning("m")
        handler.formatter = logging.Formatter("fourth %(message)s")
        logger.warning("m")
        handler.formatter.format = lambda record: "fifth"
        logger.warning("m")
        handler.formatter = None
        logger.warning("m")
        logging._defaultFormatter = logging.Formatter("sixth %(message)s")
        logger.warning("m")
        class Style(logging.PercentStyle):
            def _format(self, record):
                return "seventh " + super()._format(record)
            def usesTime(self):
                return True
        handler.formatter = logging.Formatter("%(message)s %(asctime)s")
        handler.formatter._style = Style("%(message)s")
        logger.warning("m")
        logging.PercentStyle.default_format = "changed %(message)s"
        handler.formatter = logging.Formatter()
        logger.warning("m")
        logging._STYLES["!"] = (Style, "own %(message)s")
        handler.formatter = logging.Formatter(style="!")
        logger.warning("m")
        """,
        prints="seventh m",
    )


def test_exception_text_is_cached_and_overridable(same):
    same(
        """
        try:
            1 / 0
        except ZeroDivisionError:
            record = logging.makeLogRecord({"msg": "m", "exc_info": sys.exc_info(), "stack_info": "stack text"})
        plain = logging.Formatter("%(message)s")
        show(plain.format(record))
        show(record.exc_text)
        record.exc_text = "replaced"
        show(plain.format(record))
        record.exc_text = None
        class Own(logging.Formatter):
            def formatException(self, ei):
                return f"exception {ei[0].__name__}"
            def formatStack(self, stack_info):
                return stack_info.upper()
            def formatMessage(self, record):
                return "message\\n"
        show(Own().format(record))
        show(plain.format(record))
        for text in ("", "ends with a line\\n", "\\n", None, 5):
            record.exc_text = text
            record.exc_info = None
            attempt(plain.format, record)
        record.exc_text, record.msg = None, "message that ends\\n"
        record.stack_info = "s\\n"
        attempt(plain.format, record)
        attempt(plain.formatException, (None, None, None))
        attempt(plain.formatStack, None)
        """,
        prints="exception ZeroDivisionError",
    )


def test_buffering_formatter(same):
    same(
        """
        records = [logging.makeLogRecord({"msg": f"m{i}"}) for i in range(3)]
        formatter = logging.BufferingFormatter()
        show(formatter.format(records), formatter.format([]), repr(formatter.formatHeader(records)))
        class Own(logging.BufferingFormatter):
            def formatHeader(self, records):
                return f"<{len(records)}"
            def formatFooter(self, records):
                return ">"
        show(Own(logging.Formatter("[%(message)s]")).format(records))
        attempt(Own().format, None)
        """,
        prints="<3[m0][m1][m2]>",
    )


@pytest.mark.parametrize("kind", ["logger", "handler"])
def test_filters(same, kind):
    same(
        f"""
        logger = logging.getLogger("a.b")
        handler = to_stdout(logger, "%(name)s %(message)s %(own)s", defaults={{"own": "-"}})
        target = {kind}
        """
        """
        def replace(record):
            other = logging.makeLogRecord(vars(record))
            other.msg, other.args, other.own = "replaced", (), "by filter"
            return other
        class HasFilter:
            def filter(self, record):
                record.own = "object with filter"
                return True
        class Subclass(logging.Filter):
            def filter(self, record):
                return super().filter(record) and record.levelno > 30
        filters = [logging.Filter(), logging.Filter("a"), logging.Filter("a.b"), logging.Filter("a.b.c"),
                   logging.Filter("a.bc"), logging.Filter("x"), HasFilter(), Subclass("a"), replace,
                   lambda r: True, lambda r: 0, lambda r: "yes", lambda r: None, lambda r: []]
        for number, one in enumerate(filters):
            target.addFilter(one)
            target.addFilter(one)
            show(number, len(target.filters))
            try:
                logger.warning("filter %d", number)
                logger.error("filter %d", number)
            except Exception as error:
                show(type(error).__name__, error)
            target.removeFilter(one)
            target.removeFilter(one)
        target.filters[:] = [logging.Filter("a"), replace, lambda r: show(r.msg) or True]
        logger.warning("several")
        for bad in (5, None, "text", object()):
            target.filters[:] = [bad]
            try:
                logger.warning("bad filter")
            except Exception as error:
                show(type(error).__name__, error)
        target.filters = []
        attempt(target.filter, logging.makeLogRecord({}))
        """.replace("\n        ", "\n        ")
    )


def test_a_formatter_is_made_and_refused_alike(same):
    same(
        """
        class Own(logging.PercentStyle):
            def validate(self):
                print("validated")

        for arguments, options in [
            ((), {}), (("%(message)s", "%H", "%"), {}), (("{message}",), {"style": "{"}), (("x", None, "$"), {}),
            (("x", None, "$", False), {}), (("$asctime",), {"style": "$"}), (("m",), {"style": "?"}),
            ((), {"style": []}), ((1,), {}), (("%(a)s",), {"defaults": {"a": 1}}), ((), {"other": 1}),
            (("{a!x}", None, "{"), {}), ((None, None, "%", True, 1), {}),
        ]:
            attempt(lambda: sorted(vars(logging.Formatter(*arguments, **options)), key=str))
            attempt(lambda: logging.Formatter(*arguments, **options).usesTime())
        logging._STYLES["own"] = (Own, "")
        attempt(lambda: type(logging.Formatter("m", style="own")._style).__name__)
        for layout in ("$asctime", "${asctime}", "$message $$asctime", "asctime", "${asctim}"):
            show(layout, logging.StringTemplateStyle(layout).usesTime())
        """,
        prints="validated",
    )


@pytest.mark.parametrize("style, layout", [("%", "%(taskName)s"), ("{", "{taskName}"), ("$", "$taskName")])
def test_name_of_the_task_in_layouts(same, style, layout):
    same(
        f"""
        logger = logging.getLogger("app")
        logger.propagate = False
        handler = to_stdout(logger, "")
        handler.setFormatter(logging.Formatter("{layout} ok", style="{style}"))
        logger.warning("no task")
        logging.raiseExceptions = False
        logger.warning("no task and no report")
        """
    )
