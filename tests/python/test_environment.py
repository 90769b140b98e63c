"""DURAMEN_CONFIG, --config and DURAMEN_LEVEL: what is applied, in which order, and what is refused."""

import json
import logging
import os
import sys

import pytest
from activation_support import BOOTSTRAP, duramen_command, environment, python

from duramen import _environment
from duramen._config_file import ConfigFileError, load

SHOW_ROOT = "import logging; print(logging.getLogger().level, logging.getLogger().handlers)"
LOG_ONE = "import logging; logging.getLogger('app.db').info('connected')"

JSON_FILE = """{
  "version": 1,
  "formatters": {"short": {"format": "%(levelname)s|%(name)s|%(message)s"}},
  "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "short", "stream": "ext://sys.stdout"}},
  "loggers": {"app": {"level": "INFO", "handlers": ["out"], "propagate": false}}
}"""
TOML_FILE = """version = 1
formatters.short.format = "%(levelname)s|%(name)s|%(message)s"
handlers.out = {class = "logging.StreamHandler", formatter = "short", stream = "ext://sys.stdout"}
loggers.app = {level = "INFO", handlers = ["out"], propagate = false}
"""
YAML_FILE = """version: 1
formatters: {short: {format: '%(levelname)s|%(name)s|%(message)s'}}
handlers: {out: {class: logging.StreamHandler, formatter: short, stream: 'ext://sys.stdout'}}
loggers: {app: {level: INFO, handlers: [out], propagate: false}}
"""
INI_FILE = """[loggers]
keys = root, app
[handlers]
keys = out
[formatters]
keys = short
[logger_root]
handlers =
[logger_app]
qualname = app
level = INFO
handlers = out
propagate = 0
[handler_out]
class = StreamHandler
args = (sys.stdout,)
formatter = short
[formatter_short]
format = %(levelname)s|%(name)s|%(message)s
"""
FILES = {
    "log.json": JSON_FILE,
    "log.toml": TOML_FILE,
    "log.yaml": YAML_FILE,
    "log.yml": YAML_FILE,
    "log.ini": INI_FILE,
    "log.conf": INI_FILE,
    "log.cfg": INI_FILE,
}


def need_reader(name):
    if name.endswith(".toml") and sys.version_info < (3, 11):
        pytest.importorskip("tomli")
    if name.endswith((".yaml", ".yml")):
        pytest.importorskip("yaml")


def write_config(folder, config, name="log.json"):
    path = folder / name
    path.write_text(json.dumps(config))
    return str(path)


def problems_of(folder, config, name="log.json"):
    """What load() finds wrong in a configuration, a dict or a file's text."""
    path = folder / name
    path.write_text(config if isinstance(config, str) else json.dumps(config))
    with pytest.raises(ConfigFileError) as caught:
        load(str(path))
    assert caught.value.path == str(path)
    return caught.value.problems


@pytest.mark.parametrize("name", FILES)
def test_each_format_configures_the_program_and_its_children(tmp_path, name):
    need_reader(name)
    (tmp_path / name).write_text(FILES[name])
    expected = "INFO|app.db|connected\n"
    with_option = duramen_command("run", "--config", name, "python", "-c", LOG_ONE, cwd=tmp_path)
    assert (with_option.stdout, with_option.stderr) == (expected, "")
    environ = environment(DURAMEN_CONFIG=str(tmp_path / name))
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {LOG_ONE!r}])"
    grandchild = duramen_command("run", "python", "-c", child, environ=environ)
    assert (grandchild.stdout, grandchild.stderr) == (expected, "")
    (tmp_path / "program.py").write_text(LOG_ONE)
    in_process = duramen_command(f"--config={name}", "program.py", cwd=tmp_path)
    assert (in_process.stdout, in_process.stderr) == (expected, "")


def test_a_relative_file_is_found_from_a_child_in_another_folder(tmp_path):
    (tmp_path / "log.json").write_text(JSON_FILE)
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {LOG_ONE!r}], cwd='/')"
    finished = duramen_command("run", "--config", "log.json", "python", "-c", child, cwd=tmp_path)
    assert (finished.stdout, finished.stderr) == ("INFO|app.db|connected\n", "")


