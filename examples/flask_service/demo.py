"""Runs the Flask service under ``duramen run``, makes requests, and shows what was logged.

Everything that is written goes to the folder ``demo-output``. The exit code is not zero when anything
is missing from it.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
OUTPUT = Path("demo-output")
ROUNDS = 60
PATHS = [("GET", "/"), ("GET", "/items/apple"), ("GET", "/items/cherry"), ("POST", "/orders/pear")]
RARE_PATHS = [("POST", "/orders/plum"), ("GET", "/broken"), ("GET", "/report")]
ROUNDS_BETWEEN_RARE = 20
SAMPLE_LINES = 12
SERVICE_DEADLINE_SECONDS = 30
#: How a record begins in the text files; the lines of a traceback do not.
TEXT_RECORD = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ +\S+ \["

CONFIGURATION = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "console": {"class": "duramen.formatters.ConsoleFormatter", "color": True},
        "json": {"class": "duramen.formatters.JsonFormatter"},
        "text": {"format": "%(asctime)s %(levelname)-8s %(name)s [%(threadName)s] %(message)s"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "console"},
        "json": {
            "class": "logging.FileHandler",
            "formatter": "json",
            "filename": str(OUTPUT / "service.json"),
        },
        "text": {
            "class": "logging.handlers.RotatingFileHandler",
            "formatter": "text",
            "filename": str(OUTPUT / "service.log"),
            "maxBytes": 20_000,
            "backupCount": 5,
        },
    },
    "root": {"level": "DEBUG", "handlers": ["console", "json", "text"]},
}


def main():
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir()
    configuration = OUTPUT / "logging.json"
    # dictConfig passes options beyond CPython's own only to factories, which "()" names.
    console = CONFIGURATION["formatters"]["console"]
    console["()"] = console.pop("class")
    configuration.write_text(json.dumps(CONFIGURATION, indent=2))
    answers = serve_and_ask(configuration)
    records = read_json_records()
    show_samples()
    show_summary(records, answers)
    check(records, answers)
    show_cost()


def serve_and_ask(configuration):
    """Start the service, make the requests, stop it; gives how often each status came."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DURAMEN_")}
    environment["LOGGING_CONFIG"] = str(configuration)
    command = [sys.executable, "-m", "duramen", "run", sys.executable, str(HERE / "service.py"), str(port)]
    with open(OUTPUT / "console.txt", "w") as console:
        service = subprocess.Popen(command, env=environment, stdout=console, stderr=console)
        try:
            wait_until_it_answers(port, service)
            return Counter(
                ask(port, method, path)
                for number in range(ROUNDS)
                for method, path in PATHS + (RARE_PATHS if number % ROUNDS_BETWEEN_RARE == 0 else [])
            )
        finally:
            service.terminate()
            service.wait(SERVICE_DEADLINE_SECONDS)


def wait_until_it_answers(port, service):
    deadline = time.monotonic() + SERVICE_DEADLINE_SECONDS
    while time.monotonic() < deadline and service.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"the service did not start:\n{(OUTPUT / 'console.txt').read_text()}")


def ask(port, method, path):
    """Make one request and give the status of the answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=SERVICE_DEADLINE_SECONDS) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def read_json_records():
    records = []
    for number, line in enumerate((OUTPUT / "service.json").read_text().splitlines(), 1):
        try:
            records.append(json.loads(line))
        except ValueError as error:
            sys.exit(f"{OUTPUT}/service.json:{number}: not JSON: {error}: {line}")
    return records


def read_rotated_text():
    """The text of the rotating file and its older parts, oldest first."""
    backups = sorted(OUTPUT.glob("service.log.*"), key=lambda path: int(path.suffix[1:]), reverse=True)
    return "".join(path.read_text() for path in [*backups, OUTPUT / "service.log"])


def show_samples():
    samples = [
        ("The console", OUTPUT / "console.txt", (OUTPUT / "console.txt").read_text()),
        ("The JSON file", OUTPUT / "service.json", (OUTPUT / "service.json").read_text()),
        ("The rotating text file", OUTPUT / "service.log*", read_rotated_text()),
    ]
    for title, path, text in samples:
        lines = text.splitlines()
        # The failed order shows most: a traceback with requests around it.
        failure = next((n for n, line in enumerate(lines) if "order of plum failed" in line), 0)
        first = max(0, failure - SAMPLE_LINES // 3)
        print(f"\n--- {title} ({path})")
        print("\n".join(lines[first : first + SAMPLE_LINES]))


def show_summary(records, answers):
    print("\n--- Summary")
    print("requests by status: ", dict(sorted(answers.items())))
    print("records by level:   ", dict(Counter(record["level"] for record in records)))
    print("records by logger:  ", dict(Counter(record["logger"] for record in records)))
    files = [path for path in sorted(OUTPUT.iterdir()) if path.name != "logging.json"]
    for path in files:
        print(f"{path}: {path.stat().st_size} bytes")
    print(f"{len(records)} records, {sum(path.stat().st_size for path in files)} bytes in {len(files)} files")


def check(records, answers):
    """End with an error when something that was logged is not in every place where it belongs."""
    rotated = read_rotated_text()
    coloured = (OUTPUT / "console.txt").read_text()
    console = re.sub(r"\x1b\[[\d;]*m", "", coloured)
    rare = len(range(0, ROUNDS, ROUNDS_BETWEEN_RARE))
    loggers = Counter(record["logger"] for record in records)
    wanted = {
        "each request has its Werkzeug record": loggers["werkzeug"] >= sum(answers.values()),
        "the failed orders are there with their traceback": sum(
            "ZeroDivisionError" in record.get("exception", "") for record in records
        )
        == rare,
        "the broken page is there, logged by Flask": sum(
            record["logger"] == "storefront" and "this page is broken" in record.get("exception", "")
            for record in records
        )
        == rare,
        "the slow reports are there": sum("milliseconds" in record for record in records) == rare,
        "extra fields are in the JSON": sum(record.get("item") == "cherry" for record in records) == ROUNDS,
        "the rotating file has rotated": (OUTPUT / "service.log.1").exists(),
        "every record is in the text files": len(re.findall(TEXT_RECORD, rotated, re.MULTILINE))
        == len(records),
        "the text files have Werkzeug's records": " werkzeug " in rotated,
        "the console is coloured": coloured != console,
        "the console has Werkzeug's records": " werkzeug: " in console,
        "the console has the application's records": "INFO     shop: " in console,
    }
    missing = [text for text, holds in wanted.items() if not holds]
    if missing:
        sys.exit("missing: " + "; ".join(missing))


def show_cost():
    """The cost of one call beside the standard library's, in turns, each in a process of its own."""
    costs = {"standard library": [], "duramen": []}
    for _ in range(3):
        for name, activation in [("standard library", ""), ("duramen", "import duramen; duramen.install()")]:
            code = f"{activation}\n{(HERE / 'cost.py').read_text()}"
            result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            costs[name].append(float(result.stdout))
    best = {name: min(values) for name, values in costs.items()}
    print("\n--- Cost of a record with three arguments, formatted with the time and written to a file")
    print("(measured apart from the service: the best of three runs of each, in turns, on this machine)")
    for name, nanoseconds in best.items():
        print(f"{name + ':':18}{nanoseconds:6.0f} ns")
    print(f"{'ratio:':18}{best['standard library'] / best['duramen']:6.1f}")


if __name__ == "__main__":
    main()
