"""Loggers, handlers and records that are not what they seem: other classes, copies, attributes kept elsewhere."""

import pytest


def test_subclasses_have_slots(same):
    same(
        """
from prelude import use
class Logger(logging.Logger):
    __slots__ = ("own", "__weakref__") if not hasattr(logging.Logger, "__weakref__") else ("own",)
class Handler(logging.StreamHandler):
    __slots__ = ("seen",)
    def emit(self, record):
        self.seen = getattr(self, "seen", 0) + 1
        super().emit(record)
class Plain(logging.StreamHandler):
    __slots__ = ("seen",)
class Record(logging.LogRecord):
    __slots__ = ("own_too",)
class Formatter(logging.Formatter):
    __slots__ = ()
class Filter(logging.Filter):
    __slots__ = ("kept",)
class Adapter(logging.LoggerAdapter):
    __slots__ = ("kept",)
logging.setLoggerClass(Logger)
for factory in (logging.LogRecord, Record):
    logging.setLogRecordFactory(factory)
    for handler_class in (Handler, Plain):
        logger = logging.getLogger(factory.__name__ + handler_class.__name__)
        handler = handler_class(sys.stdout)
        handler.setFormatter(Formatter("%(name)s %(levelname)s %(message)s"))
        handler.addFilter(Filter())
        logger.addHandler(handler)
        logger.setLevel(5)
        logger.own = handler.seen = 0
        use(logger)
        use(Adapter(logger, {"a": 1}))
        show(logger.own, handler.seen, sorted(set(vars(logger)) - {"_cache"}), "seen" in vars(handler))
"""
    )


@pytest.mark.parametrize("kind", ["slot", "property", "class attribute"])
def test_attribute_of_loggers_is_kept_elsewhere(same, kind):
    same(
        f"""
from prelude import use
kind = {kind!r}
def logger_class(name):
    if kind == "slot":
        return type("Logger", (logging.Logger,), {{"__slots__": (name,)}})
    if kind == "class attribute":
        return type("Logger", (logging.Logger,), {{}})
    def get(self): return vars(self)["kept " + name]
    def put(self, value): vars(self)["kept " + name] = value
    return type("Logger", (logging.Logger,), {{name: property(get, put)}})
for name, values in {{
    "level": (20, 40, 0), "handlers": ([], (), [to_stdout()]), "filters": ([], [lambda record: 0], []),
    "disabled": (True, False), "propagate": (False, True), "parent": (None, logging.root), "name": ("x", "y"),
    "_cache": ({{}}, {{30: False}}, {{}}),
}}.items():
    show(name)
    logging.setLoggerClass(logger_class(name))
    logger = logging.getLogger(name + ".inner")
    to_stdout(logging.getLogger(name), "%(name)s %(levelname)s %(message)s")
    to_stdout(logger, "own %(name)s %(message)s")
    use(logger)
    if kind == "class attribute":
        setattr(type(logger), name, vars(logger).pop(name))
        use(logger)
    for value in values:
        setattr(type(logger) if kind == "class attribute" else logger, name, value)
        use(logger)
"""
    )


def test_copies(same):
    same(
        """
from prelude import use
import copy, pickle
logger = logging.getLogger("a")
handler = to_stdout(logger, "%(name)s %(message)s")
use(logger)
twin = copy.copy(logger)
show(twin is logger)
use(twin)
twin.handlers = [to_stdout(None, "twin %(message)s")]
twin.level = 20
use(twin)
use(logger)
attempt(lambda: type(copy.deepcopy(logger)).__name__)
attempt(copy.deepcopy, handler)
attempt(pickle.dumps, handler)
for object in (handler.formatter, logging.Filter("a"), handler.formatter._style, logging.LoggerAdapter(logger, {"a": 1})):
    attempt(lambda: sorted(vars(copy.copy(object))))
    attempt(lambda: sorted(vars(copy.deepcopy(object))))
second = copy.copy(handler)
second.setFormatter(copy.deepcopy(handler.formatter))
second.formatter._style._fmt = "second %(message)s"
logger.addHandler(second)
use(logger)
show(second.lock is handler.lock, second.filters is handler.filters)
handler.filters.append(lambda record: "1" not in str(record.msg))
use(logger)
record = logging.makeLogRecord({"msg": "m %s", "args": (1,), "own": [1], "levelno": 30})
for other in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
    other.args = (2,)
    show(other.getMessage(), record.getMessage(), other.own is record.own, type(other).__name__)
    logger.handle(other)
adapter = copy.copy(logging.LoggerAdapter(logger, {"a": 1}))
use(adapter)
"""
    )


