"""What other fast replacements of ``logging`` get wrong, one test for each."""

import subprocess
import sys


def test_extra_is_on_the_record_that_python_parts_see(same):
    same(
        """
        class Formatter(logging.Formatter):
            def format(self, record):
                return f"formatter sees {record.user} {record.__dict__['user']}"

        class Handler(logging.Handler):
            def emit(self, record):
                print("handler sees", record.user, vars(record)["user"])

        def see(record):
            print("filter sees", record.user)
            return True

        logger = logging.getLogger("app")
        to_stdout(logger).setFormatter(Formatter())
        logger.addHandler(Handler())
        logger.addFilter(see)
        logger.warning("m", extra={"user": "ann"})
        """,
        prints="formatter sees ann ann",
    )


def test_extra_in_a_native_formatter(same):
    same(
        """
        logger = logging.getLogger("app")
        to_stdout(logger, "%(user)s|%(count)05.1f|%(message)s")
        to_stdout(logger, "{user!r:>8}|{count:e}|{message}", style="{")
        to_stdout(logger, "$user|${count}|$message", style="$")
        logger.warning("m %s", 1, extra={"user": "ann", "count": 2.5})
        """,
        prints="ann|002.5|m 1",
    )


def test_logger_adapter(same):
    same(
        """
        logger = logging.getLogger("app")
        to_stdout(logger, "%(message)s %(request)s %(funcName)s:%(lineno)d")
        adapter = logging.LoggerAdapter(logger, {"request": 7})
        class Prefixing(logging.LoggerAdapter):
            def process(self, msg, kwargs):
                msg, kwargs = super().process(msg, kwargs)
                return f"[{self.extra['request']}] {msg}", kwargs
        def work():
            adapter.warning("plain %d", 1)
            Prefixing(logger, {"request": 8}).error("prefixed %d", 2)
            Prefixing(adapter, {"request": 9}).critical("nested")
        work()
        try:
            1 / 0
        except ZeroDivisionError:
            adapter.exception("failed")
        """,
        prints="[8] prefixed 2 8 work",
    )


def test_record_factory_that_adds_attributes(same):
    same(
        """
        plain = logging.getLogRecordFactory()
        def factory(*args, **kwargs):
            record = plain(*args, **kwargs)
            record.tenant = "t1"
            return record
        logging.setLogRecordFactory(factory)
        logger = logging.getLogger("app")
        to_stdout(logger, "%(tenant)s %(message)s")
        logger.warning("m")
        logging.setLogRecordFactory(plain)
        logger.handlers[0].setFormatter(None)
        logger.warning("plain again")
        """,
        prints="t1 m",
    )


def test_filter_that_adds_attributes(same):
    same(
        """
        class AddContext(logging.Filter):
            def filter(self, record):
                record.context = "c1"
                return True
        logger = logging.getLogger("app")
        handler = to_stdout(logger, "%(context)s %(message)s")
        logger.addFilter(AddContext())
        logger.warning("by a logger's filter")
        logger.filters.clear()
        handler.addFilter(AddContext())
        logger.warning("by a handler's filter")
        """,
        prints="c1 by a handler's filter",
    )


def test_basic_config_arguments_take_effect(same):
    same(
        """
        import io
        logging.basicConfig(stream=sys.stdout, format="{levelname}|{message}", style="{", level="INFO")
        logging.info("to stdout")
        stream = io.StringIO()
        logging.basicConfig(handlers=[logging.StreamHandler(stream)], force=True, format="$message", style="$")
        logging.error("to a handler")
        show(stream.getvalue())
        logging.basicConfig(filename="out.log", encoding="utf-16", errors="replace", filemode="w", force=True)
        logging.error("h\\u00e9")
        attempt(logging.basicConfig, stream=stream, handlers=[], force=True)
        attempt(logging.basicConfig, stream=stream, filename="x", force=True)
        attempt(logging.basicConfig, nonsense=1, force=True)
        attempt(logging.basicConfig, style="!", force=True)
        show(sys.modules["io"].open("out.log", encoding="utf-16").read())
        """,
        prints="INFO|to stdout",
    )


def test_logger_disabled_takes_effect(same):
    same(
        """
        logger = logging.getLogger("app")
        to_stdout(logger, "%(message)s")
        logger.warning("before")
        logger.disabled = True
        logger.warning("never")
        show(logger.isEnabledFor(50))
        logger.disabled = False
        logger.warning("after")
        """,
        prints="after",
    )


