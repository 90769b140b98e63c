import logging

logging.basicConfig(level=logging.INFO, format="first: %(message)s")
logging.basicConfig(level=logging.DEBUG, format="second: %(message)s")
logging.debug("not shown")
logging.info("shown once")
logging.basicConfig(level=logging.DEBUG, format="forced: %(message)s", force=True)
logging.debug("shown after the reset")
