import logging

logging.basicConfig(filename="app.log", level=logging.INFO)

for i in range(1000):
    logging.info(f"Processing item {i}")
