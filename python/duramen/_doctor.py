"""``duramen doctor``: which way each logger and handler takes, native or Python, and why."""

import importlib
import importlib.metadata
import json
import logging
import os
import platform
import sys

import duramen
from duramen import _environment, _run, _start

_VARIABLES = (_environment.DISABLE, _environment.CONFIG, _environment.LEVEL, _environment.PYTHONPATH)
_NATIVE, _PYTHON = "native", "Python"


def version():
    """The version of the installed distribution."""
    try:
        return importlib.metadata.version("duramen")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed as a package)"


def examine(run=None, config=None, as_json=False):
    """Activate Duramen, run the program ``run`` if there is one, and print the findings on stdout.

    With ``as_json`` what the program prints goes to stderr, so that stdout holds the JSON alone. Gives
    the exit code: 0, or 1 when Duramen is not active.
    """
    output = _take_stdout() if as_json and run is not None else sys.stdout
    environment = {name: os.environ.get(name) for name in _VARIABLES}
    _run.start_here(config)
    ending = _ending_of(run) if run is not None else None
    findings = collect(environment)
    if run is not None:
        findings["program"] = ending
    text = json.dumps(findings, indent=2) if as_json else render(findings)
    print(text, file=output, flush=True)
    return 0 if findings["installed"] else 1


def collect(environment):
    """What there is to know about this process, as plain dicts, lists and strings.

    ``environment`` holds the variables as they were before Duramen added its own to them.
    """
    reason = _start.why_unavailable()
    if reason is None and not duramen.is_installed():
        disabled = _environment.is_disabled()
        reason = f"{_environment.DISABLE} is set" if disabled else "duramen.install() was not called"
    return {
        "version": version(),
        "interpreter": f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})",
        "installed": reason is None,
        "reason": reason,
        "extension": _extension_file(),
        "environment": environment,
        "loggers": [_logger_findings(logger, reason) for logger in _loggers()],
    }


def render(findings):
    """The findings of ``collect()`` as text for a person."""
    state = "active" if findings["installed"] else f"not active: {findings['reason']}"
    lines = [
        f"duramen      {findings['version']}, {state}",
        f"interpreter  {findings['interpreter']}",
        f"extension    {findings['extension'] or 'none'}",
    ]
    for name, value in findings["environment"].items():
        lines.append(f"environment  {name}" + (" is not set" if value is None else f"={value}"))
    if "program" in findings:
        lines.append(f"program      {findings['program']}")
    return "\n".join([*lines, "", *_table(findings["loggers"])])


def _table(loggers):
    rows = [("LOGGER / HANDLER", "LEVEL", "ROUTE", "REASON")]
    for logger in loggers:
        rows.append(_row(logger["name"], logger))
        rows += [_row("  " + handler["name"], handler) for handler in logger["handlers"]]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[3]]).rstrip() for row in rows
    ]


def _row(title, part):
    return title, part["level"], part["route"], part["reason"] or ""


def _loggers():
    """The root logger, then the others by name; placeholders are no loggers."""
    root = logging.getLogger()
    named = sorted(root.manager.loggerDict.items())
    return [root] + [logger for _, logger in named if isinstance(logger, logging.Logger)]


def _logger_findings(logger, unavailable):
    route, reason = _route(logger, unavailable)
    return {
        "name": logger.name,
        "level": _level_text(logger),
        "propagate": bool(logger.propagate),
        "disabled": bool(logger.disabled),
        "route": route,
        "reason": reason,
        "handlers": [_handler_findings(handler, unavailable) for handler in logger.handlers],
    }


def _handler_findings(handler, unavailable):
    route, reason = _route(handler, unavailable)
    return {
        "name": _describe_handler(handler),
        "class": f"{type(handler).__module__}.{type(handler).__qualname__}",
        "level": _level_text(handler),
        "route": route,
        "reason": reason,
    }


def _level_text(part):
    """The level by name; for a logger that inherits it, the one that counts."""
    level = getattr(part, "level", None)
    if not isinstance(level, int):
        return repr(level)
    if level == logging.NOTSET and isinstance(part, logging.Logger):
        return f"({logging.getLevelName(part.getEffectiveLevel())})"
    return logging.getLevelName(level)


def _describe_handler(handler):
    name = type(handler).__name__
    target = getattr(handler, "baseFilename", None)
    if target is None:
        target = getattr(getattr(handler, "stream", None), "name", None)
    return name if target is None else f"{name} {target}"


def _route(part, unavailable):
    """The way that records take through a logger or a handler, and why it is not the native one."""
    if unavailable is not None:
        return _PYTHON, "Duramen is not active"
    reason = sys.modules["duramen._core"].route(part)
    return (_NATIVE, None) if reason is None else (_PYTHON, reason)


def _extension_file():
    try:
        return importlib.import_module("duramen._core").__file__
    except Exception:
        return None


def _ending_of(run):
    """Run the program and say how it ended; its Ctrl-C ends it, not the doctor."""
    try:
        run()
    except SystemExit as error:
        return f"ended with exit code {error.code or 0}"
    except BaseException as error:
        return f"ended by {type(error).__name__}: {error}"
    return "ended normally"


def _take_stdout():
    """Keep standard output for ourselves: what is written to it from now on goes to standard error."""
    sys.stdout.flush()
    ours = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return ours
