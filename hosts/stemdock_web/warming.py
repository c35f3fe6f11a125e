"""Lets the worker load the model before the first song, so that its sound starts sooner."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Final

from stemdock import StemdockError
from stemdock_hostkit import client

_EVERY: Final = 30.0
"""Seconds after which the same model is asked for again: less than the worker keeps it."""


class Warmer:
    """Asks the worker for models that pages are about to need."""

    def __init__(self) -> None:
        """Has asked for none yet."""
        self._latest = ("", 0.0)

    def warm(self, model: str) -> None:
        """Asks for an installed model, unless that was done just now. If it fails, the song will say why."""
        name, until = self._latest
        now = time.monotonic()
        if model == name and now < until:
            return
        self._latest = (model, now + _EVERY)
        with suppress(OSError, StemdockError):
            client.prepare(model)
