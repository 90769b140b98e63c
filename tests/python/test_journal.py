"""A queue's journal: what was accepted is delivered after ``kill -9``, by who opens the folder next or by the command."""

import os
import subprocess
import sys

import pytest
from journal_support import DELIVER, HANDLERS, journals, lines, run, run_killed

import duramen as logging

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="journals are tried out on Linux")


class TestKilled:
    @pytest.mark.parametrize("behind", HANDLERS)
    def test_what_waited_is_delivered_at_the_next_start(self, tmp_path, way, behind):
        body = f"""
        queue({HANDLERS[behind]}, flush_interval=60)
        for number in range(100):
            log.info("message %d é", number)
        """
        run_killed(tmp_path, body, way)
        assert len(journals(tmp_path)) == 1
        output, _ = run(tmp_path, DELIVER + "; print(q.stats()['recovered'], q.stats()['queued'])", way)
        assert output == "100 0\n"
        assert lines(tmp_path) == [f"message {number} é" for number in range(100)]
        assert journals(tmp_path) == []

    @pytest.mark.parametrize(
        "deliver", [DELIVER, "os.execv(sys.executable, COMMAND)"], ids=["start", "command"]
    )
    def test_what_is_recovered_stands_on_lines_of_its_own(self, tmp_path, way, deliver):
        run_killed(tmp_path, "queue(flush_interval=60); log.info('one'); log.info('two')", way)
        # As a kill in the middle of a write leaves it.
        (tmp_path / "out.log").write_text("a line that was cut")
        command = "COMMAND = [sys.executable, '-m', 'duramen', 'spool', 'replay', 'spool']\n"
        run(tmp_path, command + deliver, way)
        assert lines(tmp_path) == ["a line that was cut", "one", "two"]

    def test_exceptions_and_several_handlers_come_whole(self, tmp_path, way):
        body = """
        out = logging.FileHandler("out.log"); out.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        few = logging.FileHandler("few.log"); few.setLevel("ERROR")
        queue(out, few, flush_interval=60)
        log.info("one")
        try:
            1 / 0
        except ZeroDivisionError:
            log.exception("two")
        """
        run_killed(tmp_path, body, way)
        run(tmp_path, DELIVER, way)
        assert lines(tmp_path)[:2] == ["INFO one", "ERROR two"]
        assert lines(tmp_path)[-1] == "ZeroDivisionError: division by zero"
        assert lines(tmp_path, "few.log")[0] == "two"
        assert lines(tmp_path, "few.log")[-1] == lines(tmp_path)[-1]

    @pytest.mark.parametrize("behind", HANDLERS)
    def test_what_is_recovered_is_on_the_disk_when_the_handler_says(self, tmp_path, way, behind):
        run_killed(
            tmp_path, "queue(flush_interval=60); [log.info('%d', number) for number in range(100)]", way
        )
        handler = HANDLERS[behind].replace(")", ", fsync='record')")
        body = f"""
        behind = {handler}
        q = queue(behind)
        print(q.flush(60), behind.fsync.stats()["synced"] > 0, behind.fsync.stats()["failed"])
        """
        output, _ = run(tmp_path, body, way)
        assert output == "True True 0\n"
        assert len(lines(tmp_path)) == 100

    def test_standard_output_is_that_of_who_delivers(self, tmp_path):
        run_killed(tmp_path, "queue(logging.StreamHandler(sys.stdout), flush_interval=60); log.info('hello')")
        output, _ = run(tmp_path, "queue().flush(60)")
        assert output == "hello\n"

    def test_what_was_delivered_is_not_delivered_again(self, tmp_path, way):
        body = """
        q = queue(); log.info('one'); q.flush(60); q.close(); log.removeHandler(q)
        queue(flush_interval=60); log.info('two')
        """
        run_killed(tmp_path, body, way)
        run(tmp_path, DELIVER, way)
        assert lines(tmp_path) == ["one", "two"]

    def test_a_start_that_is_killed_leaves_the_rest_to_the_next(self, tmp_path):
        run_killed(tmp_path, "queue(flush_interval=60); [log.info('message %d', n) for n in range(50)]")
        # What is recovered waits behind a closed gate: it was never delivered.
        run_killed(
            tmp_path, "from duramen import _async; _async._Starter.__call__ = lambda *_: None; queue()"
        )
        run(tmp_path, DELIVER)
        assert lines(tmp_path) == [f"message {number}" for number in range(50)]

    def test_threads_keep_their_order(self, tmp_path):
        body = """
        queue(flush_interval=60)
        def work(thread):
            for number in range(100):
                log.info("%d %d", thread, number)
        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        [thread.start() for thread in threads]; [thread.join() for thread in threads]
        """
        run_killed(tmp_path, body)
        run(tmp_path, DELIVER)
        for thread in range(4):
            own = [line for line in lines(tmp_path) if line.startswith(f"{thread} ")]
            assert own == [f"{thread} {number}" for number in range(100)]


