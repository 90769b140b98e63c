"""The short form of the campaigns about journals."""

import os
import random
import sys

import pytest
from faults.journals import CAMPAIGNS, kill_at_random

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="journals are tried out on Linux")


@pytest.mark.parametrize("way", ["imported", "installed"])
@pytest.mark.parametrize("name", CAMPAIGNS)
def test_what_was_accepted_before_a_kill_is_delivered_once_or_named(tmp_path, name, way):
    chance = random.Random(int(os.environ.get("DURAMEN_SEED", "0")))
    found = kill_at_random(tmp_path, chance, name, processes=3, rounds=2, way=way)
    assert found.is_whole, found
    assert found.accepted > 100
