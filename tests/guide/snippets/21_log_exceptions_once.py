import logging

logger = logging.getLogger(__name__)


def risky_operation():
    raise ValueError("no such order")


try:
    risky_operation()
except Exception as e:
    logger.exception("Failed during risky_operation")  # Includes stack trace
