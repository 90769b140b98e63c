"""One part is the user's own Python code, the rest is the package's."""

from bench import texts
from bench.peers import Unsupported
from bench.scenario import LOGGING, scenario
from bench.scenarios.plain import three_arguments


@scenario("python-filter", "a Python filter on the handler, to a file", peers=LOGGING)
def python_filter(peer, output):
    class Known(peer.logging.Filter):
        def filter(self, record):
            return record.levelno >= 20

    handler = peer.file(output.path, texts.STANDARD)
    handler.addFilter(Known())
    return three_arguments(peer, peer.logger(handler))


@scenario("python-handler", "a Python handler that formats and writes to a file", peers=LOGGING)
def python_handler(peer, output):
    file = open(output.path, "a", encoding="utf-8")

    class Own(peer.logging.Handler):
        def emit(self, record):
            file.write(self.format(record) + "\n")
            file.flush()

        def flush(self):
            file.flush()

        def close(self):
            file.close()
            super().close()

    return three_arguments(peer, peer.logger(peer.prepared(Own(), texts.STANDARD)))


@scenario("python-formatter", "a subclass of `Formatter` with its own `format`, to a file", peers=LOGGING)
def python_formatter(peer, output):
    class Bracketed(peer.logging.Formatter):
        def format(self, record):
            return "[" + super().format(record) + "]"

    handler = peer.file(output.path, texts.STANDARD)
    handler.setFormatter(Bracketed(texts.STANDARD.percent))
    return three_arguments(peer, peer.logger(handler))


@scenario("adapter", "`LoggerAdapter` with one field, to a file", peers=LOGGING)
def adapter(peer, output):
    if not hasattr(peer.logging, "LoggerAdapter"):
        raise Unsupported("no LoggerAdapter")
    logger = peer.logger(peer.file(output.path, texts.WITH_CUSTOMER))
    return three_arguments(peer, peer.logging.LoggerAdapter(logger, {"customer": "ann"}))


#: In so many records the start and the end of a queue and its thread, which take half a millisecond or more in a
#: fresh process, are a few percent of "end" even for the fastest package.
RECORDS_OF_A_QUEUE = 2_500


@scenario(
    "queue",
    "`QueueHandler` and listener, to a file",
    peers=LOGGING,
    pinned=False,
    asynchronous=True,
    least_batch=RECORDS_OF_A_QUEUE,
)
def queue(peer, output):
    return three_arguments(peer, peer.logger(peer.queue(peer.file(output.path, texts.STANDARD))))


@scenario(
    "async",
    "asynchronous: `AsyncHandler`, `QueueHandler`, …",
    pinned=False,
    asynchronous=True,
    least_batch=RECORDS_OF_A_QUEUE,
)
def asynchronous(peer, output):
    return three_arguments(peer, peer.logger(peer.background_file(output.path, texts.STANDARD)))
