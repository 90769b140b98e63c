# Prints the nanoseconds that one logging call takes; run as a program text by demo.py.
import logging
import tempfile
import time

CALLS = 20_000
ROUNDS = 3

with tempfile.NamedTemporaryFile(suffix=".log") as file:
    logging.basicConfig(
        filename=file.name,
        level=logging.INFO,
        format="%(asctime)s - %(name)s - %(levelname)s - %(message)s",
    )
    logger = logging.getLogger("cost")
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter_ns()
        for number in range(CALLS):
            logger.info("order %d of %s takes %.1f %%", number, "pears", 33.3)
        best = min(best, (time.perf_counter_ns() - start) / CALLS)
    written = sum(1 for _ in open(file.name))
    if written != CALLS * ROUNDS:
        raise SystemExit(f"{written} lines of {CALLS * ROUNDS} were written")
print(best)