def test_changes_of_the_handler_list_take_effect(same):
    same(
        """
        logger = logging.getLogger("app")
        logger.propagate = False
        logging.lastResort = None
        first = to_stdout(logger, "first %(message)s")
        logger.warning("1")
        logger.handlers.clear()
        logger.warning("2")
        logger.handlers = [to_stdout(None, "second %(message)s")]
        logger.warning("3")
        logger.handlers[:] = [first]
        logger.warning("4")
        logger.handlers.insert(0, to_stdout(None, "third %(message)s"))
        logger.handlers += [to_stdout(None, "fourth %(message)s")]
        logger.warning("5")
        del logger.handlers[1:]
        logger.warning("6")
        logger.handlers = ()
        logger.warning("7")
        """,
        prints="third 6",
    )


def test_width_and_precision_of_the_fields(same):
    same(
        """
        logger = logging.getLogger("app")
        to_stdout(logger, "%(levelno)05d|%(message)-5.3s|%(name)10s|%(levelname)-8s|%(lineno)+d|%(levelno)x")
        to_stdout(logger, "{message:>8}|{levelno:05d}|{name:*^9}|{message!r:.3}", style="{")
        to_stdout(logger, "$message|${levelname}|$$", style="$")
        logger.warning("abcdef")
        """,
        prints="00030|abc  |",
    )


def test_milliseconds_are_there(same):
    same(
        """
        import time
        time.time = lambda: 1700000000.0625
        time.time_ns = lambda: 1700000000062500000
        logger = logging.getLogger("app")
        to_stdout(logger, "%(asctime)s|%(msecs)03d|%(msecs).6f|%(created)f")
        to_stdout(logger, "%(asctime)s", datefmt="%H-%M")
        logger.warning("m")
        """,
        prints="|062|62.",
    )


def test_names_of_thread_process_and_task(same):
    same(
        """
        import asyncio, multiprocessing, threading, os
        logger = logging.getLogger("app")
        to_stdout(logger, "{threadName} {processName} {taskName}" if sys.version_info >= (3, 12)
                  else "{threadName} {processName}", style="{")
        logger.warning("m")
        thread = threading.Thread(target=logger.warning, args=("m",), name="worker-\\u00e9")
        thread.start()
        thread.join()
        threading.current_thread().name = "renamed"
        logger.warning("m")
        multiprocessing.current_process().name = "Proc-1"
        logger.warning("m")
        async def main():
            asyncio.current_task().set_name("Task-A")
            logger.warning("m")
        asyncio.run(main())
        seen = []
        logger.addFilter(lambda record: seen.append(record) or True)
        logger.warning("m")
        show(seen[0].thread == threading.get_ident(), seen[0].process == os.getpid())
        """,
    )


def test_function_name_is_that_of_the_caller(same):
    same(
        """
        logger = logging.getLogger("app")
        to_stdout(logger, "%(funcName)s:%(lineno)d:%(filename)s:%(module)s")
        def helper(level=1):
            logger.warning("m", stacklevel=level)
        def outer():
            helper()
            helper(2)
            helper(3)
            logging.Logger.warning(logger, "unbound")
            getattr(logger, "log")(40, "by name")
            logger._log(30, "m", ())
            (lambda: logger.error("in a lambda"))()
            [logger.error("in a comprehension") for _ in range(1)]
        class Service:
            def method(self):
                logger.error("m")
                logging.getLogger("app").error("m")
        outer()
        Service().method()
        logger.warning("at module level")
        exec(compile("logger.warning('m')", "<made up>", "exec"))
        """,
        prints="outer:",
    )


def test_lone_surrogates(same):
    same(
        r"""
        logger = logging.getLogger("app")
        logger.propagate = False
        handler = logging.FileHandler("out.log", encoding="utf-8", errors="surrogatepass")
        logger.addHandler(handler)
        escaping = logging.FileHandler("escaped.log", encoding="utf-8", errors="surrogateescape")
        logger.addHandler(escaping)
        class Keep(logging.Handler):
            def emit(self, record):
                show(ascii(self.format(record)))
        logger.addHandler(Keep())
        logging.raiseExceptions = False
        logger.warning("a \udc80 b %s", "\udcff")
        logger.warning("\ud83d\ude00 and \U0001f600")
        logger.warning("%s", "\ud800")
        """,
    )


def test_lone_surrogates_that_cannot_be_encoded_are_reported(same):
    same(
        r"""
        logger = logging.getLogger("app")
        logger.propagate = False
        logger.addHandler(logging.FileHandler("out.log", encoding="utf-8"))
        logger.warning("before")
        logger.warning("bad \udc80")
        logger.warning("after")
        """,
    )


