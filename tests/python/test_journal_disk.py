"""A journal where the file system misbehaves: no room, no descriptors, a folder that goes away."""

import os
import subprocess
import sys

import pytest
from journal_support import DELIVER, journals, lines, run, run_killed, start

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="journals are tried out on Linux")


class TestFullDisk:
    def test_a_disk_that_cannot_keep_the_blocks_refuses_the_handler(self, tmp_path):
        body = """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            queue()
        except OSError as error:
            print(error)
        print(os.listdir("spool"))
        """
        output, _ = run(tmp_path, body)
        assert "AsyncHandler: journal: " in output and "[]" in output

    def test_a_child_that_gets_no_journal_logs_without_one_and_says_so(self, tmp_path):
        body = """
        import resource
        q = queue()
        if os.fork() == 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
            log.info("child"); q.flush(60)
            print(q.stats()["journal"]["unjournaled"], flush=True)
            os._exit(0)
        os.wait()
        """
        output, errors = run(tmp_path, body)
        assert (output, lines(tmp_path)) == ("1\n", ["child"])
        assert "journal" in errors

    @pytest.fixture
    def small_disk(self, tmp_path):
        folder = tmp_path / "spool"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("the system lets nobody mount a small disk here")
        yield folder
        subprocess.run(["umount", folder], check=True)

    def test_a_disk_that_fills_up_later_kills_nobody(self, tmp_path, small_disk):
        body = """
        q = queue(journal_size=65536, flush_interval=0)
        try:
            with open("spool/rest", "wb", buffering=0) as rest:
                while True:
                    rest.write(bytes(4096))
        except OSError:
            print("full")
        for number in range(500):
            log.info("%d %s", number, "x" * 1000)
        """
        output, errors = run(tmp_path, body)
        assert (output, len(lines(tmp_path))) == ("full\n", 500), errors

    def test_a_small_disk_refuses_a_large_journal(self, tmp_path, small_disk):
        output, _ = run(
            tmp_path, "import errno\ntry: queue()\nexcept OSError as e: print(errno.errorcode[e.errno])"
        )
        assert output == "ENOSPC\n"
        assert journals(tmp_path) == []

    def test_a_disk_that_is_full_of_what_was_left_is_emptied_by_the_next_start(self, tmp_path, small_disk):
        """There is room for one journal, and that is the one of the process that was killed."""
        body = "q = queue(journal_size=200_000, flush_interval=60); log.info('of %s', {0!r})"
        run_killed(tmp_path, body.format("the first"))
        _, errors = run_killed(tmp_path, body.format("the second"))
        assert (lines(tmp_path), len(journals(tmp_path))) == (["of the first"], 1)
        assert "there was no room: 1 entries that waited were delivered" in errors
        run(tmp_path, body.format("the third") + "; q.flush(60)")
        assert lines(tmp_path) == ["of the first", "of the second", "of the third"]

    def test_what_cannot_be_delivered_keeps_its_room(self, tmp_path, small_disk):
        (tmp_path / "logs").mkdir()
        body = "queue(logging.FileHandler('logs/a.log'), journal_size=200_000, flush_interval=60); log.info('waited')"
        run_killed(tmp_path, body)
        (tmp_path / "logs" / "a.log").unlink()
        (tmp_path / "logs").rmdir()
        output, errors = run(
            tmp_path, "try: queue(journal_size=200_000)\nexcept OSError as e: print(e.errno)"
        )
        assert (output, len(journals(tmp_path))) == ("28\n", 1)
        assert "a.log cannot be opened" in errors

    def test_memory_that_is_not_there_leaves_no_file(self, tmp_path):
        body = """
        import resource
        with open("/proc/self/statm") as own:
            used = int(own.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 32 * 1024**2, resource.RLIM_INFINITY))
        try:
            queue(journal_size=256 * 1024**2)
        except OSError as error:
            print(error.errno, os.listdir("spool"))
        """
        assert run(tmp_path, body)[0] == "12 []\n"

    def test_no_room_for_recovered_lines_keeps_them_for_a_start_that_has_some(self, tmp_path):
        (tmp_path / "spool").mkdir()
        (tmp_path / "logs").mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path / "logs"]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("the system lets nobody mount a small disk here")
        try:
            made = "q = queue(logging.FileHandler('logs/out.log'), journal_size=2**20, flush_interval=60)\n"
            run_killed(tmp_path, made + "for number in range(300): log.info('%03d %s', number, 'x' * 400)")
            counts = "print(q.flush(60), sum(q.stats()[name] for name in ('delivered', 'failed')))"
            found = []
            while journals(tmp_path):
                assert run(tmp_path, made + counts)[0].startswith("True ")
                assert len(lines(tmp_path, "logs/out.log")) > 0
                found += lines(tmp_path, "logs/out.log")
                (tmp_path / "logs" / "out.log").unlink()
        finally:
            subprocess.run(["umount", tmp_path / "logs"], check=True)
        whole = {line for line in found if len(line) == 404}
        assert whole == {f"{number:03d} {'x' * 400}" for number in range(300)}


