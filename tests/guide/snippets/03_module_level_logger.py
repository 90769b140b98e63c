import logging

logger = logging.getLogger(__name__)

print(logger)
for name in ("app", "app.auth", "app.payments"):
    print(logging.getLogger(name), "below", logging.getLogger(name).parent)
