"""The lines of `reaper-kb.ini` that put scripts into REAPER's Actions list.

A line reads `SCR 260 0 RS<id> "Custom: <name>" <path>`: 260 lets a second start end the running one,
0 is the main section, and a relative path starts in the Scripts folder. REAPER rewrites the file
whenever a shortcut changes, so REAPER must be closed while the file is edited.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Final

from stemdock_reaper.profile.words import quoted, split_words

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIELDS: Final = 6


def script_line(path: str) -> str:
    """The line for a script, without a line end.

    Args:
        path: Relative to the Scripts folder, with slashes.
    """
    identifier = hashlib.sha1(f"stemdock:{path}".encode(), usedforsecurity=False).hexdigest()
    name = f"Custom: {path.rsplit('/', maxsplit=1)[-1]}"
    return f"SCR 260 0 RS{identifier} {quoted(name)} {quoted(path)}"


def script_path(line: str) -> str | None:
    """The path in a script's line, with slashes; None for other lines."""
    words = split_words(line)
    if len(words) != _FIELDS or words[0] != "SCR":
        return None
    return words[-1].replace("\\", "/")


def names_script(line: str, path: str, scripts: str) -> bool:
    """Whether a line names this script.

    Args:
        line: A line of `reaper-kb.ini`.
        path: Relative to the Scripts folder, with slashes.
        scripts: The Scripts folder, since REAPER may write an absolute path.
    """
    found = script_path(line)
    if found is None:
        return False
    whole = f"{scripts}/{path}".replace("\\", "/")
    if PureWindowsPath(whole).drive:
        return PureWindowsPath(found) in {PureWindowsPath(path), PureWindowsPath(whole)}
    return PurePosixPath(found) in {PurePosixPath(path), PurePosixPath(whole)}


def added_text(content: bytes, paths: Sequence[str], scripts: str, line_end: bytes) -> bytes:
    """The text to append to `reaper-kb.ini` so that it names all these scripts.

    Args:
        content: The file's content.
        paths: Relative to the Scripts folder, with slashes.
        scripts: The Scripts folder.
        line_end: The line end for a file without lines.

    Returns:
        Lines for the scripts that are not named yet. Removing this text restores the file.
    """
    known = content.decode("utf-8", "surrogateescape").splitlines()
    missing = [path for path in paths if not any(names_script(line, path, scripts) for line in known)]
    if not missing:
        return b""
    line_end = b"\r\n" if b"\r\n" in content else b"\n" if b"\n" in content else line_end
    text = line_end.join(script_line(path).encode() for path in missing)
    if content and not content.endswith((b"\n", b"\r")):
        return line_end + text
    return text + line_end


def without(content: bytes, added: bytes, paths: Sequence[str], scripts: str) -> bytes:
    """The content of `reaper-kb.ini` without Stemdock's lines.

    Args:
        content: The file's current content.
        added: The text that was appended.
        paths: Relative to the Scripts folder, with slashes.
        scripts: The Scripts folder.
    """
    if added:
        content = content.replace(added, b"", 1)
    # REAPER may have rewritten the file since then, and given the scripts other identifiers.
    lines = content.decode("utf-8", "surrogateescape").splitlines(keepends=True)
    kept = [line for line in lines if not any(names_script(line, path, scripts) for path in paths)]
    return "".join(kept).encode("utf-8", "surrogateescape")
