import logging
import threading

logging.basicConfig(filename="app.log", level=logging.INFO, format="%(threadName)s %(message)s")
logger = logging.getLogger(__name__)


def work():
    for number in range(500):
        logger.info("step %03d of the worker", number)


workers = [threading.Thread(target=work, name=f"worker-{number}") for number in range(4)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
