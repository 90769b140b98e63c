"""Fields on every record of this task or thread: a request's id, a user, a job.

>>> from duramen import context
>>> with context.bound(request_id="7f3a"):
...     context.bind(user_id=123)
...     context.get()
{'request_id': '7f3a', 'user_id': 123}
>>> context.get()
{}

What is bound becomes an attribute of each record, as the fields of ``extra`` do: structured formatters show it,
filters and handlers find it, a layout names it (``%(request_id)s``). Of fields with the same name those of
``extra`` and of a ``LoggerAdapter`` stay. A name that is a record's own, such as ``name``, gets an underscore
at its end.

The fields live in a ``contextvars.ContextVar``: each asyncio task begins with those of the one that made it and
changes its own alone, and a forked child keeps those of the thread that forked. Threads begin with none, as they
do with every context variable: ``carry`` takes them along.

As soon as a program imports this module or ``duramen.formatters``, records that are made while a span of
OpenTelemetry is active have its ``trace_id``, ``span_id`` and ``trace_flags`` too, and ``service_name``,
``service_namespace``, ``service_version`` and ``service_instance_id`` where its resource tells them.
OpenTelemetry is not imported for that.
"""

import contextvars
import functools
import inspect

from duramen import _native

__all__ = ["bind", "bound", "carry", "clear", "get", "unbind"]

_TAKEN_NAMES = frozenset((*_native.RECORD_ATTRIBUTES, "getMessage"))

#: The dict is never changed once it is here: records may have it for their ``extra``.
_fields = contextvars.ContextVar("duramen.context")
_native.set_context_variable(_fields)


def _on_records(name):
    """The name that a field has on records."""
    return name + "_" if name in _TAKEN_NAMES or name.startswith("__") else name


def _present():
    return _fields.get(None) or {}


def _with(fields):
    return {**_present(), **{_on_records(name): value for name, value in fields.items()}}


def bind(**fields):
    """Put the fields on every record of this task or thread from now on."""
    _fields.set(_with(fields))


def unbind(*names):
    """Take fields off again; names that are not bound are left alone."""
    gone = {_on_records(name) for name in names}
    _fields.set({name: value for name, value in _present().items() if name not in gone})


def clear():
    """Take all fields off."""
    _fields.set({})


def get():
    """The fields as a new dict, by the names that they have on records."""
    return dict(_present())


class bound:
    """The fields for the length of a ``with`` block, or of each call of a decorated function.

    When it ends, all is bound that was before: what the block has bound itself is gone too. Functions, coroutine
    functions, generators and asynchronous generators can be decorated. Within a generator use the decorator: a
    ``with`` block in it leaves the fields to the caller while the generator waits.

    >>> @bound(job="report")
    ... def work():
    ...     return get()
    >>> work(), get()
    ({'job': 'report'}, {})
    """

    def __init__(self, **fields):
        self._given = fields
        self._tokens = []

    def __enter__(self):
        self._tokens.append(_fields.set(_with(self._given)))
        return self

    def __exit__(self, *error):
        _reset(self._tokens.pop())

    def __call__(self, function):
        fields = self._given
        if inspect.isasyncgenfunction(function):
            return _each_step_of_async(function, fields)
        if inspect.isgeneratorfunction(function):
            return _each_step(function, fields)
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run(*args, **keywords):
                with bound(**fields):
                    return await function(*args, **keywords)

        else:

            @functools.wraps(function)
            def run(*args, **keywords):
                with bound(**fields):
                    return function(*args, **keywords)

        return run


def _reset(token):
    try:
        _fields.reset(token)
    except ValueError:
        # An asynchronous generator may be ended in another context: what was bound in its own is gone with it.
        pass


class _Steps:
    """The fields within a generator, between two of its steps."""

    def __init__(self, fields):
        self._inside = None
        self._given = fields

    def __enter__(self):
        # What the generator has bound itself lives on in it.
        self._token = _fields.set(_with(self._given) if self._inside is None else self._inside)

    def __exit__(self, *error):
        self._inside = _present()
        _reset(self._token)


def _each_step(function, fields):
    @functools.wraps(function)
    def run(*args, **keywords):
        steps, generator = _Steps(fields), function(*args, **keywords)
        step, given = generator.send, None
        while True:
            with steps:
                try:
                    value = step(given)
                except StopIteration as end:
                    return end.value
            try:
                step, given = generator.send, (yield value)
            except GeneratorExit:
                with steps:
                    generator.close()
                raise
            except BaseException as error:
                step, given = generator.throw, error

    return run


def _each_step_of_async(function, fields):
    @functools.wraps(function)
    async def run(*args, **keywords):
        steps, generator = _Steps(fields), function(*args, **keywords)
        step, given = generator.asend, None
        while True:
            with steps:
                try:
                    value = await step(given)
                except StopAsyncIteration:
                    return
            try:
                step, given = generator.asend, (yield value)
            except GeneratorExit:
                with steps:
                    await generator.aclose()
                raise
            except BaseException as error:
                step, given = generator.athrow, error

    return run


def carry(function):
    """``function`` for another thread: it runs there with all that is bound here and now.

    The whole context is carried, so that a span of OpenTelemetry comes along. Each call has a copy of its own.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor() as executor, bound(request_id="7f3a"):
    ...     executor.submit(get).result(), executor.submit(carry(get)).result()
    ({}, {'request_id': '7f3a'})
    """
    context = contextvars.copy_context()

    @functools.wraps(function)
    def run(*args, **keywords):
        return context.copy().run(function, *args, **keywords)

    return run
