import logging

logger = logging.getLogger(__name__)


def risky_operation():
    return {}["missing"]


try:
    risky_operation()
except Exception:
    logger.exception("An error occurred during risky_operation")
