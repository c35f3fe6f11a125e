"""Names that Windows reserves, by Python's own list: an oracle for names that must be legal everywhere."""

from __future__ import annotations

import ntpath
import sys
from pathlib import PureWindowsPath


def is_reserved(name: str) -> bool:
    """Whether Windows reserves a file name."""
    if sys.version_info >= (3, 13):
        return ntpath.isreserved(name)
    return PureWindowsPath(name).is_reserved()
