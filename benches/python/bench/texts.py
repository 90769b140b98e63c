"""What is logged and in which layout, in the notation of each family of packages."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Notation:
    """One text in the notation of ``logging`` and in that of loguru."""

    percent: str | None
    brace: str | None


#: Messages. The first argument is the number of the record, so that a lost or moved line is seen.
PLAIN = Notation("order placed", "order placed")
THREE_ARGUMENTS = Notation("order %d of %s costs %.2f", "order {} of {} costs {:.2f}")
IN_THREAD = Notation("thread %d order %d of %s", "thread {} order {} of {}")
FAILED = Notation("order %d failed", "order {} failed")

_LOGURU_TIME = "{time:YYYY-MM-DD HH:mm:ss,SSS}"

#: Layouts.
NONE = Notation(None, None)
MESSAGE_ONLY = Notation("%(message)s", "{message}")
STANDARD = Notation(
    "%(asctime)s - %(name)s - %(levelname)s - %(message)s",
    _LOGURU_TIME + " - {extra[logger]} - {level} - {message}",
)
WITH_CALLER = Notation(
    "%(asctime)s - %(name)s - %(levelname)s - %(message)s %(pathname)s:%(lineno)d %(funcName)s",
    _LOGURU_TIME + " - {extra[logger]} - {level} - {message} {file.path}:{line} {function}",
)
WITH_CUSTOMER = Notation(
    "%(asctime)s %(customer)s %(message)s", _LOGURU_TIME + " {extra[customer]} {message}"
)