def test_values_have_unusual_classes(same):
    same(
        """
from prelude import use
import enum, collections
class Level(enum.IntEnum):
    LOW, HIGH = 10, 40
class Text(str):
    def __str__(self): return "own text"
class Loggers(logging.Logger):
    def __bool__(self): return self.name != "falsy"
class List(list):
    def __iter__(self): return reversed(list(super().__iter__()))
    def __len__(self): return super().__len__()
class Names(dict):
    def get(self, key, default=None): return "own" if key == 20 else super().get(key, default)
logging.setLoggerClass(Loggers)
falsy = logging.getLogger("falsy")
to_stdout(falsy, "%(name)s %(levelname)s %(message)s")
use(falsy)
use(logging.getLogger("falsy.child"))
logger = logging.getLogger(Text("text"))
first, second = to_stdout(logger, "first %(name)s %(message)s"), to_stdout(logger, "second %(levelname)s")
for level in (Level.LOW, Level.HIGH, 10.5, True, "INFO"):
    attempt(logger.setLevel, level)
    use(logger)
    logger.level = level
    logger._cache.clear()
    use(logger)
    logger.level = 10
    logger._cache.clear()
    first.level = level
    use(logger)
    first.level = 0
logger.log(Level.HIGH, "m")
logger.handlers = List(logger.handlers)
use(logger)
logger.handlers = collections.deque([second])
use(logger)
logger.handlers = [first]
logger.filters = List([lambda record: print("one") or True, lambda record: print("two") or True])
use(logger)
logger.filters = {logging.Filter("text")}
use(logger)
logging._levelToName = Names(logging._levelToName)
second.formatter._style._fmt = "%(levelname)s"
logger.addHandler(second)
use(logger)
first.formatter = lambda record: "callable"
use(logger)
first.formatter = type("Formatter", (), {"format": lambda self, record: "duck " + record.getMessage()})()
use(logger)
"""
    )


def test_objects_answer_for_themselves(same):
    same(
        """
from prelude import use
class Getting(logging.Logger):
    def __getattribute__(self, name):
        if name == "level": return 30
        return super().__getattribute__(name)
class Missing(logging.Logger):
    def __init__(self, name, level=0): self.name, self.level = name, level
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return {"parent": logging.root, "propagate": True, "handlers": [], "filters": [], "disabled": False}.get(name)
class Setting(logging.Logger):
    def __setattr__(self, name, value):
        if name == "level" and value: value = 40
        super().__setattr__(name, value)
class Empty(logging.Logger):
    def __init__(self, *args): pass
class Handler(logging.StreamHandler):
    def __getattribute__(self, name):
        if name == "level": return 30
        if name == "terminator": return "!\\\\n"
        return super().__getattribute__(name)
class Other(logging.StreamHandler):
    def __eq__(self, other): return True
    __hash__ = None
class Formatter(logging.Formatter):
    def __getattr__(self, name): raise AttributeError("none " + name)
    def __bool__(self): return False
to_stdout(logging.root, "root %(name)s %(levelno)d %(message)s")
for logger_class in (Getting, Missing, Setting, Empty):
    show(logger_class.__name__)
    logging.setLoggerClass(logger_class)
    try: logger = logging.getLogger(logger_class.__name__)
    except Exception as error: show(type(error).__name__, str(error)); continue
    use(logger)
    try: logger.setLevel(10)
    except Exception as error: show(type(error).__name__, str(error))
    use(logger)
    logger.handlers = [to_stdout(None, "own %(message)s")]
    use(logger)
logging.setLoggerClass(logging.Logger)
logger = logging.getLogger("plain")
logger.propagate = False
for handler in (Handler(sys.stdout), to_stdout()):
    handler.setFormatter(Formatter("falsy %(message)s"))
    logger.handlers = [handler]
    use(logger)
try: logging._handlerList.append(None); Other(sys.stdout)
except Exception as error: show(type(error).__name__, str(error))
logging._handlerList.remove(None)
"""
    )


