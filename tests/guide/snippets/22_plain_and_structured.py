import json
import logging
import sys


class EventFormatter(logging.Formatter):
    def format(self, record):
        return json.dumps(
            {"level": record.levelname, "event": record.event, "user_id": record.user_id}
        )


plain = logging.StreamHandler(sys.stdout)
plain.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
structured = logging.StreamHandler(sys.stdout)
structured.setFormatter(EventFormatter())

logger = logging.getLogger("login")
logger.addHandler(plain)
logger.addHandler(structured)
logger.error(
    "User login failed for user_id=%d", 123, extra={"event": "login_failed", "user_id": 123}
)
