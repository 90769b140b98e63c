"""Fields of the request or job on every record, and one record for each: middleware for frameworks and task queues.

Each integration is a module of its own and imported only when it is asked for: ``asgi``, ``wsgi``, ``django``,
``celery``, ``rq``. docs/middleware.md describes them.
"""
