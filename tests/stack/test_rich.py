"""rich: its handler, with markup and its own tracebacks, and in front of it logging's formatter."""

import re

HANDLER = """
    import logging
    import sys
    import recorder
    from rich.console import Console
    from rich.logging import RichHandler

    def use(**settings):
        console = Console(file=sys.stdout, width=80, force_terminal=False, color_system=None)
        logging.basicConfig(
            level=logging.INFO,
            format="%(message)s",
            datefmt="[%X]",
            handlers=[RichHandler(console=console, **settings)],
            force=True,
        )
"""


def test_columns_and_markup(stack):
    completed = stack.run_source(
        HANDLER
        + """
    use(show_time=False)
    logger = logging.getLogger("shop")
    logger.info("order %d", 7)
    logger.warning("[bold]late[/bold]", extra={"markup": True})
    logger.warning("[bold]kept[/bold]")
    logger.debug("too low")
    logger.error("on %s", recorder.implementation())
    """
    )

    def row(level, message, text):
        place = f"program.py:{stack.line_number(text)}"
        return f"{level:<8} {message:<{80 - 10 - len(place)}} {place}"

    assert completed.stdout.splitlines() == [
        row("INFO", "order 7", "order %d"),
        row("WARNING", "late", "late"),
        row("WARNING", "[bold]kept[/bold]", "kept"),
        row("ERROR", f"on {stack.implementation}", "implementation()"),
    ]


def test_tracebacks(stack):
    completed = stack.run_source(
        HANDLER
        + """
    use(rich_tracebacks=True, tracebacks_show_locals=True)

    def order(number):
        raise LookupError("no such shop")

    try:
        order(7)
    except LookupError:
        logging.getLogger("shop").exception("failed")
    """
    )
    lines = completed.stdout.splitlines()
    assert re.fullmatch(r"\[\d\d:\d\d:\d\d\] ERROR    failed +program\.py:\d+", lines[0])
    assert "Traceback (most recent call last)" in lines[1]
    assert any("number = 7" in line for line in lines)
    assert lines[-1].strip() == "LookupError: no such shop"
