"""Stream, file, watched, rotating, timed, memory and queue handlers, and what belongs to ``Handler``."""

import pytest


def test_stream_handler(same):
    same(
        """
        import io
        logger = logging.getLogger("app")
        logger.propagate = False
        class Stream:
            name = "own"
            def __init__(self):
                self.writes = []
            def write(self, text):
                self.writes.append(text)
            def flush(self):
                self.writes.append("flush")
        stream = Stream()
        handler = logging.StreamHandler(stream)
        logger.addHandler(handler)
        logger.warning("one")
        handler.terminator = "|END|"
        logger.warning("two")
        handler.terminator = ""
        logger.warning("three")
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        logger.warning("four")
        show(stream.writes)
        other = io.StringIO()
        show(handler.setStream(other) is stream, handler.setStream(other))
        logger.warning("five")
        handler.stream = stream
        logger.warning("six")
        show(other.getvalue(), stream.writes[-2:], repr(handler))
        stream.name = 5
        show(repr(handler))
        del Stream.flush
        logger.warning("no flush")
        class Property(logging.StreamHandler):
            @property
            def stream(self):
                return sys.stdout
            @stream.setter
            def stream(self, value):
                pass
        logger.addHandler(Property())
        logger.warning("by property")
        show(logging.StreamHandler().stream is sys.stderr)
        if sys.version_info >= (3, 11):
            show(logging.StreamHandler[str])
        """,
        prints="by property",
    )


def test_stderr_swapped(same):
    same(
        """
        import io
        logger = logging.getLogger("app")
        handler = logging.StreamHandler()
        logger.addHandler(handler)
        kept, sys.stderr = sys.stderr, io.StringIO()
        logger.warning("handler keeps its stream")
        logging.getLogger("other").warning("last resort uses the new one")
        show(repr(sys.stderr.getvalue()))
        sys.stderr = None
        logging.getLogger("other").warning("nowhere")
        handler.stream = None
        logger.warning("nowhere")
        sys.stderr = kept
        """,
        prints="last resort",
    )


def test_file_handler(same):
    same(
        """
        import os, pathlib
        logger = logging.getLogger("app")
        logger.propagate = False
        def use(handler, *messages):
            show(repr(handler), handler.mode, handler.delay, handler.encoding, handler.errors, handler.stream is None)
            logger.addHandler(handler)
            for message in messages:
                logger.warning(message)
            logger.removeHandler(handler)
            handler.close()
            handler.close()
            show(handler.stream is None)
        use(logging.FileHandler("a.log"), "one", "two")
        use(logging.FileHandler("a.log"), "appended")
        use(logging.FileHandler(pathlib.Path("b.log"), "w", "latin-1", True, "replace"), "h\\u00e9\\u20ac")
        use(logging.FileHandler("c.log", encoding="utf-8-sig"), "bom")
        use(logging.FileHandler("d.log", encoding="utf-16"), "wide")
        use(logging.FileHandler("never.log", delay=True))
        use(logging.FileHandler("x.log", mode="x"), "exclusive")
        attempt(logging.FileHandler, "x.log", "x")
        attempt(logging.FileHandler, "no/such/folder.log")
        attempt(logging.FileHandler, None)
        attempt(logging.FileHandler, "bad.log", "r+b")
        attempt(logging.FileHandler, "bad.log", encoding="no-such")
        handler = logging.FileHandler("reopen.log")
        logger.addHandler(handler)
        logger.warning("open")
        handler.close()
        logger.warning("after close")
        logger.removeHandler(handler)
        handler = logging.FileHandler("cr.log", encoding="ascii", errors="xmlcharrefreplace")
        handler.terminator = "\\r\\n"
        use(handler, "\\u00e9")
        show(os.path.isabs(handler.baseFilename), sorted(os.listdir(".")))
        """
    )


def test_watched_file_handler(same):
    same(
        """
        import os
        logger = logging.getLogger("app")
        logger.propagate = False
        handler = logging.handlers.WatchedFileHandler("w.log")
        logger.addHandler(handler)
        logger.warning("one")
        os.rename("w.log", "w.log.1")
        logger.warning("two")
        os.remove("w.log")
        logger.warning("three")
        show(sorted(os.listdir(".")), handler.dev == os.stat("w.log").st_dev, handler.ino == os.stat("w.log").st_ino)
        handler.reopenIfNeeded()
        """
    )


