"""What filters, handlers and formatters written in Python may do to the record that they are given."""

import pytest

FILTERS = """
import copy, pickle
class Fields(logging.Handler):
    def emit(self, record):
        changing = ("created", "msecs", "relativeCreated", "thread", "process", "pathname", "asctime")
        shown = {key: value for key, value in vars(record).items() if key not in changing}
        show(list(vars(record)), ascii(shown), type(record) is logging.LogRecord)
kept = []
def keeps(record):
    kept.append(record)
    return True
def replaces_message(record):
    record.msg, record.args = "another %s", ("argument",)
    return True
def replaces_arguments(record):
    record.args = ("other",)
    return True
def deletes_what_is_shown(record):
    del record.name
    return True
def deletes_what_is_not_shown(record):
    del record.processName
    return True
def adds(record):
    record.request, record.user = "r1", "ann"
    return True
def adds_a_method(record):
    record.getMessage = lambda: "the record's own"
    return True
def replaces_dict(record):
    record.__dict__ = dict(vars(record), msg="a new dict", args=())
    return True
def changes_through_dict(record):
    vars(record)["msg"] = "through the dict %s"
    return True
def adds_through_dict(record):
    vars(record)["user"] = "ann"
    record.lineno = -5
    return True
def changes_level(record):
    record.levelno, record.levelname = 5, "own"
    return True
def sets_exception_text(record):
    record.exc_text = "text of an exception"
    return True
def sets_stack(record):
    record.stack_info = "a stack"
    return True
def changes_the_time(record):
    record.created, record.msecs = 0.0, 7.0
    return True
def gives_none(record):
    return None
def gives_number(record):
    return 1
def gives_new_record(record):
    new = copy.copy(record)
    new.msg = "a new record"
    return new
def gives_another_class(record):
    class Other(logging.LogRecord):
        def getMessage(self):
            return "another class"
    return Other("n", 20, "p", 1, "m", (), None)
def pickles(record):
    copied = pickle.loads(pickle.dumps(record))
    show(list(vars(copied)) == list(vars(record)), vars(copied) == vars(record))
    return True
def logs_itself(record):
    if record.msg != "inner":
        logger.info("inner")
    return True
def raises(record):
    raise ValueError("from the filter")
EVERY = [value for name, value in list(globals().items()) if callable(value) and name in (
    "keeps replaces_message replaces_arguments deletes_what_is_shown deletes_what_is_not_shown adds adds_a_method "
    "replaces_dict changes_through_dict adds_through_dict changes_level sets_exception_text sets_stack "
    "changes_the_time gives_none gives_number gives_new_record gives_another_class pickles logs_itself raises").split()]
"""


@pytest.mark.parametrize(
    "layout",
    [
        "%(name)s %(levelname)s %(message)s",
        "%(name)s %(levelno)d %(lineno)d %(funcName)s %(threadName)s %(message)s",
        "%(created)f %(msecs)03d %(message)s",
    ],
)
@pytest.mark.parametrize("owner", ["handler", "logger"])
def test_filters_that_change_the_record(same, layout, owner):
    created = "%(created)f" in layout
    same(
        FILTERS
        + f"""
logging.raiseExceptions = False
logger = logging.getLogger("app")
logger.setLevel(10)
logger.propagate = False
handler = logging.FileHandler("lines.txt", encoding="utf-8")
handler.setFormatter(logging.Formatter({layout!r}))
logger.addHandler(handler)
owner = {owner}
def log():
    logger.info("no arguments")
    logger.info("one %s", 1)
    logger.info("three %s %d %.2f", "a", 2, 3.0)
    logger.info("%(key)s", {{"key": "a mapping"}})
    logger.info("extra %s", 1, extra={{"own": "field"}})
    logger.info("too few %s %s", 1)
    logger.info("\\u00e4\\u20ac %s", "\\U0001f600")
    try:
        raise KeyError("k")
    except KeyError:
        logger.error("with one", exc_info=True)
for turn in range(3):
    for function in EVERY:
        if {created} and function is not changes_the_time:
            continue
        owner.filters[:] = [function]
        with open("lines.txt", "a") as file:
            file.write(function.__name__ + "\\n")
        attempt(log)
fields = Fields()
for record in kept:
    fields.emit(record)
show(len(kept))
"""
    )


