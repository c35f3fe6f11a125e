"""Which Audacity a program is: 4 has extensions, 3 has the scripting module."""

from __future__ import annotations

import mmap
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_FUNCTION: Final = b"extension_dispatch_v0"
"""The function that Audacity 4 calls in an extension's library. No older program contains its name."""


def has_extensions(program: Path) -> bool:
    """Whether a program is an Audacity with extensions, which is version 4."""
    with suppress(OSError):
        return _has_extensions(program.resolve(), program.stat().st_mtime_ns)
    return False


@lru_cache
def _has_extensions(program: Path, _modified: int) -> bool:
    # A mapping of an empty file is a ValueError.
    with (
        suppress(OSError, ValueError),
        program.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        return content.find(_FUNCTION) >= 0
    return False
