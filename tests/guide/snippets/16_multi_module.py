import logging

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")

import module_a
import module_b

assert module_a.logger is logging.getLogger("module_a")
assert module_b.logger is logging.getLogger("module_b")
