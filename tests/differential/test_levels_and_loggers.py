"""Levels, the logger tree, managers and ``disable``."""

import pytest


def test_levels_and_custom_levels(same):
    same(
        """
        for level in (0, 10, 20, 25, 30, 40, 50, "INFO", "WARN", "FATAL", "nothing", -5, 10**20, 1.5, None, True):
            attempt(logging.getLevelName, level)
            attempt(logging._checkLevel, level)
        logging.addLevelName(25, "NOTICE")
        logging.addLevelName(20, "Information")
        show(logging.getLevelName(25), logging.getLevelName("NOTICE"), logging.getLevelName(20))
        show(logging.getLevelName("INFO"), sorted(logging._nameToLevel.items()), sorted(logging._levelToName.items()))
        if hasattr(logging, "getLevelNamesMapping"):
            show(sorted(logging.getLevelNamesMapping().items()))
        logger = logging.getLogger("app")
        to_stdout(logger, "%(levelname)s %(levelno)s %(message)s")
        logger.setLevel(1)
        for level in (1, 25, 20, 35, 1000):
            logger.log(level, "m")
        attempt(logger.log, "INFO", "m")
        attempt(logger.log, 20.0, "m")
        logging.raiseExceptions = False
        attempt(logger.log, "INFO", "m")
        attempt(logger.setLevel, "NOTICE")
        show(logger.level, logger)
        attempt(logger.setLevel, "nonsense")
        attempt(logger.setLevel, 2.5)
        attempt(logger.setLevel, None)
        del logging._levelToName[25]
        logger.log(25, "nameless")
        """,
        prints="NOTICE 25 m",
    )


def test_every_method_at_every_level(same):
    same(
        """
        logger = logging.getLogger("app")
        to_stdout(logger, "%(levelname)s %(name)s %(message)s")
        to_stdout(logging.root, "root: %(levelname)s %(name)s %(message)s")
        for level in (0, 10, 20, 30, 40, 50, 60):
            logger.setLevel(level)
            logging.root.setLevel(level)
            for name in ("debug", "info", "warning", "error", "critical", "fatal", "exception"):
                getattr(logger, name)("%s at %d", name, level)
                getattr(logging, name)("%s at %d", name, level)
            logging.log(35, "m")
            show([logger.isEnabledFor(other) for other in range(0, 61, 5)], logger.getEffectiveLevel())
        """,
    )


def test_disable(same):
    same(
        """
        logger = logging.getLogger("app")
        to_stdout(logger, "%(levelname)s %(message)s")
        logger.setLevel(1)
        for disabled in (0, 10, "ERROR", 50, 60, 0):
            attempt(logging.disable, disabled)
            show(logging.root.manager.disable)
            for level in (5, 10, 20, 30, 40, 50, 60):
                logger.log(level, "at %s", disabled)
        logging.disable()
        logger.critical("never")
        logging.root.manager.disable = 0
        logger.critical("the cache of the logger still says no")
        logging.root.manager._clear_cache()
        logger.critical("again")
        attempt(setattr, logging.root.manager, "disable", "nonsense")
        attempt(logging.disable, "nonsense")
        attempt(logging.disable, None)
        logger.critical("still")
        """,
        prints="CRITICAL again",
    )


def test_tree_with_placeholders(same):
    same(
        """
        deep = logging.getLogger("a.b.c.d")
        manager = logging.Logger.manager
        show(sorted((name, type(node).__name__) for name, node in manager.loggerDict.items()))
        show(deep.parent.name, logging.getLogger("a.b.c") is deep.parent, deep.parent.parent.name)
        show(logging.getLogger("a.b").parent.name, deep.parent.parent is logging.getLogger("a.b"))
        show(logging.getLogger("a").getChild("b") is logging.getLogger("a.b"), logging.root.getChild("x").name)
        show(logging.getLogger("a.b").getChild("c.d") is deep)
        show(logging.getLogger() is logging.root, logging.getLogger("") is logging.root)
        attempt(lambda: logging.getLogger("root") is logging.root)
        if hasattr(deep, "getChildren"):
            show(sorted(child.name for child in logging.getLogger("a").getChildren()))
            show(sorted(child.name for child in logging.root.getChildren()))
        show([(l, l.getEffectiveLevel()) for l in (deep, logging.getLogger("a"), logging.root)])
        for bad in (1, None, b"bytes", ["list"], ("tuple",)):
            attempt(logging.getLogger, bad)
            attempt(manager.getLogger, bad)
        logging.getLogger("trailing.")
        logging.getLogger(".leading")
        logging.getLogger("double..dot")
        show(sorted((name, type(node).__name__) for name, node in manager.loggerDict.items()))
        """,
        prints="PlaceHolder",
    )


def test_levels_are_inherited_and_caches_follow(same):
    same(
        """
        a, b, c = (logging.getLogger(name) for name in ("a", "a.b", "a.b.c"))
        to_stdout(logging.root, "%(name)s %(levelname)s")
        def everything():
            for logger in (a, b, c):
                for level in (10, 20, 30):
                    logger.log(level, "m")
            show([sorted(logger._cache.items()) for logger in (a, b, c)])
        everything()
        a.setLevel(10)
        everything()
        b.setLevel("ERROR")
        everything()
        c.parent = logging.root
        c.manager._clear_cache()
        everything()
        b.level = 0
        everything()
        b.manager._clear_cache()
        everything()
        """,
    )


