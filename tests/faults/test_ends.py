"""How a process with a queue ends, in short. ``make faults`` does it at length, beside other packages."""

import os

import pytest
from faults.ends import ENDS, is_there, run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


@pytest.mark.parametrize("package", ["duramen", "duramen-python", "duramen-dictConfig"])
@pytest.mark.parametrize("name", [name for name, end in ENDS.items() if not end.is_stalled])
def test_nothing_is_lost_or_doubled_where_that_is_promised(tmp_path, name, package):
    end = ENDS[name]
    if not is_there(end, package):
        pytest.skip(f"{end.needs or package} is not there")
    total = run(name, tmp_path, package, records=300, forks=30, times=2)
    assert (total.doubled, total.hung, total.wrong_ends) == (0, 0, 0), total
    assert total.accepted > 0
    if end.is_promised:
        assert total.lost == 0, total
