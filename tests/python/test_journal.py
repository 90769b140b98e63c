"""A queue's journal: what was accepted is delivered after ``kill -9``, and nothing that lies in the folder stops a start."""

import locale
import os
import subprocess
import sys
import textwrap

import pytest
from journal_support import WAYS, journals, lines, run, run_killed, start

import duramen as logging
from duramen.handlers import AsyncHandler

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="journals are tried out on Linux")

DELIVER = "q = queue(); q.flush(60)"


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.fixture
def file(tmp_path):
    handler = logging.FileHandler(tmp_path / "out.log")
    yield handler
    handler.close()


def journaled(file, tmp_path, **options):
    return AsyncHandler(file, journal=tmp_path / "spool", **{"flush_interval": 60, **options})


def logger_with(handler):
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    return logger


def balance(stats):
    """What the ledger must give: zero."""
    gone = sum(stats[name] for name in ("delivered", "failed", "queued", "in_flight"))
    return (
        stats["accepted"]
        + stats["recovered"]
        - gone
        - stats["dropped"]["oldest"]
        - stats["dropped"]["abandoned"]
    )


HANDLERS = {
    "file": "logging.FileHandler('out.log')",
    "rotating": "logging.handlers.RotatingFileHandler('out.log', maxBytes=10**6, backupCount=2)",
}


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


class TestForks:
    def test_a_child_keeps_its_own_and_leaves_its_parents(self, tmp_path, way):
        body = """
        queue(flush_interval=60)
        log.info("before")
        for child in range(3):
            if os.fork() == 0:
                log.info("child %d", child)
                kill()
            os.wait()
        log.info("after")
        """
        run_killed(tmp_path, body, way)
        # Its own and that of the last child: what the others left, the parent has taken over before it forked again.
        assert len(journals(tmp_path)) == 2
        run(tmp_path, DELIVER, way)
        assert sorted(lines(tmp_path)) == ["after", "before", "child 0", "child 1", "child 2"]
        assert journals(tmp_path) == []

    def test_a_child_that_lives_holds_no_journal_of_its_dead_parent(self, tmp_path):
        body = """
        queue(flush_interval=60)
        read, write = os.pipe()
        if os.fork() == 0:
            log.info("child"); os.write(write, b"!"); print(os.getpid(), flush=True)
            os.close(1); os.close(2); time.sleep(60)
        os.read(read, 1); log.info("parent")
        """
        output, _ = run_killed(tmp_path, body)
        try:
            run(tmp_path, DELIVER)
            assert lines(tmp_path) == ["parent"]
            assert len(journals(tmp_path)) == 1
        finally:
            os.kill(int(output), 9)

    def test_a_child_that_lives_holds_nothing_that_its_dead_parent_was_delivering(self, tmp_path):
        run_killed(tmp_path, "queue(flush_interval=60); [log.info('message %d', n) for n in range(50)]")
        body = """
        from duramen import _async
        _async._Starter.__call__ = lambda *_: None  # what is recovered waits behind a closed gate
        queue()
        child = os.fork()
        if child == 0:
            os.close(1); os.close(2); time.sleep(60)
        print(child, flush=True)
        """
        output, _ = run_killed(tmp_path, body)
        try:
            run(tmp_path, DELIVER)
            assert lines(tmp_path) == [f"message {number}" for number in range(50)]
        finally:
            os.kill(int(output), 9)
        assert journals(tmp_path) == []

    def test_threads_of_a_process_that_look_at_once_deliver_each_entry_once(self, tmp_path):
        for _ in range(3):
            run_killed(tmp_path, "queue(flush_interval=60); [log.info('message %d', n) for n in range(50)]")
        body = """
        threads = [threading.Thread(target=lambda: queue().flush(60)) for _ in range(4)]
        [thread.start() for thread in threads]; [thread.join() for thread in threads]
        """
        run(tmp_path, body)
        assert sorted(lines(tmp_path)) == sorted([f"message {number}" for number in range(50)] * 3)

    def test_workers_of_multiprocessing(self, tmp_path):
        body = """
        import multiprocessing
        queue(flush_interval=60)
        log.info("parent")
        def work(number):
            log.info("worker %d", number)
            if number % 2:
                kill()
        context = multiprocessing.get_context("fork")
        workers = [context.Process(target=work, args=(number,)) for number in range(4)]
        [worker.start() for worker in workers]; [worker.join() for worker in workers]
        """
        run(tmp_path, body)
        run(tmp_path, DELIVER)
        assert sorted(lines(tmp_path)) == ["parent"] + [f"worker {number}" for number in range(4)]
        assert journals(tmp_path) == []