def test_the_order_of_precedence(tmp_path):
    low = write_config(tmp_path, {"version": 1, "root": {"level": "DEBUG"}}, "low.json")
    high = write_config(tmp_path, {"version": 1, "root": {"level": "ERROR"}}, "high.json")

    def root_level(*words, **variables):
        program = "import logging; print(logging.getLogger().level)"
        return duramen_command(
            "run", *words, "python", "-c", program, environ=environment(**variables)
        ).stdout.strip()

    assert root_level() == "30"
    assert root_level(DURAMEN_CONFIG=low) == "10"
    assert root_level("--config", high, DURAMEN_CONFIG=low) == "40"
    assert root_level("--config", high, DURAMEN_LEVEL="info") == "20"
    assert root_level(DURAMEN_LEVEL="15") == "15"
    program = "import logging; logging.basicConfig(level=50); print(logging.getLogger().level)"
    own = duramen_command("run", "python", "-c", program, environ=environment(DURAMEN_LEVEL="DEBUG"))
    assert own.stdout == "50\n"


@pytest.mark.parametrize("text", ["LOUD", "-1", "1.5", " "])
def test_a_bad_level_costs_one_message_that_names_the_valid_ones(text):
    environ = environment(DURAMEN_LEVEL=text)
    finished = duramen_command("run", "python", "-c", SHOW_ROOT, environ=environ)
    assert (finished.returncode, finished.stdout) == (0, "30 []\n")
    assert finished.stderr == (
        f"duramen: DURAMEN_LEVEL: {text!r} is no level; use one of CRITICAL, ERROR, WARNING, INFO,"
        " DEBUG, NOTSET, or a number\n"
    )


@pytest.mark.parametrize("text, level", [("INFO", 20), ("info", 20), (" Warn ", 30), ("0", 0), ("17", 17)])
def test_parse_level(text, level):
    assert _environment.parse_level(text) == level


@pytest.mark.parametrize("text", ["", "0", "false", "No", " off "])
def test_these_do_not_disable(text):
    assert not _environment.is_disabled({"DURAMEN_DISABLE": text})


@pytest.mark.parametrize("text", ["1", "true", "yes", "x"])
def test_these_disable(text):
    assert _environment.is_disabled({"DURAMEN_DISABLE": text})


@pytest.mark.parametrize(
    "before, after",
    [
        (None, BOOTSTRAP),
        ("", BOOTSTRAP),
        ("/a", f"{BOOTSTRAP}{os.pathsep}/a"),
        (f"/a{os.pathsep}{BOOTSTRAP}", f"{BOOTSTRAP}{os.pathsep}/a"),
        (f"/a{os.pathsep}{os.pathsep}/b", f"{BOOTSTRAP}{os.pathsep}/a{os.pathsep}{os.pathsep}/b"),
    ],
)
def test_the_bootstrap_folder_stands_first_once(before, after):
    environ = {} if before is None else {"PYTHONPATH": before}
    assert _environment.child_environment(environ)["PYTHONPATH"] == after


def test_a_bad_file_stops_duramen_run_before_the_program_starts(tmp_path):
    path = write_config(tmp_path, {"version": 1, "root": {"handlers": ["missing"]}})
    (tmp_path / "program.py").write_text("print('started')")
    for words in (["run", "--config", path, "python"], ["--config", path], ["doctor", "--config", path]):
        finished = duramen_command(*words, "program.py", cwd=tmp_path)
        assert (finished.returncode, finished.stdout) == (2, "")
        assert finished.stderr == (
            f"duramen: the configuration file {path} cannot be used:\n"
            "  root.handlers: handlers has no 'missing'; it is empty\n"
        )


def test_a_bad_file_in_the_environment_does_not_stop_the_program(tmp_path):
    path = write_config(tmp_path, {"version": 1, "root": {"level": "LOUD"}})
    environ = environment(DURAMEN_CONFIG=path, DURAMEN_LEVEL="INFO")
    finished = duramen_command("run", "python", "-c", SHOW_ROOT, environ=environ)
    assert (finished.returncode, finished.stdout) == (0, "20 []\n")
    first, problem, last = finished.stderr.splitlines()
    assert first == f"duramen: the configuration file {path} cannot be used:"
    assert problem.startswith("  root.level: 'LOUD' is no level; use one of CRITICAL, ")
    assert last == "  The program runs without it."


