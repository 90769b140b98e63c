from typing import Any

forwarder: Any
