"""``duramen serve``: records of other processes, sent by the standard library's own handlers."""

import json
import os
import pathlib
import pickle
import re
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import time

import pytest
from serve_support import Served

PROCESSES = 4
RECORDS = 300


@pytest.fixture
def serve(tmp_path):
    started = []

    def start(*options):
        started.append(Served(tmp_path, *options))
        return started[-1]

    yield start
    for served in started:
        served.kill()


def start_senders(make_handler, processes=PROCESSES, records=RECORDS):
    """Processes of the standard library that each send so many records."""
    program = textwrap.dedent(f"""
        import logging, logging.handlers, sys
        handler = {make_handler}
        log = logging.getLogger("shop.worker")
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        for number in range({records}):
            log.info("record %d of %s", number, sys.argv[1], extra={{"number": number, "tags": ["a", 1.5, None]}})
        logging.shutdown()
    """)
    return [subprocess.Popen([sys.executable, "-c", program, str(number)]) for number in range(processes)]


def all_messages(processes=PROCESSES, records=RECORDS):
    return [f"record {number} of {process}" for process in range(processes) for number in range(records)]


def assert_each_once_and_in_order(messages):
    assert sorted(messages) == sorted(all_messages())
    for process in range(PROCESSES):
        own = [message for message in messages if message.endswith(f" of {process}")]
        assert own == [f"record {number} of {process}" for number in range(RECORDS)]


def test_socket_handlers_of_several_processes_lose_nothing(serve):
    served = serve("--listen", "tcp:127.0.0.1:0")
    senders = start_senders(f"logging.handlers.SocketHandler('127.0.0.1', {served.port()})")
    assert [sender.wait(60) for sender in senders] == [0] * PROCESSES
    counts, reports = served.stop()
    lines = served.lines()
    assert_each_once_and_in_order([line["message"] for line in lines])
    assert counts["received"] == counts["handled"] == PROCESSES * RECORDS
    assert (counts["clients"], reports) == (PROCESSES, [])
    first = lines[0]
    assert (first["name"], first["levelname"]) == ("shop.worker", "INFO")
    assert first["tags"] == ["a", 1.5, None]


def test_a_unix_socket_takes_socket_handlers_too(serve, tmp_path):
    path = str(tmp_path / "log.sock")
    served = serve("--listen", f"unix:{path}")
    senders = start_senders(f"logging.handlers.SocketHandler({path!r}, None)")
    assert [sender.wait(60) for sender in senders] == [0] * PROCESSES
    served.stop()
    assert_each_once_and_in_order([line["message"] for line in served.lines()])
    assert not os.path.exists(path)


def test_syslog_handlers_over_unix_datagrams_and_tcp_lose_nothing(serve, tmp_path):
    path = str(tmp_path / "syslog.sock")
    served = serve("--listen", f"unix-datagram:{path}", "--listen", "tcp:127.0.0.1:0")
    for make_handler in (
        f"logging.handlers.SysLogHandler({path!r})",
        f"logging.handlers.SysLogHandler(('127.0.0.1', {served.port(1)}), socktype=__import__('socket').SOCK_STREAM)",
    ):
        senders = start_senders(make_handler)
        assert [sender.wait(60) for sender in senders] == [0] * PROCESSES
    served.stop()
    messages = [line["message"] for line in served.lines()]
    assert sorted(messages) == sorted(all_messages() * 2)


def test_datagram_handlers_arrive(serve):
    served = serve("--listen", "udp:127.0.0.1:0")
    # So few that the socket's buffer holds them all.
    sender = start_senders(f"logging.handlers.DatagramHandler('127.0.0.1', {served.port()})", 1, 50)[0]
    assert sender.wait(60) == 0
    served.stop()
    assert [line["message"] for line in served.lines()] == all_messages(1, 50)


def test_an_exception_and_the_stack_arrive_as_text(serve):
    served = serve("--listen", "tcp:127.0.0.1:0")
    program = textwrap.dedent(f"""
        import logging, logging.handlers
        logging.basicConfig(handlers=[logging.handlers.SocketHandler('127.0.0.1', {served.port()})])
        try:
            1 / 0
        except ZeroDivisionError:
            logging.exception("failed", stack_info=True)
        logging.shutdown()
    """)
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
    served.stop()
    (line,) = served.lines()
    assert "ZeroDivisionError: division by zero" in str(line)
    assert "Stack (most recent call last)" in str(line)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("made-by-a-pickle",)


