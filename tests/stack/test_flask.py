"""Flask on Werkzeug's server: the records of the application, of Flask and of Werkzeug."""

import re
import signal

from stack.workbench import http_get

APPLICATION = """
    import flask
    import logging
    import recorder

    app = flask.Flask("shop")
    orders = logging.getLogger("shop.orders")

    @app.get("/")
    def index():
        app.logger.warning("visit from %s", flask.request.remote_addr)
        return recorder.implementation()

    @app.get("/order/<int:number>")
    def order(number):
        orders.info("order %d", number, extra={"order": number})
        return "ordered"

    @app.get("/fail")
    def fail():
        raise LookupError("no such shop")
"""

CONFIGURATION = """\
import logging
import recorder
recorder.record_to_file()
console = logging.StreamHandler()
console.setFormatter(logging.Formatter("%(asctime)s %(levelname)-8s %(message)s"))
logging.getLogger().addHandler(console)
"""


def served(stack, configuration):
    """Start the application, make four requests, stop it: the port and the output."""
    stack.write("shop.py", APPLICATION)
    stack.write("serve.py", configuration + "from shop import app\napp.run(port=0)\n")
    server = stack.start("serve.py")
    port = server.wait_for(r"Running on http://127\.0\.0\.1:(\d+)")[1]
    assert http_get(port, "/") == (200, stack.implementation)
    assert http_get(port, "/order/7") == (200, "ordered")
    assert http_get(port, "/fail")[0] == 500
    assert http_get(port, "/missing")[0] == 404
    return port, server.stop(signal.SIGINT)


def without_date(line):
    return re.sub(r"\[\d\d/\w{3}/\d{4} \d\d:\d\d:\d\d\]", "[DATE]", line)


def test_configured_service(stack):
    port, output = served(stack, CONFIGURATION)
    lines = [without_date(line) for line in stack.read_lines()]
    start = lines.index("WARNING|shop|shop.index|visit from 127.0.0.1")
    assert lines[:start] == [
        "INFO|werkzeug|_internal._log|\x1b[31m\x1b[1mWARNING: This is a development server. "
        "Do not use it in a production deployment. Use a production WSGI server instead.\x1b[0m",
        f" * Running on http://127.0.0.1:{port}",
        "INFO|werkzeug|_internal._log|\x1b[33mPress CTRL+C to quit\x1b[0m",
    ]
    werkzeug = 'INFO|werkzeug|_internal._log|127.0.0.1 - - [DATE] "'
    records = [line for line in lines[start:] if re.match(r"[A-Z]+\|", line)]
    assert records == [
        "WARNING|shop|shop.index|visit from 127.0.0.1",
        werkzeug + 'GET / HTTP/1.1" 200 -',
        "INFO|shop.orders|shop.order|order 7",
        werkzeug + 'GET /order/7 HTTP/1.1" 200 -',
        "ERROR|shop|app.log_exception|Exception on /fail [GET]",
        werkzeug + '\x1b[35m\x1b[1mGET /fail HTTP/1.1\x1b[0m" 500 -',
        werkzeug + '\x1b[33mGET /missing HTTP/1.1\x1b[0m" 404 -',
    ]
    assert sum(" WARNING  visit from 127.0.0.1" in line for line in output) == 1
    after = lines.index(records[4]) + 1
    assert lines[after] == "Traceback (most recent call last):"
    assert "LookupError: no such shop" in lines[after:]


def test_unconfigured_service_logs_through_flasks_and_werkzeugs_own_handlers(stack):
    port, output = served(stack, "")
    assert f" * Running on http://127.0.0.1:{port}" in output
    flask_lines = [
        re.sub(r"^\[[\d :,-]+\]", "[TIME]", line) for line in output if " in " in line and "[2" in line
    ]
    assert flask_lines == [
        "[TIME] WARNING in shop: visit from 127.0.0.1",
        "[TIME] ERROR in app: Exception on /fail [GET]",
    ]
    requests = [without_date(line) for line in output if line.startswith("127.0.0.1 - - ")]
    assert [line.partition("[DATE] ")[2] for line in requests] == [
        '"GET / HTTP/1.1" 200 -',
        '"GET /order/7 HTTP/1.1" 200 -',
        '"\x1b[35m\x1b[1mGET /fail HTTP/1.1\x1b[0m" 500 -',
        '"\x1b[33mGET /missing HTTP/1.1\x1b[0m" 404 -',
    ]
    assert not any("order 7" in line for line in output)
