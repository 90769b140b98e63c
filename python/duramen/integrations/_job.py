"""What the integrations for task queues share: a job's fields, and the record at its end."""

import time

import duramen
from duramen import context

#: Under this name the id of the request that has made a job travels with it.
HEADER = "duramen_request_id"

#: Parameters and results are shown up to so many characters.
LONGEST_VALUE = 500


class Options:
    """How an integration treats jobs; ``owner`` is what errors name."""

    def __init__(self, owner, *, logger="duramen.tasks", parameters=False, result=False):
        if logger is not None and not (isinstance(logger, str) and logger):
            raise ValueError(f"{owner}: logger: found {logger!r}, expected a logger's name or None")
        for option, value in (("parameters", parameters), ("result", result)):
            if not isinstance(value, bool):
                raise ValueError(f"{owner}: {option}: found {value!r}, expected True or False")
        self.logger = logger
        self.parameters = parameters
        self.result = result


class Job:
    """One run of a job: its fields are on every record from ``begin`` to ``end``."""

    def __init__(self, options, fields, parameters, request_id):
        self._options = options
        self.fields = {name: value for name, value in fields.items() if value is not None}
        if request_id is not None:
            self.fields["request_id"] = str(request_id)
        if options.parameters:
            self.fields["task_parameters"] = shown(parameters)
        self._bound = context.bound(**self.fields)

    def begin(self):
        self._began = time.perf_counter()
        self._bound.__enter__()

    def end(self, level, state, result=None, **more):
        """Write the record, then take the fields off."""
        try:
            if self._options.logger is not None:
                duration = (time.perf_counter() - self._began) * 1000
                fields = {"task_state": state, "duration_ms": round(duration, 3), **more}
                if self._options.result:
                    fields["task_result"] = shown(result)
                duramen.getLogger(self._options.logger).log(
                    level, "%s %s in %.1f ms", self.fields["task_name"], state, duration, extra=fields
                )
        finally:
            self._bound.__exit__()


def present_request_id():
    """The id of the request that is served here and now, or None."""
    return context.get().get("request_id")


def shown(value):
    """The value as ``repr`` shows it, shortened."""
    try:
        text = repr(value)
    except Exception as error:
        return f"<{type(value).__name__} whose repr has failed: {type(error).__name__}>"
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"
