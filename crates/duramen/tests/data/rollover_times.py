"""Prints what this interpreter's TimedRotatingFileHandler computes, as the lines of rollover_times_*.txt.

Run as `python rollover_times.py > rollover_times_RULES.txt`, with CPython 3.12.1 for the original rules and 3.13
for the corrected ones. A line: zone, when, interval, second of the day or "-", now, the next rollover.
"""

import datetime
import logging.handlers
import os
import time

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]
SCHEDULES = [
    ("H", 1, None),
    ("D", 2, None),
    ("MIDNIGHT", 1, None),
    ("MIDNIGHT", 3, None),
    ("MIDNIGHT", 1, datetime.time(2, 30)),
    ("MIDNIGHT", 1, datetime.time(13, 45, 10)),
    ("W0", 1, None),
    ("W3", 2, None),
    ("W6", 1, datetime.time(2, 15)),
]
YEAR = 2024
# An odd step, so that every hour of the day meets every weekday within the year.
STEP = 13 * 3600 + 1723


def moments():
    start = int(datetime.datetime(YEAR, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
    end = int(datetime.datetime(YEAR + 1, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
    yield from range(start, end, STEP)


def is_near_change(now):
    """Whether the clock changes within eight days: the moments at which the rules differ."""
    return any(
        time.localtime(now).tm_isdst != time.localtime(now + day * 86400).tm_isdst for day in (-1, 1, 4, 8)
    )


for zone in ZONES:
    os.environ["TZ"] = zone
    time.tzset()
    for when, interval, at_time in SCHEDULES:
        handler = logging.handlers.TimedRotatingFileHandler(
            os.devnull, when=when, interval=interval, delay=True, atTime=at_time
        )
        second = "-" if at_time is None else (at_time.hour * 60 + at_time.minute) * 60 + at_time.second
        for index, now in enumerate(moments()):
            # Far from a change of the clock a sample is enough.
            if is_near_change(now) or index % 20 == 0:
                print(zone, when, interval, second, now, handler.computeRollover(now))