def test_a_configuration_that_fails_half_way_leaves_the_loggers_as_they_were(tmp_path):
    path = write_config(
        tmp_path,
        {
            "version": 1,
            "handlers": {"out": {"class": "logging.StreamHandler"}},
            "loggers": {
                "new": {"level": "ERROR", "handlers": ["out"], "propagate": False},
                "old": {"level": "ERROR", "handlers": ["out"], "propagate": False},
            },
            # dictConfig meets the root logger last, and only there finds that this leads nowhere.
            "root": {"level": "ERROR", "handlers": "cfg://nowhere"},
        },
    )
    root, old = logging.getLogger(), logging.getLogger("old")
    kept = logging.NullHandler()
    old.addHandler(kept)
    old.setLevel(logging.INFO)
    root_before = (root.level, list(root.handlers))
    with pytest.raises(ConfigFileError, match="Unable to configure root logger: KeyError: 'nowhere'"):
        load(path).apply()
    assert (old.level, old.handlers, old.propagate, old.disabled) == (logging.INFO, [kept], True, False)
    new = logging.getLogger("new")
    assert (new.level, new.handlers, new.propagate) == (logging.NOTSET, [], True)
    assert (root.level, root.handlers) == root_before


def test_a_file_that_fails_when_it_is_applied_does_not_stop_the_program(tmp_path):
    config = {"version": 1, "handlers": {"bad": {"()": "json.loads", "s": "{"}}, "root": {"level": "ERROR"}}
    environ = environment(DURAMEN_CONFIG=write_config(tmp_path, config))
    finished = duramen_command("run", "python", "-c", SHOW_ROOT, environ=environ)
    assert (finished.returncode, finished.stdout) == (0, "30 []\n")
    assert "Unable to configure handler 'bad': JSONDecodeError: Expecting" in finished.stderr


def test_checking_opens_nothing(tmp_path):
    log = tmp_path / "app.log"
    config = {
        "version": 1,
        "handlers": {"file": {"class": "logging.FileHandler", "filename": str(log)}},
        "root": {"handlers": ["file"], "level": "LOUD"},
    }
    assert len(problems_of(tmp_path, config)) == 1
    assert not log.exists()
    load(write_config(tmp_path, {**config, "root": {"handlers": ["file"]}}))
    assert not log.exists()


def test_every_problem_is_reported_with_its_path(tmp_path):
    config = {
        "version": 2,
        "handler": {},
        "disable_existing_loggers": "no",
        "formatters": {
            "a": {"format": "{x", "style": "{"},
            "b": {"style": "#"},
            "c": {"format": "%(message)s", "datfmt": "%H"},
            "d": {"class": "logging.Formater"},
        },
        "filters": ["x"],
        "handlers": {
            "a": {"class": "logging.StreamHandlr"},
            "b": {"level": "LOUD", "class": "logging.StreamHandler", "formatter": "z"},
            "c": {"class": "logging.FileHandler"},
            "d": {"class": "logging.FileHandler", "filename": str(tmp_path / "no" / "x.log"), "mood": 1},
            "e": {"class": "logging.handlers.MemoryHandler", "capacity": 1, "target": "q"},
            "f": {},
            "g": 3,
            "h": {"class": "my.own.Handler", "anything": 1, "filters": "one"},
            "i": {"class": "duramen.handlers.RotatingFileHandler", "filename": str(tmp_path)},
        },
        "loggers": {"app": {"level": True, "handlers": ["a", "y"], "propagat": False, "propagate": "no"}},
        "root": [],
    }
    problems = problems_of(tmp_path, config)
    expected = {
        "version": "is 2; it has to be 1",
        "handler": "did you mean 'handlers'?",
        "disable_existing_loggers": "is 'no'; it has to be true or false",
        "formatters.a.format": "does not suit style '{'",
        "formatters.b.style": "is '#'; it has to be one of %, {, $",
        "formatters.c.datfmt": "did you mean 'datefmt'?",
        "formatters.d.class": "did you mean 'logging.Formatter'?",
        "filters": "has to be a mapping, not list ['x']",
        "handlers.a.class": "did you mean 'logging.StreamHandler'?",
        "handlers.b.level": "'LOUD' is no level",
        "handlers.b.formatter": "formatters has no 'z'; it has a, b, c, d",
        "handlers.c": "needs 'filename', which FileHandler cannot do without",
        "handlers.d.filename": "does not exist",
        "handlers.d.mood": "FileHandler has no such option; it has filename, mode,",
        "handlers.e.target": "handlers has no 'q'",
        "handlers.f": "needs 'class'",
        "handlers.g": "has to be a mapping, not int 3",
        "handlers.h.filters": "has to be a list, ['one'], not str 'one'",
        "handlers.i.filename": "is a folder",
        "loggers.app.level": "has to be a name or a number, not bool True",
        "loggers.app.handlers": "handlers has no 'y'",
        "loggers.app.propagat": "did you mean 'propagate'?",
        "loggers.app.propagate": "is 'no'; it has to be true or false",
        "root": "has to be a mapping, not list []",
    }
    found = dict(problem.split(": ", 1) for problem in problems)
    assert sorted(found) == sorted(expected)
    for path, text in expected.items():
        assert text in found[path], path


