"""Process-wide activation: the standard library's ``logging`` goes through Duramen."""

_installed = False


def install():
    """Make the standard library's ``logging`` go through Duramen in this process."""
    global _installed
    _installed = True


def uninstall():
    """Undo ``install()``; objects that were made meanwhile keep working."""
    global _installed
    _installed = False


def is_installed():
    """True between ``install()`` and ``uninstall()``."""
    return _installed
