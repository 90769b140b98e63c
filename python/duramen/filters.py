"""Filters that do more than to let records pass.

``RedactingFilter`` masks secrets; ``RateLimitFilter``, ``SamplingFilter`` and ``DuplicateFilter`` keep a flood of
records from the disk, and count and say what they hold back.
"""

import os
import sys
import warnings

from duramen import Filter, Logger, _core
from duramen._flood import DuplicateFilter, RateLimitFilter, SamplingFilter

__all__ = ["DuplicateFilter", "RateLimitFilter", "RedactingFilter", "SamplingFilter"]

for _class in (DuplicateFilter, RateLimitFilter, SamplingFilter):
    # Where they are imported from, and where pickles and documentation look for them.
    _class.__module__ = __name__


class RedactingFilter(Filter):
    """Masks secrets, on a copy of each record: other handlers see the record as it was.

    It belongs on handlers. A filter on a logger does not see what the loggers below it send up, so that
    attaching it there warns.

    Masked are the message with its arguments, ``extra`` fields at any depth (names and values), the text of
    exceptions and stacks. The copy has no ``args`` and no ``exc_info`` any more, since they may hold what
    their text does not show. What fails to be looked through is masked as a whole and counted.

    - ``packs``: rules by name, ``"credentials"`` (the default), ``"pii"``, ``"financial"``.
    - ``keys``: names of fields that are secrets, in any spelling (``apiKey``, ``API_KEY``), with ``*`` for any
      characters and dots for fields inside others (``user.pin``).
    - ``patterns``: regular expressions by name, of which the match, or its group ``secret``, is masked.
    - ``allow``: names of fields; all others are masked. Of these too, secrets are.
    - ``mode``: what stands there: ``"mask"`` (``***``, the default), ``"partial"`` (the last four characters),
      ``"pseudonym"`` (the same for the same text, by a secret key), ``"type"`` (``[email]``), ``"drop"``.
    - ``modes``: other modes by the name of a pattern.
    - ``pseudonym_key_env``, ``pseudonym_key_file``: where the secret key stands, 16 bytes or more.

    >>> import duramen as logging
    >>> record = logging.makeLogRecord({"msg": "password=%s of %s", "args": ("hunter2", "ada@example.org")})
    >>> record.headers = {"X-Api-Key": "abc", "Accept": "*/*"}
    >>> masked = RedactingFilter(packs=["credentials", "pii"]).filter(record)
    >>> masked.getMessage(), masked.headers
    ('password=*** of ***', {'X-Api-Key': '***', 'Accept': '*/*'})
    """

    #: Before CPython 3.12, handlers take the record that a filter answers with from those alone that say so.
    _replaces_record = True

    def __init__(
        self,
        name="",
        *,
        packs=("credentials",),
        keys=None,
        patterns=None,
        allow=None,
        mode=None,
        modes=None,
        pseudonym_key_env=None,
        pseudonym_key_file=None,
    ):
        super().__init__(name)
        options = {
            "packs": packs,
            "keys": keys,
            "patterns": patterns,
            "allow": allow,
            "mode": mode,
            "modes": modes,
            "pseudonym_key": _pseudonym_key(pseudonym_key_env, pseudonym_key_file),
        }
        # An owner that might go on with the record which it was given, and not with the copy, gets that record
        # itself masked: one with a ``handle`` of its own, and before CPython 3.12 all that are not known.
        self._copies = True if sys.version_info >= (3, 12) else None
        try:
            self._redactor = _core.Redactor(options)
        except ValueError as error:
            raise ValueError(f"{type(self).__name__}: {error}") from None

    def filter(self, record):
        """A masked copy of the record; the record itself when it is not of the logger ``name``.

        A record that can neither be masked nor replaced by one that says so is not let through.
        """
        if not super().filter(record):
            return record
        masked = self._redactor.record(record, not self._copies)
        return False if masked is None else masked

    def text(self, text):
        """``text`` with what the patterns find replaced."""
        return self._redactor.text(text)

    def fields(self, fields):
        """A new dict of ``fields``, a mapping, with what is secret by name or by pattern replaced."""
        masked = {name: self._redactor.field(name, value) for name, value in fields.items()}
        return {name: value for name, value in masked.items() if value is not None or fields[name] is None}

    def expressions(self):
        """What is looked for: ``{name: regular expression}`` of the patterns, in the syntax of Rust's regex crate."""
        return dict(self._redactor.expressions())

    def counts(self):
        """How often each rule has masked: ``key`` for names of fields, the patterns by name, ``failed``."""
        return dict(self._redactor.counts())

    def _attached_to(self, owner, takes_copies):
        self._copies = takes_copies and self._copies is not False
        if isinstance(owner, Logger):
            warnings.warn(
                f"{type(self).__name__} on the logger {owner.name!r} does not see what the loggers below it "
                "send up; attach it to the handlers",
                stacklevel=2,
            )


def _pseudonym_key(env, file):
    if env is not None:
        if not os.environ.get(env):
            raise ValueError(f"RedactingFilter: pseudonym_key_env: the variable {env!r} is not set")
        return os.environ[env].encode()
    if file is not None:
        try:
            with open(file, "rb") as key:
                return key.read().strip()
        except OSError as error:
            raise ValueError(
                f"RedactingFilter: pseudonym_key_file: found {str(file)!r} ({error.strerror}), expected a file"
            ) from error
    return None


_core.put_native_methods(globals(), __name__)
