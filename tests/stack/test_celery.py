"""Celery with prefork workers: the records of the worker and of the tasks, and its redirected print."""

import re

TASKS = """
    import logging
    import celery
    import file_broker
    import recorder
    from celery.utils.log import get_task_logger

    app = celery.Celery("shop")
    app.conf.update(
        file_broker.settings(),
        worker_task_log_format="%(levelname)s|%(processName)s|%(task_name)s|%(task_id)s|%(message)s",
        worker_log_format="%(levelname)s|%(processName)s|%(name)s|%(message)s",
    )
    logger = get_task_logger(__name__)

    @app.task
    def add(first, second):
        logger.info("adding %d and %d", first, second)
        logging.getLogger("shop.sums").warning("sum of %d", first)
        print(f"printed by {add.request.id}")
        return [first + second, recorder.implementation()]

    @app.task
    def fail():
        raise LookupError("no such shop")
"""

CLIENT = """
    import tasks

    added = [tasks.add.delay(number, 1) for number in range(6)]
    failed = tasks.fail.delay()
    for result in added:
        print(result.id, *result.get(timeout=50, interval=0.05))
    try:
        failed.get(timeout=50, interval=0.05)
    except LookupError as error:
        print(failed.id, error)
"""

OPTIONS = (
    "--loglevel",
    "INFO",
    "--concurrency",
    "2",
    "--pool",
    "prefork",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
)


def work(stack, tasks, *options):
    """Start a worker, run the client, stop the worker: the ids of the tasks and the output."""
    stack.write("tasks.py", tasks)
    worker = stack.start("-m", "celery", "--app", "tasks", "worker", *OPTIONS, *options)
    worker.wait_for(r"ready\.$")
    stack.write("client.py", CLIENT)
    answers = [line.split(" ", 1) for line in stack.run("client.py").stdout.splitlines()]
    assert [text for _, text in answers] == [
        *(f"{number + 1} {stack.implementation}" for number in range(6)),
        "no such shop",
    ]
    return [task for task, _ in answers], worker.stop()


def test_worker_with_celerys_own_configuration(stack):
    ids, output = work(stack, TASKS)
    lines = [re.sub(r"ForkPoolWorker-\d", "Worker", line) for line in output]
    for number, task in enumerate(ids[:6]):
        of_task = [line for line in lines if task in line and "[" not in line]
        assert of_task == [
            f"INFO|Worker|tasks.add|{task}|adding {number} and 1",
            f"WARNING|Worker|celery.redirected|printed by {task}",
        ]
        assert lines.count(f"INFO|MainProcess|celery.worker.strategy|Task tasks.add[{task}] received") == 1
        done = [line for line in lines if f"Task tasks.add[{task}] succeeded in" in line]
        assert len(done) == 1 and done[0].startswith("INFO|Worker|celery.app.trace|")
        assert lines.count(f"WARNING|Worker|shop.sums|sum of {number}") == 1
    failed = f"ERROR|Worker|celery.app.trace|Task tasks.fail[{ids[6]}] raised unexpected: "
    assert lines.count(failed + "LookupError('no such shop')") == 1
    assert lines.count("LookupError: no such shop") == 1


def test_worker_whose_configuration_is_the_applications(stack):
    configured = (
        TASKS
        + """
    @celery.signals.setup_logging.connect
    def configure(**settings):
        recorder.record_to_file(level=logging.INFO, format="%(levelname)s|%(name)s|%(message)s")
        logging.getLogger().addHandler(logging.StreamHandler())
    """
    )
    ids, _ = work(stack, configured)
    own = [line for line in stack.read_lines() if re.match(r"\w+\|(tasks|shop)", line)]
    assert sorted(own) == sorted(
        line
        for number in range(6)
        for line in (f"INFO|tasks|adding {number} and 1", f"WARNING|shop.sums|sum of {number}")
    )
    received = [line for line in stack.read_lines() if line.endswith("received")]
    assert sorted(received) == sorted(
        f"INFO|celery.worker.strategy|Task tasks.{name}[{task}] received"
        for task, name in zip(ids, ["add"] * 6 + ["fail"], strict=True)
    )
