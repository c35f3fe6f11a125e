"""The look of the window: colours and styles of ttk, dark and light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tkinter import Tk

_STANDARD_DPI: Final = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """Colours of a theme."""

    background: str
    text: str
    muted: str
    trough: str
    accent: str
    failure: str
    button: str
    button_active: str
    border: str


LIGHT: Final = Colours(
    background="#f7f7f8", text="#1d1d20", muted="#63636b", trough="#dddde2", accent="#2f7d5d",
    failure="#b3261e", button="#ffffff", button_active="#ececf0", border="#c6c6ce",
)  # fmt: skip
DARK: Final = Colours(
    background="#26272b", text="#f1f1f3", muted="#a5a6ae", trough="#3d3f45", accent="#5fc39a",
    failure="#ff8a80", button="#36383e", button_active="#44464d", border="#4d4f57",
)  # fmt: skip


def apply_theme(root: Tk, colours: Colours) -> float:
    """Styles a window.

    Args:
        root: The window.
        colours: Its colours.

    Returns:
        Pixels of this screen for one pixel of an ordinary one.
    """
    from tkinter import font, ttk  # noqa: PLC0415  not every Python has it

    scale = max(1.0, root.winfo_fpixels("1i") / _STANDARD_DPI)
    root.configure(background=colours.background)
    style = ttk.Style(root)
    style.theme_use("clam")
    plain = font.nametofont("TkDefaultFont")
    family = plain.actual("family")
    size = max(10, abs(plain.actual("size")))
    style.configure(
        ".", background=colours.background, foreground=colours.text, font=(family, size),
        bordercolor=colours.border, troughcolor=colours.trough,
    )  # fmt: skip
    style.configure("Title.TLabel", font=(family, size + 3, "bold"))
    style.configure("Muted.TLabel", foreground=colours.muted)
    style.configure("Failure.TLabel", foreground=colours.failure, font=(family, size + 3, "bold"))
    style.configure(
        "Stemdock.Horizontal.TProgressbar", thickness=round(6 * scale), background=colours.accent,
        troughcolor=colours.trough, bordercolor=colours.trough, lightcolor=colours.accent,
        darkcolor=colours.accent,
    )  # fmt: skip
    style.configure(
        "TButton", background=colours.button, foreground=colours.text, bordercolor=colours.border,
        lightcolor=colours.button, darkcolor=colours.button, focuscolor=colours.accent,
        padding=(round(14 * scale), round(5 * scale)),
    )  # fmt: skip
    style.map(
        "TButton",
        background=[("active", colours.button_active), ("disabled", colours.background)],
        foreground=[("disabled", colours.muted)],
    )
    return scale
