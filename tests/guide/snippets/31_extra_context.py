import logging

logging.basicConfig(
    level=logging.INFO, style="{", format="{levelname} {message} user={user_id} request={request_id}"
)
logger = logging.getLogger(__name__)

logger.info(
    "Processing user request",
    extra={"user_id": 123, "request_id": "req-001"}
)
