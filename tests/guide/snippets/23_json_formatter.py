import logging
import json


# Custom JSON formatter
class JsonFormatter(logging.Formatter):
    def format(self, record):
        log_record = {
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        # Include extra fields if available
        for key, value in record.__dict__.items():
            if key not in ["levelname", "name", "msg", "args", "levelno", "exc_info", "stack_info"]:
                log_record[key] = value
        return json.dumps(log_record)


# Create logger
logger = logging.getLogger("structured_logger")
logger.setLevel(logging.DEBUG)

# Add console handler with JSON formatter
handler = logging.StreamHandler()
handler.setFormatter(JsonFormatter())
logger.addHandler(handler)

# Example: logging with structured fields
logger.info(
    "User login successful",
    extra={"user_id": 123, "username": "alice", "request_id": "req-001"}
)


# Another example: logging an action with request context
def process_request(user_id, request_id):
    logger.info(
        "Processing user request",
        extra={"user_id": user_id, "request_id": request_id, "action": "data_fetch"}
    )


process_request(user_id=123, request_id="req-001")
