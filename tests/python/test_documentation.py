"""The examples in the documentation of Duramen's own modules give what they say."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", ["duramen.context", "duramen.filters", "duramen.formatters"])
def test_examples(module):
    failed, tried = doctest.testmod(importlib.import_module(module))
    assert tried > 0
    assert failed == 0
