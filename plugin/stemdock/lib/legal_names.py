"""File names that every system accepts, so that results can be copied from one system to another."""

from __future__ import annotations

import re
from typing import Final

_CONTROLS_AND_SIGNS: Final = r'\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069<>:"/\\|?*'
"""Separators of folders, what Windows does not allow in a name, and characters that turn the direction of
writing: "a\u202evaw.exe" displays as "aexe.wav"."""
_ILLEGAL: Final = re.compile(rf"[{_CONTROLS_AND_SIGNS}\ud800-\udc7f\udd00-\udfff]")
"""Without the surrogates by which Python stands for bytes that are not UTF-8: Linux has such names."""
_LEGAL: Final = re.compile(rf"(?!\.)[^{_CONTROLS_AND_SIGNS}\ud800-\udfff]+(?<![ .])")
_CONTINUATION_MASK: Final = 0xC0
_CONTINUATION: Final = 0x80
"""Bytes of UTF-8 that do not begin a character, under the mask."""
_DEVICE: Final = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\xb9\xb2\xb3])(?= *(\.|$))", re.IGNORECASE
)
"""Names that mean devices in Windows, whatever their extension."""


def is_legal_name(name: str) -> bool:
    """Whether a name is legal as the beginning of a file name, and displays as it is written.

    Names that begin with a dot are not legal: they hide the file. Devices of Windows are not checked
    here, because a name that something is added to means no device.
    """
    return _LEGAL.fullmatch(name) is not None


def is_device_name(name: str) -> bool:
    """Whether Windows takes a file name for a device, such as "aux.wav"."""
    return _DEVICE.match(name) is not None


def replace_illegal(text: str) -> str:
    """The text with an underscore for each character that some system does not allow in a name."""
    return _ILLEGAL.sub("_", text)


def legal_name(text: str, *, max_bytes: int | None = None, fallback: str = "_") -> str:
    """A legal name of a file or folder that is as close to a text as possible.

    Args:
        text: Any text.
        max_bytes: Longest result, in bytes of UTF-8. File systems allow 255.
        fallback: The name if nothing of the text is left.
    """
    name = replace_illegal(text)
    if max_bytes is not None:
        name = cut_to_bytes(name, max_bytes)
    name = name.strip(" ").rstrip(" .")
    # An underscore behind "con" in "con.wav" makes it the name of a file.
    return _DEVICE.sub(r"\1_", name, count=1) if is_device_name(name) else name or fallback


def n_bytes(text: str) -> int:
    """Length of a text in UTF-8."""
    # Names of Linux can contain single bytes, which Python stands for by surrogates.
    return len(text.encode("utf-8", "surrogatepass"))


def cut_to_bytes(text: str, max_bytes: int) -> str:
    """The longest beginning of a text that has at most so many bytes in UTF-8."""
    # A character fills at least one byte, so that the rest of a long text need not be encoded.
    data = text[:max_bytes].encode("utf-8", "surrogatepass")
    if len(data) <= max_bytes:
        return text[:max_bytes]
    end = max_bytes
    while data[end] & _CONTINUATION_MASK == _CONTINUATION:
        end -= 1
    return data[:end].decode("utf-8", "surrogatepass")