def leave_many(folder, count, size=65536):
    """So many journals of a process that was killed, with one entry each."""
    body = f"""
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    kept = []
    for number in range({count}):
        handler = AsyncHandler(
            logging.FileHandler("out.log"), journal="spool", journal_size={size}, flush_interval=60
        )
        kept.append(logging.Logger("shop"))
        kept[-1].addHandler(handler)
        kept[-1].error("message %d", number)
    """
    run_killed(folder, body)
    assert len(journals(folder)) == count


class TestMany:
    COUNT = 150

    @pytest.fixture(params=["start", "command"])
    def deliver(self, request, tmp_path):
        """Delivers with 100 descriptors; a program writes to its own file as well."""
        limit = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))\n"
        command = "os.execv(sys.executable, [sys.executable, '-m', 'duramen', 'spool', 'replay', 'spool'])"
        start = """
q = queue(logging.FileHandler({0!r}))
open("/dev/null").close()
log.info("own")
print(q.flush(60), q.stats()["recovered"])
"""

        def deliver(own, code=0):
            if request.param == "start":
                return run(tmp_path, limit + start.format(own))
            return run(tmp_path, limit + command, code=code)

        return deliver

    def test_they_are_delivered_at_one_start_with_few_descriptors(self, tmp_path, deliver):
        leave_many(tmp_path, self.COUNT)
        output, errors = deliver("out.log")
        if output:
            assert (output, errors) == (f"True {self.COUNT}\n", "")
        else:
            assert errors == f"duramen: spool: {self.COUNT} entries were delivered\n"
        expected = [f"message {number}" for number in range(self.COUNT)] + ["own"] * bool(output)
        assert sorted(lines(tmp_path)) == sorted(expected)
        assert journals(tmp_path) == []

    def test_those_that_cannot_be_delivered_hold_up_no_others(self, tmp_path, deliver):
        leave_many(tmp_path, 40)
        run_killed(tmp_path, "queue(logging.FileHandler('other.log'), flush_interval=60); log.info('waited')")
        (tmp_path / "out.log").unlink()
        (tmp_path / "out.log").symlink_to("no/such/folder")
        _, errors = deliver("other.log", code=1)
        assert "out.log cannot be opened" in errors
        assert lines(tmp_path, "other.log")[0] == "waited" and len(journals(tmp_path)) == 40

    def test_they_take_little_memory(self, tmp_path):
        leave_many(tmp_path, 12, size=16 * 1024**2)
        body = """
        import resource
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        q = queue(journal_size=65536)
        q.flush(60)
        print(q.stats()["recovered"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        """
        recovered, kilobytes = map(int, run(tmp_path, body)[0].split())
        assert recovered == 12 and kilobytes < 100 * 1024

    def test_processes_that_start_at_once_deliver_each_entry_once(self, tmp_path):
        leave_many(tmp_path, 70)
        (tmp_path / "spool" / "1-2-3.journal").write_bytes(b"no journal at all")
        body = """
        print("up", flush=True)
        input()
        q = queue(journal_size=65536)
        print(q.flush(60), q.stats()["recovered"], q.stats()["journal"]["set_aside"])
        """
        processes = [start(tmp_path, body) for _ in range(5)]
        assert [process.stdout.readline() for process in processes] == ["up\n"] * 5
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        ended = [process.communicate(timeout=60) for process in processes]
        counts = [output.split() for output, _ in ended]
        assert [is_flushed for is_flushed, _, _ in counts] == ["True"] * 5
        assert sum(int(recovered) for _, recovered, _ in counts) == 70
        assert sum(int(aside) for _, _, aside in counts) == 1
        assert sum(errors.count("\n") for _, errors in ended) == 1
        assert sorted(lines(tmp_path)) == sorted(f"message {number}" for number in range(70))
        assert journals(tmp_path) == ["1-2-3.journal.damaged"]