def test_what_others_see_after_a_filter(same):
    """A second handler, one of a logger above, and a list that grows while a filter runs."""
    same(
        FILTERS
        + """
logging.raiseExceptions = False
parent, logger = logging.getLogger("app"), logging.getLogger("app.part")
parent.setLevel(10)
parent.propagate = False
def file_handler(name):
    handler = logging.FileHandler(name, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y"))
    return handler
first, fields = file_handler("first.txt"), Fields()
late = Fields()
def appends(record):
    if late not in parent.handlers:
        parent.addHandler(late)
    return True
for handlers, above in (([first], []), ([first, fields], []), ([first], [fields]), ([fields, first], [first])):
    logger.handlers[:], parent.handlers[:] = handlers, above
    for function in (adds, keeps, appends, changes_level, replaces_message):
        first.filters[:] = [function]
        show(function.__name__, len(handlers), len(above))
        for turn in range(3):
            logger.info("m %s", turn)
for record in kept:
    fields.emit(record)
"""
    )


def test_classes_and_factories_of_records(same):
    same(
        FILTERS
        + """
logger = logging.getLogger("app")
logger.setLevel(10)
handler = to_stdout(logger, "%(name)s %(message)s")
handler = logger.handlers[0]
handler.addFilter(lambda record: show(type(record).__name__) or True)
logger.info("plain %s", 1)
class Own(logging.LogRecord):
    def getMessage(self):
        return "own " + super().getMessage()
logging.setLogRecordFactory(Own)
logger.info("own %s", 1)
logging.setLogRecordFactory(lambda *args, **kwargs: Own(*args, **kwargs))
logger.info("made by a function %s", 1)
logging.setLogRecordFactory(logging.LogRecord)
logger.info("plain again %s", 1)
ended = []
logging.LogRecord.__del__ = lambda self: ended.append(vars(self).get("message"))
logger.info("seen at its end %s", 1)
show(ended)
del logging.LogRecord.__del__
logging.LogRecord.level = property(lambda self: self.levelno)
handler.filters[:] = [lambda record: record.level == 20]
logger.info("with a property %s", 1)
original = logging.LogRecord.getMessage
logging.LogRecord.getMessage = lambda self: "replaced"
logger.info("m")
logging.LogRecord.getMessage = original
logger.info("as before %s", 2)
"""
    )


def test_surroundings_that_change(same):
    same(
        FILTERS
        + """
import asyncio, threading
logger = logging.getLogger("app")
logger.setLevel(10)
to_stdout(logger, "%(threadName)s %(processName)s %(message)s")
logger.handlers[0].addFilter(lambda record: show(getattr(record, "taskName", None), record.threadName) or True)
logger.info("main")
threading.current_thread().name = "renamed"
logger.info("renamed")
def work():
    logger.info("in a thread")
    threading.current_thread().name = "own"
    logger.info("in a renamed thread")
for number in range(2):
    thread = threading.Thread(target=work, name=f"worker-{number}")
    thread.start()
    thread.join()
logger.info("main again")
async def main():
    logger.info("in a task")
    asyncio.current_task().set_name("own task")
    logger.info("in a renamed task")
asyncio.run(main())
logger.info("out of the loop")
current = asyncio.current_task
class Named:
    def get_name(self):
        return "patched"
asyncio.current_task = lambda: Named()
logger.info("patched")
asyncio.current_task = current
logging.logThreads = False
logger.info("without threads")
logging.logThreads = True
logging.logAsyncioTasks = False
logging.logProcesses = False
logging.logMultiprocessing = False
logger.info("without tasks and processes")
"""
    )


ONE_FILE = """
import gc, os, weakref
logger = logging.getLogger("app")
logger.setLevel(10)
logger.propagate = False
handler = logging.FileHandler("lines.txt", encoding="utf-8")
formatter = logging.Formatter("%(asctime)s %(name)s %(levelname)s %(lineno)d %(message)s", "%Y")
handler.setFormatter(formatter)
logger.addHandler(handler)
def lines():
    with open("lines.txt", encoding="utf-8") as file:
        return file.read()
"""


