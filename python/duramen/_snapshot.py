"""Copies of records for queues: what is changed after a record was logged changes nothing of what is delivered."""

import copy
from collections import deque

import duramen as logging


def snapshot(record):
    """A copy of the record that later changes of what was logged do not reach."""
    if type(record) is logging.LogRecord:
        kept = logging.LogRecord.__new__(logging.LogRecord)
        vars(kept).update(vars(record))
    else:
        kept = copy.copy(record)
    fields = vars(kept)
    if isinstance(record.msg, dict) and not record.args:
        # Structured formatters show its members.
        fields["msg"] = _copied(record.msg, 0)
    else:
        message = record.getMessage()
        fields["msg"] = fields["message"] = message
    fields["args"] = None
    for name, value in fields.items():
        if type(value) in _CONTAINERS and name != "exc_info":
            fields[name] = _copied(value, 0)
    return kept


_CONTAINERS = frozenset({dict, list, tuple, set, frozenset, deque, bytearray})
_DEEPEST = 16


def _copied(value, depth):
    """Containers are copied with what is in them, all else is the same object."""
    kind = type(value)
    if kind not in _CONTAINERS or depth >= _DEEPEST:
        return value
    if kind is dict:
        return {name: _copied(inner, depth + 1) for name, inner in list(value.items())}
    if kind in (set, frozenset, bytearray):
        return kind(value)
    if kind is deque:
        return deque([_copied(inner, depth + 1) for inner in list(value)], value.maxlen)
    return kind([_copied(inner, depth + 1) for inner in list(value)])
