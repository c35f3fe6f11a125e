"""plugin-cli in a process of its own, with the tests' release, that can be made to die or run out of disk.

usage: driver.py CARD PLAN ARGUMENTS... where PLAN is "run", "count", "kill:N" or "limit:BYTES".
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from stemdock.cli.main import main
from stemdock_models import catalogue

CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.truncate"}


def watch(plan: str) -> None:
    """Counts the changes that this process makes in the store, and may kill it before one of them."""
    store = os.environ["STEMDOCK_MODELS"]
    n_changes = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal n_changes
        writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if not (writes or event in CHANGES) or not str(arguments[0]).startswith(store):
            return
        if plan == f"kill:{n_changes}":
            os.kill(os.getpid(), signal.SIGKILL)
        n_changes += 1
        if plan == "count":
            print(f"change {event} {arguments[0]}", file=sys.stderr)  # noqa: T201

    sys.addaudithook(hook)


if __name__ == "__main__":
    card, plan, *arguments = sys.argv[1:]
    catalogue._CARD = Path(card)  # type: ignore[misc]
    if plan.startswith("limit:"):
        n_bytes = int(plan.removeprefix("limit:"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))
    elif plan != "run":
        watch(plan)
    sys.argv = ["plugin-cli", *arguments]
    main()
