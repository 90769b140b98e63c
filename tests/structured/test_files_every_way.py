"""What handlers do with files is the same from Python code, from ``dictConfig``, under ``duramen.install()``, and from the
configuration of a Rust program; where all that is asked for is CPython's, also with the standard library itself.

Each case is an arrangement of old files, a handler with options, and what is in the folder when the same nine records have been
logged.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from test_rust_configuration import rust_program  # noqa: F401

from duramen import _core

WAYS = ("standard", "code", "dictConfig", "installed", "installed dictConfig", "rust")
ROTATING, TIMED = "logging.handlers.RotatingFileHandler", "logging.handlers.TimedRotatingFileHandler"
AUDIT = "duramen.handlers.AuditFileHandler"

LINES = [
    "open, with password=hunter2",
    *["order accepted"] * 3,
    "mail to ada@example.org",
    *['disk "a\u00e9" is slow'] * 2,
    "done",
    "deep",
]
ALL = "".join(f"{line}\n" for line in LINES)
OLD = "of the last run\n"


def text_of(begin, end):
    return "".join(f"{line}\n" for line in LINES[begin:end])


#: 2024-03-01, a Friday, 15:00 UTC and 10:00 in New York.
FRIDAY = 1_709_305_200
DAY = 86400
KEY = "a key for tests of 16 bytes or more"


class Case:
    """``files``: what is there before, with the time of the last change; ``left``: what is there afterwards."""

    def __init__(self, kind, options, left, files=(), at_time=None, is_standard=False):
        self.kind, self.options, self.left = kind, options, left
        self.files, self.at_time, self.is_standard = dict(files), at_time, is_standard

    def arrange(self, folder):
        folder.mkdir(parents=True)
        for name, (text, changed) in self.files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            os.utime(path, (changed, changed))

    def job(self, folder):
        """The options with the paths in ``folder``."""
        paths = {
            name: str(folder / self.options[name])
            for name in ("archive_to", "symlink")
            if name in self.options
        }
        return {"filename": str(folder / "app.log"), **self.options, **paths}


def timed(when, date, **options):
    """A file that was last written on that Friday is due; its backup has the date of its period."""
    at_time = options.pop("at_time", None)
    return Case(
        TIMED,
        {"when": when, **options},
        {"app.log": ALL, f"app.log.{date}": OLD},
        {"app.log": (OLD, FRIDAY)},
        at_time,
        is_standard=True,
    )


def ages_ago(days):
    return time.time() - days * DAY


CASES = {
    # When the log is on the disk: tests/python/test_fsync.py and crates/duramen/tests/fsync.rs count how often.
    **{
        f"fsync {fsync}": Case("logging.FileHandler", {"fsync": fsync}, {"app.log": ALL})
        for fsync in ("never", "rotation", "record", "1s", 0.5)
    },
    "fsync of a watched file": Case(
        "logging.handlers.WatchedFileHandler", {"fsync": "record"}, {"app.log": ALL}
    ),
    "by size": Case(
        ROTATING,
        {"maxBytes": 60, "backupCount": 2},
        {"app.log": text_of(6, 9), "app.log.1": text_of(3, 6), "app.log.2": text_of(0, 3)},
        is_standard=True,
    ),
    "by seconds": timed("S", "2024-03-01_10-00-00"),
    "by minutes": timed("M", "2024-03-01_10-00"),
    "by hours": timed("H", "2024-03-01_10"),
    "by hours of UTC": timed("H", "2024-03-01_15", utc=True),
    "by several hours": timed("H", "2024-03-01_10", interval=6),
    "by days": timed("D", "2024-03-01"),
    "at midnight": timed("midnight", "2024-03-01"),
    "at midnight of UTC": timed("midnight", "2024-03-01", utc=True),
    "at a time that has passed": timed("midnight", "2024-03-01", at_time="09:30:00"),
    "at a time that is to come": timed("midnight", "2024-02-29", at_time="18:00:00"),
    **{f"by weeks, W{day}": timed(f"W{day}", None) for day in range(7)},
    "by weeks at a time": timed("W4", None, at_time="03:30:00", utc=True),
    "by size and time": Case(
        ROTATING,
        {"maxBytes": 60, "when": "W0", "fsync": "rotation"},
        {"app.log.2024-02-27": OLD, "*": ALL},
        {"app.log": (OLD, FRIDAY)},
    ),
    "by time and size": Case(
        TIMED,
        {"when": "W0", "maxBytes": 60, "utc": True},
        {"app.log.2024-02-27": OLD, "*": ALL},
        {"app.log": (OLD, FRIDAY)},
    ),
    "at a time, and by size": Case(
        ROTATING,
        {"maxBytes": 1000, "when": "W4"},
        {"app.log": ALL, "app.log.2024-03-01": OLD},
        {"app.log": (OLD, FRIDAY)},
        at_time="03:30:00",
    ),
    **{
        f"compressed by {compression}": Case(
            ROTATING,
            {"maxBytes": 60, "backupCount": 2, "compression": compression},
            {"app.log": text_of(6, 9), f"app.log.1.{ending}": None, f"app.log.2.{ending}": None},
        )
        for compression, ending in (("gzip", "gz"), ("zstd", "zst"))
    },
    "by age": Case(
        TIMED,
        {"when": "midnight", "max_age": "30d"},
        {"app.log": ALL, "app.log.1": "new\n", "app.log.notes": ""},
        {
            "app.log.2020-01-01": ("", ages_ago(400)),
            "app.log.2020-01-02_10.gz": ("", ages_ago(31)),
            "app.log.3": ("", ages_ago(31)),
            "app.log.1": ("new\n", ages_ago(29)),
            "app.log.notes": ("", ages_ago(400)),
        },
    ),
    "by age in seconds": Case(
        TIMED,
        {"when": "midnight", "max_age": 100_000.5},
        {"app.log": ALL, "app.log.1": ""},
        {"app.log.2": ("", ages_ago(2)), "app.log.1": ("", ages_ago(1))},
    ),
    "by the size of all": Case(
        ROTATING,
        {"maxBytes": 1000, "max_total_bytes": 2500},
        {"app.log": ALL, "app.log.1": "x" * 1000, "app.log.2": "x" * 1000},
        {f"app.log.{number}": ("x" * 1000, ages_ago(number)) for number in (1, 2, 3, 4)},
    ),
    "archived": Case(
        ROTATING,
        {
            "maxBytes": 1000,
            "backupCount": 1,
            "archive_to": "archive",
            "archive_max_age": "30d",
            "compression": "gzip",
        },
        {
            "app.log": ALL,
            "app.log.1.gz": "1",
            "archive/app.log.2024-01-02.gz": "dated",
            "archive/notes": "mine",
        },
        {
            "app.log.1": ("1", ages_ago(0.1)),
            "app.log.2024-01-02": ("dated", ages_ago(1)),
            "archive/app.log.2023-01-01.gz": ("", ages_ago(31)),
            "archive/notes": ("mine", ages_ago(400)),
        },
    ),
    "with a link": Case(
        ROTATING,
        {"maxBytes": 1000, "backupCount": 1, "symlink": "current"},
        {"app.log": ALL, "current": "-> app.log"},
    ),
}


def read(path):
    if path.is_symlink():
        return f"-> {os.readlink(path)}"
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes()).decode()
    if path.suffix == ".zst":
        return path.read_bytes()[:4].hex()
    return path.read_text(encoding="utf-8")


def found_in(folder):
    paths = [path for path in sorted(folder.rglob("*")) if path.is_symlink() or path.is_file()]
    return {str(path.relative_to(folder)): read(path) for path in paths}


def environment():
    return {**os.environ, "TZ": "America/New_York", "DURAMEN_AUDIT_KEY": KEY, "PYTHONUTF8": "1"}


def python(way, jobs, folder):
    file = folder / f"{way}.json"
    file.write_text(json.dumps(jobs), encoding="utf-8")
    return [sys.executable, str(Path(__file__).with_name("file_ways.py")), way, str(file)]


def rust(program, kind, options, at_time, file):
    at_time = {} if at_time is None else {"atTime": at_time}
    content = {
        "version": 1,
        "formatters": {"f": {"format": "%(message)s"}},
        "handlers": {"file": {"class": kind, "formatter": "f", **options, **at_time}},
        "loggers": {"shop": {"level": "DEBUG", "handlers": ["file"], "propagate": False}},
    }
    file.write_text(json.dumps(content), encoding="utf-8")
    return [program, str(file)]


def finish(command):
    finished = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=120)
    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.fixture(scope="module")
def folders(tmp_path_factory, rust_program):  # noqa: F811
    """What each way has left of each case: one process for all cases of a way of Python's."""
    with in_memory(tmp_path_factory.mktemp("ways")) as root:
        yield run_all(root, rust_program)


