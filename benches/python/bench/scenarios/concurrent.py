"""Several threads or tasks log into one file."""

import asyncio
import queue
import threading

from bench import texts
from bench.scenario import scenario


def _in_threads(peer, output, count):
    """Gives a ``run`` in which each of ``count`` threads logs every number once."""
    logger = peer.logger(peer.file(output.path, texts.STANDARD))
    text = peer.text(texts.IN_THREAD)

    def log(thread, start, stop):
        for number in range(start, stop):
            logger.info(text, thread, number, "pears")

    return _Workers(count, log).run


class _Workers:
    """Threads that wait for work: starting one takes as long as logging a hundred records, and is not what is timed."""

    def __init__(self, count, work):
        self._work = work
        self._ended = queue.SimpleQueue()
        self._orders = [queue.SimpleQueue() for _ in range(count)]
        for thread in range(count):
            threading.Thread(target=self._serve, args=(thread,), daemon=True).start()

    def _serve(self, thread):
        while True:
            start, stop = self._orders[thread].get()
            try:
                self._work(thread, start, stop)
            finally:
                self._ended.put(thread)

    def run(self, start, stop):
        """Each thread does its work for the numbers from ``start`` up to ``stop``."""
        for orders in self._orders:
            orders.put((start, stop))
        for _ in self._orders:
            self._ended.get()


class _Computing:
    """Threads that compute from the first call of ``run`` on, until the process ends: one that has to be woken first
    computes only when others have let go of the interpreter."""

    def __init__(self, count, run):
        self._run = run
        self._threads = [threading.Thread(target=self._compute, daemon=True) for _ in range(count)]

    def _compute(self):
        while True:
            sum(range(1000))

    def run(self, start, stop):
        while self._threads:
            self._threads.pop().start()
        self._run(start, stop)


#: Handing a batch over to threads and waiting for the last takes as long as logging some 50 records, which is not what is timed.
RECORDS_OF_A_BATCH = 4_800


@scenario("1-thread", "1 thread, to one file", check="threads", pinned=False, least_batch=RECORDS_OF_A_BATCH)
def one_thread(peer, output):
    return _in_threads(peer, output, 1)


@scenario(
    "4-threads",
    "4 threads, to one file",
    check="threads",
    pinned=False,
    records=4,
    calls=5_000,
    least_batch=RECORDS_OF_A_BATCH // 4,
)
def four_threads(peer, output):
    return _in_threads(peer, output, 4)


@scenario(
    "8-threads",
    "8 threads, to one file",
    check="threads",
    pinned=False,
    records=8,
    calls=2_500,
    least_batch=RECORDS_OF_A_BATCH // 8,
)
def eight_threads(peer, output):
    return _in_threads(peer, output, 8)


@scenario(
    "beside-computing",
    "2 threads to one file, beside 2 that compute",
    check="threads",
    pinned=False,
    records=2,
    calls=160,
    least_batch=100,
)
def beside_computing(peer, output):
    return _Computing(2, _in_threads(peer, output, 2)).run


@scenario(
    "asyncio",
    "asyncio: 10 tasks that give way after each record",
    check="threads",
    records=10,
    calls=2_000,
    # Making and ending an event loop takes as long as logging a hundred records.
    least_batch=125,
)
def in_tasks(peer, output):
    logger = peer.logger(peer.file(output.path, texts.STANDARD))
    text = peer.text(texts.IN_THREAD)

    async def log(task, start, stop):
        for number in range(start, stop):
            logger.info(text, task, number, "pears")
            await asyncio.sleep(0)

    async def log_all(start, stop):
        await asyncio.gather(*(log(task, start, stop) for task in range(10)))

    def run(start, stop):
        asyncio.run(log_all(start, stop))

    return run
