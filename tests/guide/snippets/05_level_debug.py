import logging

logging.basicConfig(level=logging.DEBUG)
logger = logging.getLogger(__name__)
payload = {"user": "alice", "items": [1, 2]}

logger.debug("User payload received: %s", payload)
