"""Where Ardour keeps its files, and whether it is running."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stemdock_hostkit.finding import running_programs, user_folders

_TIMER: Final = {7: (49, 51), 8: (49, 52), 9: (51, 54)}
"""By version: the number of the signal that comes ten times a second, and of all signals.

Seen in 7.3, 8.12 and 9.8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ardour:
    """The settings of one version of Ardour."""

    version: int
    folder: Path
    timer_bits: str
    """The set of signals that has only the one that comes ten times a second."""

    @property
    def script_list(self) -> Path:
        """The scripts on buttons and those that run by themselves."""
        return self.folder / "ui_scripts"

    @property
    def scripts(self) -> Path:
        """The scripts that Ardour offers for buttons."""
        return self.folder / "scripts"

    @property
    def data(self) -> Path:
        """Stemdock's own files."""
        return self.folder / "stemdock"

    @property
    def choices(self) -> Path:
        """What the dialog remembers."""
        return self.data / "settings.tsv"

    @property
    def jobs(self) -> Path:
        """The parent of the job folders."""
        return self.data / "jobs"


def is_supported() -> bool:
    """Whether the scripts can start programs on this system: they do it as Linux and macOS do."""
    return sys.platform != "win32"


def find_all(platform: str = sys.platform, home: Path | None = None) -> list[Ardour]:
    """The versions that this user has started, oldest first."""
    found = []
    for version, (number, n_signals) in _TIMER.items():
        if platform == "darwin":
            folder = (home or Path.home()) / f"Library/Preferences/Ardour{version}"
        else:
            folder = user_folders(platform, home).settings / f"ardour{version}"
        if folder.is_dir():
            bits = f"{1 << number:0{n_signals}b}"
            found.append(Ardour(version=version, folder=folder, timer_bits=bits))
    return found


def is_running() -> bool:
    """Whether any Ardour is running; its programs have the version in their names."""
    return bool(running_programs("ardour", "ardour-[0-9]*", "ardour[0-9]*"))
