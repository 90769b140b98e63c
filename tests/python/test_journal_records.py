"""Which records are in a journal, in which form, and what becomes of those for which it has no room."""

import locale
import sys
import textwrap

import pytest
from journal_support import (
    DELIVER,
    HANDLERS,
    balance,
    journaled,
    journals,
    lines,
    logger_with,
    run,
    run_killed,
)

import duramen as logging
from duramen.handlers import AsyncHandler

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="journals are tried out on Linux")


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