def test_no_record_outlives_its_call_or_is_seen_again(same):
    """What a filter has kept of a record stays as it was, and what the call was given is let go."""
    same(
        ONE_FILE
        + """
ended, dicts, references = [], [], []
class Counted(str):
    def __del__(self):
        ended.append(str(self))
class Shown:
    def __str__(self):
        return "shown"
def watches(record):
    references.append(weakref.ref(record, lambda reference: ended.append("record")))
    return True
def keeps_dict(record):
    dicts.append(vars(record))
    return True
def keeps_dict_later(record):
    return bool(dicts.append(record.__dict__)) or True
def adds_and_deletes(record):
    name = record.name
    record.own = 1
    del record.own, record.name
    record.name = name
    return True
def lists(record):
    show(list(vars(record)))
    return True
def passes(record):
    return True
for function in (passes, watches, passes, keeps_dict, passes, keeps_dict_later, passes, adds_and_deletes, lists, passes):
    handler.filters[:] = [function]
    for number in range(3):
        logger.info("%s of %s", number, function.__name__)
        logger.info(Counted("text of its own %d"), 1)
        logger.info("%s %s", Counted("argument"), Shown())
        value = Shown()
        logger.warning("%s and %s", value, 1)
        reference = weakref.ref(value)
        del value
        show(reference() is None, len(ended))
        gc.collect()
        show(sum(type(one) is logging.LogRecord for one in gc.get_objects()))
        show(sum(type(one) is logging.LogRecord for one in gc.get_referrers(logger.name)))
show([reference() is None for reference in references])
for attributes in dicts:
    show(attributes["msg"], attributes["args"], attributes["levelname"], list(attributes))
show(lines())
kept = []
class Own(logging.Handler):
    def emit(self, record):
        show(list(vars(record)) if record.msg == "listed %s" else hasattr(record, "message"))
        if record.msg == "before %s":
            record.message, record.asctime = "own", "first"
        show(self.format(record))
        if record.msg == "kept %s":
            kept.append(record)
        if record.msg == "with more %s":
            record.more = record.msg
        if record.msg == "without %s":
            del record.asctime, record.message
own = Own()
own.setFormatter(formatter)
handler.filters[:] = []
for handlers in ([own], [own, handler], [handler, own]):
    logger.handlers[:] = handlers
    for message in ("first", "kept", "listed", "with more", "second", "before", "listed", "without", "listed", "last"):
        logger.info(message + " %s", 1)
        logger.error(message + " %s", Shown())
        gc.collect()
        show(sum(type(one) is logging.LogRecord for one in gc.get_objects()))
show([(record.msg, record.args, record.message) for record in kept if record.args == (1,)])
show(lines())
"""
    )


def test_a_filter_that_changes_what_comes_after_it(same):
    """The loggers, the handlers, the formatter, the globals, the classes: each holds for the record that is on its way."""
    same(
        ONE_FILE
        + """
other = logging.StreamHandler(sys.stdout)
other.setFormatter(logging.Formatter("other %(message)s"))
def removes_handler(record):
    logger.removeHandler(handler)
def adds_handler_here(record):
    logger.addHandler(other)
def adds_handler_above(record):
    logger.parent.addHandler(other)
    logger.propagate = True
def puts_handler_first(record):
    if other not in logger.handlers:
        logger.handlers.insert(0, other)
def replaces_list(record):
    logger.handlers = [other]
def changes_level(record):
    handler.setLevel(50)
def changes_formatter(record):
    handler.setFormatter(logging.Formatter("changed %(message)s"))
def takes_formatter(record):
    handler.setFormatter(None)
def takes_default_formatter(record):
    handler.setFormatter(None)
    logging._defaultFormatter = logging.Formatter("default %(message)s")
def changes_layout(record):
    formatter._style._fmt = "layout %(message)s"
def changes_terminator(record):
    handler.terminator = ";"
def changes_name(record):
    logger.name = "renamed"
def changes_level_name(record):
    logging.addLevelName(20, "OWN")
def changes_method(record):
    handler.emit = lambda record: show("own emit", record.getMessage())
def changes_message(record):
    logging.LogRecord.getMessage = lambda self: "method of the class"
def changes_class(record):
    class Other(logging.LogRecord):
        def getMessage(self):
            return "method of another class"
    record.__class__ = Other
def changes_factory(record):
    logging.setLogRecordFactory(lambda *args, **kwargs: logging.LogRecord(*args, **kwargs))
def disables(record):
    logging.disable(50)
def closes(record):
    handler.close()
def moves_stream(record):
    handler.setStream(open("moved.txt", "a"))
def writes_itself(record):
    handler.stream.write("unflushed ")
def adds_filter(record):
    handler.addFilter(lambda record: False)
def takes_filters(record):
    handler.filters = []
def reads_the_clock(record):
    import time
    time.time = lambda: 0.0
method, default, stamp = logging.LogRecord.getMessage, logging._defaultFormatter, __import__("time").time
for passes in (True, False):
    for change in [value for name, value in list(globals().items()) if name.split("_")[0] in (
            "removes adds puts replaces changes takes disables closes moves writes reads".split()
    ) and callable(value)]:
        show(change.__name__, passes)
        handler.filters = [lambda record: record.msg != "change %s" or (change(record), passes)[1]]
        for number in range(2):
            logger.info("before %s", number)
        logger.info("change %s", 1)
        for number in range(2):
            logger.info("after %s", number)
        logging.disable(0)
        logging.addLevelName(20, "INFO")
        logging.setLogRecordFactory(logging.LogRecord)
        logging.LogRecord.getMessage, logging._defaultFormatter, __import__("time").time = method, default, stamp
        handler.setLevel(0)
        handler.setFormatter(formatter)
        formatter._style._fmt = formatter._fmt
        for name in ("terminator", "emit"):
            vars(handler).pop(name, None)
        logger.name, logger.handlers, logger.propagate = "app", [handler], False
        logger.parent.handlers[:] = []
        if os.path.exists("moved.txt"):
            handler.stream.close()
            handler.stream = open("lines.txt", "a", encoding="utf-8")
            show(open("moved.txt").read())
            os.remove("moved.txt")
        handler.flush()
        show(lines())
"""
    )


