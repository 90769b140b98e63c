import logging

logger = logging.getLogger(__name__)
logger.info("Module-level logging example")
logger.warning("The same logger at a level that shows without configuration")
