"""What the window must know of the system: dark or light, the resolution, and how to open a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE: Final = 3
"""Seconds for a command that answers at once."""


def prefers_dark() -> bool:
    """Whether the user has chosen dark windows; False if the system does not say."""
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415

        key = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
        with suppress(OSError), winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
            return not winreg.QueryValueEx(opened, "AppsUseLightTheme")[0]
        return False
    if sys.platform == "darwin":
        return "dark" in _answer("/usr/bin/defaults", "read", "-g", "AppleInterfaceStyle")
    if theme := os.environ.get("GTK_THEME"):
        return "dark" in theme.lower()
    schema = "org.gnome.desktop.interface"
    program = shutil.which("gsettings")
    return bool(program) and any(
        "dark" in _answer(str(program), "get", schema, key) for key in ("color-scheme", "gtk-theme")
    )


def use_full_resolution() -> None:
    """Asks Windows not to enlarge the window, which would blur it; call it before the window opens."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415

        with suppress(AttributeError, OSError):
            ctypes.windll.shcore.SetProcessDpiAwareness(1)


def open_path(path: Path) -> None:
    """Opens a folder or a text in the system's program for it, if there is one."""
    if sys.platform == "win32":
        os.startfile(path)  # noqa: S606
        return
    program = "/usr/bin/open" if sys.platform == "darwin" else shutil.which("xdg-open")
    if program:
        subprocess.Popen(  # noqa: S603
            [program, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def _answer(*command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False, timeout=_PATIENCE
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.lower()
