"""A broker for Celery that is a few folders beside the program."""

import os


def settings():
    """What an application's `conf` is to be updated with; makes the folders."""
    for folder in ("queue", "results"):
        os.makedirs(folder, exist_ok=True)
    return {
        "broker_url": "filesystem://",
        "broker_transport_options": {
            "data_folder_in": "queue",
            "data_folder_out": "queue",
            "control_folder": "control",
            "polling_interval": 0.05,
        },
        "result_backend": "file://" + os.path.abspath("results"),
    }
