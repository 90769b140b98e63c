"""The short form of the long runs."""

import sys

import pytest
from faults.endurance import HANDLERS, RUNS, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


@pytest.mark.parametrize("handler", HANDLERS)
# Ends are tried by the hundred in tests/concurrency; what the long run of them finds is in docs/endurance.md.
@pytest.mark.parametrize("name", [name for name in RUNS if not name.startswith("ends")])
def test_nothing_is_missing_and_nothing_hangs(tmp_path, name, handler):
    count = 20_000 if name == "records" else 30
    outcome = run(name, tmp_path, count, handler, time_limit=120)
    # A journal's pages count as they are used.
    assert outcome.gained < 40