def test_propagation(same):
    same(
        """
        parent, child = logging.getLogger("p"), logging.getLogger("p.c")
        to_stdout(logging.root, "root %(message)s")
        to_stdout(parent, "parent %(message)s")
        to_stdout(child, "child %(message)s")
        for value in (True, False, 0, 1, "yes", None):
            child.propagate = value
            child.warning("propagate=%r", value)
            show(child.hasHandlers())
        parent.setLevel(50)
        child.setLevel(10)
        child.propagate = True
        child.warning("levels of ancestors do not count")
        parent.handlers[0].setLevel("ERROR")
        child.warning("levels of handlers do")
        parent.disabled = True
        child.error("a disabled ancestor still handles")
        """,
        prints="levels of handlers do",
    )


def test_hasHandlers_and_last_resort(same):
    result = same(
        """
        logger = logging.getLogger("app")
        show(logger.hasHandlers())
        logger.warning("to the last resort %d", 1)
        logger.info("too low")
        logging.lastResort.setLevel("INFO")
        logger.setLevel(1)
        logger.info("now shown")
        kept, logging.lastResort = logging.lastResort, None
        logger.error("no handlers found")
        logger.error("said once")
        show(logger.manager.emittedNoHandlerWarning)
        logging.lastResort = to_stdout(None, "own last resort %(message)s")
        logger.error("m")
        logging.lastResort = kept
        logging.warning("basicConfig is called by the function of the module")
        show(logging.root.handlers)
        """,
        prints="own last resort m",
    )
    assert "to the last resort 1\n" in result.stderr


def test_several_managers(same):
    same(
        """
        root = logging.RootLogger(logging.INFO)
        manager = logging.Manager(root)
        root.manager = manager
        to_stdout(root, "other tree %(name)s %(message)s")
        to_stdout(logging.root, "main tree %(name)s %(message)s")
        logger = manager.getLogger("a.b")
        logger.info("m")
        logging.getLogger("a.b").warning("m")
        show(logger is logging.getLogger("a.b"), logger.manager is manager, sorted(manager.loggerDict))
        manager.disable = 50
        logger.error("never")
        logging.getLogger("a.b").error("m")
        class Special(logging.Logger):
            pass
        manager.setLoggerClass(Special)
        show(type(manager.getLogger("s")).__name__, type(logging.getLogger("s")).__name__)
        attempt(manager.setLoggerClass, str)
        manager.setLogRecordFactory(lambda *a, **k: show("factory of the manager") or logging.LogRecord(*a, **k))
        manager.disable = 0
        logger.error("m")
        show(manager.logRecordFactory is None)
        """,
    )


def test_logger_classes(same):
    same(
        """
        class Special(logging.getLoggerClass()):
            def __init__(self, name, level=0):
                super().__init__(name, level)
                self.calls = 0
            def warning(self, msg, *args, **kwargs):
                self.calls += 1
                super().warning("special " + msg, *args, **kwargs)
        before = logging.getLogger("before")
        logging.setLoggerClass(Special)
        show(logging.getLoggerClass().__name__)
        logger = logging.getLogger("after")
        to_stdout(logging.root, "%(name)s %(message)s %(funcName)s")
        logger.warning("m")
        before.warning("m")
        show(type(before).__name__, type(logger).__name__, logger.calls, repr(logger))
        attempt(logging.setLoggerClass, str)
        attempt(logging.setLoggerClass, 5)
        unknown = logging.Logger("free")
        unknown.warning("a logger outside of the tree")
        show(unknown.parent, unknown in logging.Logger.manager.loggerDict.values())
        """,
        prints="after special m",
    )


@pytest.mark.parametrize("name", ["", "a", "a.b", "root", "\\u00e9.\\ud800", "x" * 300])
def test_logger_repr_and_pickle(same, name):
    same(
        f"""
        import copy, logging as named, pickle
        logger = logging.getLogger("{name}")
        show(ascii(repr(logger)), pickle.loads(pickle.dumps(logger)) is named.getLogger("{name}"))
        show(copy.copy(logger) is logger, copy.deepcopy(logger) is logger)
        logger.setLevel(33)
        show(ascii(repr(logger)))
        attempt(pickle.dumps, logging.Logger("other"))
        """,
    )


def test_no_handlers_is_said_of_the_logger_that_was_called(same):
    same(
        """
        sys.stderr = sys.stdout
        logging.lastResort = None
        class Own(logging.Logger): pass
        for owner in (logging.root, logging.getLogger("a")):
            for method in ("getEffectiveLevel", "callHandlers", "handle", "filter"):
                setattr(owner, method, lambda *args, own=getattr(owner, method): own(*args))
                for child in ("a", "a.b", "a.b.c", "d"):
                    logger = logging.getLogger(child)
                    logger.manager.emittedNoHandlerWarning = False
                    logger.error("m %s", 1, exc_info=False)
                    logger.manager.emittedNoHandlerWarning = False
                    logger.error(logging)
                delattr(owner, method)
        middle = logging.getLogger("a.b")
        for handlers in ((), [], 0 or ()):
            middle.handlers = handlers
            middle.manager.emittedNoHandlerWarning = False
            logging.getLogger("a.b.c").error("m", extra={"x": object()})
        """,
        prints='No handlers could be found for logger "a.b.c"',
    )
