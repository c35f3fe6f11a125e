"""REAPER's built-in window, as much of it as the script uses."""

from __future__ import annotations

from typing import Any

from support.reaper_model.table import RefusedError

ARITY = {
    "init": (1, 6), "setfont": (1, 4), "getchar": (0, 2), "set": (1, 7), "rect": (4, 5),
    "drawstr": (1, 4), "update": (0, 0), "quit": (0, 0),
}  # fmt: skip
VARIABLES = {"w", "h", "x", "y"}
ESCAPE, CLOSED, NOTHING = 27, -1, 0


class Window:
    """Keeps what was drawn since the last update."""

    def __init__(self) -> None:
        self.is_open = False
        self.was_opened = False
        self.variables = {"w": 0.0, "h": 0.0, "x": 0.0, "y": 0.0}
        self.keys: list[int] = []
        self.texts: list[str] = []
        self.widths: list[float] = []
        self.shown: list[list[str]] = []
        self.bars: list[list[float]] = []

    def call(self, name: str, arguments: list[Any]) -> Any:
        if name not in ARITY:
            raise RefusedError(f"gfx has no {name}")
        least, most = ARITY[name]
        if not least <= len(arguments) <= most:
            raise RefusedError(f"gfx.{name} takes {least} to {most} arguments")
        if name == "init":
            self.is_open = self.was_opened = True
            self.variables.update(w=float(arguments[1]), h=float(arguments[2]))
            return 1
        if not self.is_open and name not in {"getchar", "quit"}:
            raise RefusedError(f"gfx.{name} without a window")
        return getattr(self, f"_{name}", lambda *_: None)(*arguments)

    def close(self) -> None:
        """The person closes it."""
        self.is_open = False

    def _getchar(self) -> int:
        if not self.is_open:
            return CLOSED
        return self.keys.pop(0) if self.keys else NOTHING

    def _quit(self) -> None:
        self.is_open = False

    def _drawstr(self, text: str, *_: Any) -> None:
        self.texts.append(text)

    def _rect(self, x: float, y: float, width: float, height: float, *_: Any) -> None:
        del x, y, height
        self.widths.append(width)

    def _update(self) -> None:
        self.shown.append(self.texts)
        self.bars.append(self.widths)
        self.texts, self.widths = [], []
