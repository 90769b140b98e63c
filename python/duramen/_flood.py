"""Filters that hold records back, count them, and say so: part of ``duramen.filters``."""

import atexit
import copy
import itertools
import time
import weakref

from duramen import ERROR, Filter, _checkLevel, _core, getLevelName

#: By number, in the order in which they were made: the end of the program has an order too.
_filters = weakref.WeakValueDictionary()


#: Filters have numbers, which exceptions that they have let through remember.
_numbers = itertools.count()


class _Decides(Filter):
    """What the filters share: ``_decides`` holds records back, and those that go on say it on a copy."""

    #: Before CPython 3.12, handlers take the record that a filter answers with from those alone that say so.
    _replaces_record = True
    _copies = True

    def suppressed(self):
        """How many records were held back."""
        return self._decides.suppressed()

    def _attached_to(self, owner, takes_copies):
        self._copies = takes_copies and self._copies

    def _own(self, record):
        """The record, to be changed: other handlers see it as it was."""
        return copy.copy(record) if self._copies else record


class _HoldsBack(_Decides):
    """What the filters for records that are alike share: one that goes on says how many like it did not."""

    def __init__(self, name=""):
        super().__init__(name)
        self._owner = None
        self._now = time.monotonic
        #: The record that says so now, which is not held back itself.
        self._last_words = None
        _filters[next(_numbers)] = self

    def _attached_to(self, owner, takes_copies):
        super()._attached_to(owner, takes_copies)
        self._owner = weakref.ref(owner)

    def _answer(self, record, key):
        if record is self._last_words:
            return record
        suppressed = self._decides.decide(key, self._now())
        if suppressed is None:
            self._decides.keep(key, record)
            return False
        self._decides.forget(key)
        return self._saying(record, suppressed) if suppressed else record

    def _saying(self, record, suppressed):
        """``record`` with the number at the end of its message, and as the field ``suppressed``."""
        record = self._own(record)
        record.msg = f"{_message_of(record)} {self._note(suppressed)}"
        record.args = None
        record.suppressed = suppressed
        return record

    def _say_the_rest(self):
        """Hand the owner a record for each key of which something was held back and nothing went on since."""
        owner = self._owner and self._owner()
        if owner is None:
            return
        for suppressed, record in self._decides.take_unsaid():
            self._last_words = self._saying(record, suppressed)
            owner.handle(self._last_words)


def _say_the_rest():
    for filter in list(_filters.values()):
        filter._say_the_rest()


# Before ``logging.shutdown``, which was registered earlier, closes the handlers.
atexit.register(_say_the_rest)


class RateLimitFilter(_HoldsBack):
    """Lets ``rate`` records a second through, and ``burst`` at once after a pause (a token bucket).

    - ``per``: what has a limit of its own: each ``"logger"`` (the default), each ``"level"``, with
      ``"field:customer"`` each value of the extra or bound field ``customer`` (records without it share one),
      ``None`` for one limit for all, or a function that gives a record's key. Records for which that fails share
      a limit.
    - ``exempt``: records of this level and above always go on; ERROR, unless it is set otherwise; ``None``: none.

    The next record of the same key that goes on says how many did not, ``[12 more suppressed]``, and has the
    number as its field ``suppressed``. At the end of the program the first one that was held back since says it.

    >>> import duramen as logging
    >>> limit = RateLimitFilter(rate=1, burst=2)
    >>> record = logging.makeLogRecord({"name": "db", "levelno": logging.INFO, "msg": "slow"})
    >>> [bool(limit.filter(record)) for _ in range(4)], limit.suppressed()
    ([True, True, False, False], 2)
    """

    def __init__(self, rate, burst=None, per="logger", exempt=ERROR, name=""):
        super().__init__(name)
        if not (per is None or per in ("logger", "level") or _field_of(per) or callable(per)):
            raise ValueError(
                f"RateLimitFilter: per: found {per!r}, expected 'logger', 'level', 'field:' and the name of an "
                "extra field, None or a function"
            )
        self._per = per
        self._exempt = _level_of(self, "exempt", exempt)
        if burst is None:
            burst = max(1.0, rate) if isinstance(rate, (int, float)) else 1.0
        self._decides = _made(_core.RateLimiter, self, rate=rate, burst=burst)

    def filter(self, record):
        """The record, one that says what was held back, or False."""
        if not super().filter(record) or _is_from(record, self._exempt):
            return record
        return self._answer(record, self._key(record))

    def _key(self, record):
        if self._per == "logger":
            return record.name
        if self._per == "level":
            return getLevelName(record.levelno)
        if self._per is None:
            return ""
        field = _field_of(self._per)
        if field:
            value = getattr(record, field, None)
            return "" if value is None else _text_of(value)
        try:
            key = self._per(record)
        except Exception as error:
            return _failure(self._per, error)
        return _text_of(key)

    @staticmethod
    def _note(suppressed):
        return f"[{suppressed} more suppressed]"