def test_a_handler_that_changes_where_the_record_goes_on(same):
    same(
        """
parent, logger = logging.getLogger("app"), logging.getLogger("app.part")
parent.setLevel(10)
parent.propagate = False
class Own(logging.Handler):
    def emit(self, record):
        show("own", record.getMessage())
        if record.msg == "class":
            self.__class__ = logging.NullHandler
        if record.msg == "stop":
            logger.propagate = False
        if record.msg == "go on":
            logger.propagate = True
        if record.msg == "elsewhere":
            logger.parent = logging.getLogger("another")
            logger.parent.propagate = False
logger.addHandler(Own())
to_stdout(parent, "above %(message)s")
to_stdout(logging.getLogger("another"), "another %(message)s")
for message in ("first", "stop", "stopped", "go on", "gone on", "elsewhere", "class", "the end"):
    logger.info(message)
"""
    )


def test_what_decides_about_a_handler_of_ones_own_may_change_at_any_moment(same):
    same(
        """
logger = logging.getLogger("app")
logger.propagate = False
logger.setLevel(10)
class Lock:
    def __enter__(self):
        self.acquire()
    def __exit__(self, *_):
        self.release()
    def acquire(self):
        print("acquire")
    def release(self):
        print("release")
class Own(logging.Handler):
    def emit(self, record):
        text = self.format(record)
        show(text, vars(record).get("message"), "asctime" in vars(record), list(vars(record))[-2:])
own = Own()
logger.addHandler(own)
def log(what):
    for level in (20, 30):
        logger.log(level, "%s %d", what, level)
log("as it is")
own.setLevel(30)
log("level")
own.level = "no number"
try:
    log("level that is no number")
except TypeError as error:
    show(error)
own.level = 0
own.setFormatter(logging.Formatter("%(asctime)s %(message)s", "then"))
log("formatter")
own.formatter.datefmt = "later"
log("format of dates")
own.addFilter(lambda record: record.levelno > 20)
log("filter")
own.filters = ()
log("filters that are no list")
own.filters = [lambda record: own.setLevel(40) or True]
log("filter that sets the level")
own.setLevel(0)
own.filters = []
lock, own.lock = own.lock, Lock()
log("lock")
own.lock = lock
own.handle = lambda record: show("own handle", record.getMessage())
log("handle of the instance")
del own.handle
log("no longer")
own.filter = lambda record: False
log("filter of the instance")
del own.filter
own.further = "attribute"
log("further attribute")
Own.handle = lambda self, record: show("handle of the class", record.getMessage())
log("handle of the class")
del Own.handle
log("of logging again")
Own.level = property(lambda self: 30, lambda self, value: None)
log("level of the class")
del Own.level
log("the end")
del own.formatter
try:
    log("no formatter")
except AttributeError as error:
    show(error)
"""
    )