@contextmanager
def in_memory(otherwise):
    """A folder in memory where that can be had: a busy disk takes its time for each ``fsync``."""
    if not os.access("/dev/shm", os.W_OK):
        yield otherwise
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="duramen-") as folder:
        yield Path(folder)


@pytest.fixture
def tmp_path(tmp_path):
    with in_memory(tmp_path) as folder:
        yield folder


def run_all(root, rust_program):  # noqa: F811
    found = {}
    commands = []
    for way in WAYS:
        cases = {name: case for name, case in CASES.items() if case.is_standard or way != "standard"}
        jobs = []
        for number, case in enumerate(cases.values()):
            folder = root / way / str(number)
            case.arrange(folder)
            jobs.append((case.kind, case.job(folder), case.at_time))
        if way == "rust":
            commands += [rust(rust_program, *job, root / f"{number}.json") for number, job in enumerate(jobs)]
        else:
            commands.append(python(way, jobs, root))
        found[way] = {name: root / way / str(number) for number, name in enumerate(cases)}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(finish, commands))
    return found


@pytest.mark.parametrize("name", CASES)
def test_all_ways_leave_the_same(folders, name):
    found = {way: found_in(cases[name]) for way, cases in folders.items() if name in cases}
    for way in found:
        assert found[way] == found["code"], way
    assert len(found) == (6 if CASES[name].is_standard else 5)
    # Where the content of a file is `None`, it is enough that it is there; all others together, in the order of their names.
    left, rest = CASES[name].left, {}
    for path, text in found["code"].items():
        expected = left.get(path, "*")
        if expected == "*":
            rest[path] = text
        elif expected is not None:
            assert text == expected, path
    missing = [path for path in left if path not in found["code"] and "None" not in path and path != "*"]
    assert missing == []
    if "*" in left:
        dated = sorted(path for path in rest if path != "app.log")
        assert sorted("".join(rest.values()).splitlines()) == sorted(ALL.splitlines())
        assert len(dated) == 2 and [path.rpartition(".")[2] for path in dated[1:]] == [
            str(number) for number in range(1, len(dated))
        ]


