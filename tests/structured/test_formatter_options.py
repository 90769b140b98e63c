"""Duramen's formatters under ``class:`` in a configuration: every option arrives, or is refused with its path."""

import io
import json
import logging as standard_logging

import pytest

import duramen
import duramen.config
from duramen._config_check import check_dict
from duramen.formatters import JsonFormatter

OPTIONS = {
    "format": "%(levelname)s %(message)s %(asctime)s",
    "datefmt": "%Y",
    "style": "%",
    "validate": True,
    "prefix": "> ",
    "rename_fields": {"levelname": "severity"},
    "static_fields": {"service": "shop"},
    "defaults": {"user": "nobody"},
    "json_ensure_ascii": True,
    "json_default": "structured.test_formatter_options.shown",
    "exc_info_as_array": True,
}


def shown(value):
    return "shown"


class Own(JsonFormatter):
    """A class of the program's with a constructor of its own."""

    def __init__(self, fmt=None, datefmt=None, style="%", *, product):
        super().__init__(fmt, datefmt, style, static_fields={"product": product})


class Foreign(standard_logging.Formatter):
    """A class that is none of Duramen's."""


def configuration(**formatter):
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"f": formatter},
        "handlers": {"out": {"class": "logging.StreamHandler", "stream": io.StringIO(), "formatter": "f"}},
        "loggers": {"shop.options": {"handlers": ["out"], "level": "INFO", "propagate": False}},
    }


@pytest.fixture(params=["imported", "installed"])
def line(request):
    """``line(config)`` applies it and logs; gives what was written."""
    if request.param == "installed":
        duramen.install()
    logging = standard_logging if request.param == "installed" else duramen

    def apply(config, message="pears \u00e9", **keywords):
        __import__(f"{logging.__name__}.config").config.dictConfig(config)
        logging.getLogger("shop.options").info(message, **keywords)
        return config["handlers"]["out"]["stream"].getvalue()

    yield apply
    logging.getLogger("shop.options").handlers.clear()
    duramen.uninstall()


def test_every_option_of_python_json_logger_arrives(line):
    config = configuration(**{"class": "duramen.formatters.JsonFormatter"}, **OPTIONS)
    assert check_dict(config) == []
    text = line(config, extra={"odd": complex(1, 2)})
    assert text.startswith("> {") and text.isascii()
    members = json.loads(text[2:])
    assert len(members.pop("asctime")) == 4
    assert members == {
        "severity": "INFO",
        "message": "pears \u00e9",
        "odd": "shown",
        "service": "shop",
        "user": "nobody",
    }


@pytest.mark.parametrize(
    ("kind", "options", "text"),
    [
        ("JsonFormatter", {"fields": ["message"], "max_depth": 3}, '{"message": "pears \u00e9"}\n'),
        ("JsonFormatter", {"fmt": "%(message)s"}, '{"message": "pears \u00e9"}\n'),
        ("LogfmtFormatter", {"fields": ["levelname"], "static_fields": {"a": 1}}, "levelname=INFO a=1\n"),
        ("EscapingFormatter", {"format": "%(message)s %(b)s", "defaults": {"b": 2}}, "pears \u00e9 2\n"),
        (
            "ConsoleFormatter",
            {"datefmt": "now", "color": True, "align": 0},
            "\x1b[",
        ),
    ],
)
def test_every_class_takes_its_own_options(line, kind, options, text):
    config = configuration(**{"class": f"duramen.formatters.{kind}"}, **options)
    assert check_dict(config) == []
    written = line(config)
    assert text in written if kind == "ConsoleFormatter" else written == text


def test_a_class_object_and_a_subclass(line):
    own = f"{__name__}.Own"
    assert json.loads(line(configuration(**{"class": own}, format="%(message)s", product=7)))["product"] == 7
    assert line(configuration(**{"class": JsonFormatter}, fields=["levelname"])) == '{"levelname": "INFO"}\n'


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_dept": 3}, "max_dept"),
        ({"preset": "esc"}, "preset"),
        ({"json_default": "no.such.function"}, "json_default: 'no.such.function' cannot be found"),
        ({"json_encoder": "json.NoEncoder"}, "json_encoder: 'json.NoEncoder' cannot be found"),
    ],
)
def test_what_is_wrong_is_refused_with_its_path(line, options, said):
    config = configuration(**{"class": "duramen.formatters.JsonFormatter"}, **options)
    (problem,) = check_dict(config)
    assert problem.startswith("formatters.f: ") and said in problem
    with pytest.raises(ValueError, match="Unable to configure formatter 'f'") as caught:
        line(config)
    assert said in str(caught.value.__cause__)


def test_other_classes_get_what_cpython_gives_them(line):
    config = configuration(**{"class": f"{__name__}.Foreign"}, format="%(message)s", prefix="> ", note="kept")
    assert check_dict(config) == []
    assert line(config) == "pears \u00e9\n"


def test_references_arrive(line):
    config = configuration(
        **{"class": "duramen.formatters.JsonFormatter"},
        fields="cfg://names",
        json_default=f"ext://{__name__}.shown",
    )
    config["names"] = ["message", "odd"]
    assert check_dict(config) == []
    assert json.loads(line(config, extra={"odd": 1j})) == {"message": "pears \u00e9", "odd": "shown"}
