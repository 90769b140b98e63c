"""The ``redact`` section of a configuration: every handler that it makes masks what it is given.

The section holds the options of ``duramen.filters.RedactingFilter``, and ``handlers``, the names of the handlers
that mask; all of them when it is left out. In the form of ``fileConfig`` it is ``[redact]``, with commas between the names
in a list; ``[redact_patterns]`` and ``[redact_modes]`` are its options ``patterns`` and ``modes``.
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


#: Options that list names.
_LISTS = ("packs", "keys", "allow", "handlers")


def config_of(parser):
    """The part of a configuration that has to do with masking, as ``dictConfig`` takes it, from a ``ConfigParser``."""
    mappings = {"patterns": "redact_patterns", "modes": "redact_modes"}
    if not parser.has_section("redact"):
        for section in mappings.values():
            if parser.has_section(section):
                raise RedactError(f"[{section}]: found no section [redact], expected one, which may be empty")
        return {}
    # As they stand there: regular expressions have their own %.
    options = _own_options(parser, "redact")
    redact = {name: _split(text) if name in _LISTS else text for name, text in options.items()}
    for option, section in mappings.items():
        if parser.has_section(section):
            redact[option] = _own_options(parser, section)
    names = _split(parser.get("handlers", "keys", raw=True, fallback=""))
    return {"handlers": dict.fromkeys(names), "redact": redact}


def _own_options(parser, section):
    """The options of the section without those of ``[DEFAULT]``, which every section has."""
    defaults = parser.defaults()
    texts = {name: parser.get(section, name, raw=True) for name in parser.options(section)}
    return {name: text for name, text in texts.items() if defaults.get(name) != text}


def _split(text):
    return [name.strip() for name in text.split(",") if name.strip()]


def put_into_file_config(module):
    """Make ``fileConfig`` of the module heed the section; gives the changes, each as ``put_into`` gives one."""
    create_formatters, install_handlers = module._create_formatters, module._install_handlers

    @functools.wraps(create_formatters)
    def checked_create_formatters(cp):
        # The first thing that fileConfig does: a wrong section changes and opens nothing.
        filter_of(config_of(cp))
        return create_formatters(cp)

    @functools.wraps(install_handlers)
    def masking_install_handlers(cp, formatters):
        config = config_of(cp)
        filter = filter_of(config)
        handlers = install_handlers(cp, formatters)
        if filter is not None:
            for name in _names_in(config):
                handlers[name].addFilter(filter)
        return handlers

    module._create_formatters = checked_create_formatters
    module._install_handlers = masking_install_handlers
    return [
        (module, "_create_formatters", create_formatters, checked_create_formatters),
        (module, "_install_handlers", install_handlers, masking_install_handlers),
    ]


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
