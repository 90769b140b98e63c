import logging

logging.basicConfig(
    level=logging.INFO,
    format="%(message)s request_id=%(request_id)s user_id=%(user_id)d payment_id=%(payment_id)s",
)
logger = logging.getLogger(__name__)

logger.info(
    "Payment processing failed",
    extra={"request_id": "req-123", "user_id": 456, "payment_id": "pay-789"}
)