def attributes(**more):
    return {"name": "shop", "levelno": 20, "levelname": "INFO", "msg": "hello", "args": None, **more}


def send(served, *payloads):
    with socket.create_connection(("127.0.0.1", served.port())) as connection:
        for payload in payloads:
            connection.sendall(struct.pack(">L", len(payload)) + payload)


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
def test_plain_values_arrive_in_every_protocol(serve, protocol):
    served = serve("--listen", "tcp:127.0.0.1:0")
    shared = ["again"]
    plain = {
        "numbers": [0, 255, 256, -1, 2**31, -(2**40), 2**63 - 1, 1.5, True, False, None],
        "large": -(2**100),
        "texts": ["", "é", "日本", "a" * 300],
        "nested": {"tuple": (), "pair": (1, 2), "four": (1, 2, 3, 4), "empty": [{}, []]},
        "twice": [shared, shared],
        "bytes": b"a'\x00\xff",
        "no_bytes": b"",
        "array": bytearray(b"x"),
        "set": {7},
        "frozen": frozenset([8]),
    }
    send(served, pickle.dumps(attributes(**plain), protocol))
    counts, reports = served.stop()
    assert (counts["replaced"], reports) == (0, [])
    (line,) = served.lines()
    line = {name: line[name] for name in plain}
    expected = json.loads(
        json.dumps(
            plain,
            default=lambda value: list(value) if isinstance(value, (set, frozenset)) else repr(bytes(value)),
        )
    )
    assert line == expected


