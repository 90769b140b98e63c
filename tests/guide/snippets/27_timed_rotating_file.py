import logging
from logging.handlers import TimedRotatingFileHandler

logger = logging.getLogger(__name__)

handler = TimedRotatingFileHandler(
    "app.log", when="midnight", backupCount=7
)
logger.addHandler(handler)

logger.warning("before midnight")
handler.rolloverAt = 0
logger.warning("after midnight")