class TestFolder:
    def test_several_queues_of_a_process_have_a_journal_each(self, tmp_path):
        body = """
        queue(flush_interval=60); queue(logging.FileHandler("other.log"), flush_interval=60)
        log.info("hello")
        """
        run_killed(tmp_path, body)
        assert len(journals(tmp_path)) == 2
        # Both look through the folder; what one delivers, the other leaves alone.
        run(tmp_path, "a = queue(); b = queue(); a.flush(60); b.flush(60)")
        assert (lines(tmp_path), lines(tmp_path, "other.log")) == (["hello"], ["hello"])
        assert journals(tmp_path) == []

    def test_the_journal_of_a_process_that_lives_is_left_alone(self, tmp_path):
        living = start(
            tmp_path, "queue(flush_interval=60); log.info('mine'); print('ready', flush=True); input()"
        )
        assert living.stdout.readline() == "ready\n"
        run(tmp_path, DELIVER)
        assert lines(tmp_path) == []
        assert len(journals(tmp_path)) == 1
        living.kill()
        living.communicate()
        run(tmp_path, DELIVER)
        assert lines(tmp_path) == ["mine"]

    def test_an_orderly_end_leaves_nothing(self, tmp_path, way):
        run(tmp_path, "queue(flush_interval=60); log.info('hello')", way)
        assert (lines(tmp_path), journals(tmp_path)) == (["hello"], [])

    def test_it_is_for_its_owner_alone(self, tmp_path, file):
        handler = journaled(file, tmp_path)
        assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
        assert os.stat(handler.stats()["journal"]["path"]).st_mode & 0o777 == 0o600
        handler.close()

    @pytest.mark.parametrize(
        "name, bytes_",
        [
            ("nothing", b""),
            ("foreign", b"hello\n" * 1000),
            ("other version", b"DURAMENJ" + b"\x03\0\0\0" + bytes(5000)),
            ("broken", b"DURAMENJ" + b"\x02\0\0\0" + bytes(5000)),
        ],
    )
    def test_what_is_no_journal_is_kept_aside(self, tmp_path, file, capfd, name, bytes_):
        (tmp_path / "spool").mkdir()
        (tmp_path / "spool" / "1-2-3.journal").write_bytes(bytes_)
        handler = journaled(file, tmp_path)
        assert handler.stats()["journal"]["set_aside"] == 1
        handler.close()
        assert journals(tmp_path) == ["1-2-3.journal.damaged"]
        assert (tmp_path / "spool" / "1-2-3.journal.damaged").read_bytes() == bytes_
        assert "1-2-3.journal" in capfd.readouterr().err

    def test_a_file_of_enormous_length_is_kept_aside(self, tmp_path, file):
        (tmp_path / "spool").mkdir()
        with open(tmp_path / "spool" / "1-2-3.journal", "wb") as huge:
            huge.truncate(10 * 1024**3)
        handler = journaled(file, tmp_path)
        assert handler.stats()["journal"]["set_aside"] == 1
        handler.close()

    @pytest.mark.parametrize("damage", ["torn", "cut"])
    def test_what_is_whole_in_a_damaged_journal_is_delivered(self, tmp_path, damage):
        run_killed(tmp_path, "queue(flush_interval=60); [log.info('message %d', n) for n in range(50)]")
        [path] = (tmp_path / "spool").iterdir()
        content = path.read_bytes()
        if damage == "torn":
            place = content.index(b"message 20")
            path.write_bytes(content[:place] + b"MESSAGE" + content[place + 7 :])
        else:
            path.write_bytes(content[: content.index(b"message 20")])
        output, errors = run(tmp_path, DELIVER + "; print(q.stats()['journal']['set_aside'])")
        assert output == "1\n"
        kept = [number for number in range(50) if number < 20 or (damage == "torn" and number > 20)]
        assert lines(tmp_path) == [f"message {number}" for number in kept]
        assert journals(tmp_path) == [path.name + ".damaged"]
        assert "damaged" in errors

    def test_links_and_folders_are_left_alone(self, tmp_path, file):
        folder = tmp_path / "spool"
        (folder / "1-2-3.journal").mkdir(parents=True)
        (tmp_path / "elsewhere").write_text("keep me")
        (folder / "1-2-4.journal").symlink_to(tmp_path / "elsewhere")
        os.mkfifo(folder / "1-2-5.journal")
        handler = journaled(file, tmp_path)
        handler.close()
        assert journals(tmp_path) == ["1-2-3.journal", "1-2-4.journal", "1-2-5.journal"]

    def test_a_pipe_that_nobody_reads_stops_no_start(self, tmp_path):
        """The file may have become one since, or its reader is not there yet."""
        run_killed(tmp_path, "queue(flush_interval=60); log.info('waited')")
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "out.log").unlink()
        (tmp_path / "out.log").symlink_to("pipe")
        body = "q = queue(logging.FileHandler('other.log')); print(q.flush(60), q.stats()['recovered'])"
        output, errors = run(tmp_path, body)
        assert (output, len(journals(tmp_path))) == ("True 0\n", 1)
        assert "out.log cannot be opened" in errors
        (tmp_path / "out.log").unlink()
        run(tmp_path, DELIVER)
        assert (lines(tmp_path), journals(tmp_path)) == (["waited"], [])

    def test_a_destination_that_cannot_be_opened_keeps_its_journal(self, tmp_path):
        (tmp_path / "logs").mkdir()
        run_killed(tmp_path, "queue(logging.FileHandler('logs/a.log'), flush_interval=60); log.info('hello')")
        (tmp_path / "logs" / "a.log").unlink()
        (tmp_path / "logs").rmdir()
        _, errors = run(tmp_path, DELIVER)
        assert "a.log cannot be opened" in errors
        (tmp_path / "logs").mkdir()
        run(tmp_path, DELIVER)
        assert (lines(tmp_path, "logs/a.log"), journals(tmp_path)) == (["hello"], [])


