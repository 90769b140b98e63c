"""In an event loop no call waits longer than the policy of the queue says, with a journal too."""

import asyncio
import os
import threading
import time

import pytest

import duramen as logging
from duramen.handlers import AsyncHandler

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")

CALLS = 20
#: The policies, and what they count.
POLICIES = [
    ({"overflow": "drop_newest"}, "newest"),
    ({"overflow": "drop_oldest"}, "oldest"),
    ({"overflow": "drop_below:ERROR"}, "below_level"),
    ({"overflow": "drop_below:INFO", "block_timeout": 0}, "timeout"),
    ({"overflow": "block", "block_timeout": 0}, "timeout"),
    ({"overflow": "block", "block_timeout": 0.01}, "timeout"),
]
#: What is too small: the queue, the queue before a journal, the journal.
TOO_SMALL = {
    "queue": {"capacity": 2},
    "queue with a journal": {"capacity": 2, "journal": "spool"},
    "journal": {"capacity": 8192, "journal": "spool", "journal_size": 65536},
}


class Receiver:
    """A pipe that is full, and that nobody reads until it is told."""

    def __init__(self, path):
        os.mkfifo(path)
        self.reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        filler = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        self.filled = 0
        try:
            while True:
                self.filled += os.write(filler, b"." * 4096)
        except BlockingIOError:
            os.close(filler)
        self.stream = open(path, "w")

    def read_on(self):
        """Read all that comes, on a thread; what is joined with it is what came."""
        os.set_blocking(self.reader, True)
        found = []
        reader = threading.Thread(target=lambda: found.append(open(self.reader, "rb").read()))
        reader.start()

        def join():
            self.stream.close()
            reader.join(20)
            return found[0][self.filled :].decode()

        return join


def balance(stats):
    """What the ledger must give: zero."""
    gone = sum(stats[name] for name in ("delivered", "failed", "queued", "in_flight"))
    return stats["accepted"] - gone - stats["dropped"]["oldest"] - stats["dropped"]["abandoned"]


@pytest.mark.parametrize("in_python", [False, True], ids=["lines", "records"])
@pytest.mark.parametrize("too_small", TOO_SMALL)
@pytest.mark.parametrize(("policy", "cause"), POLICIES)
def test_a_loop_goes_on_while_the_receiver_takes_nothing(
    tmp_path, monkeypatch, policy, cause, too_small, in_python
):
    """A call that waited for the receiver would never return: it reads on when the loop is over."""
    monkeypatch.chdir(tmp_path)
    receiver = Receiver(tmp_path / "pipe")
    handler = AsyncHandler(
        logging.StreamHandler(receiver.stream), flush_interval=0, **TOO_SMALL[too_small], **policy
    )
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    if in_python:
        # It makes a record of each event.
        handler.addFilter(lambda record: True)
    turns, longest = [], 0.0
    text = "x" * 6000 if too_small == "journal" else ""

    async def logs():
        nonlocal longest
        for number in range(CALLS):
            begun = time.monotonic()
            logger.info("%d %s", number, text)
            longest = max(longest, time.monotonic() - begun)
            await asyncio.sleep(0)

    async def counts():
        for turn in range(CALLS):
            turns.append(turn)
            await asyncio.sleep(0)

    async def main():
        logger.info("the one that the receiver is stalled with %s", text)
        while handler.stats()["in_flight"] < 1:
            await asyncio.sleep(0.001)
        await asyncio.wait_for(asyncio.gather(logs(), counts()), 60)

    asyncio.run(main())
    stats = handler.stats()
    assert (len(turns), balance(stats), stats["failed"]) == (CALLS, 0, 0)
    dropped = stats["dropped"][cause]
    assert dropped == sum(stats["dropped"].values()) > 0
    assert dropped + stats["queued"] + stats["in_flight"] == CALLS + 1
    if too_small != "journal":
        assert dropped == CALLS - 2
    # So much is no luck: without an end to it a wait would last as long as the receiver's.
    assert longest < policy.get("block_timeout", 0) + 5
    join = receiver.read_on()
    handler.close()
    numbers = [line.split(" ")[0] for line in join().splitlines()]
    assert len(numbers) == CALLS + 1 - dropped and numbers[0] == "the"
    assert numbers[1:] == sorted(numbers[1:], key=int)
    assert not os.path.exists("spool") or os.listdir("spool") == []
