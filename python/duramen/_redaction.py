"""The ``redact`` section of a configuration: every handler that it makes masks what it is given.

The section holds the options of ``duramen.filters.RedactingFilter``, and ``handlers``, the names of the handlers
that mask; all of them when it is left out.
"""

import functools
import re


class RedactError(ValueError):
    """The section cannot be used; the message begins with the path of the option."""


def filter_of(config):
    """The filter that the ``redact`` section of ``config`` describes, or None where there is none."""
    section = config.get("redact")
    if section is None:
        return None
    from duramen.filters import RedactingFilter

    if not isinstance(section, dict):
        raise RedactError(f"redact: has to be a mapping, not {type(section).__name__} {section!r}")
    options = {name: section[name] for name in section if name != "handlers"}
    _names_in(config)
    try:
        return RedactingFilter(**options)
    except TypeError as error:
        raise RedactError(f"redact: {error}") from None
    except (ValueError, OSError) as error:
        text = str(error).removeprefix("RedactingFilter: ")
        names_option = re.match(r"\w*", text)[0] in options
        raise RedactError(f"redact.{text}" if names_option else f"redact: {text}") from None


def _names_in(config):
    """The names of the handlers that mask."""
    handlers = config.get("handlers") or {}
    names = config["redact"].get("handlers")
    if names is None:
        return list(handlers)
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise RedactError(f"redact.handlers: found {names!r}, expected a list of names")
    for name in names:
        if name not in handlers:
            raise RedactError(f"redact.handlers: found {name!r}, expected one of {', '.join(handlers)}")
    return list(names)


def put_into(configurator):
    """Make ``DictConfigurator`` heed the section; gives ``(class, name, original, replacement)`` to undo it."""
    original = configurator.configure_handler

    @functools.wraps(original)
    def configure_handler(self, config):
        # Made before the handler is, so that a wrong section opens nothing.
        filter = filter_of(self.config)
        masks = filter is not None and any(
            self.config["handlers"][name] is config for name in _names_in(self.config)
        )
        handler = original(self, config)
        if masks:
            # The last one: it sees what the others have put on the record.
            handler.addFilter(filter)
        return handler

    configurator.configure_handler = configure_handler
    return configurator, "configure_handler", original, configure_handler
