from typing import Any

__all__ = ["Queue", "QueueMixin", "SimpleWorker", "Worker", "WorkerMixin"]

class QueueMixin:
    def create_job(self, *args: Any, **keywords: Any) -> Any: ...

class WorkerMixin:
    logger: str | None
    parameters: bool
    result: bool
    def __init__(self, *args: Any, **keywords: Any) -> None: ...
    def perform_job(self, job: Any, queue: Any, *args: Any, **keywords: Any) -> bool: ...

# Of rq's own classes too; rq has no complete types.
class Queue(QueueMixin):
    def __init__(self, *args: Any, **keywords: Any) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Worker(WorkerMixin):
    def __getattr__(self, name: str) -> Any: ...

class SimpleWorker(WorkerMixin):
    def __getattr__(self, name: str) -> Any: ...
