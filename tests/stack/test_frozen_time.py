"""freezegun and time-machine: records carry the time that the test has set."""

import pytest

RECORDS = """
    import logging
    import sys
    import recorder

    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s|%(created).3f|%(msecs)03d|%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logger = logging.getLogger("shop")
"""

FREEZEGUN = (
    RECORDS
    + """
    import datetime
    import freezegun

    with freezegun.freeze_time("2030-05-06 07:08:09.500") as clock:
        logger.info("frozen")
        clock.tick(datetime.timedelta(days=1, milliseconds=250))
        logger.info("a day later")

    @freezegun.freeze_time("2001-02-03")
    def decorated():
        logger.info("decorated")

    decorated()
    logger.info("%s thawed", recorder.implementation())
"""
)

TIME_MACHINE = (
    RECORDS
    + """
    import datetime
    import time_machine

    start = datetime.datetime(2030, 5, 6, 7, 8, 9, 500_000, tzinfo=datetime.timezone.utc)
    with time_machine.travel(start, tick=False) as traveller:
        logger.info("frozen")
        traveller.shift(datetime.timedelta(days=1, milliseconds=250))
        logger.info("a day later")

    @time_machine.travel(datetime.datetime(2001, 2, 3, tzinfo=datetime.timezone.utc), tick=False)
    def decorated():
        logger.info("decorated")

    decorated()
    logger.info("%s thawed", recorder.implementation())
"""
)

EXPECTED = [
    "2030-05-06 07:08:09,500|1904281689.500|500|frozen",
    "2030-05-07 07:08:09,750|1904368089.750|750|a day later",
    "2001-02-03 00:00:00,000|981158400.000|000|decorated",
]


@pytest.mark.parametrize("program", [FREEZEGUN, TIME_MACHINE], ids=["freezegun", "time_machine"])
def test_records_have_the_frozen_time(stack, program):
    *frozen, thawed = stack.run_source(program).stdout.splitlines()
    assert frozen == EXPECTED
    assert thawed.endswith(f"|{stack.implementation} thawed")
    assert thawed > "2026"
    assert not thawed.startswith("2030-05-0")
