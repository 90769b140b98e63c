import logging

formatter = logging.Formatter('%(asctime)s - %(name)s - %(levelname)s - %(message)s')

handler = logging.StreamHandler()
handler.setFormatter(formatter)
logger = logging.getLogger("payments")
logger.addHandler(handler)
logger.error("card declined: %s", "expired")
