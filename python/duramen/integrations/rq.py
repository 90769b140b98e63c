"""Fields of the job on every record of an RQ worker, and one record at the end of each job.

``Queue`` puts the id of the request that enqueues a job into the job's ``meta``; ``Worker`` and ``SimpleWorker`` bind it
together with the job's own fields: ``rq worker --worker-class duramen.integrations.rq.Worker``. Classes of one's own
take ``QueueMixin`` and ``WorkerMixin``.
"""

import rq

import duramen
from duramen.integrations._job import HEADER, Job, Options, present_request_id

__all__ = ["Queue", "QueueMixin", "SimpleWorker", "Worker", "WorkerMixin"]


class QueueMixin:
    """A queue whose jobs know the id of the request that has enqueued them."""

    def create_job(self, *args, **keywords):
        """The job, as ``rq.Queue`` makes it, with the id in its ``meta``."""
        job = super().create_job(*args, **keywords)
        request_id = present_request_id()
        if request_id is not None:
            job.meta.setdefault(HEADER, request_id)
        return job


class WorkerMixin:
    """A worker whose records have the fields of the job that it performs.

    - ``logger``: the name of the logger for the record of each job, ``"duramen.tasks"``; ``None``: no records.
    - ``parameters``: whether the records of a job show its arguments, False.
    - ``result``: whether the record at its end shows what it gave, False.

    They are attributes of the class, to be set in a subclass.
    """

    logger = "duramen.tasks"
    parameters = False
    result = False

    def __init__(self, *args, **keywords):
        cls = type(self)
        self._options = Options(cls.__name__, logger=cls.logger, parameters=cls.parameters, result=cls.result)
        super().__init__(*args, **keywords)

    def perform_job(self, job, queue, *args, **keywords):
        """Perform the job as RQ does; True when it went well."""
        name, parameters = _call_of(job)
        fields = {"task_id": job.id, "task_name": name, "task_queue": queue.name}
        running = Job(self._options, fields, parameters, job.meta.get(HEADER))
        running.begin()
        went_well = False
        try:
            went_well = super().perform_job(job, queue, *args, **keywords)
        finally:
            level, state = (duramen.INFO, "SUCCESS") if went_well else (duramen.ERROR, "FAILURE")
            running.end(level, state, getattr(job, "_result", None))
        return went_well


def _call_of(job):
    """The name of a job's function, and its parameters. What is wrong with a job that cannot be read, RQ says itself."""
    try:
        return job.func_name, (job.args, job.kwargs)
    except Exception:
        return "(unreadable)", None


class Queue(QueueMixin, rq.Queue):
    """``rq.Queue`` with ``QueueMixin``."""


class Worker(WorkerMixin, rq.Worker):
    """``rq.Worker`` with ``WorkerMixin``."""


class SimpleWorker(WorkerMixin, rq.SimpleWorker):
    """``rq.SimpleWorker`` with ``WorkerMixin``."""
