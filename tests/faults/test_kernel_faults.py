"""Faults that the kernel makes: the program goes on, is told, and the handler recovers by itself.

Each program runs in a process of its own, imported and installed, since limits hold for a whole process.
"""

import os
import subprocess
import sys

import pytest
from faults import kernel_faults

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the faults are those of Linux")

PRELUDE = """
import os, resource, signal, sys
package, name, path = sys.argv[1:4]
import duramen
if package == "installed":
    duramen.install()
    import logging
    import logging.handlers as handlers
else:
    import duramen as logging
    import duramen.handlers as handlers
OPTIONS = {
    "RotatingFileHandler": {"maxBytes": 10**9, "backupCount": 2},
    "TimedRotatingFileHandler": {"when": "midnight"},
}
handler = getattr(logging if name == "FileHandler" else handlers, name)(path, **OPTIONS.get(name, {}))
handler.setFormatter(logging.Formatter("%(message)s"))
logger = logging.Logger("faults")
logger.addHandler(handler)
def lines():
    return open(path).read().splitlines()
def warm():
    for number in range(100):
        logger.warning("warm %d", number)
"""

CLASSES = ["FileHandler", "WatchedFileHandler", "RotatingFileHandler", "TimedRotatingFileHandler"]


def run(program, package, name, path):
    """The program's standard error, when it has ended well."""
    command = [sys.executable, "-c", PRELUDE + program, package, name, str(path)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert finished.returncode == 0, finished.stderr
    return finished.stderr


@pytest.fixture(params=["imported", "installed"])
def package(request):
    return request.param


FILE_SIZE = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
warm()
end = os.path.getsize(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (end + 4, resource.RLIM_INFINITY))
logger.warning("cut in the middle")
assert os.path.getsize(path) == end + 4
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
logger.warning("whole")
handler.close()
assert lines()[100:] == ["cut in the middle", "whole"], lines()[100:]
"""


@pytest.mark.parametrize("name", CLASSES)
def test_a_line_that_was_cut_by_a_limit_is_completed(tmp_path, package, name):
    assert "File too large" in run(FILE_SIZE, package, name, tmp_path / "app.log")


FULL = """
warm()
blocker = open(os.path.join(os.path.dirname(path), "blocker"), "wb", buffering=0)
def fill():
    for size in (65536, 1):
        try:
            while True:
                blocker.write(b"x" * size)
        except OSError:
            pass
fill()
for number in range(2000):
    logger.warning("full %d", number)
blocker.truncate(0)
logger.warning("room again")
handler.close()
found = lines()
assert found[-1] == "room again", found[-3:]
whole = {f"warm {n}" for n in range(100)} | {f"full {n}" for n in range(2000)} | {"room again"}
assert set(found) <= whole, set(found) - whole
assert len(found) == len(set(found))
"""


@pytest.mark.parametrize("name", CLASSES)
def test_a_full_disk(tmp_path, package, name):
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", tmp_path], capture_output=True
    ).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        assert "No space left" in run(FULL, package, name, tmp_path / "app.log")
    finally:
        subprocess.run(["umount", tmp_path], check=True)


DESCRIPTORS = """
warm()
late = logging.FileHandler(path + ".late", delay=True)
later = logging.Logger("faults.late")
later.addHandler(late)
open(path + ".new", "w").close()
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
taken = []
try:
    while True:
        taken.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
later.warning("none left")
os.rename(path, path + ".moved")
os.rename(path + ".new", path)
for number in range(100):
    logger.warning("none left %d", number)
for number in taken:
    os.close(number)
later.warning("free again")
logger.warning("free again")
handler.close()
assert open(path + ".late").read() == "free again\\n"
if name == "FileHandler":
    os.rename(path + ".moved", path)
else:
    assert len(open(path + ".moved").read().splitlines()) + len(lines()) == 201
assert lines()[-1] == "free again"
"""


@pytest.mark.parametrize("name", CLASSES)
def test_no_file_descriptors_are_left(tmp_path, package, name):
    # Who has nothing open is told, and who cannot follow goes on with what is open: that is said ten times at most.
    said = run(DESCRIPTORS, package, name, tmp_path / "app.log")
    # CPython 3.13 needs a descriptor to print more than the beginning of what `handleError` tells.
    is_cut = sys.version_info >= (3, 13) and name in ("FileHandler", "WatchedFileHandler")
    assert 1 <= said.count("--- Logging error ---" if is_cut else "Too many open files") <= 11


FOLDER = """
warm()
folder = os.path.dirname(path)
os.rename(folder, folder + ".away")
for number in range(100):
    logger.warning("away %d", number)
os.rename(folder + ".away", folder)
for number in range(70):
    logger.warning("back %d", number)
handler.close()
found = lines()
assert found[-1] == "back 69" and not [line for line in found if line.split()[0] not in ("warm", "away", "back")]
if name != "WatchedFileHandler":
    # The file that is open takes them meanwhile.
    assert len(found) == 270, len(found)
"""


@pytest.mark.parametrize("name", CLASSES)
def test_a_folder_that_vanishes_and_comes_back(tmp_path, package, name):
    (tmp_path / "logs").mkdir()
    run(FOLDER, package, name, tmp_path / "logs" / "app.log")


DELETED = """
warm()
os.unlink(path)
for number in range(70):
    logger.warning("new %d", number)
handler.close()
if name != "FileHandler":
    assert lines()[-1] == "new 69"
os.path.exists(path) and os.unlink(path)
"""


@pytest.mark.parametrize("name", CLASSES)
def test_a_file_that_was_deleted(tmp_path, package, name):
    assert run(DELETED, package, name, tmp_path / "app.log") == ""


PIPE = """
logger.warning("one")
os.close(first)
for _ in range(3):
    logger.warning("nobody reads")
reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
logger.warning("two")
assert os.read(reader, 10000).endswith(b"two\\n")
"""


@pytest.mark.parametrize("name", ["FileHandler", "WatchedFileHandler"])
def test_a_pipe_without_a_reader(tmp_path, package, name):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    # Opening waits for a reader.
    opened = "first = os.open(path, os.O_RDONLY | os.O_NONBLOCK)\nhandler = "
    program = PRELUDE.replace("handler = ", opened, 1) + PIPE
    command = [sys.executable, "-c", program, package, name, str(path)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 0, finished.stderr
    assert "Broken pipe" in finished.stderr


SIGNALS = """
import threading, time
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
for number in range(5000):
    logger.warning("signal %d", number)
signal.setitimer(signal.ITIMER_REAL, 0)
handler.close()
assert lines() == [f"signal {number}" for number in range(5000)]
"""


@pytest.mark.parametrize("name", ["FileHandler", "RotatingFileHandler"])
def test_calls_that_signals_interrupt(tmp_path, package, name):
    assert run(SIGNALS, package, name, tmp_path / "app.log") == ""


RENAMES = """
handler.maxBytes = 100
os.chmod(os.path.dirname(path), 0o555)
os.setuid(65534)
for number in range(20):
    logger.warning("shut %d", number)
assert handler.stream is None or os.path.getsize(path) > 0
"""


def test_a_rollover_that_is_not_permitted_is_told_and_the_program_goes_on(tmp_path, package):
    if os.geteuid() != 0:
        pytest.skip("becoming somebody else takes root")
    for folder in [tmp_path, *tmp_path.parents][:4]:
        folder.chmod(folder.stat().st_mode | 0o055)
    logs = tmp_path / "logs"
    logs.mkdir()
    program = RENAMES.replace("os.setuid", "os.chmod(path, 0o666)\nos.setuid", 1)
    assert "Permission denied" in run(program, package, "RotatingFileHandler", logs / "app.log")
    assert (logs / "app.log").read_text().startswith("shut 0\n")


@pytest.mark.parametrize("fault", kernel_faults.FAULTS)
def test_what_counts_as_written_is_there_and_whole(tmp_path, package, fault):
    if not kernel_faults.is_there(fault):
        pytest.skip("mounting takes root")
    name = {"imported": "duramen"}.get(package, package)
    try:
        outcome = kernel_faults.run(fault, tmp_path / "run", name, 900)
    except subprocess.CalledProcessError:
        pytest.skip("nothing can be mounted here")
    assert outcome.is_good, outcome
    assert outcome.written + outcome.told == 900


READ_ONLY = """
import ctypes
handler.maxBytes = 2000
libc = ctypes.CDLL(None, use_errno=True)
folder = os.path.dirname(path).encode()
MS_RDONLY, MS_REMOUNT = 1, 32
def remount(flags):
    assert libc.mount(b"tmpfs", folder, b"tmpfs", MS_REMOUNT | flags, None) == 0, ctypes.get_errno()
warm()
told = []
handler.handleError = told.append
# A disk that has a file open for writing is not made read-only.
handler.close()
handler.stream = None
remount(MS_RDONLY)
for number in range(100):
    logger.warning("shut %d", number)
assert len(told) == 100, len(told)
remount(0)
logger.warning("open again")
handler.close()
assert len(told) == 100
assert lines()[-1] == "open again"
"""


@pytest.mark.parametrize("name", ["RotatingFileHandler", "TimedRotatingFileHandler"])
def test_a_read_only_disk(tmp_path, package, name):
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", tmp_path], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        assert run(READ_ONLY, package, name, tmp_path / "app.log") == ""
    finally:
        subprocess.run(["umount", tmp_path], check=True)


BEHIND_A_QUEUE = """
from duramen.handlers import AsyncHandler
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
queue = AsyncHandler(handler)
logger.handlers[:] = [queue]
logger.warning("first")
queue.flush()
end = os.path.getsize(path)
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
limit(end + 4)
for number in range(3):
    logger.warning("cut in the middle %d\\n  and of two lines", number)
    queue.flush()
assert os.path.getsize(path) == end + 4
# A little more, so that what is missing comes in pieces.
limit(end + 8)
logger.warning("lost")
queue.flush()
limit(resource.RLIM_INFINITY)
logger.warning("whole")
queue.flush()
assert lines() == ["first", "cut in the middle 0", "  and of two lines", "whole"], lines()
stats = queue.stats()
assert (stats["delivered"], stats["failed"]) == (2, 4), stats
queue.close()
"""


def test_a_line_that_was_cut_behind_a_queue_is_completed(tmp_path, package):
    assert "File too large" in run(BEHIND_A_QUEUE, package, "FileHandler", tmp_path / "app.log")


WHILE_BACKUPS_WAIT = """
import gzip, sys, time, warnings
warnings.simplefilter("error", DeprecationWarning)
def roll_over():
    while len([name for name in os.listdir(os.path.dirname(path)) if ".log." in name]) < 1:
        logger.warning("x" * 50)
handler.close()
logger.removeHandler(handler)
handler = handlers.RotatingFileHandler(path, maxBytes=1000, backupCount=2, compression="gzip", fsync=3600)
logger.addHandler(handler)
logger.warning("first")
# Somebody else still writes to what becomes the backup: the thread that compresses it waits.
held = open(path, "a")
roll_over()
child = os.fork()
if child == 0:
    logger.warning("child")
    handler.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert os.path.exists(path + ".1")
held.close()
until = time.monotonic() + 30
while not os.path.exists(path + ".1.gz") and time.monotonic() < until:
    time.sleep(0.01)
assert gzip.open(path + ".1.gz", "rt").readline() == "first\\n"
assert lines()[-1] == "child"
"""


def test_no_thread_is_there_when_a_process_forks(tmp_path, package):
    """CPython 3.12 and later warn of one."""
    assert run(WHILE_BACKUPS_WAIT, package, "FileHandler", tmp_path / "app.log") == ""
