"""The start of plugin-cli: a command goes to the process in the background if there is one.

That needs no click, so it takes a third of the time of starting here.
"""

from __future__ import annotations

import sys
from typing import Final

_INTERRUPTED: Final = 130


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
    from stemdock.cli.main import main as run_here  # noqa: PLC0415  imports click

    run_here()
