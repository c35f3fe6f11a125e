"""The files of the page, and those that it shares with previews."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from stemdock import player_files

_TYPES: Final = {
    "LICENSE": "text/plain; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


def static_files() -> dict[str, tuple[bytes, str]]:
    """The content of each file and its type, by name: a table, so no name leads to any other file."""
    page = files("stemdock_web").joinpath("page")
    found = {
        entry.name: entry.read_bytes()
        for folder in (page, page.joinpath("vendor"))
        for entry in folder.iterdir()
        if entry.is_file()
    }
    found |= {name: text.encode() for name, text in player_files().items()}
    return {name: (content, _TYPES[name.rpartition(".")[2]]) for name, content in found.items()}