@pytest.fixture(params=WAYS[1:])
def way(request):
    return request.param


def command_of(way, program, kind, options, folder):
    """The command that logs the nine records once, through a handler that is made in this way."""
    if way == "rust":
        return rust(program, kind, options, None, folder / "rust.json")
    return python(way, [(kind, options, None)], folder)


def test_several_processes_write_one_file(tmp_path, way, rust_program):  # noqa: F811
    """Each line is there as often as processes have written it: nothing is lost, doubled or mangled."""
    logs = tmp_path / "logs"
    logs.mkdir()
    options = {
        "filename": str(logs / "app.log"),
        "maxBytes": 60,
        "when": "H",
        "compression": "gzip",
        "max_age": "30d",
    }
    command = command_of(way, rust_program, ROTATING, options, tmp_path)
    processes = [
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) for _ in range(3)
    ]
    for process in processes:
        assert process.communicate(timeout=120)[1] == "" and process.returncode == 0
    text = "".join(found_in(logs).values())
    assert sorted(text.splitlines()) == sorted(LINES * 3)


@pytest.mark.parametrize("commit", ["record", "group"])
def test_an_audit_trail(tmp_path, way, commit, rust_program):  # noqa: F811
    logs = tmp_path / "logs"
    logs.mkdir()
    path = logs / "app.log"

    def run(**options):
        options = {"filename": str(path), "commit": commit, "maxBytes": 500, **options}
        finish(command_of(way, rust_program, AUDIT, options, tmp_path))
        (tmp_path / "key").write_text(KEY)
        files, first, last, _, finding = _core.check_audit(str(path), [], [str(tmp_path / "key")])
        assert finding is None
        return files, first, last

    files, first, last = run()
    parts = sorted(logs.glob("app.log.0*"))
    assert first == 1 and files == len(parts) + 1 >= 3
    records = [line.split(" ", 3) for part in [*parts, path] for line in part.read_text("utf-8").splitlines()]
    assert [record[3] for record in records if record[2] == "+"] == LINES
    for part in parts[:2]:
        os.utime(part, (ages_ago(31), ages_ago(31)))
    assert run(max_age="30d", legal_hold=True)[1] == 1 and parts[0].exists()
    (logs / "app.log.hold").write_text("case 7")
    assert run(max_age="30d")[1] == 1 and parts[0].exists()
    (logs / "app.log.hold").unlink()
    assert run(max_age="30d")[1] > 1 and not parts[0].exists()
