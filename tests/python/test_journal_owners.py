"""Whose a journal is: that of another user or of a living process is left alone, that of a dead child fills no disk."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from journal_support import journals, lines, run, run_killed, start

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="journals are tried out on Linux")

DELIVER = "q = queue(); q.flush(60)"
SOMEBODY, SOMEBODY_ELSE = 54321, 54322

needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be several users"
)


def become(user):
    """The process is another user from here on; what it may have to import, it has imported by then."""
    return f"import encodings.ascii, traceback; os.setgroups([]); os.setgid({user}); os.setuid({user})"


@pytest.fixture
def open_folder():
    """A folder that every user reaches and may write in, as /tmp: pytest's own are for one."""
    folder = Path(tempfile.mkdtemp(prefix="duramen-"))
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


def open_spool(folder):
    (folder / "spool").mkdir()
    (folder / "spool").chmod(0o1777)


@needs_root
class TestUsers:
    """Each of them logs to a file of its own, and all have one folder of journals."""

    def body(self, user, message=None):
        log = f"log.info({message!r})" if message else "q.flush(60)"
        return f"{become(user)}\nq = queue(logging.FileHandler('{user}.log'), flush_interval=60); {log}"

    def test_a_user_delivers_his_own_and_leaves_anothers_alone(self, open_folder):
        open_spool(open_folder)
        run_killed(open_folder, self.body(SOMEBODY, "of somebody"))
        run_killed(open_folder, self.body(SOMEBODY_ELSE, "of somebody else"))
        before = {path: path.read_bytes() for path in (open_folder / "spool").iterdir()}
        assert len(before) == 2
        _, errors = run(open_folder, self.body(SOMEBODY))
        assert lines(open_folder, f"{SOMEBODY}.log") == ["of somebody"]
        assert (lines(open_folder, f"{SOMEBODY_ELSE}.log"), errors) == ([], "")
        [left] = (open_folder / "spool").iterdir()
        assert left.stat().st_uid == SOMEBODY_ELSE and left.read_bytes() == before[left]
        run(open_folder, self.body(SOMEBODY_ELSE))
        assert lines(open_folder, f"{SOMEBODY_ELSE}.log") == ["of somebody else"]
        assert journals(open_folder) == []

    def test_root_could_read_it_and_leaves_it_alone_too(self, tmp_path):
        run_killed(tmp_path, "queue(flush_interval=60); log.info('waited')")
        [path] = (tmp_path / "spool").iterdir()
        os.chown(path, SOMEBODY, SOMEBODY)
        content = path.read_bytes()
        output, errors = run(tmp_path, DELIVER + "; print(q.stats()['journal']['set_aside'])")
        replayed = subprocess.run(
            [sys.executable, "-m", "duramen", "spool", "replay", "spool"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert (output, errors) == ("0\n", "")
        assert (replayed.returncode, replayed.stderr) == (0, "duramen: spool: 0 entries were delivered\n")
        assert (lines(tmp_path), journals(tmp_path), path.read_bytes()) == ([], [path.name], content)

    def test_damage_in_anothers_journal_is_the_others_concern(self, tmp_path):
        (tmp_path / "spool").mkdir()
        path = tmp_path / "spool" / "1-2-3.journal"
        path.write_bytes(b"no journal at all")
        os.chown(path, SOMEBODY, SOMEBODY)
        run(tmp_path, DELIVER)
        assert journals(tmp_path) == ["1-2-3.journal"]

    def test_one_that_may_not_be_read_is_left_alone(self, open_folder):
        open_spool(open_folder)
        run_killed(open_folder, self.body(SOMEBODY, "waited"))
        [path] = (open_folder / "spool").iterdir()
        path.chmod(0)
        _, errors = run(open_folder, self.body(SOMEBODY))
        assert (journals(open_folder), errors) == ([path.name], "")
        path.chmod(0o600)
        run(open_folder, self.body(SOMEBODY))
        assert (lines(open_folder, f"{SOMEBODY}.log"), journals(open_folder)) == (["waited"], [])

    def test_a_folder_of_another_user_is_refused_by_name(self, open_folder):
        (open_folder / "spool").mkdir(mode=0o700)
        body = f"""
        {become(SOMEBODY)}
        try:
            queue(logging.FileHandler("own.log"))
        except OSError as error:
            print(error)
        """
        output, _ = run(open_folder, body)
        assert output.startswith("[Errno 13] AsyncHandler: journal: ") and "spool" in output


def can_unshare():
    command = ["unshare", "--pid", "--fork", "true"]
    return shutil.which("unshare") and subprocess.run(command, capture_output=True).returncode == 0


class TestProcesses:
    def unshared(self, folder, body):
        """A process that is number 1 in a namespace of its own."""
        return start(folder, body, before=["unshare", "--pid", "--fork", "--kill-child"])

    @pytest.mark.skipif(not can_unshare(), reason="the system gives nobody a namespace of processes here")
    def test_an_owner_in_another_namespace_of_processes_lives(self, tmp_path):
        """Its number says nothing here: two of them have the same."""
        wait = "log.info('of %s', {0!r}); print(os.getpid(), flush=True); input()"
        first = self.unshared(tmp_path, "queue(flush_interval=60); " + wait.format("the first"))
        assert first.stdout.readline() == "1\n"
        second = self.unshared(
            tmp_path, "queue(logging.FileHandler('b.log'), flush_interval=60); " + wait.format("the second")
        )
        assert second.stdout.readline() == "1\n"
        run(tmp_path, "queue(logging.FileHandler('c.log')).flush(60)")
        assert (lines(tmp_path), lines(tmp_path, "b.log"), len(journals(tmp_path))) == ([], [], 2)
        for process in (first, second):
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        # From within a third one, what has ended is seen as well.
        third = self.unshared(tmp_path, "queue(logging.FileHandler('c.log')).flush(60)")
        third.communicate(timeout=60)
        assert (lines(tmp_path), lines(tmp_path, "b.log")) == (["of the first"], ["of the second"])
        assert journals(tmp_path) == []

    def test_a_number_that_another_process_has_now_keeps_nothing(self, tmp_path):
        """A living process with the number of a dead one holds no lock on what that has left."""
        run_killed(tmp_path, "queue(flush_interval=60); log.info('waited')")
        living = start(tmp_path, "print('up', flush=True); input()")
        assert living.stdout.readline() == "up\n"
        [path] = (tmp_path / "spool").iterdir()
        path.rename(path.with_name(f"{living.pid}-" + path.name.partition("-")[2]))
        run(tmp_path, DELIVER)
        assert (lines(tmp_path), journals(tmp_path)) == (["waited"], [])
        living.communicate("\n", timeout=60)


class TestChildren:
    """Children that end by ``os._exit`` leave a journal each: their parent takes them over before its next fork."""

    @pytest.mark.parametrize("flushed", [False, True])
    def test_hundreds_of_them_leave_no_more_than_the_last(self, tmp_path, flushed):
        count = 200
        body = f"""
        q = queue(journal_size=65536, flush_interval=60)
        most = 0
        for number in range({count}):
            if os.fork() == 0:
                log.info("child %d", number)
                {"q.flush(60)" if flushed else "pass"}
                os._exit(0)
            os.wait()
            most = max(most, len(os.listdir("spool")))
        q.flush(60)
        print(most, q.stats()["recovered"] + {count if flushed else 1}, q.stats()["in_flight"])
        """
        output, errors = run(tmp_path, body)
        # That of the parent, and one or two of children.
        most, found, in_flight = map(int, output.split())
        assert (most <= 3, found, in_flight, errors) == (True, count, 0, "")
        run(tmp_path, DELIVER)
        assert sorted(lines(tmp_path)) == sorted(f"child {number}" for number in range(count))
        assert journals(tmp_path) == []

    def test_those_that_live_keep_theirs(self, tmp_path):
        body = """
        q = queue(journal_size=65536, flush_interval=60)
        read, write = os.pipe()
        ready, is_ready = os.pipe()
        children = []
        for number in range(40):
            child = os.fork()
            if child == 0:
                os.close(write)
                log.info("child %d", number)
                os.write(is_ready, b"!")
                os.read(read, 1)
                os._exit(0)
            children.append(child)
        for _ in children:
            os.read(ready, 1)
        print(len(os.listdir("spool")), q.stats()["recovered"], flush=True)
        os.close(write)
        [os.waitpid(child, 0) for child in children]
        for _ in range(40):
            if os.fork() == 0:
                os._exit(0)
            os.wait()
        q.flush(60)
        print(len(os.listdir("spool")), q.stats()["recovered"])
        """
        output, errors = run(tmp_path, body)
        assert (output, errors) == ("41 0\n1 40\n", "")
        assert sorted(lines(tmp_path)) == sorted(f"child {number}" for number in range(40))

    def test_no_fork_warns_of_a_thread(self, tmp_path):
        body = """
        import warnings
        warnings.simplefilter("error")
        q = queue(journal_size=65536)
        for number in range(20):
            log.info("parent %d", number)
            if os.fork() == 0:
                log.info("child %d", number)
                os._exit(0)
            os.wait()
        """
        _, errors = run(tmp_path, body)
        assert errors == ""
        run(tmp_path, DELIVER)
        expected = [f"{who} {number}" for who in ("parent", "child") for number in range(20)]
        assert sorted(lines(tmp_path)) == sorted(expected)
