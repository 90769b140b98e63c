"""Many records leave nothing behind: memory is flat, references are balanced, cycles are collected."""

import sys

import pytest
from leak_paths import PATHS

WAYS = ("imported", "installed")
#: Growth that is noise: pages that the allocator keeps, and a few objects of the interpreter's caches.
RESIDENT_NOISE = 1_500_000
#: A leak would be one for each record, ten thousand at least.
OBJECT_NOISE = 200
REFERENCE_NOISE = 20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/statm")
@pytest.mark.parametrize("path", PATHS)
def test_memory_stays_flat(measure, path):
    grown = measure("installed", path, "memory")
    assert grown["resident"] < RESIDENT_NOISE, grown
    assert grown["blocks"] < OBJECT_NOISE, grown
    assert grown["objects"] < OBJECT_NOISE, grown


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", PATHS)
def test_references_are_balanced(measure, way, path):
    changed = measure(way, path, "references")
    assert all(abs(change) < REFERENCE_NOISE for change in changed.values()), changed


@pytest.mark.parametrize("way", WAYS)
def test_cycles_are_collected(measure, way):
    assert measure(way, "stream", "cycles") == []


@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_handlers_that_are_gone_is_kept_for_long(measure, way):
    assert measure(way, "stream", "handlers") < 50
