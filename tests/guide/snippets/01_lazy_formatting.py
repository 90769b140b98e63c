import logging

logging.basicConfig(level=logging.DEBUG)
logger = logging.getLogger(__name__)

x = {"items": 3}
logger.debug("x=%s", x)
logger.setLevel(logging.INFO)
logger.debug("x=%s", x)