def test_no_blank_line_after_a_traceback(same):
    same(
        """
        logger = logging.getLogger("app")
        to_stdout(logger, "%(message)s")
        try:
            {}["k"]
        except KeyError:
            logger.exception("failed")
            logger.error("again", exc_info=True, stack_info=True)
        logger.warning("next")
        """,
        prints="KeyError: 'k'\nagain",
    )


def test_objects_stay_objects_until_they_are_formatted(same):
    same(
        """
        class Thing:
            def __str__(self):
                print("str was called")
                return "thing"
        logger = logging.getLogger("app")
        class Keep(logging.Handler):
            def emit(self, record):
                show(type(record.msg).__name__, type(record.args).__name__, [type(a).__name__ for a in record.args])
        logger.addHandler(Keep())
        logger.propagate = False
        logger.warning(Thing())
        logger.warning("%s", Thing())
        logger.warning({"event": "login"})
        logger.debug("%s", Thing())
        to_stdout(logger, "%(message)s")
        logger.warning(Thing())
        logger.warning(None)
        logger.warning(b"bytes")
        """,
        prints="str was called\nthing",
    )


def test_errors_of_a_handler_do_not_reach_the_application(same):
    same(
        """
        class Broken:
            def write(self, text):
                raise OSError("disk on fire")
            def flush(self):
                pass
        logger = logging.getLogger("app")
        logger.propagate = False
        logger.addHandler(logging.StreamHandler(Broken()))
        def call():
            logger.warning("value %d", 3)
        call()
        logger.handlers[0].stream = sys.stdout
        logger.warning("value %d", "three")
        logger.warning("too %s %s", "few")
        logger.warning("too many", 1, 2)
        logger.warning("%(missing)s", {"there": 1})
        logger.handlers[0].setFormatter(logging.Formatter("%(missing)s"))
        logger.warning("m")
        print("application goes on")
        """,
        prints="application goes on",
    )


def test_record_made_by_hand_does_not_crash_the_interpreter(same):
    same(
        """
        record = logging.LogRecord('n', 20, 5, 1, 'm', (), None)
        show(record.pathname, record.filename, record.module, repr(record), record.getMessage())
        attempt(logging.LogRecord, 'n', "text", None, None, None, None, None)
        attempt(logging.LogRecord, None, 20, object, "x", 1.5, [1], "exc")
        attempt(logging.LogRecord)
        attempt(logging.LogRecord, 'n', 20, 'p', 1, 'm', (), None, 'f', 's', unknown=1)
        """,
    )


def test_threads_that_share_a_file_do_not_deadlock(same):
    same(
        """
        import threading
        logger = logging.getLogger("app")
        logger.propagate = False
        for _ in range(2):
            logger.addHandler(logging.FileHandler("out.log"))
        start = threading.Barrier(4)
        def work(number):
            start.wait()
            for i in range(500):
                logger.warning("%s", i)
        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        show([thread.is_alive() for thread in threads])
        logging.shutdown()
        lines = sorted(int(line) for line in open("out.log"))
        show(lines == sorted(list(range(500)) * 8))
        open("out.log", "w").close()
        """,
        prints="[False, False, False, False]\nTrue",
    )


def test_nothing_is_missing_after_a_normal_exit(same):
    result = same(
        """
        import logging.handlers as standard_names
        logger = logging.getLogger("app")
        logger.propagate = False
        file = logging.FileHandler("out.log", delay=True)
        logger.addHandler(logging.handlers.MemoryHandler(10000, target=file, flushLevel=100))
        logger.addHandler(logging.FileHandler("direct.log"))
        for i in range(3000):
            logger.warning("line %d", i)
        """,
    )
    assert result.files["direct.log"].endswith("line 2999\n")


def test_importing_changes_nothing_of_the_standard_library():
    program = """
import sys
import logging.config, logging.handlers
watched = [logging, logging.handlers, logging.config, sys.modules["warnings"], sys.modules["os"]]
watched += [value for value in vars(logging).values() if isinstance(value, type)]
before = [dict(vars(one)) for one in watched]
hooks = [list(sys.meta_path), list(sys.path_hooks), sys.excepthook]
import duramen.config, duramen.handlers
assert before == [dict(vars(one)) for one in watched]
assert hooks == [list(sys.meta_path), list(sys.path_hooks), sys.excepthook]
assert duramen.Logger is not logging.Logger
assert not logging.root.handlers
print("unchanged")
"""
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (outcome.stdout, outcome.stderr) == ("unchanged\n", "")