def test_records_are_changed_beyond_recognition(same):
    same(
        """
from prelude import use
logger = logging.getLogger("a")
handler = to_stdout(logger, "%(name)s %(levelname)s %(lineno)d %(message)s %(own)s")
handler.formatter = logging.Formatter("%(name)s %(levelname)s %(message)s %(own)s", defaults={"own": "default"})
sys.stderr = sys.stdout
logging.raiseExceptions = False
class Own(logging.LogRecord):
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return "answer to " + name
class Message(logging.LogRecord):
    message = property(lambda self: "property", lambda self, value: None)
class Fields(logging.LogRecord):
    def __setattr__(self, name, value): vars(self)[name] = ("set", value) if name == "own" else value
def replace(record): record.__dict__ = {**vars(record), "own": "replaced"}; return True
def empty(record): vars(record).clear(); return True
def delete(record): del record.args; return True
def rename(record): record.name, record.levelname, record.msg, record.args = 1, None, "%s %s", ("x", "y"); return True
def lower(record): record.levelno = 5; return True
def fail(record): record.msg = type("Bad", (), {"__str__": lambda self: 1 / 0})(); record.args = (); return True
def other(record): return logging.makeLogRecord({"name": "other", "msg": "m %(k)s", "args": ({"k": 1},), "levelno": 50})
def text(record): record.exc_text, record.stack_info = "given text", "given stack"; return True
for factory in (logging.LogRecord, Own, Message, Fields, lambda *a, **k: None, lambda *a, **k: logging.makeLogRecord({"msg": "made", "levelno": 30})):
    logging.setLogRecordFactory(factory)
    show(getattr(factory, "__name__", ""))
    use(logger)
    for target in (logger, handler):
        for change in (replace, empty, delete, rename, lower, fail, other, text):
            show(change.__name__)
            target.filters = [change]
            use(logger)
        target.filters = []
logging.setLogRecordFactory(logging.LogRecord)
logging.LogRecord.own = property(lambda self: "of the class")
use(logger)
logging.LogRecord.args = property(lambda self: (7,), lambda self, value: None)
logger.warning("%s")
del logging.LogRecord.args
logging.LogRecord.message = "of the class"
use(logger)
"""
    )


@pytest.mark.parametrize("style", ["%", "{", "$"])
@pytest.mark.parametrize("name", ["datefmt", "_style", "_style._fmt", "_style._tpl", "_style._defaults"])
def test_a_formatter_lacks_an_attribute(same, style, name):
    """As one of a subclass does that has not called ``Formatter.__init__``."""
    same(
        f"""
layout = {{"%": "%(asctime)s %(message)s", "{{": "{{asctime}} {{message}}", "$": "$asctime $message"}}[{style!r}]
owner, _, name = {name!r}.rpartition(".")
for is_known_before in (False, True):
    logger = logging.getLogger(str(is_known_before))
    handler = to_stdout()
    logger.addHandler(handler)
    handler.setFormatter(logging.Formatter(layout, "%Y", {style!r}))
    if is_known_before:
        logger.warning("with it")
    vars(handler.formatter._style if owner else handler.formatter).pop(name, None)
    logger.warning("without it")
"""
    )


@pytest.mark.parametrize("layout", ["$asctime", "$message", "$name"])
@pytest.mark.parametrize("template", ["T $asctime", "T $message"])
def test_the_template_of_a_style_is_not_its_text(same, layout, template):
    same(
        f"""
import string
handler = to_stdout()
handler.setFormatter(logging.Formatter({layout!r}, "%Y", "$"))
logging.getLogger().addHandler(handler)
logging.warning("as made")
handler.formatter._style._tpl = string.Template({template!r})
logging.warning("another")
"""
    )


def test_a_logger_that_does_not_propagate_lacks_a_parent(same):
    same(
        """
logger = logging.getLogger("lonely")
logger.addHandler(to_stdout())
logger.propagate = False
logger.warning("with it")
del logger.parent
logger.warning("without it")
logger.handlers = []
logger.warning("nobody is there")
"""
    )
