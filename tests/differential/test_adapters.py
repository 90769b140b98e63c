"""``LoggerAdapter``: usual ones, whose records go the shortest way, and all that makes one unusual."""

import sys

import pytest

#: To a file, whose lines are printed at the end.
TO_FILE = """
    import atexit
    logger = logging.getLogger("app.part")
    handler = logging.FileHandler("app.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(request)s %(funcName)s:%(lineno)d %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    def show_file():
        handler.close()
        print(open("app.log", encoding="utf-8").read())
    atexit.register(show_file)
"""


def test_each_level_and_extra_is_the_adapters(same):
    same(
        TO_FILE
        + """
    adapter = logging.LoggerAdapter(logger, {"request": 7, "other": object})
    for turn in range(3):
        adapter.debug("not seen %s", turn)
        adapter.info("info %s", turn)
        adapter.warning("warning")
        adapter.error("error", extra={"request": "of the call"})
        adapter.critical("critical", extra=None)
        adapter.log(logging.INFO, "log %d", turn)
        adapter.log(35, "between")
        adapter.info("stack level", stacklevel=1)
        try:
            1 / 0
        except ZeroDivisionError:
            adapter.exception("failed %s", turn)
            adapter.error("also", exc_info=True)
    logger.setLevel(logging.ERROR)
    adapter.warning("no more")
    logger.setLevel(logging.NOTSET)
    logging.disable(logging.ERROR)
    adapter.error("disabled")
    adapter.critical("not disabled")
    """,
        prints="CRITICAL app.part 7 <module>:",
    )


@pytest.mark.parametrize(
    "extra", ["None", "{}", "{'request': [1, {'a': 2}]}", "types.MappingProxyType({'request': 1})"]
)
def test_kinds_of_extra(same, extra):
    same(
        TO_FILE
        + f"""
    import types
    adapter = logging.LoggerAdapter(logger, {extra})
    for turn in range(2):
        adapter.warning("m")
        adapter.warning("m", extra={{"request": 2}})
    """
    )


def test_extra_that_overwrites_a_field_is_refused(same):
    same(
        TO_FILE
        + """
    adapter = logging.LoggerAdapter(logger, {"request": 7, "message": 1})
    for turn in range(2):
        attempt(adapter.warning, "m")
    adapter.extra = {"request": 8, "name": 1}
    attempt(adapter.warning, "m")
    """,
        prints="raises KeyError",
    )


def test_wrong_calls(same):
    same(
        TO_FILE
        + """
    adapter = logging.LoggerAdapter(logger, {"request": 7})
    for turn in range(2):
        attempt(adapter.warning, "m", level=1)
        attempt(adapter.warning, "m", unknown=1)
        attempt(adapter.log, "INFO", "m")
        attempt(adapter.warning, "%d", "no number")
    """,
        prints="raises TypeError",
    )


def test_adapters_before_adapters(same):
    same(
        TO_FILE
        + """
    inner = logging.LoggerAdapter(logger, {"request": "inner"})
    outer = logging.LoggerAdapter(inner, {"request": "outer"})
    deep = outer
    for turn in range(12):
        deep = logging.LoggerAdapter(deep, {"request": turn})
    for turn in range(2):
        outer.warning("m")
        deep.warning("deep")
        deep.log(30, "deep %s", "log")
    """,
        prints="WARNING app.part inner",
    )


@pytest.mark.skipif(sys.version_info < (3, 13), reason="merge_extra came with CPython 3.13")
def test_fields_are_merged(same):
    same(
        TO_FILE.replace("%(request)s", "%(request)s %(user)s")
        + """
    inner = logging.LoggerAdapter(logger, {"request": "inner", "user": "inner"}, merge_extra=True)
    outer = logging.LoggerAdapter(inner, {"request": "outer"}, merge_extra=True)
    for turn in range(2):
        inner.warning("m")
        inner.warning("m", extra={"user": "of the call"})
        outer.warning("m")
        outer.warning("m", extra={"user": "of the call"})
        attempt(inner.warning, "m", extra=None)
        attempt(inner.warning, "m", extra={"user": "not shown", 1: 2})
    inner.merge_extra = 1
    inner.warning("m", extra={"user": "of the call"})
    inner.merge_extra = False
    inner.warning("m", extra={"user": "of the call"})
    del inner.merge_extra
    attempt(inner.warning, "m")
    """,
        prints="inner of the call",
    )


