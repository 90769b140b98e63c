"""loguru's two recipes: a handler that gives it logging's records, and a sink that does the reverse."""


def test_intercept_handler(stack):
    completed = stack.run_source("""
        import inspect
        import logging
        import sys
        import recorder
        from loguru import logger

        class InterceptHandler(logging.Handler):
            def emit(self, record):
                try:
                    level = logger.level(record.levelname).name
                except ValueError:
                    level = record.levelno
                # From the frame that called the logger: logging's own are passed over by their file.
                frame, depth = inspect.currentframe(), 0
                while frame and (depth == 0 or frame.f_code.co_filename == logging.__file__):
                    frame = frame.f_back
                    depth += 1
                logger.opt(depth=depth, exception=record.exc_info).log(level, record.getMessage())

        logger.remove()
        logger.add(sys.stdout, format="{level}|{function}|{line}|{message}", backtrace=False)
        logging.basicConfig(handlers=[InterceptHandler()], level=0, force=True)

        def order(number):
            logging.getLogger("shop").warning("order %d", number)

        order(7)
        logging.getLogger("shop").log(25, "between levels")
        try:
            raise LookupError("no such shop")
        except LookupError:
            logging.getLogger("shop").exception("failed")
        logging.info(recorder.implementation())
    """)
    lines = completed.stdout.splitlines()
    assert lines[:2] == [
        f"WARNING|order|{stack.line_number('order %d')}|order 7",
        f"Level 25|<module>|{stack.line_number('between levels')}|between levels",
    ]
    assert lines[2] == f"ERROR|<module>|{stack.line_number('exception(')}|failed"
    assert lines[-2] == "LookupError: no such shop"
    assert lines[-1] == f"INFO|<module>|{stack.line_number('implementation()')}|{stack.implementation}"


def test_propagate_handler(stack):
    stack.run_source("""
        import logging
        import recorder
        from loguru import logger

        class PropagateHandler(logging.Handler):
            def emit(self, record):
                logging.getLogger(record.name).handle(record)

        recorder.record_to_file(
            level=logging.INFO, format="%(levelname)s|%(levelno)d|%(name)s|%(funcName)s|%(message)s"
        )
        logger.remove()
        logger.add(PropagateHandler(), format="{message}")

        def order(number):
            logger.debug("handle() asks no level {}", number)
            logger.bind(number=number).info("order {}", number)
            logger.success("done")

        order(7)
        try:
            raise LookupError("no such shop")
        except LookupError:
            logger.exception("failed")
        logger.info(recorder.implementation())
    """)
    lines = stack.read_lines()
    assert lines[:4] == [
        "DEBUG|10|__main__|order|handle() asks no level 7",
        "INFO|20|__main__|order|order 7",
        "SUCCESS|25|__main__|order|done",
        "ERROR|40|__main__|<module>|failed",
    ]
    assert lines.count("LookupError: no such shop") == 1
    assert lines[-1] == f"INFO|20|__main__|<module>|{stack.implementation}"