def test_what_dict_config_accepts_passes_the_check(tmp_path):
    config = {
        "version": 1,
        "x-anything": {"of": "the user"},
        "incremental": False,
        "formatters": {
            "f": {"()": "my.Formatter", "style": "#"},
            "g": {"format": "{levelname}", "style": "{"},
        },
        "filters": {"f": {"name": "app"}, "g": {"()": "my.Filter"}},
        "handlers": {
            "own": {"()": "my.handler", "stream": 1},
            "out": {"class": "logging.StreamHandler", "stream": "cfg://x-anything.of", "filters": ["f"]},
            "memory": {"class": "logging.handlers.MemoryHandler", "capacity": 9, "target": "out"},
            "mail": {
                "class": "logging.handlers.SMTPHandler",
                "mailhost": ["h", 25],
                "fromaddr": "a",
                "toaddrs": ["b"],
                "subject": "s",
                "level": 40,
            },
        },
        "loggers": {"app": {"level": 15, "handlers": "cfg://handlers", "propagate": 1}},
        "root": {"level": "NOTSET", "handlers": []},
    }
    assert load(write_config(tmp_path, config)).content == config


@pytest.mark.skipif(sys.version_info < (3, 12), reason="dictConfig builds queues from 3.12 on")
def test_a_queue_handler_is_checked(tmp_path):
    handler = {"class": "logging.handlers.QueueHandler", "handlers": ["out", "gone"]}
    config = {"version": 1, "handlers": {"out": {"class": "logging.StreamHandler"}, "queue": handler}}
    assert problems_of(tmp_path, config) == [
        "handlers.queue.handlers: handlers has no 'gone'; it has out, queue"
    ]


def test_problems_of_ini_files(tmp_path):
    text = """[loggers]
keys = app, gone
[handlers]
keys = a, b
[logger_app]
level = LOUD
handlers = a, z
[handler_a]
class = StreamHandler
args = (sys.stdout
formatter = f
[handler_b]
args = ('%d',)
"""
    found = dict(problem.split(": ", 1) for problem in problems_of(tmp_path, text, "log.ini"))
    assert sorted(found) == sorted(
        [
            "[formatters]",
            "[loggers] keys",
            "[logger_gone]",
            "[logger_app] level",
            "[logger_app] qualname",
            "[logger_app] handlers",
            "[handler_a] args",
            "[handler_a] formatter",
            "[handler_b] class",
        ]
    )
    assert found["[loggers] keys"] == "has to name 'root'"
    assert found["[logger_app] handlers"] == "[handlers] keys has no 'z'"


@pytest.mark.parametrize(
    "name, text, problem",
    [
        ("log.json", '{"version" 1}', "line 1, column 12: no JSON: "),
        ("log.json", "[]", "it has to hold a mapping, not list []"),
        ("log.json", "", "line 1, column 1: no JSON: "),
        ("log.toml", "version = ", "no TOML: "),
        ("log.yaml", "a: [", "no YAML: "),
        ("log.yaml", "", "it has to hold a mapping, not NoneType None"),
        ("log.ini", "x = 1", "no INI: "),
        ("log.txt", "", "the suffix of its name has to be one of .json, .toml, .yaml"),
    ],
)
def test_a_file_that_is_not_what_its_suffix_says(tmp_path, name, text, problem):
    need_reader(name)
    (found,) = problems_of(tmp_path, text, name)
    assert found.startswith(problem)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigFileError, match="it cannot be read: No such file or directory"):
        load(str(tmp_path / "missing.json"))
    (tmp_path / "log.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigFileError, match="it is not UTF-8: byte 0"):
        load(str(tmp_path / "log.json"))


def test_a_reader_that_is_not_installed_is_named(tmp_path):
    (tmp_path / "log.yaml").write_text(YAML_FILE)
    without = "sys.modules['yaml'] = None\nfrom duramen._config_file import load\nload(sys.argv[1])"
    finished = python("-c", "import sys; " + without, tmp_path / "log.yaml")
    assert "YAML needs the package PyYAML" in finished.stderr
