# ruff: noqa: F403, I001
from logging.handlers import *
from logging.handlers import _QueueLike as _QueueLike, _T as _T
