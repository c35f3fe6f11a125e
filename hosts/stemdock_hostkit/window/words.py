"""The texts of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock_hostkit.job.states import JobProgress

_MINUTE: Final = 60
_ALMOST: Final = 5
"""Seconds; estimates below are not worth a number."""
_STATES: Final = {
    "waiting": "Waiting for another separation",
    "asking": "Waiting for your answer",
    "fetching": "Downloading the model",
    "loading": "Loading the model",
    "separating": "Separating",
}


def state_text(progress: JobProgress) -> str:
    """What is being done, with its share if that is known."""
    text = _STATES[progress.state]
    return f"{text}, {progress.fraction:.0%}" if progress.fraction else f"{text}\N{HORIZONTAL ELLIPSIS}"


def remaining_text(seconds: float | None) -> str:
    """The remaining time, roughly; "" if it is unknown."""
    if seconds is None:
        return ""
    if seconds < _ALMOST:
        return "a few seconds left"
    rounded = _ALMOST * round(seconds / _ALMOST)
    if rounded < _MINUTE:
        return f"about {rounded} s left"
    return f"about {max(1, round(seconds / _MINUTE))} min left"


def stems_text(stems: Sequence[str] | None, host: str) -> str:
    """Which stems are made for which editor."""
    names = "all stems" if stems is None else ", ".join(stems)
    return f"{names[:1].upper()}{names[1:]}, for {host}" if host else names