class TestRoom:
    """A journal of 64 KiB holds fifteen lines of 4 KiB."""

    def fill(self, logger, count=20):
        for number in range(count):
            logger.info("%02d " + "x" * 4000, number)

    @pytest.mark.parametrize(
        "overflow, kept",
        [("drop_newest", range(16)), ("drop_oldest", range(4, 20)), ("drop_below:ERROR", range(16))],
    )
    def test_a_full_journal_drops_what_the_policy_says(self, tmp_path, file, overflow, kept):
        handler = journaled(file, tmp_path, overflow=overflow, journal_size=65536)
        self.fill(logger_with(handler))
        stats = handler.stats()
        assert sum(stats["dropped"].values()) == 4 and balance(stats) == 0
        handler.close()
        assert [int(line[:2]) for line in lines(tmp_path)] == list(kept)

    def test_a_full_journal_has_callers_wait(self, tmp_path, file):
        handler = journaled(file, tmp_path, journal_size=65536)
        self.fill(logger_with(handler), 60)
        handler.close()
        assert [int(line[:2]) for line in lines(tmp_path)] == list(range(60))
        assert balance(handler.stats()) == 0

    def test_a_record_longer_than_the_journal_is_counted_and_delivered(self, tmp_path, file, capfd):
        handler = journaled(file, tmp_path, journal_size=65536)
        logger_with(handler).info("x" * 70000)
        stats = handler.stats()
        assert (stats["accepted"], stats["journal"]["unjournaled"]) == (1, 1)
        handler.close()
        assert [len(line) for line in lines(tmp_path)] == [70000]
        assert "longer than the whole journal" in capfd.readouterr().err

    def test_a_filter_that_is_added_later_is_asked_before_anything_is_written(self, tmp_path, file):
        handler = journaled(file, tmp_path)
        file.addFilter(lambda record: "secret" not in record.getMessage())
        logger = logger_with(handler)
        logger.info("secret")
        logger.info("plain")
        stats = handler.stats()["journal"]
        assert stats["unjournaled"] == 0
        assert isinstance(stats["path"], str)
        with open(stats["path"], "rb") as journal:
            content = journal.read()
        assert b"secret" not in content and b"plain" in content
        handler.close()
        assert lines(tmp_path) == ["plain"]
        assert handler.stats()["handlers"] == [{"delivered": 2, "failed": 0, "below_level": 0}]

    @pytest.mark.parametrize("behind", HANDLERS)
    def test_duramens_own_filters_that_are_added_later_are_asked_before_the_journal(
        self, tmp_path, way, behind
    ):
        body = f"""
        from duramen.filters import RedactingFilter
        behind = {HANDLERS[behind]}
        q = queue(behind, flush_interval=60)
        behind.addFilter(RedactingFilter(packs=["credentials"]))
        behind.addFilter(logging.Filter("shop.orders"))
        log.info("held back")
        logging.getLogger("shop.orders").info("password=%s", "hunter2")
        print(q.stats()["journal"]["unjournaled"], q.stats()["queued"], flush=True)
        """
        output, errors = run_killed(tmp_path, body, way)
        assert (output, errors) == ("0 2\n", "")
        [journal] = journals(tmp_path)
        kept = (tmp_path / "spool" / journal).read_bytes()
        assert b"password=" in kept and b"hunter2" not in kept and b"held back" not in kept
        output, _ = run(tmp_path, DELIVER + "; print(q.stats()['recovered'], q.stats()['delivered'])", way)
        assert output == "2 2\n"
        [line] = lines(tmp_path)
        assert line.startswith("password=") and "hunter2" not in line

    def test_what_is_masked_never_reaches_the_journal(self, tmp_path, file):
        from duramen.filters import RedactingFilter

        handler = journaled(file, tmp_path)
        handler.addFilter(RedactingFilter(packs=["credentials"]))
        logger_with(handler).info("password=%s", "hunter2hunter2")
        with open(handler.stats()["journal"]["path"], "rb") as journal:
            content = journal.read()
        assert b"password=" in content and b"hunter2" not in content
        handler.close()


