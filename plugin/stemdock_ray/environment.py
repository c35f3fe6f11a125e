"""Environment variables that Ray reads once, when it is imported."""

from __future__ import annotations

import os
from secrets import token_hex


def prepare_environment(*, is_here: bool) -> None:
    """Sets the variables. Call it before Ray is imported.

    Args:
        is_here: Whether Ray is to be started on this machine.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is reported to Ray's makers
    # Under `uv run`, Ray would copy the current folder, and start each worker with that command.
    os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
    if is_here:
        # Ray listens on the network, and runs what it is sent.
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_AUTH_TOKEN", token_hex(32))
