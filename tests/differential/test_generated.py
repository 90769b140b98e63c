"""Generated inputs: each batch runs in one process per way, and every case must give the same.

DURAMEN_CASES sets the number of cases of each batch, DURAMEN_SEED the first seed.
"""

import os
from pathlib import Path

import pytest
from ways import assert_same

PROGRAM = Path(__file__).with_name("generated_cases.py").read_text(encoding="utf-8")
CASES = int(os.environ.get("DURAMEN_CASES", "1000"))
SEED = int(os.environ.get("DURAMEN_SEED", "1"))


@pytest.mark.parametrize("kind", ["message", "percent", "brace", "dollar", "exception", "call", "tree"])
def test_generated(kind):
    result = assert_same(PROGRAM, arguments=(kind, str(SEED), str(CASES)))
    assert result.code == 0, result.stderr
    assert len(result.stdout.splitlines()) == CASES
