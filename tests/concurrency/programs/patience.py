"""A program that hangs shows where its threads stand, and ends."""

import faulthandler
import signal


def show_threads_after(seconds):
    """End this process with the stacks of its threads when it runs longer than ``seconds``.

    An alarm and not faulthandler's own timer, which cannot be set anew in a forked child.
    """
    faulthandler.register(signal.SIGALRM, chain=True)
    signal.alarm(seconds)