def test_rotating_file_handler(same):
    same(
        """
        import gzip, os
        logger = logging.getLogger("app")
        logger.propagate = False
        def use(handler, count=9):
            logger.addHandler(handler)
            for i in range(count):
                logger.warning("message %d \\u00e9", i)
            logger.removeHandler(handler)
            handler.close()
        Rotating = logging.handlers.RotatingFileHandler
        use(Rotating("a.log", maxBytes=30, backupCount=2, encoding="utf-8"))
        use(Rotating("b.log", maxBytes=30, backupCount=0, encoding="utf-8"))
        use(Rotating("c.log", "w", 0, 3, "utf-8", True))
        use(Rotating("d.log", maxBytes=1, backupCount=3, encoding="utf-8", delay=True), 5)
        class Named(Rotating):
            def rotation_filename(self, default_name):
                return default_name + ".old"
        use(Named("e.log", maxBytes=40, backupCount=2, encoding="utf-8"))
        handler = Rotating("f.log", maxBytes=40, backupCount=2, encoding="utf-8")
        handler.namer = lambda name: name + ".x"
        def rotate(source, target):
            show("rotate", os.path.basename(source), os.path.basename(target))
            os.replace(source, target)
        handler.rotator = rotate
        use(handler)
        handler = Rotating("g.log", maxBytes=100, backupCount=1, encoding="utf-8")
        logger.addHandler(handler)
        logger.warning("one")
        handler.doRollover()
        logger.warning("two")
        show(handler.shouldRollover(logging.makeLogRecord({"msg": "x" * 100})))
        show(handler.shouldRollover(logging.makeLogRecord({"msg": "x"})), repr(handler))
        attempt(Rotating, "h.log", maxBytes="ten")
        """
    )


def test_timed_rotating_file_handler(same):
    same(
        """
        import os, time
        os.environ["TZ"] = "Europe/Berlin"
        time.tzset()
        Timed = logging.handlers.TimedRotatingFileHandler
        for when in ("S", "M", "H", "D", "MIDNIGHT", "midnight", "W0", "W6", "s", "w3"):
            for interval in (1, 3):
                for utc in (False, True):
                    handler = Timed("t.log", when, interval, delay=True, utc=utc)
                    rollovers = [handler.computeRollover(t) for t in (0, 86399, 1700000000, 1711846800, 1729987200)]
                    show(handler.when, handler.interval, handler.suffix, handler.extMatch.pattern, rollovers)
        import datetime
        for at in (datetime.time(3, 30), datetime.time(0), datetime.time(23, 59, 59)):
            for when in ("midnight", "W2"):
                handler = Timed("t.log", when, delay=True, atTime=at)
                show([handler.computeRollover(t) for t in (0, 86399, 1700000000, 1711846800, 1729987200)])
        for when in ("X", "W", "W7", "W10", "", None, 5):
            attempt(Timed, "t.log", when, delay=True)
        attempt(Timed, "t.log", "D", delay=True, atTime="noon")
        """,
        prints="MIDNIGHT",
    )


def test_timed_rotation_and_deletion(same):
    same(
        """
        import os, time
        os.environ["TZ"] = "UTC"
        time.tzset()
        logger = logging.getLogger("app")
        logger.propagate = False
        handler = logging.handlers.TimedRotatingFileHandler("t.log", "D", backupCount=2, utc=True)
        logger.addHandler(handler)
        for name in ("t.log.2020-01-01", "t.log.2020-01-02", "t.log.2020-01-03", "t.log.other", "t.log.2020-01-01.gz",
                     "u.log.2020-01-01"):
            open(name, "w").close()
        show([os.path.basename(path) for path in handler.getFilesToDelete()])
        logger.warning("one")
        show(handler.shouldRollover(logging.makeLogRecord({})))
        handler.rolloverAt = int(time.time()) - 1
        show(handler.shouldRollover(logging.makeLogRecord({})))
        logger.warning("two")
        show(handler.rolloverAt > time.time(), len(os.listdir(".")), sorted(n for n in os.listdir(".") if "2020" in n))
        show(open("t.log").read())
        for name in os.listdir("."):
            os.remove(name)
        """,
        prints="two",
    )


