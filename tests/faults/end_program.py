"""One process that logs through a queue and ends: ``python end_program.py SETTING``, SETTING being JSON.

Each record is ``WORKER NUMBER``. After a logging call has returned, the same is written to the file of
acknowledgements with one call to the system: what stands there survives the process.
"""

import atexit
import json
import os
import signal
import sys
import threading
import time


def logging_of(package, path, overflow):
    """The method that logs, and one that waits until what was logged is written."""
    if package == "loguru":
        from loguru import logger

        logger.remove()
        logger.add(path, format="{message}", enqueue=True)
        return lambda worker, number: logger.warning("{} {}", worker, number), logger.complete
    if package == "listener":
        import logging
        import logging.handlers
        import queue

        handler = logging.handlers.QueueHandler(queue.SimpleQueue())
        listener = logging.handlers.QueueListener(handler.queue, logging.FileHandler(path))
        listener.start()
        atexit.register(listener.stop)
        flush = listener.stop
    elif package == "duramen-dictConfig":
        import duramen as logging
        import duramen.config

        duramen.config.dictConfig(
            {
                "version": 1,
                "handlers": {
                    "file": {"class": "logging.FileHandler", "filename": path},
                    "queue": {"class": "logging.handlers.QueueHandler", "handlers": ["file"]},
                },
            }
        )
        handler = logging.getHandlerByName("queue")
        handler.listener.start()
        flush = handler.listener.stop
    else:
        import duramen as logging
        from duramen.handlers import AsyncHandler

        class Written(logging.FileHandler):
            """A handler of the application's: it gets records, on a thread of Python's."""

            def emit(self, record):
                super().emit(record)

        kind = Written if package == "duramen-python" else logging.FileHandler
        handler = AsyncHandler(kind(path), overflow=overflow)
        flush = handler.flush
    logger = logging.Logger("ends")
    logger.addHandler(handler)
    return lambda worker, number: logger.warning("%d %d", worker, number), flush


class Program:
    """What the process does, by the setting."""

    def __init__(self, setting):
        self.setting = setting
        self.warn, self.flush = logging_of(
            setting["package"], setting["path"], "drop_newest" if setting["stalled"] else "block"
        )
        self.acknowledged = os.open(setting["acknowledged"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def log(self, worker=0, records=None):
        for number in range(self.setting["records"] if records is None else records):
            self.warn(worker, number)
            os.write(self.acknowledged, b"%d %d\n" % (worker, number))

    def end(self, kind):
        getattr(self, "end_by_" + kind)()

    def end_by_return(self):
        self.log()

    def end_by_exit(self):
        self.log()
        sys.exit(0)

    def end_by_error(self):
        self.log()
        raise SystemError("as the campaign wants")

    def end_by_thread(self):
        threading.Thread(target=self.log).start()

    def end_by_immediate_exit(self):
        self.log()
        os._exit(0)

    def end_by_signal(self):
        """Somebody else ends it, while it logs."""
        self.log(records=10**9)

    def end_by_worker(self, module="multiprocessing"):
        self.log(records=10)
        context = __import__(module).get_context("fork")
        workers = [context.Process(target=self.log, args=(worker, 100)) for worker in range(1, 5)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def end_by_billiard(self):
        self.end_by_worker("billiard")

    def end_by_terminated_worker(self):
        import multiprocessing

        context = multiprocessing.get_context("fork")
        workers = [context.Process(target=self.log, args=(worker, 10**9)) for worker in range(1, 5)]
        for worker in workers:
            worker.start()
        time.sleep(0.2)
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()

    def end_by_forks(self):
        """Children by ``os.fork`` while threads log, each of which logs and ends at once."""
        is_over = threading.Event()

        def load(worker):
            number = 0
            while not is_over.is_set():
                self.warn(worker, number)
                os.write(self.acknowledged, b"%d %d\n" % (worker, number))
                number += 1
                time.sleep(0.0002)

        threads = [threading.Thread(target=load, args=(worker,)) for worker in (1, 2)]
        for thread in threads:
            thread.start()
        for fork in range(self.setting["forks"]):
            child = os.fork()
            if child == 0:
                # A child that hangs is killed, which its parent tells.
                signal.alarm(20)
                self.log(100 + fork, 3)
                self.flush()
                os._exit(0)
            if os.waitpid(child, 0)[1]:
                print("hung", flush=True)
        is_over.set()
        for thread in threads:
            thread.join()


def main():
    setting = json.loads(sys.argv[1])
    if setting["stalled"]:
        # Nobody reads from the other end, and the file is that of the pipe.
        read, write = os.pipe()
        os.set_inheritable(read, True)
        setting["path"] = f"/dev/fd/{write}"
    Program(setting).end(setting["end"])


if __name__ == "__main__":
    main()
