import logging

logging.basicConfig(level=logging.INFO)
logging.info("from the root logger")
logger = logging.getLogger("name")
logger.info("from a named logger")
