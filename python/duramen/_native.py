"""The extension's part in a run of the interpreter's modules, where the extension loads.

Where it does not, in a sub-interpreter or under another interpreter than it was built for, Duramen's
modules hold the interpreter's own code and nothing can be installed.
"""

import atexit

try:
    from duramen._core import (
        RECORD_ATTRIBUTES,
        ForkHooks,
        end_native_calls,
        end_threads_before_fork,
        forget_native_calls,
        go_on_after_fork,
        keywords_of,
        put_native_methods,
        set_context_variable,
        set_globals_owner,
    )
except ImportError as error:
    import logging

    load_error = error

    #: The names of a record's own attributes, and of those that formatting adds.
    RECORD_ATTRIBUTES = [*vars(logging.makeLogRecord({})), "message", "asctime"]

    def put_native_methods(namespace, name):
        """Leave the classes in ``namespace`` as they are: no method was changed."""
        return []

    def set_globals_owner(namespace):
        """Do nothing: no native method reads globals."""

    def set_context_variable(variable):
        """Do nothing: no native method reads what is bound."""

    def forget_native_calls():
        """Do nothing: no native method runs."""

    def keywords_of(class_name):
        """Give none: the classes take what the interpreter's take."""
        return []

    class ForkHooks:
        """The extension's, without its exactness where a signal handler raises."""

        def __init__(self, before, in_child):
            self._in_child = in_child
            self.before = before
            self._undo = []

        def hold(self, lock, timeout=-1):
            """Take the lock until the fork is over; whether that was in time."""
            is_held = lock.acquire(timeout=timeout)
            if is_held:
                self._undo.append(lock.release)
            return is_held

        def afterwards(self, function):
            """Have the function called after the fork, in the parent."""
            self._undo.append(function)

        def after_in_parent(self):
            """Undo what was done before the fork."""
            undo, self._undo = self._undo, []
            while undo:
                undo.pop()()

        def after_in_child(self):
            """Begin anew."""
            self._undo = []
            self._in_child()

    def end_threads_before_fork():
        """Do nothing: there is no thread."""

    def go_on_after_fork():
        """Do nothing: there is no thread."""

else:
    load_error = None
    atexit.register(end_native_calls)
