"""Granian, whose worker is an extension module in Rust that logs by pyo3-log: its records are like all others."""

CONFIGURATION = """
    from pathlib import Path
    from granian import Granian

    LOGGING = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(levelname)s %(name)s %(message)s (%(filename)s)"}},
        "filters": {"rust": {"name": "_granian.serve"}},
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["rust"]}},
        "loggers": {"_granian": {"handlers": ["out"], "level": "DEBUG", "propagate": False}},
    }

    if __name__ == "__main__":
        Granian("shop:app", uds=Path("socket"), interface="asgi", log_dictconfig=LOGGING).serve()
"""

APPLICATION = """
    async def app(scope, receive, send):
        pass
"""


def test_what_the_extension_logs_arrives(stack):
    stack.write("shop.py", APPLICATION)
    stack.write("program.py", CONFIGURATION)
    server = stack.start("program.py")
    server.wait_for(r"^INFO _granian\.serve Started worker-1 \(serve\.rs\)$")
    assert "INFO _granian.serve Stopping worker-1 (serve.rs)" in server.stop()
