"""Handlers with queues that are replaced or closed while threads log: each record is delivered, once."""

import sys

import pytest
from journal_support import WAYS, journals, lines, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="journals are tried out on Linux")

PROGRAM = """
import importlib
dictConfig = importlib.import_module(logging.__name__ + ".config").dictConfig
signal.alarm(55)
sys.setswitchinterval(1e-5)

def configure():
    handlers = {{
        "file": {{"class": "{file}", "filename": "out.log"}},
        "queue": {{"class": "duramen.handlers.AsyncHandler", "handlers": ["file"], {options}}},
    }}
    dictConfig({{
        "version": 1, "disable_existing_loggers": False, "handlers": handlers,
        "root": {{"handlers": ["queue"], "level": "INFO"}},
    }})

configure()
log.propagate = True
is_over = threading.Event()
counts = [0, 0, 0]

def work(thread):
    while not is_over.is_set():
        log.info("%d %d", thread, counts[thread])
        counts[thread] += 1

threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
[thread.start() for thread in threads]
{meanwhile}
is_over.set()
[thread.join() for thread in threads]
print(*counts)
"""

MEANWHILE = {
    "configured anew": "for _ in range(10): configure()",
    "closed again and again": "for _ in range(10): logging.getLogger().handlers[0].close()",
    "shut down": "logging.shutdown()",
    "configured anew between forks": """
for _ in range(10):
    configure()
    if os.fork() == 0:
        os._exit(0)
    os.wait()
""",
    "configured anew while another thread forks": """
def fork():
    while not is_over.is_set():
        if os.fork() == 0:
            os._exit(0)
        os.wait()
threads.append(threading.Thread(target=fork))
threads[-1].start()
for _ in range(10): configure()
""",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("options", ["", "'journal': 'spool'"], ids=["plain", "journal"])
@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_each_record_is_delivered_once(tmp_path, meanwhile, options, way):
    body = PROGRAM.format(file="logging.FileHandler", options=options, meanwhile=MEANWHILE[meanwhile])
    output, errors = run(tmp_path, body, way)
    found = lines(tmp_path)
    for thread, count in enumerate(map(int, output.split())):
        own = [int(line.split()[1]) for line in found if line.startswith(f"{thread} ")]
        assert sorted(own) == list(range(count))
    assert "not delivered" not in errors
    if options:
        assert journals(tmp_path) == []


OWN = """
import duramen as logging

class Own(logging.FileHandler):
    def emit(self, record):
        super().emit(record)
"""


def test_behind_a_handler_that_is_written_in_python(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    meanwhile = MEANWHILE["configured anew"]
    program = PROGRAM.format(file="own.Own", options="'capacity': 100", meanwhile=meanwhile)
    output, _ = run(tmp_path, "sys.path.insert(0, '.')\n" + program)
    found = lines(tmp_path)
    assert len(set(found)) == len(found) == sum(map(int, output.split()))
