"""The terms of a mix: stems, each with a gain and a pan, written like `vocals:-12dB:L30`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock.errors import OutputOptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_GAIN: Final = -100.0
MAX_GAIN: Final = 40.0
"""dB. Less is silence, and more a typing error."""
_GAIN: Final = re.compile(r"([+-]?\d+(?:\.\d+)?)dB", re.ASCII | re.IGNORECASE)
_PAN: Final = re.compile(r"([LR])(\d+(?:\.\d+)?)", re.ASCII | re.IGNORECASE)
_HARDEST: Final = 100.0
"""Percent: all sound is on one side."""
_LONGEST: Final = 16
"""Characters of a gain or pan; more cannot be meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How loud a stem is in a mix, and on which side."""

    gain_db: float = 0.0
    pan: float = 0.0
    """From -1, all sound left, to 1, all sound right. 0 leaves the stem as it is."""


def parse_term(text: str, mix: str, option: str = "mix") -> tuple[str, Level]:
    """Reads a term of a mix.

    Args:
        text: `STEM`, `STEM:GAIN`, `STEM:PAN` or both in any order. A gain is a number followed by dB, a pan
            L or R followed by percent.
        mix: Name of the mix, for errors.
        option: Where the mix comes from, for errors.

    Returns:
        The stem, which may have a leading minus, and its level.

    Raises:
        OutputOptionError: A gain or pan is invalid, out of its range, or there are two.
    """
    stem, *parts = (part.strip() for part in text.split(":"))
    found: dict[str, float] = {}
    for part in parts:
        kind, value = _level(part, f"{mix}: {part!r} of {stem or 'no stem'}", option)
        if kind in found:
            raise OutputOptionError(
                option,
                f"{mix}: {stem} has two {'gains' if kind == 'gain_db' else 'pans'}",
                remedy="Write one gain and one pan at most.",
            )
        found[kind] = value
    return stem, Level(**found)


def _level(part: str, subject: str, option: str) -> tuple[str, float]:
    """The field of a level that a text sets, and its value."""
    gain, pan = (pattern.fullmatch(part) if len(part) <= _LONGEST else None for pattern in (_GAIN, _PAN))
    if gain:
        value = float(gain[1])
        if not MIN_GAIN <= value <= MAX_GAIN:
            raise OutputOptionError(
                option,
                f"{subject} is out of range",
                remedy=f"Use {MIN_GAIN:+.0f}dB to {MAX_GAIN:+.0f}dB, or leave the stem out.",
            )
        return "gain_db", value
    if pan:
        percent = float(pan[2])
        if percent > _HARDEST:
            raise OutputOptionError(option, f"{subject} is out of range", remedy="Use L100 to R100.")
        return "pan", percent / _HARDEST * (1 if pan[1] in "Rr" else -1)
    raise OutputOptionError(
        option,
        f"{subject} is neither a gain nor a pan",
        remedy="Write for example vocals:-12dB, vocals:L50 or vocals:-12dB:L50.",
    )


def split_terms(text: str) -> Sequence[str]:
    """Splits a sum at its plus signs, except those of gains (`drums:+3dB`)."""
    return [term.strip() for term in re.split(r"(?<!:)\+", re.sub(r"\s*:\s*", ":", text))]