def test_memory_handler(same):
    same(
        """
        logger = logging.getLogger("app")
        logger.propagate = False
        target = to_stdout(None, "%(levelname)s %(message)s")
        handler = logging.handlers.MemoryHandler(3, target=target)
        logger.addHandler(handler)
        for i in range(4):
            logger.warning("m %d", i)
        show([record.getMessage() for record in handler.buffer])
        logger.error("flushes")
        show(handler.buffer)
        handler.setTarget(None)
        logger.warning("kept without a target")
        handler.flush()
        show(len(handler.buffer))
        handler.setTarget(target)
        handler.flushLevel = 100
        handler.capacity = 100
        logger.error("kept")
        handler.buffer.append(logging.makeLogRecord({"msg": "put in by hand", "levelname": "X"}))
        handler.close()
        show(handler.target, handler.buffer)
        quiet = logging.handlers.MemoryHandler(10, target=target, flushOnClose=False)
        logger.handlers = [quiet]
        logger.warning("lost on close")
        quiet.close()
        class Odd(logging.handlers.BufferingHandler):
            def shouldFlush(self, record):
                return len(self.buffer) % 2 == 0
            def flush(self):
                show("flush", len(self.buffer))
        odd = Odd(1)
        logger.handlers = [odd]
        for i in range(4):
            logger.warning("m")
        show(handler.shouldFlush(logging.makeLogRecord({"levelno": 10})))
        """,
        prints="WARNING m 2",
    )


def test_queue_handler_and_listener(same):
    same(
        """
        import queue
        logger = logging.getLogger("app")
        logger.propagate = False
        items = queue.Queue()
        handler = logging.handlers.QueueHandler(items)
        logger.addHandler(handler)
        logger.warning("m %s %s", 1, object)
        try:
            1 / 0
        except ZeroDivisionError:
            logger.exception("failed %d", 2, stack_info=True, extra={"own": [1]})
        for record in list(items.queue):
            show(record.msg, record.args, record.message, record.exc_info, record.exc_text, record.stack_info)
        out = to_stdout(None, "%(levelname)s %(message)s")
        only_errors = to_stdout(None, "error handler %(message)s")
        only_errors.setLevel("ERROR")
        listener = logging.handlers.QueueListener(items, out, only_errors, respect_handler_level=True)
        listener.start()
        logger.warning("while listening")
        listener.stop()
        listener = logging.handlers.QueueListener(items, only_errors)
        listener.start()
        logger.warning("levels are not respected")
        listener.stop()
        attempt(listener.stop)
        full = queue.Queue(1)
        logger.handlers = [logging.handlers.QueueHandler(full)]
        logger.warning("fits")
        logging.raiseExceptions = False
        logger.warning("does not fit")
        show(full.qsize())
        class Own(logging.handlers.QueueHandler):
            def prepare(self, record):
                return record.getMessage().upper()
            def enqueue(self, record):
                show("enqueue", record)
        logger.handlers = [Own(None)]
        logger.warning("own")
        """,
        prints="enqueue OWN",
    )


def test_names_of_handlers_and_shutdown(same):
    same(
        """
        import weakref
        handler = logging.StreamHandler(sys.stdout)
        handler.set_name("first")
        show(handler.get_name(), handler.name, logging._handlers["first"] is handler)
        handler.name = "second"
        show(sorted(logging._handlers), repr(handler))
        if hasattr(logging, "getHandlerByName"):
            show(logging.getHandlerByName("second") is handler, logging.getHandlerByName("first"))
            show(sorted(logging.getHandlerNames()), type(logging.getHandlerNames()).__name__)
        other = logging.NullHandler()
        other.name = "second"
        handler.close()
        show(sorted(logging._handlers))
        show(any(ref() is other for ref in logging._handlerList), isinstance(logging._handlerList[0], weakref.ref))
        class Noisy(logging.Handler):
            def __init__(self, error=None):
                super().__init__()
                self.error = error
            def flush(self):
                show("flush", self.error)
                if self.error:
                    raise self.error
            def close(self):
                show("close")
                super().close()
        noisy, broken = Noisy(), Noisy(OSError("ignored"))
        logging.shutdown()
        logging.shutdown([weakref.ref(noisy)])
        logging.raiseExceptions = False
        logging.shutdown([weakref.ref(Noisy()), lambda: None])
        attempt(logging.shutdown, [weakref.ref(broken)])
        worse = Noisy(KeyError("k"))
        attempt(logging.shutdown, [weakref.ref(worse)])
        logging.raiseExceptions = True
        attempt(logging.shutdown, [weakref.ref(worse)])
        worse.error = None
        gone = weakref.ref(noisy)
        del noisy
        show(gone())
        """
    )


