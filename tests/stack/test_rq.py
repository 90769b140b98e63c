"""RQ on a Redis server: the worker's own handlers, and the records of its forked jobs."""

import re

JOBS = """
    import logging
    import recorder

    logger = logging.getLogger("shop.jobs")

    def add(first, second):
        logger.info("adding %d and %d", first, second)
        return [first + second, recorder.implementation()]

    def fail():
        raise LookupError("no such shop")
"""

WORKER = """
    import logging
    import sys
    import recorder
    import redis
    import rq

    recorder.record_to_file(level=logging.INFO, format="%(levelname)s|%(name)s|%(message)s")
    connection = redis.Redis(unix_socket_path=sys.argv[1])
    queue = rq.Queue("orders", connection=connection)
    jobs = [queue.enqueue("jobs.add", number, 1) for number in range(3)]
    failing = queue.enqueue("jobs.fail")
    rq.Worker([queue], connection=connection, name="worker").work(burst=True)
    for job in jobs:
        print(job.id, *job.return_value())
    print(failing.id, failing.get_status())
"""

ENQUEUE = """
    import sys
    import redis
    import rq

    queue = rq.Queue("orders", connection=redis.Redis(unix_socket_path=sys.argv[1]))
    print(queue.enqueue("jobs.add", 1, 1).id)
"""


def test_worker_forks_a_process_for_each_job(stack, redis_socket):
    stack.write("jobs.py", JOBS)
    completed = stack.run_source(WORKER, redis_socket)
    answers = [line.split(" ", 1) for line in completed.stdout.splitlines()]
    assert [text for _, text in answers] == [
        *(f"{number + 1} {stack.implementation}" for number in range(3)),
        "JobStatus.FAILED",
    ]
    ids = [job for job, _ in answers]
    records = [line for line in stack.read_lines() if re.match(r"[A-Z]+\|", line)]
    assert [line for line in records if "|shop.jobs|" in line] == [
        f"INFO|shop.jobs|adding {number} and 1" for number in range(3)
    ]
    of_worker = [line.partition("|rq.worker|")[2] for line in records if "|rq.worker|" in line]
    for number, job in enumerate(ids[:3]):
        assert [line for line in of_worker if job in line] == [
            f"Worker worker: orders: jobs.add({number}, 1) ({job})",
            f"Worker worker: orders: Job OK ({job})",
            f"Worker worker: job {job} result is kept for 500 seconds",
        ]
    failed = f"Worker worker: job {ids[3]}: exception raised while executing (jobs.fail)"
    assert records.count(f"ERROR|rq.worker|{failed}") == 1
    assert stack.read_lines().count("LookupError: no such shop") == 1


def test_worker_command_sets_up_its_own_handlers(stack, redis_socket):
    stack.write("jobs.py", JOBS)
    job = stack.run_source(ENQUEUE, redis_socket).stdout.strip()
    url = f"unix://{stack.folder / redis_socket}"
    completed = stack.run("-m", "rq.cli", "worker", "--burst", "--url", url, "orders")
    assert completed.stderr == ""
    lines = [line for line in completed.stdout.splitlines() if job in line]
    assert [re.sub(r"^\d\d:\d\d:\d\d Worker \w+: ", "", line) for line in lines] == [
        f"orders: jobs.add(1, 1) ({job})",
        f"orders: Job OK ({job})",
        f"job {job} result is kept for 500 seconds",
    ]