def test_subclasses(same):
    same(
        TO_FILE
        + """
    class Prefixing(logging.LoggerAdapter):
        def process(self, msg, kwargs):
            return f"[{self.extra['request']}] {msg}", {**kwargs, "extra": self.extra}
    class Plain(logging.LoggerAdapter):
        def __init__(self, logger, request):
            super().__init__(logger, {"request": request})
            self.more = 1
    class Slotted(logging.LoggerAdapter):
        __slots__ = ("more",)
    class Counting(logging.LoggerAdapter):
        count = 0
        def log(self, level, msg, *args, **kwargs):
            self.count += 1
            super().log(level, msg, *args, **kwargs)
    class Quiet(logging.LoggerAdapter):
        def isEnabledFor(self, level):
            return level > 30
    class Computed(logging.LoggerAdapter):
        def __init__(self, logger):
            self.logger = logger
        extra = property(lambda self: {"request": "computed"})
        merge_extra = False
    class List(logging.LoggerAdapter):
        def process(self, msg, kwargs):
            return [msg, {"extra": {"request": "list"}}]
    class Swallowing(logging.LoggerAdapter):
        def process(self, msg, kwargs):
            return msg, {"msg": 1}
    class Ending(logging.LoggerAdapter):
        def __del__(self):
            print("end of", self.extra)
    counting = Counting(logger, {"request": "counting"})
    for turn in range(2):
        Prefixing(logger, {"request": "prefixed"}).warning("m %d", turn)
        Prefixing(Plain(logger, 9), {"request": "outer"}).error("m")
        Plain(logger, 10).info("m")
        Slotted(logger, {"request": "slotted"}).info("m")
        counting.warning("m")
        Quiet(logger, {"request": "quiet"}).warning("not seen")
        Quiet(logger, {"request": "quiet"}).error("seen")
        Computed(logger).warning("m")
        List(logger, None).warning("m %s", 1)
        attempt(Swallowing(logger, None).warning, "m")
        Ending(logger, {"request": "ending"}).warning("m")
    print(counting.count)
    """,
        prints="end of {'request': 'ending'}",
    )


def test_what_is_patched_is_seen_at_once(same):
    same(
        TO_FILE
        + """
    from unittest import mock
    adapter = logging.LoggerAdapter(logger, {"request": 7})
    adapter.warning("first")
    adapter.warning("second")
    for name in ("log", "process", "isEnabledFor"):
        with mock.patch.object(adapter, name, return_value=("patched", {"extra": {"request": name}})) as patched:
            adapter.warning("on the instance")
            print(name, patched.call_args)
        adapter.warning("restored")
        with mock.patch.object(logging.LoggerAdapter, name, return_value=("patched", {"extra": {"request": 1}})) as patched:
            adapter.warning("on the class")
            print(name, patched.call_args)
        adapter.warning("restored")
    for name in ("log", "isEnabledFor", "_log"):
        with mock.patch.object(logger, name) as patched:
            adapter.warning("on the logger")
            print(name, patched.call_args)
        adapter.warning("restored")
        with mock.patch.object(logging.Logger, name, autospec=True) as patched:
            adapter.warning("on its class")
            print(name, patched.call_args.args[1:], patched.call_args.kwargs)
        adapter.warning("restored")
    adapter.extra = {"request": 8}
    adapter.warning("other fields")
    adapter.logger = logging.getLogger("app.part.other")
    adapter.warning("another logger")
    adapter.logger = mock.Mock(spec=logging.Logger)
    adapter.warning("a mock %s", 1)
    print(adapter.logger.mock_calls)
    del adapter.logger
    attempt(adapter.warning, "no logger")
    """,
        prints="call(30, 'on the logger', (), extra={'request': 7})",
    )


def test_process_that_changes_the_adapter(same):
    same(
        TO_FILE
        + """
    other = logging.getLogger("app.part.other")
    class Moving(logging.LoggerAdapter):
        def process(self, msg, kwargs):
            self.logger, kwargs["extra"] = other, self.extra
            other.setLevel(self.extra["level"])
            return msg, kwargs
    for level in (10, 40, 10):
        Moving(logger, {"request": "moved", "level": level}).warning("m")
    """,
        prints="app.part.other moved",
    )


def test_fields_in_layouts_of_every_style(same):
    same(
        """
    values = ["text", "\\xe4\\u20ac", "", 7, -3, 10**30, 2.5, 1e300, float("nan"), True, None, [1, "a"], {"b": 2}, object]
    class Own(str):
        def __str__(self): return "own"
        def __format__(self, spec): return "own format"
    values += [Own("own")]
    layouts = [("%", "%(x)s|%(message)s"), ("%", "%(x)-8s|%(x).3s|"), ("%", "%(x)05d|"), ("%", "%(x)8.2f|"), ("%", "%(x)r|"),
               ("{", "{x}|{message}"), ("{", "{x:>8}|"), ("{", "{x:05d}|"), ("{", "{x:.2f}|"), ("{", "{x!r}|"), ("{", "{x.real}|"),
               ("$", "$x|${message}|${x}"), ("%", "%(msg)s %(args)s %(x)s|"), ("%", "%(x)s %(missing)s|"), ("%", "%(exc_text)s|")]
    logging.raiseExceptions = False
    logger = logging.getLogger("app")
    for number, (style, layout) in enumerate(layouts):
        file = logging.FileHandler("%d.log" % number, encoding="utf-8")
        file.setFormatter(logging.Formatter(layout, style=style, validate=False))
        logger.handlers = [file]
        adapter = logging.LoggerAdapter(logger, {})
        for turn in range(2):
            for value in values:
                adapter.extra = {"x": value}
                adapter.warning("m %s", 1)
                logger.warning("m", extra={"x": value, "y": 1})
        logger.addFilter(lambda record: setattr(record, "x", "filter") or True)
        logger.warning("filtered")
        logger.filters.clear()
        to_stdout(logger, layout, style, validate=False)
        logger.warning("two handlers", extra={"x": 5})
        logger.warning("no field")
        logging.LogRecord.x = "of the class"
        logger.warning("no field but one of the class")
        logger.addFilter(lambda record: True)
        logger.warning("no field but one of the class, for a filter")
        logger.filters.clear()
        del logging.LogRecord.x
        file.close()
        print(layout, open("%d.log" % number, encoding="utf-8").read())
    """,
        prints="text|m 1",
    )
