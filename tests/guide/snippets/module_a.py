import logging

logger = logging.getLogger(__name__)
logger.info("Module A initialized")
