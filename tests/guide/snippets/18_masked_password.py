import logging

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger(__name__)

user_password = "secret123"
logger.info("User logged in with password: %s", "******")  # Masked password