def test_handler_basics(same):
    same(
        """
        handler = logging.Handler()
        record = logging.makeLogRecord({"msg": "m", "levelno": 30})
        attempt(handler.emit, record)
        attempt(handler.handle, record)
        for level in ("INFO", 5, "nonsense", None, 1.5):
            attempt(handler.setLevel, level)
            show(repr(handler))
        attempt(logging.Handler, "nonsense")
        handler.acquire(); handler.acquire(); handler.release(); handler.release()
        attempt(handler.release)
        show(type(handler.lock).__name__, handler.format(record))
        handler.createLock()
        handler.lock = None
        handler.acquire(); handler.release()
        handler.flush()
        class Counting:
            def __init__(self):
                self.calls = []
            def acquire(self, *args, **kwargs):
                self.calls.append("acquire")
                return True
            def release(self):
                self.calls.append("release")
            def __enter__(self):
                self.acquire()
            def __exit__(self, *args):
                self.release()
        handler = to_stdout(logging.getLogger("app"), "%(message)s")
        handler.lock = Counting()
        logging.getLogger("app").warning("locked")
        show(sorted(set(handler.lock.calls)))
        null = logging.NullHandler()
        null.createLock()
        show(null.lock, null.handle(record), null.emit(record))
        show(logging.Handler.handle(to_stdout(None), record))
        """,
        prints="['acquire', 'release']",
    )


@pytest.mark.parametrize(
    "bases",
    [
        "logging.Handler, Mixin",
        "Mixin, logging.StreamHandler",
        "logging.handlers.TimedRotatingFileHandler, logging.handlers.RotatingFileHandler",
        "logging.Handler, threading.Thread",
        "logging.StreamHandler, io.StringIO",
        "logging.Filter, logging.Handler",
        "logging.Formatter, logging.Handler",
        "logging.Handler, Exception",
    ],
)
def test_classes_with_several_bases(same, bases):
    same(
        f"""
        import io, threading
        class Mixin:
            def __init__(self, *args, **kwargs):
                show("mixin", len(args))
                super().__init__(*args, **kwargs)
        class Both({bases}):
            def __init__(self):
                logging.Handler.__init__(self)
                self.filename = "x"
            def emit(self, record):
                show("emit", record.getMessage())
            def filter(self, record):
                return True
        both = Both()
        show([cls.__name__ for cls in Both.__mro__], sorted(vars(both)))
        logging.getLogger("app").addHandler(both)
        logging.getLogger("app").warning("m")
        """
    )


