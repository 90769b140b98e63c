"""``basicConfig``, ``dictConfig``, ``fileConfig``, ``listen`` and ``captureWarnings``."""


def test_basic_config_without_arguments(same):
    result = same(
        """
        logging.info("configures, and is too low")
        logging.warning("to stderr %d", 1)
        show(logging.root.handlers, logging.root.level)
        attempt(logging.basicConfig, level="DEBUG")
        show(logging.root.level)
        logging.basicConfig(force=True, level=logging.DEBUG, datefmt="%Y", format="%(asctime)s %(message)s")
        logging.debug("again")
        """,
    )
    assert result.stderr.startswith("WARNING:root:to stderr 1\n")


def test_basic_config_of_a_file(same):
    same(
        """
        import pathlib
        logging.basicConfig(filename=pathlib.Path("a.log"), format="%(levelname)s %(message)s", filemode="w")
        logging.warning("h\\u00e9")
        logging.basicConfig(filename="b.log", encoding="ascii", errors=None, force=True)
        logging.warning("h\\u00e9")
        logging.basicConfig(filename="c.log", encoding="ascii", force=True)
        logging.warning("h\\u00e9")
        logging.basicConfig(filename="d.log", filemode="wb", force=True)
        logging.warning("h")
        for handler in logging.root.handlers:
            show(handler.encoding, handler.errors, handler.mode)
        """
    )


def test_basic_config_bad_arguments(same):
    same(
        """
        for arguments in (dict(level="nonsense"), dict(level=None), dict(level=1.5), dict(handlers=5),
                          dict(handlers=[None]), dict(handlers=[], stream=sys.stdout), dict(unknown=1),
                          dict(style="x"), dict(format=5), dict(format=""), dict(format="plain"), dict(style="{"),
                          dict(format="%(message)s", style="{"), dict(filename=5.5), dict(filename=b"x.log"),
                          dict(datefmt=5), dict(force="yes"), dict(encoding="utf-8"), dict(filename="", stream=None)):
            attempt(logging.basicConfig, **{"force": True, **arguments})
            show(len(logging.root.handlers), logging.root.level)
            for handler in logging.root.handlers[:]:
                logging.root.removeHandler(handler)
        """,
        prints="Unrecognised argument(s): unknown",
    )


DICT_START = """
config = {
    "version": 1,
    "formatters": {
        "short": {"format": "%(levelname)s %(message)s"},
        "brace": {"format": "{levelname}|{message}", "style": "{", "validate": True},
        "own": {"()": "__main__.make_formatter", "prefix": "own:"},
        "classy": {"class": "logging.Formatter", "format": "classy %(message)s", "datefmt": "%Y"},
    },
    "filters": {"only_a": {"name": "a"}, "made": {"()": lambda: lambda record: record.levelno != 35}},
    "handlers": {
        "out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "short",
                "filters": ["only_a"]},
        "brace": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "brace",
                  "level": "ERROR"},
        "own": {"()": logging.StreamHandler, "stream": sys.stdout, "formatter": "own", ".": {"terminator": "!\\n"}},
        "memory": {"class": "logging.handlers.MemoryHandler", "capacity": 2, "target": "out"},
        "file": {"class": "logging.FileHandler", "filename": "f.log", "delay": True, "formatter": "classy"},
    },
    "loggers": {
        "a": {"handlers": ["out", "own"], "level": "DEBUG", "filters": ["made"]},
        "a.b": {"handlers": ["memory"], "propagate": False, "level": 20},
    },
    "root": {"handlers": ["brace", "file"], "level": "INFO"},
}
def make_formatter(prefix):
    return logging.Formatter(prefix + "%(message)s")
def log_everything():
    for name in ("a", "a.b", "a.c", "x", None):
        logger = logging.getLogger(name)
        for level in (10, 20, 35, 40):
            logger.log(level, "%s at %d", name, level)
"""


