"""The start of plugin-cli: a command goes to the process in the background if there is one.

That needs no click, so it takes a third of the time of starting here.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import Final

_INTERRUPTED: Final = 130
_N_ALLOCATIONS: Final = 200_000
"""New objects after which Python looks for unused ones. Importing makes half of that, and all of them stay;
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
    end = _QuickEnd()
    atexit.register(end.leave)  # what is registered first is called last
    try:
        from stemdock.cli.main import main as run_here  # noqa: PLC0415  imports click

        run_here()
    except SystemExit as ended:
        end.status = ended.code
        raise
    except KeyboardInterrupt:  # during the imports
        sys.stderr.write("cancelled\n")
        end.status = _INTERRUPTED
        sys.exit(_INTERRUPTED)


class _QuickEnd:
    """Ends the process when all threads have ended and all clean-up is done.

    What is left goes with the process. Taking it apart would take 30 ms.
    """

    def __init__(self) -> None:
        self.status: object = None

    def leave(self) -> None:
        if not isinstance(self.status, int):
            return  # an error that nobody expected: Python ends as usual
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError, AttributeError):
            return
        os._exit(self.status)
