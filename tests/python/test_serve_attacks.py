"""``duramen serve`` when the machine has nothing left, or others do what they should not."""

import fcntl
import os
import pickle
import resource
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from serve_support import Served

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc, and for /dev/full")

LISTEN = ("--listen", "tcp:127.0.0.1:0")


def frame(message):
    attributes = {"name": "shop", "levelno": 20, "levelname": "INFO", "msg": message, "args": None}
    payload = pickle.dumps(attributes, 1)
    return struct.pack(">L", len(payload)) + payload


def connect(served):
    return socket.create_connection(("127.0.0.1", served.port()))


def messages(served):
    return [line["message"] for line in served.lines()]


def wait_until(is_so):
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_server_without_descriptors_waits_for_one_and_costs_nothing(tmp_path):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    with Served(tmp_path, *LISTEN, before=few) as served:
        clients = [connect(served) for _ in range(60)]
        assert "Too many open files" in served.process.stderr.readline()
        clients[-1].sendall(frame("of the last one"))
        before, since = served.processor_seconds(), time.monotonic()
        time.sleep(1)
        assert served.processor_seconds() - before < (time.monotonic() - since) / 2
        for client in clients[:-1]:
            client.close()
        wait_until(lambda: messages(served))
        clients[-1].close()
        counts, _ = served.stop()
        assert (counts["clients"], messages(served)) == (60, ["of the last one"])


@pytest.mark.parametrize("stderr", ["closed", "full"])
def test_a_standard_error_that_takes_nothing_ends_no_server(tmp_path, stderr):
    with Served(tmp_path, *LISTEN) as served:
        # It has the configuration by now; the one that is tested has no standard error.
        address = served.addresses[0]
        served.stop()
    reader, writer = os.pipe()
    if stderr == "full":
        os.close(writer)
        writer = os.open("/dev/full", os.O_WRONLY)
    os.close(reader)
    command = [sys.executable, "-m", "duramen", "serve", "--listen", address, str(tmp_path / "serve.json")]
    with subprocess.Popen(command, stderr=writer) as process:
        os.close(writer)
        try:
            wait_until(lambda: process.poll() is not None or is_taken(address))
            process.send_signal(signal.SIGUSR1)
            with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1]))) as client:
                client.sendall(b"neither records nor syslog")
                client.recv(1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()


def is_taken(address):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", int(address.rsplit(":", 1)[1]))) == 0


def test_signals_end_a_server_whose_configuration_cannot_be_replaced(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with Served(tmp_path, *LISTEN, file=fifo) as served, connect(served) as client:
        for _ in range(64):
            client.sendall(frame("x" * 4000))
        # The pipe is full: the server waits for its reader, and so does who closes its handler.
        wait_until(lambda: os.stat(fifo) and pending(reader) > 60_000)
        path = tmp_path / "serve.json"
        path.write_text(path.read_text().replace('"DEBUG"', '"ERROR"'))
        served.process.send_signal(signal.SIGHUP)
        wait_until(lambda: b"duramen-reload" in names_of_busy_threads(served))
        assert served.counts()["clients"] == 1
        served.process.send_signal(signal.SIGTERM)
        wait_until(lambda: served.process.poll() is not None or again(served))
        assert served.process.wait(60) == -signal.SIGTERM
    os.close(reader)


def pending(reader):
    """How many bytes wait in a pipe."""
    return struct.unpack("i", fcntl.ioctl(reader, termios.FIONREAD, b"0000"))[0]


def names_of_busy_threads(served):
    names = b""
    for task in os.scandir(f"/proc/{served.process.pid}/task"):
        with open(f"{task.path}/comm", "rb") as comm:
            names += comm.read()
    return names


def again(served):
    """A second signal, as who waits for the end sends it."""
    served.process.send_signal(signal.SIGTERM)
    return False


def test_what_handlers_could_not_write_is_counted(tmp_path):
    with Served(tmp_path, *LISTEN, file="/dev/full") as served:
        with connect(served) as client:
            for number in range(100):
                client.sendall(frame(f"record {number}"))
        served.wait_for(100)
        counts, reports = served.stop()
    assert (counts["handled"], counts["lost"]) == (100, 100)
    assert "No space left on device" in reports[0]


def test_what_a_queue_dropped_is_counted(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    queue = {
        "class": "duramen.handlers.AsyncHandler",
        "handlers": ["file"],
        "capacity": 4,
        "overflow": "drop_newest",
    }
    with Served(tmp_path, *LISTEN, file=fifo, queue=queue) as served:
        with connect(served) as client:
            for _ in range(200):
                client.sendall(frame("x" * 4000))
        served.wait_for(200)
        lost = served.counts()["lost"]
        os.set_blocking(reader, True)
        with open(reader) as pipe, ThreadPoolExecutor() as pool:
            written = pool.submit(pipe.readlines)
            counts, _ = served.stop()
            assert 0 < lost == counts["lost"]
            assert len(written.result()) + lost == counts["handled"] == 200


def test_places_that_are_all_taken_are_said_and_the_end_takes_who_waits_for_one(tmp_path):
    with Served(tmp_path, *LISTEN, "--max-clients", "2") as served:
        clients = [connect(served) for _ in range(4)]
        assert "as many connections are open as may be, 2" in served.process.stderr.readline()
        for number, client in enumerate(clients):
            client.sendall(frame(f"of client {number}"))
        served.wait_for(2)
        before, since = served.processor_seconds(), time.monotonic()
        time.sleep(0.5)
        assert served.processor_seconds() - before < (time.monotonic() - since) / 2
        counts, _ = served.stop()
        for client in clients:
            client.close()
        assert sorted(messages(served)) == [f"of client {number}" for number in range(4)]
        assert (counts["clients"], counts["handled"]) == (4, 4)


def test_the_system_looks_whether_clients_are_still_there(tmp_path):
    with Served(tmp_path, *LISTEN) as served, connect(served):
        wait_until(lambda: served.counts()["connected"] == 1)
        port = f":{served.port():04X}"
        with open("/proc/net/tcp") as table:
            rows = [row.split() for row in table]
        timers = [row[5] for row in rows if row[1].endswith(port) and row[3] == "01"]
        # The timer of a connection that waits for nothing but its keepalive.
        assert [timer.partition(":")[0] for timer in timers] == ["02"]