def test_dict_config(same):
    same(
        DICT_START
        + """
existing = logging.getLogger("x")
child = logging.getLogger("a.c")
logging.config.dictConfig(config)
log_everything()
show(existing.disabled, child.disabled, sorted(logging._handlers))
config["disable_existing_loggers"] = False
config["loggers"] = {"a": {"level": "ERROR", "handlers": ["out"]}}
logging.config.dictConfig(config)
log_everything()
logging.config.dictConfig({"version": 1, "incremental": True, "handlers": {"out": {"level": "CRITICAL"}},
                           "loggers": {"a": {"level": "WARNING"}}, "root": {"level": "ERROR"}})
log_everything()
logging.config.dictConfig({"version": 1})
log_everything()
""",
        prints="own:a at 10!",
    )


def test_dict_config_queue_handler(same):
    same(
        """
        import queue
        if sys.version_info >= (3, 12):
            logging.config.dictConfig({
                "version": 1,
                "formatters": {"f": {"format": "%(name)s %(message)s"}},
                "handlers": {
                    "out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "f"},
                    "queue": {"class": "logging.handlers.QueueHandler", "handlers": ["out"],
                              "respect_handler_level": True},
                },
                "root": {"handlers": ["queue"], "level": "DEBUG"},
            })
            handler = logging.root.handlers[0]
            show(type(handler).__name__, type(handler.listener).__name__)
            handler.listener.start()
            logging.info("through the queue %d", 1)
            handler.listener.stop()
        for wrong in ({"queue": 5}, {"queue": "nonsense"}, {"listener": 5}, {"queue": {"()": "nonsense.x"}}):
            config = {"version": 1, "handlers": {"q": {"class": "logging.handlers.QueueHandler", **wrong}}}
            attempt(logging.config.dictConfig, config)
        """
    )


def test_dict_config_errors(same):
    same(
        """
        base = {"version": 1}
        for wrong in ({}, {"version": 2}, {"version": "1"}, [], None, 5,
                      {**base, "handlers": {"h": {"class": "nonsense.Handler"}}},
                      {**base, "handlers": {"h": {"class": "logging.StreamHandler", "stream": "ext://nonsense.x"}}},
                      {**base, "handlers": {"h": {"class": "logging.StreamHandler", "nonsense": 1}}},
                      {**base, "handlers": {"h": {"class": "logging.StreamHandler", "level": "nonsense"}}},
                      {**base, "handlers": {"h": {"class": "logging.StreamHandler", "formatter": "nonsense"}}},
                      {**base, "handlers": {"h": {"class": "logging.StreamHandler", "filters": ["nonsense"]}}},
                      {**base, "handlers": {"h": {}}}, {**base, "handlers": {"h": 5}}, {**base, "handlers": []},
                      {**base, "handlers": {"h": {"class": "logging.handlers.MemoryHandler", "capacity": 1,
                                                  "target": "nonsense"}}},
                      {**base, "formatters": {"f": {"format": "%(message)"}}},
                      {**base, "formatters": {"f": {"format": "x", "style": "?"}}},
                      {**base, "formatters": {"f": {"()": "nonsense"}}},
                      {**base, "formatters": {"f": {"class": "nonsense.F"}}},
                      {**base, "filters": {"f": {"()": 5}}}, {**base, "filters": {"f": 5}},
                      {**base, "loggers": {"l": {"handlers": ["nonsense"]}}},
                      {**base, "loggers": {"l": {"level": "nonsense"}}}, {**base, "loggers": {"l": 5}},
                      {**base, "root": {"handlers": ["nonsense"]}}, {**base, "root": {"level": "nonsense"}},
                      {**base, "incremental": True, "handlers": {"nonsense": {"level": 10}}},
                      {**base, "handlers": {"h": {"class": "cfg://nonsense"}}},
                      {**base, "handlers": {"h": {"class": "logging.FileHandler", "filename": "cfg://a[0].b"}}}):
            try:
                logging.config.dictConfig(wrong)
                show("accepted")
            except Exception as error:
                while error is not None:
                    show(type(error).__name__, ascii(str(error)))
                    error = error.__cause__
        """,
        prints="Unable to configure handler 'h'",
    )


