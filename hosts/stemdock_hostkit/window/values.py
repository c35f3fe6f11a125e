"""What the window shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from threading import Event

    from stemdock_hostkit.job.states import JobProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the window is about."""

    host: str
    """Name of the editor."""
    title: str
    """Names of the tracks."""
    stems: tuple[str, ...] | None
    """Names of the stems and mixes; None for all stems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What came of it."""

    kind: Literal["done", "cancelled", "failed"]
    text: str = ""
    """What happened, for the user."""
    next_step: str = ""
    """What the user can do now."""
    folder: Path | None = None
    """The folder with the stems, if there are files to look at."""
    log: Path | None = None
    """The file that tells more about a failure."""
    offer: Offer | None = None
    """What the user can have done now. The window then stays until the user closes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Another task, for a button of the window."""

    label: str
    """What it does, such as "Try again"."""
    text: str
    """What is being done then, such as "Trying"."""
    task: Task


class Task(Protocol):
    """The work, which runs in a thread beside the window."""

    def __call__(self, report: Callable[[JobProgress], None], cancel: Event, consent: Event, /) -> Ending:
        """Does the work.

        Args:
            report: Shows progress.
            cancel: Set when the user cancels.
            consent: Set when the user allows the download that the state "asking" is about.
        """
        ...
