import logging

logging.basicConfig(level=logging.CRITICAL)
logging.critical("Database unavailable. Shutting down service.")
