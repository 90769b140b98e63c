import logging
import queue
from logging.handlers import QueueHandler, QueueListener

records = queue.Queue()
target = logging.FileHandler("app.log")
target.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
listener = QueueListener(records, target)
listener.start()

logger = logging.getLogger("service")
logger.setLevel(logging.INFO)
logger.addHandler(QueueHandler(records))
for i in range(100):
    logger.info("Processing item %d", i)
listener.stop()