@pytest.mark.parametrize("kind", ["stream", "file", "memory", "filtered", "own emit", "own format"])
def test_lock_is_any_object(same, kind):
    same(
        f"""
        import contextlib
        kind = {kind!r}
        class Own(logging.StreamHandler):
            def emit(self, record): super().emit(record)
        handler = Own(sys.stdout) if kind == "own emit" else logging.StreamHandler(sys.stdout)
        if kind == "file": handler = logging.FileHandler("x.log")
        if kind == "memory": handler = logging.handlers.MemoryHandler(1, target=handler)
        if kind == "filtered": handler.addFilter(lambda record: True)
        if kind == "own format":
            class Formatter(logging.Formatter):
                def format(self, record): return "own " + super().format(record)
            handler.setFormatter(Formatter())
        logger = logging.getLogger("app")
        logger.propagate = False
        logger.addHandler(handler)
        # Whether it is held is seen, not how often the thread that holds it takes it again.
        class Plain:
            held = 0
            def take(self, way):
                if self.held == 0: show(way)
                self.held += 1
            def leave(self, way):
                self.held -= 1
                if self.held == 0: show(way)
            def acquire(self): self.take("acquire")
            def release(self): self.leave("release")
        class Both(Plain):
            def __enter__(self): self.take("enter")
            def __exit__(self, *error):
                self.leave("exit " + ascii([each if each is None else type(each).__name__ for each in error]))
        class EntersOnly(Plain):
            def __enter__(self): self.take("enters only")
        class Falsy(Both):
            def __bool__(self): return False
        class Stream:
            def write(self, text): raise KeyboardInterrupt(text)
        kept = handler.lock
        locks = [None, contextlib.nullcontext(), Both(), Plain(), EntersOnly(), Falsy(), 0, "lock", kept]
        for lock in locks:
            handler.lock = lock
            show(type(lock).__name__)
            attempt(logger.warning, "message %s", 1)
            attempt(handler.handle, logging.makeLogRecord({{"msg": "record", "levelno": 30}}))
            attempt(handler.acquire)
            attempt(handler.release)
            attempt(handler.flush)
            if kind == "stream":
                handler.stream, stream = Stream(), handler.stream
                attempt(logger.warning, "interrupted")
                handler.stream = stream
        """
    )


def test_lock_of_the_module_is_any_object(same):
    same(
        """
        import contextlib
        class Lock:
            def acquire(self): show("acquire")
            def release(self): show("release")
            def __enter__(self): show("enter")
            def __exit__(self, *error): show("exit")
        logger = logging.getLogger("app")
        handler = to_stdout()
        def everything():
            for function in (
                lambda: logging.getLogger("app.other"), lambda: logger.addHandler(handler),
                lambda: logger.removeHandler(handler), lambda: logger.setLevel(20), lambda: logger.isEnabledFor(10),
                lambda: handler.set_name("name"), lambda: logging.StreamHandler(sys.stdout), lambda: handler.close(),
                lambda: logging.addLevelName(5, "FIVE"), lambda: logging.disable(5), lambda: logger.info("m"),
            ):
                try: function()
                except Exception as error: show(type(error).__name__, str(error))
        kept = logging._lock
        for lock in (Lock(), None, contextlib.nullcontext(), kept):
            logging._lock = lock
            everything()
        logging._lock = kept
        if hasattr(logging, "_acquireLock"):
            acquire, release = logging._acquireLock, logging._releaseLock
            logging._acquireLock = lambda: show("own acquire")
            logging._releaseLock = lambda: show("own release")
            everything()
            logging._acquireLock, logging._releaseLock = acquire, release
        """
    )


def test_error_at_the_end_without_the_path_of_logging(same):
    same(
        """
        logging.Formatter.format = lambda self, record, own=logging.Formatter.format: own(self, record)
        target = logging.StreamHandler(sys.stdout)
        target.setFormatter(logging.Formatter("%(missing)s"))
        handler = logging.handlers.MemoryHandler(100, 60, target)
        handler.handle(logging.makeLogRecord({"msg": "m", "levelno": 20}))
        logging._srcfile = None
        sys.stderr = type("Stream", (), {
            "write": lambda self, text: sys.stdout.write(text) if text[:4] not in ("Trac", "  Fi") else None,
            "flush": lambda self: None,
        })()
        """,
        prints="Logged from file",
    )


def test_queue_handler_asks_for_its_methods_in_order(same):
    same(
        """
        import queue
        sys.stderr = sys.stdout
        logging.raiseExceptions = False
        class Traced(logging.handlers.QueueHandler):
            def __getattribute__(self, name):
                if name in ("enqueue", "prepare", "handleError"): show(name)
                return super().__getattribute__(name)
        handler = Traced(queue.Queue())
        handler.handle(logging.makeLogRecord({"msg": "m %s", "args": (1,), "levelno": 30}))
        handler.queue = None
        handler.handle(logging.makeLogRecord({"msg": "m", "levelno": 30}))
        logging.raiseExceptions = True
        logging.handlers.QueueHandler.emit(logging.StreamHandler(), logging.makeLogRecord({"msg": "m"}))
        """
    )
