"""Runs a program that imports Spleeter: `python -m stemdock_spleeter PROGRAM.py ARGUMENTS...`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from stemdock_spleeter.importing import install


def main() -> None:
    """Runs the program that is named on the command line."""
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):  # noqa: PLR2004  the program itself and its argument
        sys.exit("usage: python -m stemdock_spleeter PROGRAM.py ARGUMENTS...")
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).absolute().parent)
    install()
    runpy.run_path(sys.argv[0], run_name="__main__")


main()