class TestFilters:
    """Filters of the handlers behind are asked by the caller, for records in each form: nothing passes the journal by."""

    #: What makes a record one in Python form.
    FORMS = {
        "lines": "log.info('{0}')",
        "a lone surrogate": "log.info('{0} %s', chr(0xd800))",
        "handle": "log.handle(logging.makeLogRecord(dict(name='shop', levelno=20, msg='{0}')))",
        "stack": "log.info('{0}', stack_info=True)",
    }

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("behind", HANDLERS)
    def test_records_in_python_form_are_journaled_behind_filters(self, tmp_path, way, behind, form):
        behind = HANDLERS[behind].replace(")", ", encoding='utf-8', errors='backslashreplace')")
        calls = "\n".join(self.FORMS[form].format(text) for text in ("password=hunter2", "secret", "plain"))
        body = f"""
        from duramen.filters import RedactingFilter
        behind = {behind}
        behind.addFilter(RedactingFilter(packs=["credentials"]))
        asked = []
        def no_secrets(record):
            asked.append(record.getMessage())
            return "secret" not in record.getMessage()
        behind.addFilter(no_secrets)
        q = queue(behind, flush_interval=60)
        """
        body = textwrap.dedent(body) + calls + "\nprint(len(asked), q.stats()['journal']['unjournaled'])"
        killed, errors = run_killed(tmp_path, body + "\nsys.stdout.flush()", way)
        assert (killed, errors) == ("3 0\n", "")
        [journal] = journals(tmp_path)
        kept = (tmp_path / "spool" / journal).read_bytes()
        assert b"password=" in kept and b"hunter2" not in kept and b"secret" not in kept
        run(tmp_path, DELIVER, way)
        recovered = lines(tmp_path)
        assert recovered[0].startswith("password=") and any(line.startswith("plain") for line in recovered)
        # A process that lives writes the same, and asks the filters once.
        (tmp_path / "out.log").unlink()
        delivered, errors = run(tmp_path, body + "\nq.flush(60); print(len(asked))", way)
        assert (delivered, errors) == ("3 0\n3\n", "")
        assert [line for line in lines(tmp_path) if "File " not in line] == [
            line for line in recovered if "File " not in line
        ]

    def test_each_handler_has_its_own_filters(self, tmp_path, way):
        body = """
        def named(name):
            handler = logging.FileHandler(name + ".log")
            def put(record):
                record.msg = f"{record.msg} for {name}"
                return name != "b"
            handler.addFilter(put)
            return handler
        plain = logging.FileHandler("plain.log")
        q = queue(named("a"), named("b"), plain, named("c"), flush_interval=60)
        log.info("hello")
        print(q.stats()["journal"]["unjournaled"], flush=True)
        """
        body = textwrap.dedent(body)
        output, _ = run_killed(tmp_path, body, way)
        run(tmp_path, DELIVER, way)
        found = {name: lines(tmp_path, f"{name}.log") for name in ("a", "b", "plain", "c")}
        # What one changes the next ones see, as without a queue.
        expected = {
            "a": ["hello for a"],
            "b": [],
            "plain": ["hello for a for b"],
            "c": ["hello for a for b for c"],
        }
        assert (output, found) == ("0\n", expected)
        for name in expected:
            (tmp_path / f"{name}.log").unlink()
        run(tmp_path, body + "\nq.flush(60)", way)
        assert {name: lines(tmp_path, f"{name}.log") for name in expected} == expected

    def test_a_filter_that_raises_is_told_and_its_record_counted(self, tmp_path, file, capfd):
        def broken(record):
            raise LookupError("no such filter")

        file.addFilter(broken)
        other = logging.FileHandler(tmp_path / "other.log")
        handler = AsyncHandler(other, file, journal=tmp_path / "spool", flush_interval=60)
        logger_with(handler).info("hello")
        assert handler.stats()["journal"]["unjournaled"] == 1
        assert handler.flush()
        stats = handler.stats()
        assert (stats["failed"], stats["handlers"][0]["delivered"], stats["handlers"][1]["failed"]) == (
            1,
            1,
            1,
        )
        handler.close()
        assert lines(tmp_path, "other.log") == ["hello"]
        errors = capfd.readouterr().err
        assert "LookupError: no such filter" in errors and "journal: a record is not in it" in errors


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


