"""The player as files that pages of other packages can share."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

MODULES: Final = ("mixing.js", "player.js", "controls.js")
"""ES modules, in the order in which they need one another."""
STYLE: Final = "player.css"


def player_files() -> dict[str, str]:
    """The player's ES modules and its style sheet, by file name.

    The modules import one another by these names from the same folder, and nothing else.
    """
    folder = files("stemdock.preview")
    return {name: folder.joinpath(name).read_text(encoding="utf-8") for name in (*MODULES, STYLE)}