class TestCommand:
    def command(self, folder, *words):
        command = [sys.executable, "-m", "duramen", "spool", *words, "spool"]
        package = os.path.dirname(os.path.dirname(logging.__file__))
        environment = {**os.environ, "PYTHONPATH": package}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    def test_it_lists_shows_and_replays(self, tmp_path):
        body = "queue(flush_interval=60); log.info('one'); log.info('two\\nlines')"
        run_killed(tmp_path, body)
        [name] = journals(tmp_path)
        path = tmp_path / "out.log"
        code, output, _ = self.command(tmp_path, "list")
        assert (code, output.partition(", ")[2]) == (0, "2 waiting, 0 in flight, 0 damaged\n")
        identity = name.split("-")[2].partition(".")[0]
        shown = f"{identity}-1 waiting {path}: one\n{identity}-2 waiting {path}: two\\nlines\n"
        assert self.command(tmp_path, "show") == (0, shown, "")
        assert journals(tmp_path) == [name]
        assert self.command(tmp_path, "replay") == (0, "", "duramen: spool: 2 entries were delivered\n")
        assert (path.read_text(), journals(tmp_path)) == ("one\ntwo\nlines\n", [])

    def test_wrong_words_are_named(self, tmp_path):
        assert self.command(tmp_path, "list")[0] == 2
        (tmp_path / "spool").mkdir()
        assert self.command(tmp_path, "list") == (0, "", "")
        assert "found fly, expected list, show or replay" in self.command(tmp_path, "fly")[2]

    def test_what_cannot_be_read_is_told(self, tmp_path):
        (tmp_path / "spool").mkdir()
        (tmp_path / "spool" / "1-2-3.journal").write_bytes(b"")
        assert self.command(tmp_path, "list") == (1, "spool/1-2-3.journal: it is no journal\n", "")
        assert self.command(tmp_path, "replay")[0] == 1
        assert journals(tmp_path) == ["1-2-3.journal.damaged"]


def test_the_ledger_has_what_was_recovered(tmp_path):
    run_killed(tmp_path, "queue(flush_interval=60); [log.info('message %d', n) for n in range(50)]")
    body = """
    q = queue()
    for number in range(20):
        log.info("%d", number)
    q.flush(60)
    stats = q.stats()
    print(stats["accepted"], stats["recovered"], stats["delivered"], stats["handlers"][0]["delivered"])
    """
    output, _ = run(tmp_path, body)
    assert output == "20 50 70 70\n"


def test_what_the_end_of_a_process_gives_up_waits_for_the_next(tmp_path):
    """A receiver that takes nothing: the end waits its time, and leaves the rest in the journal."""
    body = """
    from duramen import _unfinished
    _unfinished.LONGEST_WAIT = 0.2
    read, write = os.pipe()
    os.dup2(write, 1)
    q = queue(logging.StreamHandler(sys.stdout), flush_interval=0)
    log.info("0")
    assert q.flush(30)
    for number in range(1, 300):
        log.info("%d %s", number, "x" * 1000)
    """
    _, errors = run(tmp_path, body)
    assert "wait in the journal for the next start" in errors
    output, _ = run(tmp_path, "queue().flush(60)")
    numbers = [int(line.split()[0]) for line in output.splitlines()]
    assert numbers == sorted(numbers) and numbers[-1] == 299 and numbers[0] > 0
