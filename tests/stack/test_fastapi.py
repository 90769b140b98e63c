"""FastAPI on uvicorn: uvicorn's own formatters, the application's records, and the exceptions."""

import http
import json

from stack.workbench import http_get, wait_until_accepting

APPLICATION = """
    import asyncio
    import logging
    import fastapi
    import recorder

    recorder.record_to_file(level=logging.INFO, format="%(levelname)s|%(name)s|%(message)s")
    logger = logging.getLogger("shop")
    app = fastapi.FastAPI()

    @app.get("/items/{number}")
    async def item(number: int):
        logger.info("item %d", number)
        await asyncio.sleep(0)
        return {"item": number, "implementation": recorder.implementation()}

    @app.get("/blocking")
    def blocking():
        logger.info("in a thread of the pool")
        return "done"

    @app.get("/fail")
    async def fail():
        raise LookupError("no such shop")
"""


def test_uvicorn_serves_and_logs(stack):
    stack.write("shop.py", APPLICATION)
    server = stack.start("-m", "uvicorn", "--host", "127.0.0.1", "--port", "0", "shop:app")
    port = server.wait_for(r"Uvicorn running on http://127\.0\.0\.1:(\d+)")[1]
    status, text = http_get(port, "/items/3")
    assert status == 200
    assert json.loads(text) == {"item": 3, "implementation": stack.implementation}
    assert http_get(port, "/blocking") == (200, '"done"')
    assert http_get(port, "/items/none")[0] == 422
    assert http_get(port, "/fail")[0] == 500
    output = server.stop()

    access = [line for line in output if "HTTP/1.1" in line]
    assert [line.split(" - ")[1] for line in access] == [
        '"GET /items/3 HTTP/1.1" 200 OK',
        '"GET /blocking HTTP/1.1" 200 OK',
        f'"GET /items/none HTTP/1.1" 422 {http.HTTPStatus(422).phrase}',
        '"GET /fail HTTP/1.1" 500 Internal Server Error',
    ]
    assert all(line.startswith("INFO:     127.0.0.1:") for line in access)
    assert output.count("ERROR:    Exception in ASGI application") == 1
    assert output.count("LookupError: no such shop") == 1
    for message in (
        "Waiting for application startup.",
        "Application startup complete.",
        "Shutting down",
        "Waiting for application shutdown.",
        "Application shutdown complete.",
    ):
        assert output.count("INFO:     " + message) == 1
    # uvicorn's loggers do not propagate to the root logger; the application's do.
    assert [line for line in stack.read_lines() if "|shop|" in line] == [
        "INFO|shop|item 3",
        "INFO|shop|in a thread of the pool",
    ]


def test_uvicorn_with_two_worker_processes(stack):
    stack.write("shop.py", APPLICATION)
    # A worker that a busy machine keeps waiting for longer than its health check would be replaced.
    options = ("--workers", "2", "--timeout-worker-healthcheck", "60")
    server = stack.start("-m", "uvicorn", "--host", "127.0.0.1", "--port", "0", *options, "shop:app")
    port = server.wait_for(r"Uvicorn running on http://127\.0\.0\.1:(\d+)")[1]
    server.wait_for("Application startup complete")
    server.wait_for("Application startup complete")
    # The parent says that it runs before a worker listens on the socket.
    wait_until_accepting(port)
    for number in range(10):
        status, text = http_get(port, f"/items/{number}")
        assert (status, json.loads(text)["implementation"]) == (200, stack.implementation)
    output = server.stop()
    assert sum("Started server process" in line for line in output) == 2
    assert sum("Finished server process" in line for line in output) == 2
    assert sum('HTTP/1.1" 200 OK' in line for line in output) == 10
    assert [line for line in stack.read_lines() if "|shop|" in line] == [
        f"INFO|shop|item {number}" for number in range(10)
    ]


def test_uvicorns_log_config_file(stack):
    stack.write("shop.py", APPLICATION.replace("    recorder.record_to_file", "    #"))
    stack.write(
        "logging.json",
        json.dumps(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "formatters": {
                    "access": {
                        "()": "uvicorn.logging.AccessFormatter",
                        "fmt": "%(client_addr)s|%(request_line)s|%(status_code)s",
                        "use_colors": True,
                    },
                    "plain": {"format": "%(levelname)s|%(name)s|%(message)s"},
                },
                "handlers": {
                    "access": {
                        "class": "logging.FileHandler",
                        "filename": "access.log",
                        "formatter": "access",
                    },
                    "file": {"class": "logging.FileHandler", "filename": "records.log", "formatter": "plain"},
                    "console": {"class": "logging.StreamHandler", "formatter": "plain"},
                },
                "loggers": {
                    "uvicorn.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
                    "shop": {"handlers": ["file"], "level": "INFO"},
                },
                "root": {"handlers": ["console"], "level": "INFO"},
            }
        ),
    )
    server = stack.start(
        "-m",
        "uvicorn",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--log-config",
        "logging.json",
        "shop:app",
    )
    port = server.wait_for(r"INFO\|uvicorn\.error\|Uvicorn running on http://127\.0\.0\.1:(\d+)")[1]
    assert http_get(port, "/items/9")[0] == 200
    output = server.stop()
    [access] = stack.read_lines("access.log")
    assert access.startswith("127.0.0.1:")
    assert access.endswith("|\x1b[1mGET /items/9 HTTP/1.1\x1b[0m|\x1b[32m200 OK\x1b[0m")
    assert stack.read_lines() == ["INFO|shop|item 9"]
    assert output.count("INFO|shop|item 9") == 1
