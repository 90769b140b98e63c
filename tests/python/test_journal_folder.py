"""What lies in the folder of a journal, and the options that name it: nothing that is found there stops a start."""

import os
import sys
import textwrap

import pytest
from journal_support import DELIVER, WAYS, journaled, journals, lines, run, run_killed, start

import duramen as logging
from duramen.handlers import AsyncHandler

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="journals are tried out on Linux")


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
