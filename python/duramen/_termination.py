"""SIGTERM in a process that has no handler for it: what waits is delivered before the process ends by the signal."""

import os
import signal
import sys

from duramen import _core

_process = {"is_set": False}


def before_the_end_by_sigterm(deliver):
    """Have ``deliver()`` called before SIGTERM ends the process.

    Only where the signal has the system's meaning: nothing that the application has set is replaced, and what it sets
    later holds. The process still ends by the signal. Only the main thread can set it (a rule of the interpreter's);
    from another one nothing is done.
    """
    if _process["is_set"] or sys.platform == "win32" or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return
    if _is_caught_without_the_interpreter():
        return

    def end(number, frame):
        _core.has_come()
        # Another signal ends the process at once.
        signal.signal(number, signal.SIG_DFL)
        try:
            deliver()
        finally:
            os.kill(os.getpid(), number)

    try:
        signal.signal(signal.SIGTERM, end)
    except ValueError:
        return  # This is not the main thread.
    # A handler in Python may run late, while what it takes the place of ends the process at once.
    _core.repeat_until_noticed(signal.SIGTERM)
    # Once: an application that goes back to the system's meaning later is obeyed.
    _process["is_set"] = True


def _is_caught_without_the_interpreter():
    """Whether a library has set a handler of which the interpreter knows nothing, as ``faulthandler`` does (Linux)."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            caught = next((line for line in status if line.startswith("SigCgt:")), "SigCgt: 0")
    except OSError:
        return False
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
