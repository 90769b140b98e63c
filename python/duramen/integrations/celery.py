"""Fields of the task on every record of a Celery worker, and one record at the end of each task.

>>> from duramen.integrations import celery
>>> celery.connect(parameters=True)

``connect`` is called where the application is made, so that workers and those who publish tasks do it alike: the id of
the request that publishes a task goes with it. Celery's own logging is left as it is.
"""

from celery import signals

import duramen
from duramen.integrations._job import HEADER, Job, Options, present_request_id

__all__ = ["connect", "disconnect"]

#: The state of a task that was ended from outside: Celery's signal has none then.
_TERMINATED = "TERMINATED"

_LEVELS = {"FAILURE": duramen.ERROR, _TERMINATED: duramen.ERROR, "RETRY": duramen.WARNING}


class _Integration:
    def __init__(self):
        self.options = None

    def publish(self, headers=None, **_):
        request_id = present_request_id()
        if headers is not None and request_id is not None:
            headers.setdefault(HEADER, request_id)

    def prerun(self, task_id=None, task=None, args=(), kwargs=None, **_):
        request = task.request
        delivery = request.get("delivery_info") or {}
        fields = {
            "task_id": task_id,
            "task_name": task.name,
            "task_queue": delivery.get("routing_key"),
            "task_retries": request.get("retries"),
        }
        request_id = request.get(HEADER) or (request.get("headers") or {}).get(HEADER)
        job = Job(self.options, fields, (args, kwargs), request_id)
        # A task may run twice at one time under the same id: when a broker has waited long enough, it delivers it again.
        request.duramen_job = job
        job.begin()

    def postrun(self, task=None, retval=None, state=None, **_):
        job = vars(task.request).pop("duramen_job", None)
        if job is None:
            return
        more = {}
        if isinstance(retval, BaseException):
            more["error_type"] = type(retval).__name__
        state = _TERMINATED if state is None else str(state)
        job.end(_LEVELS.get(state, duramen.INFO), state, retval, **more)


_integration = _Integration()
_SIGNALS = (
    (signals.before_task_publish, _integration.publish),
    (signals.task_prerun, _integration.prerun),
    (signals.task_postrun, _integration.postrun),
)


def connect(**options):
    """Listen to Celery's signals; once more sets the options anew.

    - ``logger``: the name of the logger for the record of each task, ``"duramen.tasks"``; ``None``: no records.
    - ``parameters``: whether the records of a task show its arguments, False.
    - ``result``: whether the record at its end shows what it gave, False.
    """
    _integration.options = Options("celery.connect", **options)
    for signal, receiver in _SIGNALS:
        signal.connect(receiver, weak=False, dispatch_uid=f"duramen.{receiver.__name__}")


def disconnect():
    """Listen no more."""
    for signal, receiver in _SIGNALS:
        signal.disconnect(receiver, dispatch_uid=f"duramen.{receiver.__name__}")
