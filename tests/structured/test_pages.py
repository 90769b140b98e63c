"""Every example of the pages about structured logs runs: code, and configurations for dictConfig and fileConfig."""

import configparser
import io
import re
from pathlib import Path

import pytest
import yaml

import duramen
import duramen.config

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("structured", "context", "masking", "floods")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page, language):
    return [
        text for kind, text in BLOCK.findall((DOCS / f"{page}.md").read_text("utf-8")) if kind == language
    ]


def examples(language):
    return [
        pytest.param(text, id=f"{page}-{number}")
        for page in PAGES
        for number, text in enumerate(blocks(page, language))
    ]


@pytest.fixture(autouse=True)
def clean():
    yield
    root = duramen.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()


@pytest.mark.parametrize("page", PAGES)
def test_code(page):
    """The blocks of a page are one program; what a comment shows is what was written."""
    stream = io.StringIO()
    handler = duramen.StreamHandler(stream)
    logger = duramen.Logger("app")
    logger.addHandler(handler)
    names = {"handler": handler, "logger": logger, "print": lambda *values: print(*values, file=stream)}
    texts = blocks(page, "python")
    assert texts
    for text in texts:
        stream.seek(0)
        stream.truncate()
        exec(compile(text, f"docs/{page}.md", "exec"), names)
        shown = re.findall(r"^# (\S.*)$", text, re.MULTILINE)
        written = re.sub(
            r'"timestamp": "[^"]*"', '"timestamp": "2024-03-01T12:00:00.250000Z"', stream.getvalue()
        )
        assert shown == (written.splitlines() if shown else [])


@pytest.mark.parametrize("text", examples("yaml"))
def test_configurations(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = {"version": 1, "disable_existing_loggers": False, **yaml.safe_load(text)}
    config["root"] = {"handlers": list(config.get("handlers", ())), "level": "INFO"}
    duramen.config.dictConfig(config)
    duramen.getLogger().info("password=%s", "hunter2")
    for path in tmp_path.iterdir():
        assert ("hunter2" in path.read_text()) == ("credentials" not in text)


def test_sections_for_file_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (section,) = blocks("masking", "ini")
    parser = configparser.RawConfigParser()
    parser.read_string(
        "[loggers]\nkeys=root\n[handlers]\nkeys=file\n[formatters]\nkeys=\n"
        "[logger_root]\nlevel=INFO\nhandlers=file\n[handler_file]\nclass=FileHandler\nargs=('app.log',)\n"
        + section
    )
    duramen.config.fileConfig(parser, disable_existing_loggers=False)
    duramen.getLogger().info("T-123456789012 of ada@example.org")
    assert (tmp_path / "app.log").read_text() == "T-***9012 of ***\n"
