"""Text files that are read and written without changing a byte of what is not edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def as_text(content: bytes) -> str:
    """The text of a file. Invalid UTF-8 survives the way to text and back."""
    return content.decode("utf-8", "surrogateescape")


def as_bytes(text: str) -> bytes:
    """The content of a file with this text."""
    return text.encode("utf-8", "surrogateescape")


def read_text(path: Path) -> str:
    """The file's text; "" if there is no such file."""
    try:
        return as_text(path.read_bytes())
    except FileNotFoundError:
        return ""


def write_text(path: Path, text: str) -> None:
    """Replaces the file in one step; its permissions stay."""
    write_atomically(path, as_bytes(text))
