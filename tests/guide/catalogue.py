"""Every snippet of the guide that Duramen grew from, by section, and the program that runs it.

A snippet that the guide shows without its surroundings (`logger`, `payload`, `risky_operation`) has
them in its program. Sections that describe a system without code have a program of ours.
"""

from typing import NamedTuple


class Snippet(NamedTuple):
    """One program of `snippets/` and what its output must show."""

    section: str
    """The guide's heading, with the headings above it where it needs them."""
    program: str
    """The program's name in `snippets/`, without `.py`."""
    shows: tuple[str, ...]
    """Lines that must be in the output, in this order, times written as TIME."""
    companions: tuple[str, ...] = ()
    """Files of `snippets/` that the program reads or imports."""
    unordered: bool = False
    """Whether threads of the program race for the order of the lines in its files."""


SNIPPETS = (
    Snippet("Key takeaways: lazy formatting", "01_lazy_formatting", ("DEBUG:__main__:x={'items': 3}",)),
    Snippet(
        "Loggers: root vs. named logger",
        "02_root_and_named_loggers",
        ("INFO:root:from the root logger", "INFO:name:from a named logger"),
    ),
    Snippet(
        "Loggers: what is a module-level logging pattern?",
        "03_module_level_logger",
        (
            "<Logger __main__ (WARNING)>",
            "<Logger app.auth (WARNING)> below <Logger app (WARNING)>",
            "<Logger app.payments (WARNING)> below <Logger app (WARNING)>",
        ),
    ),
    Snippet(
        "Formatters: the example line",
        "04_formatter_line",
        ("TIME - app.auth - INFO - User login successful",),
    ),
    Snippet(
        "Logging levels: DEBUG",
        "05_level_debug",
        ("DEBUG:__main__:User payload received: {'user': 'alice', 'items': [1, 2]}",),
    ),
    Snippet("Logging levels: INFO", "06_level_info", ("INFO:root:User 123 successfully logged in",)),
    Snippet("Logging levels: WARNING", "07_level_warning", ("WARNING:root:Disk usage at 85% capacity",)),
    Snippet(
        "Logging levels: ERROR",
        "08_level_error",
        ("ERROR:root:Failed to process payment for order 456",),
    ),
    Snippet(
        "Logging levels: CRITICAL",
        "09_level_critical",
        ("CRITICAL:root:Database unavailable. Shutting down service.",),
    ),
    Snippet(
        "Basic Python logging example: default settings",
        "10_default_settings",
        (
            "WARNING:root:This is a WARNING message",
            "ERROR:root:This is an ERROR message",
            "CRITICAL:root:This is a CRITICAL message",
        ),
    ),
    Snippet(
        "Basic Python logging example: basicConfig()",
        "11_basic_config",
        (
            "DEBUG: This is a DEBUG message",
            "INFO: This is an INFO message",
            "WARNING: This is a WARNING message",
            "ERROR: This is an ERROR message",
            "CRITICAL: This is a CRITICAL message",
        ),
    ),
    Snippet(
        "Why is basicConfig limited?",
        "12_basic_config_once",
        ("first: shown once", "forced: shown after the reset"),
    ),
    Snippet(
        "Configuration using code",
        "13_configuration_in_code",
        ("TIME - __main__ - INFO - Application started",),
    ),
    Snippet(
        "Configuration using dictConfig",
        "14_dict_config",
        ("TIME - __main__ - INFO - Structured configuration applied",),
    ),
    Snippet(
        "Configuration using config files",
        "15_file_config",
        ("TIME - __main__ - INFO - Logging configured via file",),
        companions=("logging.ini",),
    ),
    Snippet(
        "Logging configuration for multi-module projects",
        "16_multi_module",
        ("INFO module_a: Module A initialized", "INFO module_b: Module B initialized"),
        companions=("module_a.py", "module_b.py"),
    ),
    Snippet(
        "Best practices: one logger per module",
        "17_one_logger_per_module",
        ("The same logger at a level that shows without configuration",),
    ),
    Snippet(
        "Best practices: do not log sensitive data",
        "18_masked_password",
        ("INFO:__main__:User logged in with password: ******",),
    ),
    Snippet(
        "Best practices: use consistent formats",
        "19_consistent_format",
        ("TIME - payments - ERROR - card declined: expired",),
    ),
    Snippet(
        "Mistakes: using print instead of logging",
        "20_instead_of_print",
        ("INFO:__main__:Application started",),
    ),
    Snippet(
        "Mistakes: over-logging exceptions",
        "21_log_exceptions_once",
        (
            "Failed during risky_operation",
            "Traceback (most recent call last):",
            "ValueError: no such order",
        ),
    ),
    Snippet(
        "Structured logging: plain text vs. structured",
        "22_plain_and_structured",
        (
            "ERROR: User login failed for user_id=123",
            '{"level": "ERROR", "event": "login_failed", "user_id": 123}',
        ),
    ),
    Snippet("Structured logging: JSON logging example", "23_json_formatter", ()),
    Snippet(
        "Efficient logging: blocking logging",
        "24_blocking_file",
        ("INFO:root:Processing item 0", "INFO:root:Processing item 999"),
    ),
    Snippet(
        "Efficient logging: non-blocking logging, queue-based",
        "25_queue",
        ("INFO service Processing item 0", "INFO service Processing item 99"),
    ),
    Snippet("Log rotation: RotatingFileHandler", "26_rotating_file", ()),
    Snippet(
        "Log rotation: timed rotation",
        "27_timed_rotating_file",
        ("after midnight", "before midnight"),
    ),
    Snippet(
        "Correlating logs with metrics and traces",
        "28_correlation_fields",
        ("Payment processing failed request_id=req-123 user_id=456 payment_id=pay-789",),
    ),
    Snippet("Questions: disabling logs in tests", "29_disable", ("CRITICAL:root:enabled again",)),
    Snippet(
        "Questions: logging exceptions",
        "30_exception",
        ("An error occurred during risky_operation", "KeyError: 'missing'"),
    ),
    Snippet(
        "Questions: extra context",
        "31_extra_context",
        ("INFO Processing user request user=123 request=req-001",),
    ),
    Snippet("Questions: is logging thread-safe?", "32_threads", (), unordered=True),
)
