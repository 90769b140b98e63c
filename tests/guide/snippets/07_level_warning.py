import logging

logging.basicConfig(level=logging.WARNING)
logging.warning("Disk usage at 85% capacity")
