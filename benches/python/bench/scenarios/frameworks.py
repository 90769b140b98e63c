"""Logging as other packages set it up; here Duramen must never be slower than the standard library."""

import os
import sys
import tempfile
from pathlib import Path

from bench import texts
from bench.scenario import REPLACEMENTS, scenario


def _redirect_standard_streams(peer, output):
    stream = output.stream()
    saved = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = stream

    def restore():
        sys.stdout, sys.stderr = saved
        stream.close()

    peer.at_end(restore)


@scenario("rich", "`RichHandler`", peers=REPLACEMENTS, calls=600)
def rich_handler(peer, output):
    from rich.console import Console
    from rich.logging import RichHandler

    console = Console(file=output.stream(), width=120)
    # The time on every line: otherwise it depends on the second in which a record falls.
    handler = RichHandler(console=console, omit_repeated_times=False, log_time_format="%d/%b/%Y %H:%M:%S")
    logger = peer.logger(handler)

    def run(start, stop):
        for number in range(start, stop):
            logger.info(texts.THREE_ARGUMENTS.percent, number, "pears", 9.5)

    return run


_TEST_FILE = """
def test_measured(caplog, measured):
    caplog.set_level("INFO")
    measured(caplog)
"""

_captured = []


def _inside_pytest(body):
    """Run ``body`` inside a test of a pytest session, with the fixture ``caplog``."""
    # Other packages that are installed here bring plugins, one of which replaces caplog.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import pytest

    class Measured:
        @pytest.fixture
        def measured(self):
            def call(caplog):
                _captured.append(caplog)
                body()

            return call

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "test_measured.py")
        path.write_text(_TEST_FILE)
        options = ["-q", "-p", "no:cacheprovider", "--rootdir", folder, "-c", "/dev/null"]
        if pytest.main([*options, str(path)], plugins=[Measured()]) != 0:
            raise RuntimeError("the test that measures has failed")


@scenario("caplog", "pytest's `caplog`", peers=REPLACEMENTS, calls=2_000, around=_inside_pytest)
def caplog(peer, output):
    logger = peer.logger()
    peer.at_end(lambda: Path(output.path).write_text(_captured[-1].text))

    def run(start, stop):
        for number in range(start, stop):
            logger.info(texts.THREE_ARGUMENTS.percent, number, "pears", 9.5)

    return run


@scenario("django", "Django's default configuration, DEBUG on", peers=REPLACEMENTS, calls=4_000, records=2)
def django(peer, output):
    _redirect_standard_streams(peer, output)
    import django
    from django.conf import settings

    settings.configure(DEBUG=True)
    django.setup()
    requests = peer.logging.getLogger("django.request")
    server = peer.logging.getLogger("django.server")

    def run(start, stop):
        for number in range(start, stop):
            path = f"/orders/{number}"
            requests.warning("Not Found: %s", path, extra={"status_code": 404, "request": None})
            server.info(
                '"GET %s HTTP/1.1" %s %s', path, "200", "512", extra={"status_code": 200, "request": None}
            )

    return run


@scenario("uvicorn", "uvicorn's default configuration, access log", peers=REPLACEMENTS, calls=4_000)
def uvicorn(peer, output):
    _redirect_standard_streams(peer, output)
    import uvicorn

    async def application(scope, receive, send):
        raise NotImplementedError

    uvicorn.Config(application)
    access = peer.logging.getLogger("uvicorn.access")

    def run(start, stop):
        for number in range(start, stop):
            access.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5000", "GET", f"/orders/{number}", "1.1", 200)

    return run
