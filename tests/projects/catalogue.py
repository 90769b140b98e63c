"""The projects whose tests are run."""

from typing import NamedTuple


class Project(NamedTuple):
    """One release of a project, and how its tests are run."""

    requirement: str
    #: What pytest is given, relative to the source distribution.
    tests: str
    #: What its tests need.
    requires: str = ""

    @property
    def name(self):
        return self.requirement.partition("==")[0].partition("[")[0]


PROJECTS = (
    Project(
        "aiohttp==3.14.5",
        "tests/test_web_log.py tests/test_run_app.py tests/test_cookie_helpers.py tests/test_web_request.py",
        "pytest-mock pytest-xdist proxy.py trustme re-assert freezegun time-machine python-on-whales blockbuster pytest-codspeed isal",
    ),
    Project("alembic==1.20.1", "tests/test_config.py"),
    Project("ansible-core==2.21.5", "test/units/utils/display", "pytest-mock"),
    Project(
        "applicationinsights==0.11.10",
        "-o python_files=Test*.py tests/applicationinsights_tests",
        "django flask",
    ),
    Project(
        "apscheduler==3.11.3",
        "tests/test_schedulers.py tests/test_executors.py tests/test_job.py tests/test_util.py",
        "pytest-asyncio pytz anyio tornado gevent sqlalchemy twisted",
    ),
    Project("autologging==1.3.2", "-o python_files=*test_*.py test"),
    Project(
        "botocore==1.44.8",
        "tests/unit/test_session.py tests/unit/test_session_legacy.py tests/unit/auth tests/functional/test_useragent.py",
        "jsonschema",
    ),
    Project(
        "bugsnag==4.9.2",
        "tests/test_handlers.py tests/test_client.py tests/test_sessiontracker.py tests/test_configuration.py tests/test_utils.py",
    ),
    Project(
        "celery==5.7.0",
        "t/unit/app/test_log.py t/unit/worker/test_strategy.py t/unit/worker/test_consumer.py t/unit/bin t/unit/app/test_app.py t/unit/concurrency",
        "pytest-celery pytest-subtests pytest-click boto3 moto pytest-timeout pymongo",
    ),
    Project("click-log==0.4.0", "tests"),
    Project("coloredlogs==15.0.1", "coloredlogs/tests.py", "mock verboselogs capturer"),
    Project("colorlog==6.12.0", "colorlog/tests"),
    Project("daiquiri==3.4.0", "daiquiri/tests"),
    Project("daphne==4.2.3", "tests", "django hypothesis pytest-asyncio"),
    Project(
        "dask==2026.8.0",
        "dask/tests/test_config.py dask/tests/test_utils.py",
        "pytest-xdist pytest-rerunfailures numpy pandas pytest-timeout",
    ),
    Project(
        "distlib==0.4.4",
        "tests/test_util.py tests/test_manifest.py tests/test_scripts.py tests/test_version.py",
    ),
    Project(
        "django==5.2.19",
        "--ds=test_sqlite -o pythonpath=tests -o python_files=test*.py tests/logging_tests tests/csrf_tests tests/servers/test_basehttp.py",
        "pytest-django jinja2 tblib",
    ),
    Project(
        "eliot==1.18.0",
        "eliot/tests/test_stdlib.py eliot/tests/test_testing.py",
        "testtools hypothesis pytest-xdist",
    ),
    Project("fabric==3.2.3", "tests", "pytest-relaxed icecream mock"),
    Project("fixtures==4.3.2", "tests/_fixtures/test_logger.py tests", "testtools"),
    Project("flask==3.1.3", "tests", "pytest<9"),
    Project("fluent-logger==0.11.1", "tests", "mock"),
    Project("graypy==2.1.0", "tests", "mock requests"),
    Project(
        "gunicorn==27.0.1",
        "tests/test_logger.py tests/test_arbiter.py tests/test_config.py tests/test_statsd.py tests/test_http.py",
        "pytest-asyncio gevent eventlet",
    ),
    Project("huey==3.5.4", "huey/tests"),
    Project("humanfriendly==10.0", "humanfriendly/tests.py", "capturer coloredlogs docutils mock"),
    Project("hypercorn==0.18.0", "tests", "pytest-asyncio pytest-trio hypothesis mock trio httpx"),
    Project("jupyter-core==5.9.1", "tests", "pytest-timeout"),
    Project(
        "jupyter-server==2.21.1",
        "tests/test_serverapp.py tests/test_utils.py tests/test_gateway.py tests/extension",
        "pytest-jupyter pytest-console-scripts pytest-timeout flaky requests ipykernel",
    ),
    Project(
        "kombu==5.7.0",
        "t/unit/test_log.py t/unit/utils/test_div.py t/unit/transport/virtual t/unit/transport/test_native_delayed_delivery.py",
        "pyro4 hypothesis pytest-freezer freezegun",
    ),
    Project("Logbook==1.10.1", "tests", "gevent execnet brotli jinja2 sqlalchemy pyzmq redis"),
    Project("logging_tree==1.10", "logging_tree/tests"),
    Project("logutils==0.3.5", "tests", "redis"),
    Project("logzero==1.7.0", "tests"),
    Project(
        "luigi==3.8.1",
        "test/setup_logging_test.py test/worker_test.py test/customized_run_test.py test/scheduler_test.py -o python_files=*_test.py",
        "mock hypothesis",
    ),
    Project("multiprocessing-logging==0.4.0", "tests"),
    Project(
        "nose2==0.16.0",
        "nose2/tests/unit nose2/tests/functional/test_logcapture_plugin.py",
        "mock coverage",
    ),
    Project("opencensus-ext-azure==1.1.15", "tests/test_azure_log_exporter.py", "mock"),
    Project(
        "opentelemetry-sdk==1.45.2",
        "tests/logs tests/test_configurator.py tests/trace/test_trace.py tests/resources",
        "opentelemetry-test-utils flaky psutil",
    ),
    Project("optuna==5.0.0", "tests/test_logging.py", "fakeredis"),
    Project("oslo.log==8.3.2", "oslo_log/tests", "oslotest fixtures testtools"),
    Project("pygelf==0.4.3", "tests", "mock"),
    Project("pymongo==4.20.0", "test/test_logger.py test/test_uri_parser.py", "pytest-asyncio"),
    Project("pytest-check==3.0.3", "tests"),
    Project("pytest-loguru==0.4.1", "tests"),
    Project("pytest-structlog==1.2", "tests"),
    Project(
        "pytest==9.2.0",
        "-p pytester testing/logging testing/test_recwarn.py testing/test_unraisableexception.py testing/test_threadexception.py",
        "attrs hypothesis pygments xmlschema requests mock",
    ),
    Project("python-json-logger==4.2.0", "tests", "freezegun orjson msgspec"),
    Project(
        "scrapy==2.19.0",
        "tests/test_utils_log.py tests/test_downloadermiddleware_retry.py tests/test_spidermiddleware_output_chain.py tests/test_logformatter.py tests/test_logstats.py tests/test_pipeline_files.py tests/test_extension_periodic_log.py",
        "testfixtures pytest-twisted pexpect sybil uvloop pyftpdlib pytest-xdist boto3 attrs",
    ),
    Project(
        "sentry-sdk==2.75.0",
        "tests/integrations/logging tests/test_logs.py tests/test_basics.py",
        "pytest-localserver pytest-forked jsonschema executing asttokens responses pysocks socksio httpcore httpx Werkzeug loguru pytest-watch tox mock",
    ),
    Project(
        "sphinx==9.1.1",
        "tests/test_util/test_util_logging.py tests/test_util tests/test_application.py tests/test_config",
        "defusedxml psutil pytest-xdist setuptools typing_extensions",
    ),
    Project("sqlalchemy==2.1.9", "test/engine/test_logging.py test/engine/test_pool.py"),
    Project("structlog==26.1.0", "tests", "pytest-asyncio freezegun pretend simplejson rich time-machine"),
    Project("supervisor==4.3.0", "supervisor/tests"),
    Project(
        "testfixtures==12.4.0",
        "tests",
        "twisted sybil structlog loguru django pytest-django mock zope.component",
    ),
    Project(
        "tornado==6.6.1",
        "tornado/test/log_test.py tornado/test/options_test.py tornado/test/ioloop_test.py",
    ),
    Project(
        "tqdm==4.70.1",
        "-o python_files=tests*.py tests/tests_contrib_logging.py tests/tests_main.py tests/tests_contrib.py",
        "pytest-asyncio",
    ),
    Project("traitlets==5.16.1", "tests", "pytest-mock argcomplete"),
    Project(
        "twisted==26.10.0",
        "src/twisted/logger/test src/twisted/test/test_log.py",
        "pyhamcrest hypothesis",
    ),
    Project("unittest-xml-reporting==4.0.0", "tests", "django"),
    Project(
        "urllib3==2.8.0",
        "test/test_connectionpool.py test/test_util.py",
        "trustme cryptography quart hypercorn trio quart-trio httpx pytest-socket h2 idna",
    ),
    Project(
        "uvicorn[standard]==0.54.0",
        "tests/test_config.py tests/middleware tests/test_main.py tests/test_server.py tests/test_lifespan.py",
        "pytest-mock httpx anyio trustme a2wsgi typing_extensions h2 wsproto",
    ),
    Project("verboselogs==1.7", "verboselogs/tests.py", "mock"),
    Project("waitress==3.0.2", "tests"),
    Project("ZConfig==4.3", "src/ZConfig/components/logger/tests", "zope.testrunner manuel docutils"),
)