class DuplicateFilter(_HoldsBack):
    """Lets the first record with a message through and holds those like it back for ``window`` seconds.

    Alike are records of the same logger, level and message, its arguments included. The next one that goes on says
    ``[repeated 12 times]`` and has the number as its field ``suppressed``; at the end of the program the first one
    that was held back since does.

    An exception that was logged on its way up, by a handler with this filter, is not written a second time: the
    record goes on without it and says ``[exception logged before]``.

    >>> import duramen as logging
    >>> once = DuplicateFilter(window=60)
    >>> record = logging.makeLogRecord({"msg": "disk %s is slow", "args": ("a",)})
    >>> [bool(once.filter(record)) for _ in range(3)], once.suppressed()
    ([True, False, False], 2)
    """

    def __init__(self, window=60.0, name=""):
        super().__init__(name)
        self._number = next(_numbers)
        if isinstance(window, (int, float)) and not 0 < window < float("inf"):
            raise ValueError(f"DuplicateFilter: window: found {window!r}, expected seconds, above 0")
        self._decides = _made(_core.Duplicates, self, window=window)

    def filter(self, record):
        """The record, one that says what was held back, or False."""
        if not super().filter(record):
            return record
        answer = self._answer(record, f"{record.name}\n{record.levelno}\n{_message_of(record)}")
        return self._without_known_exception(answer) if answer else answer

    def _without_known_exception(self, record):
        triple = record.exc_info
        if not isinstance(triple, tuple) or not _core.exception_was_logged_before(self, triple):
            return record
        record = self._own(record)
        record.msg = f"{_message_of(record)} [exception logged before]"
        record.args = record.exc_info = record.exc_text = None
        return record

    @staticmethod
    def _note(suppressed):
        return f"[repeated {suppressed} times]"


class SamplingFilter(_Decides):
    """Lets a share of the records through: ``rate``, 0 to 1, chosen at random.

    - ``keep``: records of this level and above always go on; ERROR, unless it is set otherwise; ``None``: none.
    - ``field``: the field that says to which trace a record belongs, ``trace_id`` by default. Records of a trace go
      on together: its identifier decides, in every process alike. Those without are chosen one by one.

    Each record that was chosen has the field ``sample_rate``.

    >>> import duramen as logging
    >>> sample = SamplingFilter(rate=0.1)
    >>> record = logging.makeLogRecord({"msg": "m", "levelno": logging.INFO, "trace_id": "0af7651916cd43dd"})
    >>> len({bool(sample.filter(record)) for _ in range(100)})
    1
    """

    def __init__(self, rate, keep=ERROR, field="trace_id", name=""):
        super().__init__(name)
        self._keep = _level_of(self, "keep", keep)
        if not isinstance(field, str):
            raise ValueError(f"SamplingFilter: field: found {field!r}, expected the name of a field")
        self._field = field
        self._rate = rate
        self._decides = _made(_core.Sampler, self, rate=rate)

    def filter(self, record):
        """The record, or False."""
        if not super().filter(record) or _is_from(record, self._keep):
            return record
        trace = getattr(record, self._field, None)
        if not self._decides.decide(None if trace is None else _text_of(trace)):
            return False
        record = self._own(record)
        record.sample_rate = self._rate
        return record


def _message_of(record):
    """The message of the record. Where its arguments fail, as the handler is going to say, it is the text without them."""
    try:
        return record.getMessage()
    except Exception:
        return _text_of(record.msg)


def _text_of(value):
    """The value's text, or what structured formatters say of one that fails."""
    try:
        return str(value)
    except Exception as error:
        return _failure(value, error)


def _failure(value, error):
    return f"<unwritable {type(value).__name__}: {type(error).__name__}>"


def _field_of(per):
    """The name of the field that ``per`` stands for, or None."""
    kind, _, name = per.partition(":") if isinstance(per, str) else ("", "", "")
    return name if kind == "field" and name not in _core.RECORD_ATTRIBUTES else None


def _is_from(record, level):
    """Whether the record is of the level, if one is set, or above; records without a level are below all."""
    return level is not None and record.levelno is not None and record.levelno >= level


def _level_of(filter, option, level):
    """The number of ``level``, or None where none is set."""
    try:
        return None if level is None else _checkLevel(level)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{type(filter).__name__}: {option}: found {level!r}, expected a level or None"
        ) from error


def _made(kind, filter, **options):
    for name, value in options.items():
        if not isinstance(value, (int, float)):
            raise ValueError(f"{type(filter).__name__}: {name}: found {value!r}, expected a number")
    try:
        return kind(*options.values())
    except ValueError as error:
        raise ValueError(f"{type(filter).__name__}: {error}") from None
