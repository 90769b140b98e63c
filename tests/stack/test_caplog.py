"""pytest's caplog: a small test suite in a pytest of its own."""

SUITE = """
    import logging
    import pytest
    import recorder

    logger = logging.getLogger("shop")

    def test_implementation():
        assert recorder.implementation() == IMPLEMENTATION

    def test_records(caplog):
        logger.warning("%d orders of %s", 3, "alice", extra={"user": "alice"})
        [record] = caplog.records
        assert type(record) is logging.LogRecord
        assert (record.name, record.levelno, record.msg, record.args) == (
            "shop", logging.WARNING, "%d orders of %s", (3, "alice"))
        assert record.user == "alice"
        assert record.funcName == "test_records"
        assert record.message == record.getMessage() == "3 orders of alice"
        assert caplog.messages == ["3 orders of alice"]
        assert caplog.record_tuples == [("shop", logging.WARNING, "3 orders of alice")]
        caplog.clear()
        assert caplog.records == [] and caplog.text == ""

    def test_level_that_is_off(caplog):
        logger.info("not captured")
        assert caplog.records == []

    def test_set_level(caplog):
        caplog.set_level(logging.DEBUG)
        logger.debug("captured")
        assert caplog.messages == ["captured"]

    def test_set_level_ended_with_its_test(caplog):
        logger.debug("not captured")
        assert caplog.records == []
        assert logging.getLogger().level == logging.WARNING

    def test_at_level_of_a_logger(caplog):
        with caplog.at_level(logging.INFO, logger="shop"):
            logger.info("inside")
            logging.getLogger("other").info("another logger")
        logger.info("outside")
        assert caplog.record_tuples == [("shop", logging.INFO, "inside")]

    def test_at_level_enables_what_disable_turned_off(caplog):
        logging.disable(logging.CRITICAL)
        try:
            with caplog.at_level(logging.WARNING):
                logger.warning("forced")
            logger.warning("disabled")
        finally:
            logging.disable(logging.NOTSET)
        assert caplog.messages == ["forced"]

    def test_filtering(caplog):
        only_shop = logging.Filter("shop")
        with caplog.filtering(only_shop):
            logger.warning("kept")
            logging.getLogger("other").warning("dropped")
        assert caplog.messages == ["kept"]

    def test_text_with_a_traceback(caplog):
        try:
            raise LookupError("no such shop")
        except LookupError:
            logger.exception("failed")
        [record] = caplog.records
        assert record.exc_info[0] is LookupError
        lines = caplog.text.splitlines()
        assert lines[0].startswith("ERROR    shop:test_suite.py:") and lines[0].endswith(" failed")
        assert lines[1] == "Traceback (most recent call last):"
        assert lines[-1] == "LookupError: no such shop"

    @pytest.fixture
    def with_setup_records():
        logger.warning("in setup")

    def test_records_of_phases(with_setup_records, caplog):
        logger.warning("in call")
        assert [record.message for record in caplog.get_records("setup")] == ["in setup"]
        assert caplog.messages == ["in call"]

    def test_handler_of_its_own_formatter(caplog):
        caplog.handler.setFormatter(logging.Formatter("<%(levelname)s %(message)s>"))
        logger.error("boom")
        assert caplog.text == "<ERROR boom>\\n"

    def test_that_fails():
        logger.warning("before the failure")
        assert False
"""


def write_suite(stack):
    head = f"    IMPLEMENTATION = {stack.implementation!r}\n"
    stack.write("test_suite.py", head + SUITE)


def test_caplog(stack):
    write_suite(stack)
    completed = stack.run("-m", "pytest", "-q", "-p", "no:cacheprovider", exit_code=1)
    assert "1 failed, 11 passed" in completed.stdout
    report = completed.stdout.splitlines()
    captured = [line for line in report if line.endswith("before the failure")]
    assert len(captured) == 1 and captured[0].startswith("WARNING  shop:test_suite.py:")
    [title] = [line for line in report if "Captured log call" in line]
    assert report.index(captured[0]) == report.index(title) + 1


def test_log_cli_and_log_file(stack):
    write_suite(stack)
    completed = stack.run(
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        "test_records",
        "--log-cli-level",
        "INFO",
        "--log-cli-format",
        "%(levelname)s|%(name)s|%(message)s",
        "--log-file",
        "records.log",
        "--log-file-format",
        "%(levelname)s|%(name)s|%(message)s",
    )
    expected = ["WARNING|shop|3 orders of alice", "WARNING|shop|in setup", "WARNING|shop|in call"]
    assert stack.read_lines() == expected
    assert [line for line in completed.stdout.splitlines() if "|shop|" in line] == expected
