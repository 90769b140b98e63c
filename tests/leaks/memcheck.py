"""``python tests/leaks/memcheck.py [PATH …]``: each path of the leak tests under valgrind's memcheck.

An access to memory that is not the program's, or a decision by a value that was never set, ends with exit code 1 and the
report. The interpreter takes its memory from the system's allocator, so that valgrind knows of each object.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

from conftest import PROGRAM
from leak_paths import PATHS

WAYS = ("imported", "installed")
#: What valgrind ends with when it has found something; the program itself ends with 0 or 1.
FOUND = 99


def run(way, path, records):
    """What valgrind says about the path, or nothing."""
    command = ["valgrind", "--quiet", f"--error-exitcode={FOUND}", sys.executable, str(PROGRAM)]
    with tempfile.TemporaryDirectory(prefix="duramen-memcheck-") as folder:
        outcome = subprocess.run(
            [*command, way, path, "references", str(records)],
            cwd=folder,
            env={**os.environ, "PYTHONMALLOC": "malloc"},
            capture_output=True,
            text=True,
        )
    return outcome.stderr if outcome.returncode else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="all of them when left out")
    parser.add_argument("--records", type=int, default=200, metavar="N")
    options = parser.parse_args()
    unknown = set(options.paths) - set(PATHS)
    if unknown:
        parser.error(f"there are no paths {sorted(unknown)}; there are {', '.join(PATHS)}")
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed")
    failed = 0
    for path in options.paths or PATHS:
        for way in WAYS:
            report = run(way, path, options.records)
            print(f"{path}, {way}: {'clean' if not report else 'FOUND'}", flush=True)
            if report:
                print(report, file=sys.stderr)
                failed += 1
    passed = len(options.paths or PATHS) * len(WAYS) - failed
    print(f"{passed} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
