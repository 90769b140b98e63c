"""Forks and several queues: each process and each queue has a journal of its own, and what one delivers no other does."""

import os
import sys

import pytest
from journal_support import DELIVER, journals, lines, run, run_killed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="journals are tried out on Linux")


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
