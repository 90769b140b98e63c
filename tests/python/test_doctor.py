"""duramen doctor: what it says about a process and about the routes of its loggers and handlers."""

import json
import logging
import sys
import types

import pytest
from activation_support import duramen_command, environment, python

import duramen
from duramen import _doctor

PROGRAM = """
import logging, sys
logging.basicConfig(stream=sys.stdout, level="INFO")
class Slow(logging.Handler):
    def emit(self, record):
        pass
logging.getLogger("app.db").addHandler(Slow(level=logging.ERROR))
print("from the program", sys.argv[1:])
"""


@pytest.fixture
def extension(monkeypatch):
    """Stands in for the extension: handlers of a class made here have a reason, all else is native."""

    def route(part):
        if isinstance(part, logging.Handler) and type(part).__module__ == __name__:
            return f"{type(part).__name__} overrides emit"
        return None

    core = types.SimpleNamespace(route=route, __file__="/of/the/extension")
    monkeypatch.setitem(sys.modules, "duramen._core", core)
    monkeypatch.setattr(duramen, "is_installed", lambda: True)


class Slow(logging.Handler):
    def emit(self, record):
        pass


@pytest.fixture
def loggers():
    """A logger with a handler of each route, taken away again."""
    logger = logging.getLogger("doctor.app")
    handlers = [Slow(logging.ERROR), logging.NullHandler()]
    for handler in handlers:
        logger.addHandler(handler)
    yield logger
    for handler in handlers:
        logger.removeHandler(handler)


def test_each_part_has_its_route_and_the_reason(extension, loggers):
    found = {logger["name"]: logger for logger in _doctor.collect({})["loggers"]}
    assert list(found)[0] == "root"
    assert "doctor" not in found, "a placeholder is no logger"
    app = found["doctor.app"]
    assert (app["route"], app["reason"], app["level"]) == ("native", None, "(WARNING)")
    slow, null = app["handlers"]
    assert (slow["route"], slow["reason"], slow["level"]) == ("Python", "Slow overrides emit", "ERROR")
    assert (null["route"], null["reason"], null["class"]) == ("native", None, "logging.NullHandler")


def test_the_extensions_own_answer_is_shown(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    findings = json.loads(duramen_command("doctor", "--json", "program.py", cwd=tmp_path).stdout)
    root, app = findings["loggers"]
    assert (root["route"], root["handlers"][0]["route"]) == ("native", "native")
    assert (app["route"], app["handlers"][0]["route"]) == ("Python", "Python")
    assert "Slow" in app["handlers"][0]["reason"]


def test_the_table_has_a_line_for_each_part(extension, loggers):
    text = _doctor.render(_doctor.collect({"DURAMEN_LEVEL": None, "DURAMEN_CONFIG": "log.json"}))
    assert "environment  DURAMEN_LEVEL is not set\nenvironment  DURAMEN_CONFIG=log.json\n" in text
    assert "extension    /of/the/extension\n" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["LOGGER", "/", "HANDLER", "LEVEL", "ROUTE", "REASON"] in lines
    assert ["Slow", "ERROR", "Python", "Slow", "overrides", "emit"] in lines
    assert ["NullHandler", "NOTSET", "native"] in lines


def test_without_activation_everything_takes_the_python_way(loggers):
    environ = environment(DURAMEN_DISABLE="1")
    finished = duramen_command("doctor", "--json", environ=environ)
    findings = json.loads(finished.stdout)
    assert finished.returncode == 1
    assert (findings["installed"], findings["reason"]) == (False, "DURAMEN_DISABLE is set")
    (root,) = findings["loggers"]
    assert (root["route"], root["reason"]) == ("Python", "Duramen is not active")


@pytest.mark.parametrize("words", [["program.py"], ["-m", "program"]])
def test_a_program_is_run_and_then_examined(tmp_path, words):
    (tmp_path / "program.py").write_text(PROGRAM)
    finished = duramen_command("doctor", *words, "--json", cwd=tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.startswith("from the program ['--json']\nduramen ")
    assert "program      ended normally\n" in finished.stdout
    assert "  StreamHandler <stdout>" in finished.stdout


def test_with_json_standard_output_holds_nothing_else(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    finished = duramen_command("doctor", "--json", "program.py", cwd=tmp_path)
    findings = json.loads(finished.stdout)
    assert finished.stderr == "from the program []\n"
    names = [logger["name"] for logger in findings["loggers"]]
    assert names == ["root", "app.db"]
    assert findings["loggers"][0]["level"] == "INFO"
    assert findings["loggers"][1]["handlers"][0]["class"] == "__main__.Slow"
    assert findings["interpreter"].endswith(f"({sys.executable})")
    assert set(findings["environment"]) == {
        "DURAMEN_DISABLE",
        "DURAMEN_CONFIG",
        "DURAMEN_LEVEL",
        "PYTHONPATH",
    }


@pytest.mark.parametrize(
    "ending, text",
    [
        ("sys.exit(3)", "ended with exit code 3"),
        ("sys.exit()", "ended with exit code 0"),
        ("raise ValueError('x')", "ended by ValueError: x"),
        ("raise KeyboardInterrupt", "ended by KeyboardInterrupt: "),
    ],
)
def test_a_program_that_ends_early_is_examined_too(tmp_path, ending, text):
    (tmp_path / "program.py").write_text(PROGRAM + ending + "\n")
    finished = duramen_command("doctor", "--json", "program.py", cwd=tmp_path)
    findings = json.loads(finished.stdout)
    assert findings["program"] == text
    assert len(findings["loggers"]) == 2


def test_the_environment_is_shown_as_it_was_given():
    environ = environment(DURAMEN_LEVEL="INFO")
    findings = json.loads(duramen_command("doctor", "--json", environ=environ).stdout)
    assert findings["environment"]["DURAMEN_LEVEL"] == "INFO"
    assert findings["environment"]["PYTHONPATH"] == environ["PYTHONPATH"]
    assert findings["loggers"][0]["level"] == "INFO"


def test_a_missing_extension_is_the_reason(tmp_path):
    without = (
        "import sys; sys.modules['duramen._core'] = None\nfrom duramen.__main__ import main; sys.exit(main())"
    )
    finished = python("-c", without, "doctor")
    assert finished.returncode == 1
    assert "not active: its extension does not load (" in finished.stdout
    assert "extension    none\n" in finished.stdout