FILE_CONFIG = """
config = '''
[loggers]
keys=root,app
[handlers]
keys=out,memory
[formatters]
keys=f,brace
[logger_root]
level=WARNING
handlers=out
[logger_app]
level=DEBUG
handlers=memory
qualname=app.core
propagate=0
[handler_out]
class=StreamHandler
args=(sys.stdout,)
formatter=f
level=NOTSET
[handler_memory]
class=handlers.MemoryHandler
args=(2,)
kwargs={'flushLevel': 40}
target=out
[formatter_f]
format=%(name)s %(levelname)s %(message)s
datefmt=
[formatter_brace]
format={message}
style={
class=logging.Formatter
'''
"""


def test_file_config(same):
    same(
        FILE_CONFIG
        + """
import configparser, io
existing = logging.getLogger("existing")
logging.config.fileConfig(io.StringIO(config))
for name in ("app.core", "other", "existing"):
    for level in (10, 30, 40):
        logging.getLogger(name).log(level, "m %d", level)
show(existing.disabled)
parser = configparser.RawConfigParser()
parser.read_string(config.replace("keys=root,app", "keys=root"))
logging.config.fileConfig(parser, disable_existing_loggers=False)
logging.getLogger("existing").warning("m")
open("c.ini", "w").write(config)
logging.config.fileConfig("c.ini", defaults={"x": "y"}, encoding="utf-8")
for old, new in (("[loggers]", "[nothing]"), ("args=(sys.stdout,)", "args=nonsense"), ("qualname=app.core", ""),
                 ("level=DEBUG", "level=nonsense"), ("class=StreamHandler", "class=Nonsense"), ("keys=f,brace", "keys=g"),
                 ("target=out", "target=x"), ("handlers=memory", "handlers=x"), ("style={", "style=!"), ("[", "")):
    try:
        logging.config.fileConfig(io.StringIO(config.replace(old, new)))
        show("accepted", old)
    except Exception as error:
        show(type(error).__name__, ascii(str(error)))
attempt(logging.config.fileConfig, "missing.ini")
attempt(logging.config.fileConfig, io.StringIO(""))
""",
        prints="app.core DEBUG m 10",
    )


def test_listen_and_stop_listening(same):
    same(
        """
        import json, socket, struct
        def verify(data):
            return None if b"refuse" in data else data
        thread = logging.config.listen(0, verify)
        thread.start()
        thread.ready.wait()
        def send(text):
            data = text.encode()
            with socket.create_connection(("localhost", thread.port)) as connection:
                connection.sendall(struct.pack(">L", len(data)) + data)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1)
        send(json.dumps({"version": 1, "handlers": {"out": {"class": "logging.StreamHandler",
             "stream": "ext://sys.stdout"}}, "root": {"handlers": ["out"], "level": "INFO"}}))
        logging.info("configured through the socket")
        send("refuse this")
        logging.config.stopListening()
        thread.join(60)
        show(thread.is_alive())
        """,
        prints="configured through the socket",
    )


def test_capture_warnings(same):
    same(
        """
        import warnings
        warnings.simplefilter("always")
        shown = warnings.showwarning
        to_stdout(logging.getLogger("py.warnings"), "%(levelname)s %(name)s %(message)s")
        logging.captureWarnings(True)
        logging.captureWarnings(True)
        warnings.warn("captured", DeprecationWarning)
        warnings.warn_explicit("explicit", UserWarning, "file.py", 7)
        import io
        stream = io.StringIO()
        warnings.showwarning("to a file", UserWarning, "file.py", 8, stream, "source line")
        show(stream.getvalue())
        logging.captureWarnings(False)
        show(warnings.showwarning is shown, len(logging.getLogger("py.warnings").handlers))
        attempt(logging.captureWarnings)
        """,
        prints="WARNING py.warnings",
    )