class TestOptions:
    @pytest.mark.parametrize(
        "options, text",
        [
            ({"journal": ""}, "journal: found '', expected the path of a folder"),
            ({"journal": 3}, "journal: found 3, expected the path"),
            ({"journal_size": 70000}, "journal_size: found 70000, expected None"),
            ({"journal": "spool", "journal_size": 1000}, "journal_size: found 1000, expected a whole number"),
            ({"journal": "spool", "journal_size": "1"}, "journal_size: found '1', expected a whole number"),
        ],
    )
    def test_wrong_ones_are_refused(self, file, options, text):
        with pytest.raises(ValueError, match=f"AsyncHandler: {text}"):
            AsyncHandler(file, **options)

    def test_handlers_whose_lines_others_cannot_write_are_refused(self, tmp_path, file):
        import io

        class Own(logging.StreamHandler):
            def emit(self, record):
                pass

        for handler, text in [
            (Own(), "emit or handle of its own"),
            (logging.StreamHandler(io.StringIO()), "a file that has a name"),
        ]:
            with pytest.raises(ValueError, match=f"AsyncHandler: journal: .*{text}"):
                AsyncHandler(file, handler, journal=tmp_path / "spool")
        assert not (tmp_path / "spool").exists()

    def test_a_folder_that_cannot_be_made_is_refused(self, tmp_path, file):
        (tmp_path / "file").write_text("")
        with pytest.raises(OSError, match="AsyncHandler: journal: "):
            AsyncHandler(file, journal=tmp_path / "file" / "spool")

    @pytest.mark.parametrize("way", WAYS)
    def test_a_configuration_names_it(self, tmp_path, way):
        body = """
        import logging.config, duramen.config
        configuration = {
            "version": 1,
            "handlers": {
                "file": {"class": "logging.FileHandler", "filename": "out.log"},
                "queue": {"class": "duramen.handlers.AsyncHandler", "handlers": ["file"],
                          "journal": "spool", "journal_size": 65536, "flush_interval": 60},
            },
            "loggers": {"shop": {"handlers": ["queue"], "level": "INFO"}},
        }
        (duramen.config if logging.__name__ == "duramen" else logging.config).dictConfig(configuration)
        """
        body = body.replace("logging.config,", "logging.config," if way == "installed" else "")
        run_killed(tmp_path, textwrap.dedent(body) + "log.info('hello')", way)
        run(tmp_path, body, way)
        assert lines(tmp_path) == ["hello"]


@pytest.mark.parametrize("encoding", ["None", "'latin-1'"])
def test_a_record_in_python_form_for_a_file_that_is_not_open_yet_is_in_the_journal(tmp_path, encoding):
    """Such a file is opened by who delivers the record."""
    body = f"""
        class Shown(logging.Formatter):
            def format(self, record):
                return record.getMessage()
        made = logging.FileHandler("out.log", delay=True, encoding={encoding})
        made.setFormatter(Shown())
        handler = queue(made, flush_interval=60)
        log.info("caf\u00e9")
        assert handler.stats()["journal"]["unjournaled"] == 0
    """
    run_killed(tmp_path, body)
    run(tmp_path, "queue().flush(60)")
    encoding = "latin-1" if "latin" in encoding else locale.getpreferredencoding(False)
    assert (tmp_path / "out.log").read_text(encoding=encoding) == "caf\u00e9\n"


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


def test_what_is_refused_has_not_been_in_the_journal(tmp_path):
    """A receiver that takes nothing: what comes then takes no room."""
    body = """
    from duramen import _unfinished
    _unfinished.LONGEST_WAIT = 0.2
    read, write = os.pipe()
    os.dup2(write, 1)
    q = queue(logging.StreamHandler(sys.stdout), capacity=10, overflow="drop_newest", flush_interval=0)
    while True:
        before = q.stats()
        for _ in range(100):
            log.info("x" * 1000)
        after = q.stats()
        if after["accepted"] == before["accepted"]:
            break
    print(after["dropped"]["newest"] - before["dropped"]["newest"], file=sys.stderr)
    print(after["journal"]["used"] - before["journal"]["used"], file=sys.stderr)
    """
    _, errors = run(tmp_path, body)
    assert errors.splitlines()[:2] == ["100", "0"]
