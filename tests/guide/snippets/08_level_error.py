import logging

logging.basicConfig(level=logging.ERROR)
logging.error("Failed to process payment for order 456")
