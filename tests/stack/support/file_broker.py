"""A broker for Celery that is a few folders beside the program."""

import os
import time
import uuid

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Has a message in the folder when it is whole: kombu's own is lost where the worker looks while it is written."""

    def _put(self, queue, payload, **options):
        name = str(uuid.uuid4())
        unfinished = os.path.join(self.data_folder_out, name)
        with open(unfinished, "w") as file:
            file.write(dumps(payload))
        os.rename(unfinished, f"{self.data_folder_out}/{time.monotonic_ns():020}_{name}.{queue}.msg")


class Transport(filesystem.Transport):
    """kombu's, with these channels."""

    Channel = Channel


TRANSPORT_ALIASES["whole-files"] = "file_broker:Transport"


def settings():
    """What an application's `conf` is to be updated with; makes the folders."""
    for folder in ("queue", "results"):
        os.makedirs(folder, exist_ok=True)
    return {
        "broker_url": "whole-files://",
        "broker_transport_options": {
            "data_folder_in": "queue",
            "data_folder_out": "queue",
            "control_folder": "control",
            "polling_interval": 0.05,
        },
        "result_backend": "file://" + os.path.abspath("results"),
    }