@pytest.mark.parametrize("protocol", [1, 2, 4, 5])
def test_a_pickle_calls_nothing(serve, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    served = serve("--listen", "tcp:127.0.0.1:0")
    send(
        served,
        pickle.dumps(Evil(), protocol),
        pickle.dumps(attributes(extra=Evil()), protocol),
        pickle.dumps(attributes(name=Evil()), protocol),
    )
    counts, reports = served.stop()
    assert not (tmp_path / "made-by-a-pickle").exists()
    assert (counts["handled"], counts["refused"]) == (2, 1) and "refused" in reports[0]
    assert served.lines()[0]["extra"].endswith(".mkdir made-by-a-pickle>")


def test_a_lone_surrogate_is_shown(serve):
    served = serve("--listen", "tcp:127.0.0.1:0")
    send(served, pickle.dumps(attributes(msg="a\ud800é"), 1))
    served.stop()
    assert [line["message"] for line in served.lines()] == ["a\\ud800é"]


def test_sighup_reads_the_configuration_again(serve):
    served = serve("--listen", "tcp:127.0.0.1:0")
    send(served, pickle.dumps(attributes(), 1))
    served.wait_for(1)
    path = served.folder / "serve.json"
    path.write_text(path.read_text().replace('"DEBUG"', '"ERROR"'))
    served.process.send_signal(signal.SIGHUP)
    until = time.monotonic() + 60
    sent = 1
    while served.counts()["below_level"] == 0 and time.monotonic() < until:
        send(served, pickle.dumps(attributes(), 1))
        sent += 1
        served.wait_for(sent)
    counts, _ = served.stop()
    assert counts["below_level"] == 1


def test_sighup_opens_a_file_that_was_renamed(serve):
    """The configuration has not changed: this is what logrotate's ``postrotate`` is for."""
    served = serve("--listen", "tcp:127.0.0.1:0")
    send(served, pickle.dumps(attributes(msg="before"), 1))
    served.wait_for(1)
    renamed = served.log.rename(served.log.with_suffix(".1"))
    served.process.send_signal(signal.SIGHUP)
    until = time.monotonic() + 60
    while not served.log.exists() and time.monotonic() < until:
        time.sleep(0.001)
    send(served, pickle.dumps(attributes(msg="after"), 1))
    served.stop()
    assert [line["message"] for line in served.lines()] == ["after"]
    assert "before" in renamed.read_text() and "after" not in renamed.read_text()


@pytest.mark.parametrize(
    "words, said",
    [
        ([], "it needs one file"),
        (["--listen", "http:x", "serve.json"], '--listen: address: found "http:x", expected tcp:HOST:PORT'),
        (["--max-clients=0", "serve.json"], '--max-clients: found "0", expected a number from 1 to 65536'),
        (["--fast", "serve.json"], 'there is no option "--fast"'),
        (["--listen"], "--listen needs a value"),
        (["missing.json"], "missing.json"),
    ],
)
def test_a_wrong_command_line_is_named(words, said, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "duramen", "serve", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert said in done.stderr


def test_an_address_in_use_is_named(serve, tmp_path):
    served = serve("--listen", "tcp:127.0.0.1:0")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "duramen",
            "serve",
            "--listen",
            served.addresses[0],
            str(tmp_path / "serve.json"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert f"cannot listen on {served.addresses[0]}" in done.stderr


def test_the_example_of_the_page(tmp_path):
    page = (pathlib.Path(__file__).parents[2] / "docs" / "serve.md").read_text()
    config, client = (
        re.search(f"```{language}\n(.*?)```", page, re.DOTALL)[1] for language in ("yaml", "python")
    )
    (tmp_path / "serve.yaml").write_text(config)
    command = [sys.executable, "-m", "duramen", "serve", "--listen", "tcp:127.0.0.1:0", "serve.yaml"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as server:
        port = server.stderr.readline().strip().rsplit(":", 1)[1]
        sender = subprocess.Popen([sys.executable, "-c", client.replace("9020", port)])
        assert sender.wait(60) == 0
        server.terminate()
        assert server.wait(60) == 0
    assert (tmp_path / "all.log").read_text() == f"INFO shop[{sender.pid}]: sold\n"


def test_a_server_that_is_killed_and_started_again_loses_nothing_that_was_taken(serve):
    """Senders reconnect by themselves; TCP tells them of the death a record late, so that only what it took counts."""
    served = serve("--listen", "tcp:127.0.0.1:0")
    port = served.port()
    sender = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(f"""
                import logging, logging.handlers, sys
                handler = logging.handlers.SocketHandler("127.0.0.1", {port})
                handler.retryStart = handler.retryMax = 0.01
                logging.raiseExceptions = False
                log = logging.getLogger("shop")
                log.addHandler(handler)
                log.setLevel("INFO")
                number = 0
                for word in sys.stdin:
                    # Until the server has it: what is sent to a dead one is lost, which its counts tell.
                    for _ in range(100):
                        log.info("%d", number)
                        number += 1
                    print(number, flush=True)
            """),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def send():
        sender.stdin.write("go\n")
        sender.stdin.flush()
        return int(sender.stdout.readline())

    try:
        assert send() == 100
        served.wait_for(100)
        served.process.kill()
        served.process.wait()
        again = serve("--listen", f"tcp:127.0.0.1:{port}")
        first = send() - 100
        # It comes back within the hundred; from then on nothing is missing.
        last = send()
    finally:
        sender.communicate(timeout=60)
    again.stop()
    numbers = [int(line["message"]) for line in again.lines()]
    assert numbers == sorted(set(numbers))
    assert numbers[:100] == list(range(100))
    assert numbers[-100:] == list(range(last - 100, last))
    assert len(numbers) > 200 and first == 100


@pytest.mark.parametrize(
    "frame",
    [
        b"\x00\x00",
        struct.pack(">L", 100) + b"\x80\x04half",
        struct.pack(">L", 0),
        struct.pack(">L", 5) + b"\x80\x04c\n.",
        struct.pack(">L", 0xFFFFFF) + b"x" * 1000,
        b"\xff\xff\xff\xff" * 10,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"<999999999999>x\0",
        struct.pack(">L", 40) + b"\x80\x04" + b"(" * 38,
    ],
)
def test_a_malicious_client_costs_the_others_nothing(serve, frame):
    served = serve("--listen", "tcp:127.0.0.1:0")
    senders = start_senders(f"logging.handlers.SocketHandler('127.0.0.1', {served.port()})", 2, 100)
    for held in (False, True):
        client = socket.create_connection(("127.0.0.1", served.port()))
        client.sendall(frame)
        if not held:
            client.close()
    assert [sender.wait(60) for sender in senders] == [0, 0]
    client.close()
    counts, _ = served.stop()
    messages = [line["message"] for line in served.lines() if line["name"] == "shop.worker"]
    assert sorted(messages) == sorted(all_messages(2, 100))
    assert counts["received"] == counts["handled"] + counts["below_level"] + counts["refused"]


def test_async_handlers_of_several_processes_lose_nothing(serve):
    served = serve("--listen", "tcp:127.0.0.1:0")
    handler = (
        "__import__('duramen.handlers').handlers.AsyncHandler("
        f"logging.handlers.SocketHandler('127.0.0.1', {served.port()}))"
    )
    senders = start_senders(handler)
    assert [sender.wait(60) for sender in senders] == [0] * PROCESSES
    served.stop()
    assert_each_once_and_in_order([line["message"] for line in served.lines()])


def syslog_program(make_handler):
    """Sends what a service of the standard library may: an identity, letters of all kinds, several lines, no NUL."""
    program = textwrap.dedent(f"""
        import logging, logging.handlers, socket
        handler = {make_handler}
        log = logging.getLogger("shop.worker")
        log.addHandler(handler)
        log.setLevel(logging.DEBUG)
        for level in (10, 20, 30, 40, 50):
            log.log(level, "level %d", level)
        log.info("é 日本 \\N{{PEAR}}")
        log.info("two\\nlines")
        log.info("")
        handler.ident = "shop[7]: "
        log.info("named")
        handler.append_nul = False
        log.info("without a NUL")
        try:
            1 / 0
        except ZeroDivisionError:
            log.exception("failed")
        logging.shutdown()
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(params=["udp", "udp:localhost:514", "unix-datagram"])
def syslog(request, serve, tmp_path):
    """A server on an address of each kind that ``SysLogHandler`` sends datagrams to, and what makes the handler."""
    if request.param == "unix-datagram":
        # As /dev/log, which is the system's own here.
        path = str(tmp_path / "log")
        return serve("--listen", f"unix-datagram:{path}"), f"logging.handlers.SysLogHandler({path!r})"
    if request.param == "udp":
        served = serve("--listen", "udp:127.0.0.1:0")
        return served, f"logging.handlers.SysLogHandler(('127.0.0.1', {served.port()}))"
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 514))
    except OSError:
        pytest.skip("the port of syslog is not to be had here")
    return serve("--listen", request.param), "logging.handlers.SysLogHandler()"


def test_datagrams_of_syslog_handlers_arrive_whole(syslog):
    served, make_handler = syslog
    syslog_program(make_handler)
    counts, reports = served.stop()
    lines = [(line["name"], line["levelname"], line["message"]) for line in served.lines()]
    expected = [
        ("syslog", name, f"level {level}")
        for level, name in zip(
            (10, 20, 30, 40, 50), ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), strict=True
        )
    ]
    expected += [("syslog", "INFO", text) for text in ("é 日本 \N{PEAR}", "two\nlines", "")]
    expected += [("syslog.shop", "INFO", text) for text in ("named", "without a NUL")]
    assert lines[:-1] == expected
    assert lines[-1][:2] == ("syslog.shop", "ERROR")
    assert lines[-1][2].startswith("failed\nTraceback") and lines[-1][2].endswith("division by zero")
    assert (counts["received"], counts["handled"], reports) == (11, 11, [])
    assert {line["facility"] for line in served.lines()} == {"user"}


@pytest.mark.parametrize("kind", ["udp", "unix-datagram"])
def test_datagrams_that_are_too_long_or_no_records_are_counted(serve, tmp_path, kind):
    path = str(tmp_path / "log")
    address = f"unix-datagram:{path}" if kind == "unix-datagram" else "udp:127.0.0.1:0"
    served = serve("--max-record-bytes", "1000", "--listen", address)
    family, place = (
        (socket.AF_UNIX, path) if kind == "unix-datagram" else (socket.AF_INET, ("127.0.0.1", served.port()))
    )
    datagrams = [
        b"<14>first",
        b"<14>" + b"x" * 996,
        b"<14>" + b"x" * 997,
        b"<14>" + b"x" * 60_000,
        b"<14>not UTF-8: \xff\xfe\x80 end\0",
        b"<14>\0",
        b"<192>no such priority",
        b"<14",
        b"\xff\xfe\xfd",
        b"GET / HTTP/1.1",
        b"",
        b"<14>" + "é".encode()[:1],
        b"<14>last",
    ]
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        for datagram in datagrams:
            client.sendto(datagram, place)
    counts, reports = served.stop()
    assert counts["received"] == counts["handled"] + counts["refused"] == len(datagrams)
    messages = [line["message"] for line in served.lines()]
    assert messages == ["first", "x" * 996, "not UTF-8: \ufffd\ufffd\ufffd end", "", "\ufffd", "last"]
    # Reports come at a limited rate, and name why.
    assert any("1000" in report for report in reports), reports
