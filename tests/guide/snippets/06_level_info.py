import logging

logging.basicConfig(level=logging.INFO)
logging.info("User 123 successfully logged in")
