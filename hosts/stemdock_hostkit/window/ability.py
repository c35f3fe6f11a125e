"""What this Python can show to the user."""

from __future__ import annotations

import importlib.util
import sys
from typing import Final

from stemdock import Check
from stemdock_hostkit.window.notifying import can_notify

_REMEDIES: Final = {
    "win32": "Open Installed apps, choose Modify for Python, and tick tcl/tk.",
    "darwin": "Run `brew install python-tk`, or use the Python from python.org.",
}
_LINUX_REMEDY: Final = (
    "On Debian and Ubuntu run `sudo apt install python3-tk`, on Fedora `sudo dnf install python3-tkinter`."
)


def has_window() -> bool:
    """Whether this Python has tkinter, of which systems pack the compiled part apart."""
    return importlib.util.find_spec("_tkinter") is not None


def is_silent() -> bool:
    """Whether a task can neither be shown in a window nor with notifications."""
    return not (has_window() or can_notify())


def check_window(host: str) -> Check:
    """The line of `plugin-cli doctor` about the window.

    Args:
        host: Name of the editor, as in the other lines.
    """
    subject = f"{host} window"
    if has_window():
        return Check(subject=subject, status="ok", detail="tkinter is there.")
    instead = "notifications are shown instead" if can_notify() else "no progress is shown"
    return Check(
        subject=subject,
        status="warning",
        detail=f"{sys.executable} has no tkinter; {instead}.",
        remedy=_REMEDIES.get(sys.platform, _LINUX_REMEDY),
    )
