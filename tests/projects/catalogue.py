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
    Project("ZConfig==4.3", "src/ZConfig/components/logger/tests", "zope.testrunner manuel docutils"),
    Project("alembic==1.20.1", "tests/test_config.py"),
    Project("ansible-core==2.21.5", "test/units/utils/display", "pytest-mock"),
    Project(
        "applicationinsights==0.11.10",
        "-o python_files=Test*.py tests/applicationinsights_tests",
        "django flask",
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
    Project("click-log==0.4.0", "tests"),
    Project(
        "eliot==1.18.0",
        "eliot/tests/test_stdlib.py eliot/tests/test_testing.py",
        "testtools hypothesis pytest-xdist",
    ),
    Project("fixtures==4.3.2", "tests/_fixtures/test_logger.py tests", "testtools"),
    Project("huey==3.5.4", "huey/tests"),
    Project("hypercorn==0.18.0", "tests", "pytest-asyncio pytest-trio hypothesis mock trio httpx"),
    Project("logutils==0.3.5", "tests", "redis"),
    Project("multiprocessing-logging==0.4.0", "tests"),
    Project("opencensus-ext-azure==1.1.15", "tests/test_azure_log_exporter.py", "mock"),
    Project("optuna==5.0.0", "tests/test_logging.py", "fakeredis"),
    Project("oslo.log==8.3.2", "oslo_log/tests", "oslotest fixtures testtools"),
    Project("pygelf==0.4.3", "tests", "mock"),
    Project("pytest-loguru==0.4.1", "tests"),
    Project("pytest-structlog==1.2", "tests"),
    Project("python-json-logger==4.2.0", "tests", "freezegun orjson msgspec"),
    Project(
        "sphinx==9.1.1",
        "tests/test_util/test_util_logging.py tests/test_util tests/test_application.py tests/test_config",
        "defusedxml psutil pytest-xdist setuptools typing_extensions",
    ),
    Project("sqlalchemy==2.1.9", "test/engine/test_logging.py test/engine/test_pool.py"),
    Project(
        "testfixtures==12.4.0",
        "tests",
        "twisted sybil structlog loguru django pytest-django mock zope.component",
    ),
    Project("traitlets==5.16.1", "tests", "pytest-mock argcomplete"),
    Project("verboselogs==1.7", "verboselogs/tests.py", "mock"),
)
