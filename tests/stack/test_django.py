"""Django: its default LOGGING, one of the project's own, its server's formatter, and under gunicorn."""

import re

import pytest

from stack.workbench import http_get

SETTINGS = """
    ROOT_URLCONF = "urls"
    SECRET_KEY = "for tests only"
    ALLOWED_HOSTS = ["*"]
"""

URLS = """
    import logging
    import recorder
    from django.http import HttpResponse
    from django.urls import path

    logger = logging.getLogger("shop.views")

    def index(request):
        logger.info("visit of %s", request.path, extra={"user": "alice"})
        return HttpResponse(recorder.implementation())

    def fail(request):
        raise LookupError("no such shop")

    urlpatterns = [path("", index), path("fail", fail)]
"""

CONFIGURED = """
    LOGGING = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "verbose": {
                "()": "logging.Formatter",
                "fmt": "{levelname}|{name}|{status_code}|{message}",
                "style": "{",
                "defaults": {"status_code": "-"},
            },
        },
        "filters": {"debug_off": {"()": "django.utils.log.RequireDebugFalse"}},
        "handlers": {
            "file": {
                "class": "logging.FileHandler",
                "filename": "records.log",
                "formatter": "verbose",
                "filters": ["debug_off"],
            },
        },
        "loggers": {"shop": {"level": "INFO"}},
        "root": {"handlers": ["file"], "level": "WARNING"},
    }
"""

VISITS = """
    import os
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    import django
    django.setup()
    from django.test import Client
    client = Client(raise_request_exception=False)
    print([client.get(path).status_code for path in ("/", "/missing", "/fail")])
"""


@pytest.fixture
def project(stack):
    """A function that writes the project with the given further settings."""

    def write(settings):
        stack.write("settings.py", SETTINGS + settings)
        stack.write("urls.py", URLS)

    return write


def records_of(lines):
    return [line for line in lines if re.match(r"[A-Z]+\|", line)]


CONFIGURED_RECORDS = [
    "INFO|shop.views|-|visit of /",
    "WARNING|django.request|404|Not Found: /missing",
    "ERROR|django.request|500|Internal Server Error: /fail",
]


def test_default_logging_in_debug_mode(stack, project):
    project("    DEBUG = True\n")
    completed = stack.run_source(VISITS)
    assert completed.stdout == "[200, 404, 500]\n"
    lines = completed.stderr.splitlines()
    assert lines[:3] == [
        "Not Found: /missing",
        "Internal Server Error: /fail",
        "Traceback (most recent call last):",
    ]
    assert lines[-1] == "LookupError: no such shop"


def test_default_logging_in_production_mails_the_error_to_the_admins(stack, project):
    project("""
    DEBUG = False
    ADMINS = [("Admin", "admin@example.org")]
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    """)
    completed = stack.run_source(VISITS)
    assert completed.stderr == ""
    subjects = [line for line in completed.stdout.splitlines() if line.startswith("Subject: ")]
    assert subjects == ["Subject: [Django] ERROR (EXTERNAL IP): Internal Server Error: /fail"]
    assert "Exception Type: LookupError at /fail\n" in completed.stdout


def test_projects_own_dict_config(stack, project):
    project(CONFIGURED)
    completed = stack.run_source(VISITS)
    assert (completed.stdout, completed.stderr) == ("[200, 404, 500]\n", "")
    lines = stack.read_lines()
    assert records_of(lines) == CONFIGURED_RECORDS
    assert lines.count("Traceback (most recent call last):") == 1
    assert lines[-1] == "LookupError: no such shop"


def test_djangos_own_server(stack, project):
    project("    DEBUG = True\n")
    stack.write(
        "serve.py",
        """
        import os
        os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
        import django
        django.setup()
        from django.core.handlers.wsgi import WSGIHandler
        from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
        server = WSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
        server.set_app(WSGIHandler())
        print("port", server.server_address[1], flush=True)
        server.serve_forever()
    """,
    )
    server = stack.start("serve.py")
    port = server.wait_for(r"port (\d+)")[1]
    assert http_get(port, "/") == (200, stack.implementation)
    assert http_get(port, "/missing")[0] == 404
    server.wait_for("GET /missing")
    access = [re.sub(r"^\[[^]]+\]", "[TIME]", line) for line in server.output if "HTTP/1.1" in line]
    assert re.fullmatch(r'\[TIME\] "GET / HTTP/1\.1" 200 \d+', access[0])
    assert re.fullmatch(r'\[TIME\] "GET /missing HTTP/1\.1" 404 \d+', access[1])
    assert len(access) == 2
    assert server.output.count("Not Found: /missing") == 1


def test_under_gunicorn(stack, project):
    project(CONFIGURED)
    stack.write(
        "wsgi.py",
        """
        import os
        os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
        from django.core.wsgi import get_wsgi_application
        application = get_wsgi_application()
    """,
    )
    server = stack.start("-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", "wsgi")
    port = server.wait_for(r"Listening at: http://127\.0\.0\.1:(\d+)")[1]
    assert http_get(port, "/") == (200, stack.implementation)
    assert http_get(port, "/missing")[0] == 404
    assert http_get(port, "/fail")[0] == 500
    server.stop()
    assert records_of(stack.read_lines()) == CONFIGURED_RECORDS
