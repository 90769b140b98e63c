"""Generated inputs: each batch runs in one process per way, and every case must give the same.

DURAMEN_CASES sets the number of cases of each batch, DURAMEN_SEED the first seed.
"""

import os
from pathlib import Path

import pytest
from ways import assert_same

HERE = Path(__file__).parent
CASES = int(os.environ.get("DURAMEN_CASES", "1000"))
SEED = int(os.environ.get("DURAMEN_SEED", "1"))


@pytest.mark.parametrize("kind", ["message", "percent", "brace", "dollar", "exception", "call", "tree"])
def test_generated(kind):
    program = (HERE / "generated_cases.py").read_text(encoding="utf-8")
    result = assert_same(program, arguments=(kind, str(SEED), str(CASES)))
    assert result.code == 0, result.stderr
    assert len(result.stdout.splitlines()) == CASES


@pytest.mark.parametrize("seed", range(SEED, SEED + max(4, CASES // 200)))
def test_generated_lives(seed):
    program = (HERE / "generated_programs.py").read_text(encoding="utf-8")
    result = assert_same(program, arguments=(str(seed), "200"))
    assert result.code == 0, result.stderr
