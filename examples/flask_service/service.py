"""A small shop, written with Flask and plain logging; it knows nothing of Duramen."""

import json
import logging
import logging.config
import os
import sys
import time

from flask import Flask, abort, jsonify

with open(os.environ["LOGGING_CONFIG"]) as file:
    logging.config.dictConfig(json.load(file))

logger = logging.getLogger("shop")
app = Flask("storefront")

STOCK = {"apple": 12, "pear": 3, "plum": 0}
REPORT_SECONDS = 0.05


@app.get("/")
def index():
    logger.debug("index shown")
    return jsonify(sorted(STOCK))


@app.get("/items/<name>")
def item(name):
    if name not in STOCK:
        logger.warning("no such item: %s", name, extra={"item": name})
        abort(404)
    logger.info("item %s: %d in stock", name, STOCK[name], extra={"item": name, "stock": STOCK[name]})
    return jsonify(name=name, stock=STOCK[name])


@app.post("/orders/<name>")
def order(name):
    try:
        share = 100 / STOCK[name]
    except ZeroDivisionError:
        logger.exception("order of %s failed", name, extra={"item": name})
        abort(409)
    app.logger.info("order of %s takes %.1f %% of the stock", name, share)
    return jsonify(ordered=name), 201


@app.get("/report")
def report():
    start = time.perf_counter()
    time.sleep(REPORT_SECONDS)  # stands for a database that is slow
    milliseconds = (time.perf_counter() - start) * 1000
    logger.warning("the report took %.0f ms", milliseconds, extra={"milliseconds": milliseconds})
    return jsonify(total=sum(STOCK.values()))


@app.get("/broken")
def broken():
    raise RuntimeError("this page is broken")


if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
