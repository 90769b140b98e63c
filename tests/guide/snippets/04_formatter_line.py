import logging
import sys

handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s"))
logger = logging.getLogger("app.auth")
logger.setLevel(logging.INFO)
logger.addHandler(handler)
logger.info("User login successful")
