"""Which machine this is."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path


@cache
def machine_name() -> str:
    """A text that stays when this machine starts again, and that other machines and containers hardly have.

    It is the machine's name in the network, with the random number that Linux gives each installation.
    """
    try:
        number = Path("/etc/machine-id").read_text("ascii").strip()
    except (OSError, ValueError):
        number = ""
    return f"{platform.node()} {number}"
