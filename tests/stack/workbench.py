"""Runs programs and servers of the stack's environment, with Duramen installed or without."""

import os
import queue
import re
import signal
import socket
import subprocess
import textwrap
import threading
import time
import urllib.error
import urllib.request

DEADLINE_SECONDS = 60
"""How long to wait for what must happen; a test never waits this long unless it fails."""


class Workbench:
    """A folder with programs, run by the stack's interpreter on one implementation of logging."""

    def __init__(self, python, implementation, folder, search_path):
        self.implementation = implementation
        """"stdlib", or "duramen": the programs run under `python -m duramen`."""
        self.folder = folder
        self._command = [str(python), "-X", "utf8"]
        if implementation == "duramen":
            self._command += ["-m", "duramen"]
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("DURAMEN", "PYTHON"))
        }
        self._environment = {
            **inherited,
            "PYTHONPATH": os.pathsep.join(map(str, search_path)),
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "100",
            "NO_PROXY": "127.0.0.1",
            "TZ": "UTC",
        }
        self._running = []

    def write(self, name, source):
        """Write a file of the program under test into the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source).lstrip("\n"), encoding="utf-8")
        return path

    def read_lines(self, name="records.log"):
        """The lines of a file that the program wrote."""
        return (self.folder / name).read_text(encoding="utf-8").splitlines()

    def line_number(self, text):
        """The number of the only line of `program.py` that has `text`."""
        [number] = [n for n, line in enumerate(self.read_lines("program.py"), 1) if text in line]
        return number

    def run(self, *words, exit_code=0, **variables):
        """Run `python WORDS…` to its end; its output, after checking its exit code.

        `variables` are added to its environment.
        """
        with subprocess.Popen(
            [*self._command, *words],
            cwd=self.folder,
            env={**self._environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            # A group of its own, so that a program that hangs is ended with its children.
            start_new_session=True,
        ) as process:
            try:
                stdout, stderr = process.communicate(timeout=DEADLINE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        completed = subprocess.CompletedProcess(words, process.returncode, stdout, stderr)
        assert completed.returncode == exit_code, completed.stdout + completed.stderr
        return completed

    def run_source(self, source, *arguments, **options):
        """Run a program given as text, as `run` does; its output."""
        self.write("program.py", source)
        return self.run("program.py", *arguments, **options)

    def start(self, *words, **variables):
        """Start `python WORDS…` as a server that is stopped when the test ends."""
        return self._start([*self._command, *words], variables)

    def start_command(self, *words):
        """Start another program than Python as a server that is stopped when the test ends."""
        return self._start(words, {})

    def _start(self, command, variables):
        environment = {**self._environment, **variables}
        server = Server(command, self.folder, environment)
        self._running.append(server)
        return server

    def close(self):
        """Stop every server that is still running."""
        for server in self._running:
            server.kill()


class Server:
    """A running process whose output is read as it comes."""

    def __init__(self, command, folder, environment):
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            # A group of its own, so that the workers which it forks can be ended with it.
            start_new_session=True,
            # Tests that a shell runs in the background would hand on that SIGINT is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.output = []
        """The lines read so far, of standard output and standard error together."""
        self._arriving = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self._arriving.put(line.rstrip("\n"))
        self._arriving.put(None)

    def wait_for(self, pattern):
        """Read output until a line matches the regular expression `pattern`; the match."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            try:
                line = self._arriving.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"no line matches {pattern!r} in:\n" + "\n".join(self.output))
            self.output.append(line)
            found = re.search(pattern, line)
            if found:
                return found

    def stop(self, signal_number=signal.SIGTERM):
        """Ask the process to end as an operator would, and wait; all of its output."""
        self._process.send_signal(signal_number)
        self._process.wait(DEADLINE_SECONDS)
        self._reader.join(DEADLINE_SECONDS)
        while (line := self._arriving.get(timeout=DEADLINE_SECONDS)) is not None:
            self.output.append(line)
        return self.output

    def kill(self):
        """End the process and all that it started; nothing happens where they have ended."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait(DEADLINE_SECONDS)
        self._reader.join(DEADLINE_SECONDS)
        self._process.stdout.close()


def wait_until(condition):
    """Call `condition` until what it gives is true.

    A server writes some records after the last byte of an answer: a test that stops it waits for them first.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not so within {DEADLINE_SECONDS} s"
        time.sleep(0.01)


def wait_until_accepting(port):
    """Try to connect to a server on this machine until it accepts."""

    def accepts():
        try:
            socket.create_connection(("127.0.0.1", int(port)), DEADLINE_SECONDS).close()
        except ConnectionRefusedError:
            return False
        return True

    wait_until(accepts)


def http_get(port, path):
    """The status and the text that a server on this machine answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=DEADLINE_SECONDS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
