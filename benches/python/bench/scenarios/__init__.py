"""Every scenario; importing this fills ``bench.scenario.SCENARIOS``."""

from bench.scenarios import plain, python_parts, concurrent, frameworks  # noqa: F401, I001  (the report's order)
