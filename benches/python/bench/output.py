"""Where a scenario writes to: files that are read back and checked, or nowhere."""

import os
import re
from pathlib import Path


class NoOpStream:
    """A stream that takes text and does nothing with it."""

    def write(self, text):
        pass

    def flush(self):
        pass


class Discarded:
    """Takes what is timed without a disk: ``/dev/null`` and a stream that does nothing."""

    path = os.devnull

    def stream(self):
        return NoOpStream()


class Kept:
    """Files in a folder, which can be read back."""

    def __init__(self, folder):
        self._folder = Path(folder)
        self._streams = []

    @property
    def path(self):
        return str(self._folder / "out.log")

    @property
    def second_path(self):
        return str(self._folder / "second.log")

    def stream(self):
        """A text stream into the file; ``lines()`` closes it."""
        stream = open(self.path, "a", encoding="utf-8")
        self._streams.append(stream)
        return stream

    def lines(self):
        """All that was written, the oldest first; the backups of a rotated file before the file itself."""
        for stream in self._streams:
            stream.close()
        lines = []
        for path in sorted(self._folder.glob("*.log*"), key=_age):
            lines += path.read_bytes().decode("utf-8", "backslashreplace").splitlines()
        return lines


def _age(path):
    """Sorts backups that are numbered by number, and those that are named after a time by their last change."""
    backup = re.search(r"\.(\d+)$", path.name)
    number = int(backup[1]) if backup else 0
    return path.name.split(".")[0], -number, path.stat().st_mtime_ns
