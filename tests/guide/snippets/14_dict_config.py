import logging
from logging.config import dictConfig

LOGGING_CONFIG = {
    "version": 1,
    "formatters": {
        "detailed": {
            "format": "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
        }
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "detailed",
        }
    },
    "root": {
        "handlers": ["console"],
        "level": "INFO"
    },
}

dictConfig(LOGGING_CONFIG)

logger = logging.getLogger(__name__)
logger.info("Structured configuration applied")
