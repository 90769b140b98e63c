"""Formatters of Duramen's in a configuration for ``dictConfig``, under ``class:``.

CPython hands a formatter's class ``format``, ``datefmt``, ``style`` and ``validate``, from 3.12 on ``defaults``, and
loses all else that stands there in silence. Duramen's classes get every option, and refuse those that they do not
know; other classes get what CPython gives them.
"""

import functools


def is_own(kind):
    """Whether ``kind`` is one of the formatters of ``duramen.formatters``, or made from one."""
    return isinstance(kind, type) and any(base.__module__ == "duramen.formatters" for base in kind.__mro__)


def made(kind, options):
    """A formatter of the class with what its section of a configuration holds; ValueError names a wrong option."""
    given = {name: options[name] for name in options if name not in ("class", "()", ".")}
    arguments = [
        given.pop("format", given.pop("fmt", None)),
        given.pop("datefmt", None),
        given.pop("style", "%"),
    ]
    try:
        return kind(*arguments, **given)
    except TypeError as error:
        # The interpreter's own words say which option it is: "got an unexpected keyword argument 'x'".
        raise ValueError(f"{kind.__name__}: {error}") from error


def put_into(configurator):
    """Make ``DictConfigurator`` do so; gives ``(class, name, original, replacement)`` to undo it."""
    original = configurator.configure_formatter

    @functools.wraps(original)
    def configure_formatter(self, config):
        kind = config.get("class") if "()" not in config else None
        try:
            kind = self.resolve(kind) if isinstance(kind, str) else kind
        except ValueError:
            # A class that cannot be found: the method says so in its own way.
            return original(self, config)
        return made(kind, config) if is_own(kind) else original(self, config)

    configurator.configure_formatter = configure_formatter
    return configurator, "configure_formatter", original, configure_formatter
