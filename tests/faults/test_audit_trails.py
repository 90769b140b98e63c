"""Audit trails whose writers are killed, in short. ``make faults`` does it at length."""

import json
import os
import subprocess
import sys

import pytest
from faults import audit_trails

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a trail is written by one process there")


@pytest.mark.parametrize(("package", "commit"), [("duramen", "group"), ("installed", "record")])
def test_what_was_acknowledged_is_there_after_kills(tmp_path, package, commit):
    trail = audit_trails.killed(tmp_path / "run", package, processes=2, records=20, kills=2, commit=commit)
    assert trail.is_whole and trail.written >= 20, trail


def test_a_campaign_finds_what_is_missing(tmp_path):
    setting = {"package": "duramen", "commit": "record", "most": 0, "threads": 1, "long": 0}
    setting |= {"records": 5, "worker": 0, "path": str(tmp_path / "audit.log")}
    setting["acknowledged"] = str(tmp_path / "acknowledged-0")
    environment = {**os.environ, "DURAMEN_AUDIT_KEY": audit_trails.KEY}
    program = "import json, sys; from faults import audit_trails; audit_trails.write(json.loads(sys.argv[1]))"
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(audit_trails.HERE.parents[1]), environment.get("PYTHONPATH", "")]
    )
    subprocess.run([sys.executable, "-c", program, json.dumps(setting)], env=environment, check=True)
    assert audit_trails.check(tmp_path / "audit.log")[0] == 0
    lines = (tmp_path / "audit.log").read_text().splitlines(keepends=True)
    (tmp_path / "audit.log").write_text("".join(lines[:2] + lines[3:]))
    code, said = audit_trails.check(tmp_path / "audit.log")
    assert code == 1 and "missing" in said
