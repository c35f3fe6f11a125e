"""Judges how much of a file Stemdock read, by what ffmpeg decodes."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """How a file ended. Those in capitals are finds."""

    SAME = "same length"
    SAME_REPORTED = "same length, damage reported"
    OTHER_REPORTED = "other length, damage reported"
    ONLY_STEMDOCK = "only Stemdock reads it"
    NEITHER = "neither reads it"
    REFUSED = "REFUSED"
    SILENT = "SILENT DIFFERENCE"

    @property
    def is_find(self) -> bool:
        """Whether this must not happen."""
        return self.isupper()


def verdict(expected: int, length: int | None, *, is_reported: bool, tolerance: int = 0) -> Verdict:
    """Judges one file.

    Args:
        expected: Samples that ffmpeg decodes.
        length: Samples that Stemdock reads; None if it refuses the file.
        is_reported: Whether Stemdock reports damage.
        tolerance: Samples by which the two may differ.
    """
    if length is None:
        return Verdict.REFUSED if expected else Verdict.NEITHER
    if abs(length - expected) <= tolerance:
        return Verdict.SAME_REPORTED if is_reported else Verdict.SAME
    if is_reported:
        return Verdict.OTHER_REPORTED
    return Verdict.SILENT if expected else Verdict.ONLY_STEMDOCK
