"""Texts from elsewhere as terminals, dialogs and logs can show them."""

from __future__ import annotations

from typing import Final

_HARMLESS: Final = frozenset("\xa0\u202f\u3000\u200c\u200d")
"""Spaces of French and Japanese, and joiners of Persian and emoji, which Python calls not printable."""


def printable(text: str, keep: str = "") -> str:
    """The text with escape sequences for all characters that could do more than display.

    These are control characters, with which a text could rewrite what a terminal shows or control it;
    characters that turn the direction of writing; line ends; and unpaired surrogates.

    Args:
        text: Any text.
        keep: Characters to leave as they are, such as line ends.
    """
    if text.isprintable():
        return text
    return "".join(
        each
        if each.isprintable() or each in _HARMLESS or each in keep
        else each.encode("unicode_escape").decode()
        for each in text
    )
