"""python-json-logger's own tests, with the class path of its formatter changed to Duramen's.

Fetches the package's source from PyPI, which the tests are part of, and runs them in an environment of its own under
`build`. What fails is compared with `DIFFERENCES`, which docs/structured.md explains: a test that fails without being
there, or is there and passes, makes this fail.

`make migration` runs it. The Duramen that the running interpreter imports is the one that is tested.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

VERSION = "4.2.0"
FOLDER = Path("build/python-json-logger").absolute()

WITHOUT_FORMAT = "without a format the members are Duramen's: `exception` and `stack`"

#: Test functions, or cases of them, and the reason for which each fails.
DIFFERENCES = {
    "test_log_dict_not_modified": WITHOUT_FORMAT,
    "test_exc_info": WITHOUT_FORMAT,
    "test_exc_info_as_array": WITHOUT_FORMAT,
    "test_exception_notes": WITHOUT_FORMAT,
    "test_exception_notes_as_array": WITHOUT_FORMAT,
    "test_exception_groups": WITHOUT_FORMAT,
    "test_exception_groups_as_array": WITHOUT_FORMAT,
    "test_exception_groups_with_notes": WITHOUT_FORMAT,
    "test_exception_groups_with_notes_as_array": WITHOUT_FORMAT,
    "test_stack_info_as_array": WITHOUT_FORMAT,
    "test_custom_logic_adds_field": "methods that subclasses override (`process_log_record`) are not called",
    "test_default_encoder_with_timestamp": "timestamps end in `Z`, with six digits of the fraction",
    "test_common_types_encoded[obj22": "a value whose `str()` fails is `<unwritable …>`",
    "test_common_types_encoded[MultiEnum-list": "an enumeration's class is written as its name",
    "test_json_ensure_ascii_true": "text beyond ASCII stands as UTF-8",
}


def fetch():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    package = "python-json-logger"
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", package]
    subprocess.run([*download, "--dest", str(FOLDER), f"{package}=={VERSION}"], check=True)
    (archive,) = FOLDER.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        if hasattr(tarfile, "data_filter"):
            source.extraction_filter = tarfile.data_filter
        source.extractall(FOLDER)
    (tests,) = FOLDER.glob("*/tests")
    return tests


def change_class_path(tests):
    for file in tests.glob("test_*.py"):
        text = file.read_text(encoding="utf-8")
        text = text.replace(
            "from pythonjsonlogger.json import JsonFormatter", "from duramen.formatters import JsonFormatter"
        )
        file.write_text(
            text.replace('"pythonjsonlogger.json.JsonFormatter', '"duramen.formatters.JsonFormatter')
        )


def environment(python):
    folder = FOLDER / "venv"
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    python = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
    packages = ["pytest", "freezegun", "tzdata", f"python-json-logger=={VERSION}"]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def run(python, tests):
    """The names of the tests that fail, and the summary."""
    # Those of its deprecated module and of packages that are not installed are no business of the formatter's.
    files = [tests / "test_formatters.py", tests / "test_dictconfig.py"]
    command = [python, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", "-rfE", *map(str, files)]
    package = str(Path(importlib.util.find_spec("duramen").origin).parents[1])
    completed = subprocess.run(
        command,
        cwd=tests.parent,
        env={**os.environ, "PYTHONPATH": package},
        capture_output=True,
        text=True,
    )
    if completed.returncode not in (0, 1):
        sys.exit(completed.stdout + completed.stderr)
    failed = re.findall(r"^(?:FAILED|ERROR) \S+?::(.*?)(?: - .*)?$", completed.stdout, re.MULTILINE)
    return failed, completed.stdout.splitlines()[-1]


def main():
    tests = fetch()
    change_class_path(tests)
    failed, summary = run(environment(sys.executable), tests)
    known, wrong = set(), []
    for name in failed:
        of_function = [
            other for other in DIFFERENCES if name == other or name.startswith((f"{other}[", f"{other}-"))
        ]
        known.update(of_function)
        if not of_function:
            wrong.append(f"fails: {name}")
    wrong += [f"does not fail any more: {name}" for name in DIFFERENCES if name not in known]
    print(summary)
    for name, reason in DIFFERENCES.items():
        print(f"  {name}: {reason}")
    print("\n".join(wrong) or "nothing else differs")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
