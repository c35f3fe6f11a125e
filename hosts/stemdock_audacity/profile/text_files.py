"""Text files that are read and written without changing a byte of what is not edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def read_text(path: Path) -> str:
    """The file's text; "" if there is no such file. Invalid UTF-8 survives reading and writing."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""


def write_text(path: Path, text: str, *, mode: int | None = None) -> None:
    """Replaces the file in one step.

    Args:
        path: The file.
        text: Its new text.
        mode: The most permissions that the file gets; those of the file that is replaced if not given.
    """
    # Audacity must not take the temporary file for a plug-in, so its name does not end with .ny.
    part = path.with_name(f"{path.name}.part")
    write_atomically(path, text.encode("utf-8", "surrogateescape"), part=part, mode=mode)