class TestDescriptors:
    @pytest.mark.parametrize("left", range(6))
    def test_a_start_that_runs_out_of_them_loses_nothing_and_says_what_it_left(self, tmp_path, left):
        run_killed(tmp_path, "queue(flush_interval=60); log.info('waited')")
        body = f"""
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        file, taken = logging.FileHandler("own.log"), []
        try:
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            [os.close(taken.pop()) for _ in range({left})]
        try:
            q = queue(file)
            log.info("own")
            print(q.flush(60), q.stats()["recovered"])
        except OSError as error:
            print(error.errno)
        """
        output, errors = run(tmp_path, body)
        if left == 0:
            assert output == "24\n"
        elif lines(tmp_path):
            assert (output, errors) == ("True 1\n", "")
        else:
            assert output == "True 0\n" and "Too many open files" in errors
        run(tmp_path, DELIVER)
        assert (lines(tmp_path), lines(tmp_path, "own.log")) == (["waited"], ["own"] * (left > 0))


class TestFolders:
    def test_one_that_may_not_be_looked_through_is_told(self, tmp_path):
        if os.geteuid() == 0:
            pytest.skip("root may look everywhere")
        (tmp_path / "spool").mkdir(mode=0o300)
        output, errors = run(tmp_path, "q = queue(); log.info('own'); print(q.flush(60))")
        assert output == "True\n" and "spool: it cannot be looked through: " in errors

    @pytest.mark.parametrize("becomes", ["nothing", "a file", "a dangling link", "another folder"])
    def test_one_that_goes_away_stops_no_record(self, tmp_path, becomes):
        act = {
            "nothing": "pass",
            "a file": "open('spool', 'w').close()",
            "a dangling link": "os.symlink('nowhere', 'spool')",
            "another folder": "os.mkdir('spool')",
        }[becomes]
        body = f"""
        q = queue(journal_size=65536, flush_interval=60)
        log.info("before")
        os.rename("spool", "moved")
        {act}
        log.info("after")
        if os.fork() == 0:
            log.info("child")
            q.flush(60)
            kill()
        os.wait()
        log.info("at last")
        """
        run_killed(tmp_path, body)
        for name in ("spool", "moved"):
            if (tmp_path / name).is_dir():
                run(
                    tmp_path,
                    f"os.execv(sys.executable, [sys.executable, '-m', 'duramen', 'spool', 'replay', '{name}'])",
                )
        assert sorted(lines(tmp_path)) == ["after", "at last", "before", "child"]

    def test_a_journal_that_somebody_removes_is_told_once(self, tmp_path):
        body = """
        q = queue(journal_size=65536)
        os.unlink(q.stats()["journal"]["path"])
        for number in range(3):
            log.info("%d", number)
            q.flush(60)
        """
        _, errors = run(tmp_path, body)
        assert lines(tmp_path) == ["0", "1", "2"]
        assert errors.count("somebody has removed it") == errors.count("\n") == 1

    def test_a_journal_that_is_made_shorter_ends_its_process_and_is_kept_aside(self, tmp_path):
        """As documented: it is mapped."""
        body = """
        import signal
        q = queue(journal_size=65536, flush_interval=60)
        os.truncate(q.stats()["journal"]["path"], 0)
        log.info("lost")
        """
        run(tmp_path, body, code=-7)
        _, errors = run(tmp_path, DELIVER)
        assert "it is no journal; it is kept" in errors
        [name] = journals(tmp_path)
        assert name.endswith(".damaged")
