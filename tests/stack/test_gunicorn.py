"""gunicorn with forked workers: its own error and access logs, and the application's one file."""

import re

import pytest

from stack.workbench import http_get, wait_until

CONFIGURATION = """
    import logging

    bind = "127.0.0.1:0"
    workers = 2
    accesslog = "access.log"
    access_log_format = "%(r)s %(s)s"

    def post_fork(server, worker):
        logging.getLogger("shop.workers").info("forked %d", worker.pid)
"""

APPLICATION = """
    import logging
    import os
    import recorder

    recorder.record_to_file()
    logger = logging.getLogger("shop")
    logger.info("loaded in %d", os.getpid())

    def application(environ, start_response):
        path = environ["PATH_INFO"]
        if path == "/fail":
            raise LookupError("no such shop")
        logger.info("%s in %d", path, os.getpid())
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{recorder.implementation()} {os.getpid()}".encode()]
"""

REQUESTS = 20
ENTRY = re.compile(r"\[[\d :+-]+\] \[(\d+)\] \[(\w+)\] (.*)")


def served(stack, started, *options):
    """Start gunicorn, make the requests, stop it: the workers that answered and the output.

    Each worker has written a record with the text `started` when it has come so far that it can answer.
    """
    stack.write("gunicorn.conf.py", CONFIGURATION)
    stack.write("shop.py", APPLICATION)
    server = stack.start("-m", "gunicorn", *options, "shop:application")
    port = server.wait_for(r"Listening at: http://127\.0\.0\.1:(\d+)")[1]
    # Both workers are there before the first request, so that each start is in the output.
    server.wait_for("Booting worker")
    server.wait_for("Booting worker")
    workers = []
    for number in range(REQUESTS):
        status, text = http_get(port, f"/{number}")
        implementation, worker = text.split()
        assert (status, implementation) == (200, stack.implementation)
        workers.append(worker)
    assert http_get(port, "/fail")[0] == 500
    # One worker may have answered all requests before the other was ready, and each has its last entry still to write.
    wait_until(lambda: sum(started in line for line in stack.read_lines()) == 2)
    wait_until(lambda: len(stack.read_lines("access.log")) == REQUESTS + 1)
    return workers, server.stop()


def check_gunicorns_own_logs(stack, output):
    entries = [match.groups() for match in map(ENTRY.fullmatch, output) if match]
    master = entries[0][0]
    started = {entry[0] for entry in entries if entry[2].startswith("Booting worker")}
    assert len(started) == 2 and master not in started
    messages = [(level, message) for pid, level, message in entries if pid == master]
    assert messages[0][1].startswith("Starting gunicorn")
    assert messages.count(("INFO", "Handling signal: term")) == 1
    assert messages[-1] == ("INFO", "Shutting down: Master")
    # A gevent worker that is asked to stop while it is idle may go without a word.
    exits = [entry[0] for entry in entries if entry[2].startswith("Worker exiting")]
    assert set(exits) <= started and len(exits) == len(set(exits))
    errors = [entry[1:] for entry in entries if entry[1] == "ERROR"]
    assert errors == [("ERROR", "Error handling request GET /fail")]
    assert output.count("LookupError: no such shop") == 1
    # A worker writes its entry after the response, when another may have the next request already.
    assert sorted(stack.read_lines("access.log")) == sorted(
        [*(f"GET /{number} HTTP/1.1 200" for number in range(REQUESTS)), "GET /fail HTTP/1.1 500"]
    )
    return started


@pytest.mark.parametrize("worker_class", ["sync", "gthread", "gevent"])
def test_each_worker_opens_the_file_itself(stack, worker_class):
    workers, output = served(stack, "|loaded in ", "--worker-class", worker_class)
    started = check_gunicorns_own_logs(stack, output)
    records = stack.read_lines()
    loaded = [f"INFO|shop|shop.<module>|loaded in {worker}" for worker in started]
    requests = [f"INFO|shop|shop.application|/{number} in {worker}" for number, worker in enumerate(workers)]
    assert sorted(line for line in records if "shop.<module>" in line) == sorted(loaded)
    assert [line for line in records if "shop.application" in line] == requests


@pytest.mark.parametrize("worker_class", ["sync", "gthread", "gevent"])
def test_workers_inherit_the_file_that_the_master_opened(stack, worker_class):
    workers, output = served(stack, "|forked ", "--preload", "--worker-class", worker_class)
    started = check_gunicorns_own_logs(stack, output)
    records = stack.read_lines()
    own = [line for line in records if line.split("|")[1].startswith("shop")]
    assert re.fullmatch(r"INFO\|shop\|shop\.<module>\|loaded in \d+", own[0])
    forked = [f"INFO|shop.workers|gunicorn.conf.post_fork|forked {worker}" for worker in started]
    assert sorted(line for line in own if "forked" in line) == sorted(forked)
    assert [line for line in own if "shop.application" in line] == [
        f"INFO|shop|shop.application|/{number} in {worker}" for number, worker in enumerate(workers)
    ]
    assert len(own) == 1 + 2 + REQUESTS
