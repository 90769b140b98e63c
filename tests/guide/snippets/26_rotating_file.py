import logging
from logging.handlers import RotatingFileHandler

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

handler = RotatingFileHandler(
    "app.log", maxBytes=5*1024*1024, backupCount=3
)
logger.addHandler(handler)

# Twelve mebibytes: two full files and the one being written.
for number in range(12 * 1024):
    logger.info("%06d %s", number, "x" * 1016)
