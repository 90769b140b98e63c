"""Fixtures that the tests of journals share."""

import pytest
from journal_support import WAYS

import duramen as logging


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.fixture
def file(tmp_path):
    handler = logging.FileHandler(tmp_path / "out.log")
    yield handler
    handler.close()
