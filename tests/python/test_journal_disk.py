"""A journal where the file system misbehaves: no room, no descriptors, a folder that goes away."""

import subprocess
import sys

import pytest
from journal_support import journals, lines, run

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
