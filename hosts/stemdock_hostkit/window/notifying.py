"""Notifications, for Pythons without tkinter."""

from __future__ import annotations

import shutil
import subprocess
import sys


def notify(text: str) -> None:
    """Shows a notification if this system has a command for it."""
    command = _notification(text)
    if command:
        subprocess.run(command, check=False, capture_output=True, timeout=30)  # noqa: S603


def can_notify() -> bool:
    """Whether this system has a command for notifications."""
    return bool(_notification(""))


def _notification(text: str) -> list[str]:
    if sys.platform == "darwin":
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        return ["/usr/bin/osascript", "-e", f'display notification "{quoted}" with title "Stemdock"']
    if sys.platform == "win32":
        # Windows has no other command for this without extra packages; not every edition has msg.exe.
        return ["msg.exe", "*", "/TIME:15", text] if shutil.which("msg.exe") else []
    program = shutil.which("notify-send")
    return [program, "--app-name=Stemdock", "Stemdock", text] if program else []
