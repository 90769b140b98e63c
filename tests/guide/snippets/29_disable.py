import logging

logging.disable(logging.CRITICAL)  # Disables all logs at CRITICAL and below
logging.critical("while tests run")
logging.disable(logging.NOTSET)
logging.critical("enabled again")
