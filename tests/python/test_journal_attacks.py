"""Folders, owners and clocks that a journal meets: nothing stops a start, nothing is delivered twice unnamed."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter

import pytest
from journal_support import journals, lines, run, run_killed, start

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="journals are tried out on Linux")

DELIVER = "queue().flush(60)"


def spool(folder, *words):
    command = [sys.executable, "-m", "duramen", "spool", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    "name", ["spöol", "with space", "new\nline", "x" * 200, "deep/er/and/deeper", "\udcff"]
)
def test_any_path_can_be_that_of_a_journal_and_of_its_log(tmp_path, name):
    file = "out\udcff.log" if name == "\udcff" else "out é\n.log"
    body = f"""
    q = AsyncHandler(logging.FileHandler({file!r}), journal={name!r}, flush_interval=60)
    log.addHandler(q)
    """
    run_killed(tmp_path, body + "log.info('waited')")
    assert len(os.listdir(os.path.join(tmp_path, name))) == 1
    run(tmp_path, body + "log.info('next')")
    with open(os.path.join(tmp_path, file)) as found:
        assert found.read() == "waited\nnext\n"


def test_two_handlers_and_two_programs_share_a_folder(tmp_path):
    """Each delivers to its own files, whoever of them comes first."""
    first = """
    for name in "ab":
        logger = logging.Logger(name)
        logger.addHandler(AsyncHandler(logging.FileHandler(name + ".log"), journal="spool", flush_interval=60))
        logger.error("from %s", name)
    """
    second = """
    logger = logging.Logger("c")
    logger.addHandler(AsyncHandler(logging.FileHandler("c.log"), journal="spool", flush_interval=60))
    logger.error("from c")
    """
    run_killed(tmp_path, first)
    run(tmp_path, second)
    assert [lines(tmp_path, f"{name}.log") for name in "abc"] == [["from a"], ["from b"], ["from c"]]
    assert journals(tmp_path) == []


def test_a_pid_that_is_used_again_is_another_process(tmp_path):
    """The name has the number and the start of the process: neither alone says that its owner lives."""
    run_killed(tmp_path, "queue(flush_interval=60); log.info('waited')")
    body = """
    (name,) = os.listdir("spool")
    # The journal of a process that had the number of this one.
    os.rename("spool/" + name, f"spool/{os.getpid()}-" + name.partition("-")[2])
    queue().flush(60)
    """
    run(tmp_path, body)
    assert (lines(tmp_path), journals(tmp_path)) == (["waited"], [])


@pytest.mark.parametrize("age", [-(10**9), 10**9])
def test_a_clock_that_was_set_changes_nothing(tmp_path, age):
    run_killed(tmp_path, "queue(flush_interval=60); log.info('waited')")
    path = tmp_path / "spool" / journals(tmp_path)[0]
    moment = os.stat(path).st_mtime - age
    os.utime(path, (moment, moment))
    run(tmp_path, f"now = time.time; time.time = lambda: now() - {age}\n{DELIVER}")
    assert (lines(tmp_path), journals(tmp_path)) == (["waited"], [])


def test_recoveries_that_are_killed_deliver_each_entry_once_or_name_it(tmp_path):
    chance = random.Random(int(os.environ.get("DURAMEN_SEED", "0")))
    count = 3000
    run_killed(tmp_path, f"queue(flush_interval=60)\nfor number in range({count}): log.info('%d', number)")
    errors = ""
    for _ in range(8):
        process = start(tmp_path, "print('up', flush=True); " + DELIVER)
        process.stdout.readline()
        try:
            process.wait(chance.random() * 0.05)
        except subprocess.TimeoutExpired:
            pass
        process.kill()
        errors += process.communicate()[1]
    errors += run(tmp_path, DELIVER)[1]
    found = Counter(line for line in lines(tmp_path) if line.isdigit() and int(line) < count)
    doubt = [line for line in errors.splitlines() if "may stand twice" in line]
    named = sum(int(line.partition(" entries, ")[0].split()[-1]) for line in doubt)
    assert set(found) == {str(number) for number in range(count)}
    assert sum(times - 1 for times in found.values()) <= named
    assert journals(tmp_path) == []


def test_a_replay_beside_a_living_owner_takes_nothing_of_its(tmp_path):
    owner = start(
        tmp_path,
        """
        q = queue(flush_interval=60)
        log.info("of the owner")
        print("logged", flush=True)
        sys.stdin.readline()
        q.flush(60)
        """,
    )
    assert owner.stdout.readline() == "logged\n"
    run_killed(
        tmp_path,
        "os.makedirs('other'); q = AsyncHandler(logging.FileHandler('other.log'), journal='spool', flush_interval=60);"
        "log.addHandler(q); log.info('of the dead')",
    )
    for _ in range(3):
        assert spool(tmp_path, "replay", "spool").returncode == 0
    assert (lines(tmp_path), lines(tmp_path, "other.log")) == ([], ["of the dead"])
    assert owner.communicate("\n", timeout=60)[1] == ""
    assert owner.returncode == 0
    assert (lines(tmp_path), journals(tmp_path)) == (["of the owner"], [])


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path):
    (tmp_path / "spool").mkdir(mode=0o500)
    _, errors = run(tmp_path, "queue()", code=1)
    assert "spool" in errors.splitlines()[-1]


@pytest.mark.parametrize("kind", ["a file", "a dangling link", "a link to itself", "/proc", "/dev/full"])
def test_what_is_no_folder_is_refused_by_name(tmp_path, kind):
    path = tmp_path / "spool"
    if kind == "a file":
        path.write_text("mine")
    elif kind == "a link to itself":
        path.symlink_to(path)
    else:
        path.symlink_to(kind if kind.startswith("/") else tmp_path / "missing" / "deeper")
    _, errors = run(tmp_path, "queue()", code=1)
    # Nothing of a handler that was refused is left for the end of the process.
    assert "spool" in errors.splitlines()[-1], errors
    if kind == "a file":
        assert path.read_text() == "mine"


def test_a_signal_that_kills_in_the_middle_of_a_replay_leaves_the_rest(tmp_path):
    run_killed(tmp_path, "queue(flush_interval=60)\nfor number in range(2000): log.info('%d', number)")
    process = subprocess.Popen([sys.executable, "-m", "duramen", "spool", "replay", "spool"], cwd=tmp_path)
    while not lines(tmp_path) and process.poll() is None:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    spool(tmp_path, "replay", "spool")
    assert set(lines(tmp_path)) >= {str(number) for number in range(2000)}
    assert journals(tmp_path) == []
