"""The start of plugin-cli: a command goes to the process in the background if there is one.

That needs no click, so it takes a third of the time of starting here.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Final

from stemdock.cli.held_signals import signals_later

_INTERRUPTED: Final = 130
_N_ALLOCATIONS: Final = 200_000
"""New objects after which Python looks for unused ones. Importing makes half of that, and all of them stay;
looking again and again, as Python does by default, takes 40 ms."""


def main() -> None:
    """Entry point of the programs `plugin-cli` and `stemdock`."""
    if sys.argv[1:2] == ["separate"]:
        try:
            with signals_later():
                from stemdock.cli.warm.asking import ask  # noqa: PLC0415  only this command is done elsewhere
            status = ask(sys.argv[1:])
        except KeyboardInterrupt:
            status = _INTERRUPTED
        if status is not None:
            sys.exit(status)
    gc.set_threshold(_N_ALLOCATIONS)
    try:
        with signals_later():
            from stemdock.cli.main import main as run_here  # noqa: PLC0415  imports click
        run_here()
    except SystemExit as ended:
        _leave_behind(ended.code)
        raise
    except KeyboardInterrupt:  # during the imports
        sys.stderr.write("cancelled\n")
        sys.exit(_INTERRUPTED)
    finally:
        # What is left goes with the process. Looking for cycles in it would take as long as at the start.
        gc.freeze()


def _leave_behind(status: object) -> None:
    """Ends the process if a model is still being opened: Python cannot end the thread, only this can."""
    from stemdock.cli.early_opening import is_opening  # noqa: PLC0415  as above

    if isinstance(status, int) and is_opening():
        os._exit(status)
