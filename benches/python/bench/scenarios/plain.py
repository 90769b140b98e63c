"""What the packages do by themselves: no Python code of the user's is met."""

from bench import texts
from bench.scenario import EVERYBODY, LOGGING, scenario


@scenario(
    "disabled",
    "disabled call, no arguments",
    peers=(*EVERYBODY, "structlog"),
    calls=300_000,
    check=None,
)
def disabled(peer, output):
    logger = peer.logger(peer.any_sink(output))

    def run(start, stop):
        for _ in range(start, stop):
            logger.debug("order placed")

    return run


@scenario(
    "disabled-3",
    "disabled call, 3 arguments",
    peers=(*EVERYBODY, "structlog"),
    calls=300_000,
    check=None,
)
def disabled_with_arguments(peer, output):
    logger = peer.logger(peer.any_sink(output))
    text = peer.text(texts.THREE_ARGUMENTS)

    def run(start, stop):
        for number in range(start, stop):
            logger.debug(text, number, "pears", 9.5)

    return run


def three_arguments(peer, logger):
    """A ``run`` that logs a message with three arguments, the number of the record among them."""
    text = peer.text(texts.THREE_ARGUMENTS)

    def run(start, stop):
        for number in range(start, stop):
            logger.info(text, number, "pears", 9.5)

    return run


@scenario("stream-message", "message only, to a stream that does nothing", discards=True)
def message_to_stream(peer, output):
    logger = peer.logger(peer.stream(output.stream(), texts.MESSAGE_ONLY))

    def run(start, stop):
        for _ in range(start, stop):
            logger.info("order placed")

    return run


@scenario("stream", "3 arguments, to a stream that does nothing", discards=True)
def to_stream(peer, output):
    return three_arguments(peer, peer.logger(peer.stream(output.stream(), texts.STANDARD)))


@scenario("devnull", "3 arguments, to /dev/null", discards=True)
def to_devnull(peer, output):
    return three_arguments(peer, peer.logger(peer.file(output.path, texts.STANDARD)))


@scenario("file", "3 arguments, to a file")
def to_file(peer, output):
    return three_arguments(peer, peer.logger(peer.file(output.path, texts.STANDARD)))


@scenario("file-caller", "3 arguments, to a file, with path, line and function")
def to_file_with_caller(peer, output):
    return three_arguments(peer, peer.logger(peer.file(output.path, texts.WITH_CALLER)))


@scenario("f-string", "f-string message, to a file")
def f_string(peer, output):
    logger = peer.logger(peer.file(output.path, texts.STANDARD))

    def run(start, stop):
        for number in range(start, stop):
            logger.info(f"order {number} of pears costs {9.5:.2f}")

    return run


@scenario("deep", "three loggers deep, to a file", peers=LOGGING)
def three_loggers_deep(peer, output):
    peer.logger(peer.file(output.path, texts.STANDARD), name="app")
    peer.logger(name="app.db")
    return three_arguments(peer, peer.logger(name="app.db.pool"))


@scenario("two-handlers", "two handlers, to two files")
def two_handlers(peer, output):
    sinks = [peer.file(path, texts.STANDARD) for path in (output.path, output.second_path)]
    return three_arguments(peer, peer.logger(*sinks))


@scenario(
    "json",
    "JSON with 4 extras, to a file",
    check="json",
    peers=(*EVERYBODY, "structlog"),
)
def json_with_extras(peer, output):
    logger = peer.logger(peer.json_file(output.path))

    def run_with_extra(start, stop):
        for number in range(start, stop):
            logger.info(
                "order placed", extra={"order": number, "customer": "ann", "total": 9.5, "paid": True}
            )

    def run_with_keywords(start, stop):
        for number in range(start, stop):
            logger.info("order placed", order=number, customer="ann", total=9.5, paid=True)

    return run_with_extra if peer.takes_extra else run_with_keywords


def _frame_4(number):
    raise LookupError(f"no order {number}")


def _frame_3(number):
    _frame_4(number)


def _frame_2(number):
    _frame_3(number)


def _frame_1(number):
    _frame_2(number)


@scenario("exception", "`exception()` with a traceback of 5 frames, to a file", calls=2_000)
def exception(peer, output):
    logger = peer.logger(peer.file(output.path, texts.STANDARD))
    text = peer.text(texts.FAILED)

    def run(start, stop):
        for number in range(start, stop):
            try:
                _frame_1(number)
            except LookupError:
                logger.exception(text, number)

    return run


@scenario("rotating", "rotating file, 50 kB each")
def rotating(peer, output):
    return three_arguments(
        peer, peer.logger(peer.rotating_file(output.path, texts.STANDARD, 50_000, backups=40))
    )
