"""``AuditFileHandler``: records as an audit trail. The trail itself is native (``_core.AuditLog``)."""

import os
import weakref

import duramen as logging
from duramen import _core

#: The environment variable of the key, where no other place is named.
KEY_VARIABLE = "DURAMEN_AUDIT_KEY"

_open = weakref.WeakSet()


class _NoLock:
    """In the place of a handler's lock: the trail has its own, so that threads can share a commit."""

    def acquire(self, blocking=True, timeout=-1):
        return True

    def release(self):
        pass

    def __enter__(self):
        return True

    def __exit__(self, *error):
        pass

    def _at_fork_reinit(self):
        pass


class AuditFileHandler(logging.Handler):
    """Writes records as an audit trail: each is on the disk when the logging call returns, and no change goes unseen.

    - ``filename``: the file. Beside it is ``filename.head``, which says where the trail ends.
    - ``key_env``: the environment variable that holds the key of the codes, ``DURAMEN_AUDIT_KEY`` when left out;
      ``key_file``: a file that holds it, in its place. 16 bytes at least.
    - ``commit``: ``"record"`` (the default): each record is brought to the disk by itself; ``"group"``: those of
      threads that log at the same time together. With both the call returns when the record is there.
    - ``maxBytes``: another file begins before one grows beyond so many bytes; 0 (the default): size does not count.
    - ``when``, ``interval``, ``utc``, ``atTime``: another file begins by time, as with ``TimedRotatingFileHandler``; left out:
      time does not count.
    - ``max_age``: files that were last written longer ago are deleted: text such as ``"365d"``, seconds, or a
      ``timedelta``; left out: none is.
    - ``legal_hold``: true: none is deleted, whatever its age. A file ``filename.hold`` does the same while it is there.

    ``ValueError`` names an option that cannot be, before anything is touched. Filters that hold records back by their
    number (limits, samples, duplicates) are refused: ``ValueError``.
    """

    def __init__(
        self,
        filename,
        *,
        key_env=None,
        key_file=None,
        commit="record",
        maxBytes=0,
        when=None,
        interval=1,
        utc=False,
        atTime=None,
        max_age=None,
        legal_hold=False,
        level=logging.NOTSET,
    ):
        if key_env is not None and key_file is not None:
            raise ValueError(
                f"AuditFileHandler: key_file: found {key_file!r}, expected either key_env or key_file"
            )
        if not isinstance(key_file, (str, os.PathLike, type(None))):
            raise ValueError(f"AuditFileHandler: key_file: found {key_file!r}, expected a path")
        self.baseFilename = os.path.abspath(os.fspath(filename))
        # What is as it was left out says nothing.
        is_timed = when is not None
        self._options = {
            "key_env": KEY_VARIABLE if key_env is None else key_env,
            "key_file": None if key_file is None else os.path.abspath(key_file),
            "commit": commit,
            "max_bytes": maxBytes,
            "when": when,
            "interval": interval if is_timed or interval != 1 else None,
            "utc": utc if is_timed or utc else None,
            "at_time": atTime,
            "max_age": max_age,
            "legal_hold": legal_hold,
        }
        try:
            self._log = _core.AuditLog(self.baseFilename, **self._options)
        except ValueError as error:
            raise ValueError(f"AuditFileHandler: {error}") from None
        super().__init__(level)
        _open.add(self)

    def createLock(self):
        """Give the handler a lock that nobody waits for: the trail puts records in order."""
        self.lock = _NoLock()

    def addFilter(self, filter):
        """Add a filter that chooses records by what they are; others are refused."""
        from duramen import filters

        if isinstance(filter, (filters.RateLimitFilter, filters.DuplicateFilter, filters.SamplingFilter)):
            raise ValueError(
                f"AuditFileHandler: filters: found {type(filter).__name__}, which limits or samples, expected"
                " filters that choose by what a record is: an audit trail drops none of a kind"
            )
        super().addFilter(filter)

    def emit(self, record):
        """Add the record to the trail, and return when it is on the disk."""
        try:
            text = self.format(record)
            self._trail().append(text.encode("utf-8", "backslashreplace"))
        except RecursionError:
            raise
        except Exception:
            self.handleError(record)

    def flush(self):
        """Write what could not be written before."""
        if self._log is not None:
            self._log.flush()

    def close(self):
        """Write what could not be written before, and close the file; the next record opens it again."""
        if self._log is not None:
            self._log.close()
        super().close()

    def stats(self):
        """Say what has become of the records of this process: ``written``, ``pending``, ``lost``, and more."""
        return self._trail().stats()

    def _trail(self):
        if self._log is None:
            self._log = _core.AuditLog(self.baseFilename, **self._options)
        return self._log

    def __repr__(self):
        return f"<{type(self).__name__} {self.baseFilename} ({logging.getLevelName(self.level)})>"


def _begin_anew():
    """In a forked child: what its parent has in memory, and the locks of its threads, are the parent's."""
    for handler in list(_open):
        # Never dropped: a thread of the parent may have been in the middle of it.
        handler._of_parent = handler._log
        handler._log = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
