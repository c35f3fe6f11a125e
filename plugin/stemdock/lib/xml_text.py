"""Texts that XML 1.0 can contain."""

from __future__ import annotations

import re
from typing import Final

_ILLEGAL: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""All characters but those of the production Char (Extensible Markup Language 1.0, section 2.2)."""


def xml_text(text: str) -> str:
    """The text with a replacement character (U+FFFD) for each character that XML has no notation for.

    These are control characters, and the surrogates by which Python stands for bytes that are not UTF-8.
    """
    return _ILLEGAL.sub("\ufffd", text)
