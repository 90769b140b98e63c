"""A running ``duramen serve``, for tests."""

import json
import os
import signal
import subprocess
import sys
import time


class Served:
    """A running ``duramen serve``."""

    def __init__(self, folder, *options, before=None, file=None, **handlers):
        """``before``: is called in the new process. ``handlers``: more of them; the root has the first one."""
        self.folder = folder
        self.log = file or folder / "log.jsonl"
        config = {
            "version": 1,
            "formatters": {
                "json": {
                    "class": "duramen.formatters.JsonFormatter",
                    "fields": ["name", "levelname", "message"],
                }
            },
            "handlers": {
                "file": {"class": "logging.FileHandler", "filename": str(self.log), "formatter": "json"},
                **handlers,
            },
            "root": {"handlers": [[*handlers, "file"][0]], "level": "DEBUG"},
        }
        (folder / "serve.json").write_text(json.dumps(config))
        command = [sys.executable, "-m", "duramen", "serve", *options, str(folder / "serve.json")]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=before)
        self.addresses, self.reports = [], []
        for _ in range(max(1, options.count("--listen"))):
            line = self.process.stderr.readline()
            assert "listening on" in line, line
            self.addresses.append(line.split(" listening on ")[1].strip())

    def port(self, index=0):
        return int(self.addresses[index].rsplit(":", 1)[1])

    def stop(self):
        """End it, and give its counts and what it reported."""
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=60)[1].splitlines()
        assert self.process.returncode == 0, said
        return json.loads(said[-1].removeprefix("duramen: serve: ")), self.reports + said[:-1]

    def lines(self):
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def counts(self):
        """The counts of this moment."""
        self.process.send_signal(signal.SIGUSR1)
        while not (line := self.process.stderr.readline()).startswith("duramen: serve: {"):
            assert line, "it has ended"
            self.reports.append(line.rstrip())
        return json.loads(line.removeprefix("duramen: serve: "))

    def wait_for(self, count):
        until = time.monotonic() + 60
        while self.counts()["received"] < count and time.monotonic() < until:
            time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def processor_seconds(self):
        """What it has used of the processor."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            words = stat.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
