from logging.handlers import *
from logging.handlers import _QueueLike as _QueueLike, _T as _T
