"""The start of plugin-cli: a command goes to the process in the background if there is one.

That needs no click, so it takes a third of the time of starting here.
"""

from __future__ import annotations

import gc
import sys
from typing import Final

_INTERRUPTED: Final = 130
_N_ALLOCATIONS: Final = 50_000
"""New objects after which Python looks for unused ones. Importing makes more than that, and all of them stay;
looking again and again, as Python does by default, takes 30 ms."""


def main() -> None:
    """Entry point of the programs `plugin-cli` and `stemdock`."""
    if sys.argv[1:2] == ["separate"]:
        from stemdock.cli.warm.asking import ask  # noqa: PLC0415  only this command is done elsewhere

        try:
            status = ask(sys.argv[1:])
        except KeyboardInterrupt:
            status = _INTERRUPTED
        if status is not None:
            sys.exit(status)
    gc.set_threshold(_N_ALLOCATIONS)
    from stemdock.cli.main import main as run_here  # noqa: PLC0415  imports click

    try:
        run_here()
    finally:
        # What is left goes with the process. Looking for cycles in it would take as long as at the start.
        gc.freeze()
