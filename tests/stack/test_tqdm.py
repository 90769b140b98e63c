"""tqdm: records written above its progress bar, in place of the console handlers."""


def test_logging_redirect(stack):
    completed = stack.run_source("""
        import logging
        import sys
        import recorder
        from tqdm import tqdm
        from tqdm.contrib.logging import logging_redirect_tqdm, tqdm_logging_redirect

        recorder.record_to_file()
        console = logging.StreamHandler(sys.stdout)
        console.setFormatter(logging.Formatter("%(levelname)s - %(message)s"))
        root = logging.getLogger()
        root.addHandler(console)
        before = list(root.handlers)
        logger = logging.getLogger("shop")
        with logging_redirect_tqdm():
            print([type(handler).__name__ for handler in root.handlers])
            for number in tqdm(range(3), mininterval=1000):
                logger.info("order %d", number)
        print(root.handlers == before)
        with tqdm_logging_redirect(total=1, mininterval=1000) as bar:
            logger.warning("second bar")
            bar.update()
        logger.info(recorder.implementation())
    """)
    assert completed.stdout.splitlines() == [
        "['FileHandler', '_TqdmLoggingHandler']",
        *(f"INFO - order {number}" for number in range(3)),
        "True",
        "WARNING - second bar",
        f"INFO - {stack.implementation}",
    ]
    assert stack.read_lines() == [
        *(f"INFO|shop|program.<module>|order {number}" for number in range(3)),
        "WARNING|shop|program.<module>|second bar",
        f"INFO|shop|program.<module>|{stack.implementation}",
    ]
    assert "100%" in completed.stderr
