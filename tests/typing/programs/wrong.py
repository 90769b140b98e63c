"""Mistakes that a type checker has to find: each line with a comment."""

import logging
import logging.handlers

logging.getLogger(1)  # error
logging.getLogger("a").setLevel(1.5)  # error
logging.getLogger("a").info()  # error
logging.basicConfig(nonsense=1)  # error
logging.handlers.RotatingFileHandler()  # error
logging.Formatter(style="#")  # error
logging.no_such_name  # error
