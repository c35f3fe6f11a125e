"""Options for the output files of a separation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from stemdock.errors import OutputOptionError
from stemdock.lib.arguments import is_text_sequence, is_whole

CodecName = Literal["wav", "flac", "mp3", "ogg", "opus", "m4a", "alac", "raw"]
FormatName = Literal["stem", "dawproject", "rpp", "ardour", "audacity", "zip", "video"]
BitDepth = Literal["16", "24", "32f"]
"""Bits per sample: integers, or 32-bit floating point (32f), which cannot clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Which stems and mixes are written, and how they are encoded."""

    format: FormatName | None = None
    """One file for all stems of a song: "stem" for a DJ stem file, in m4a or alac; "dawproject" for a
    project with a track for each stem, in wav or flac; "rpp" for a project of REAPER with the sounds beside
    it, in wav, flac, mp3, ogg or opus; "ardour" for a session of Ardour, in wav or flac; "audacity" for a
    project that Audacity 3 opens, in wav; "zip" for an archive; "video" for the film with another sound, in
    m4a, alac or flac: one stem, or one mix. None for one file for each stem."""
    codec: CodecName = "wav"
    bit_depth: BitDepth | None = None
    """None for the highest that the codec supports: 32f in wav and raw, else 24. Lossy codecs have none."""
    bitrate: int | None = None
    """Kilobits per second of a lossy codec; None for the codec's default."""
    sample_rate: int | None = None
    """Hz; None for the source's rate, or the next higher rate that the codec supports."""
    stems: tuple[str, ...] | None = None
    """Stems to write; None for all stems of the model."""
    mixes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Sums of stems to write, by name: the stems to add, or the stems to omit, each with a leading minus.
    An added stem can have a gain and a pan: "vocals:-12dB:L30". With stems to omit, only these can be added
    again, with a gain or pan.
    With "mixture" as a further term, stems are omitted from the mixture and not from the sum of all stems,
    which is less: a model leaves out what lies above its bandwidth."""
    prevent_clipping: bool = False
    """Whether all files are attenuated by one common gain if any sample would exceed full scale."""
    copy_tags: bool = True
    """Whether the files get the tags of the source, and its cover if the codec supports covers."""

    def __post_init__(self) -> None:
        """Checks the types of the fields; `stemdock.output` checks their values elsewhere.

        Raises:
            OutputOptionError: A field has the wrong type.
        """
        for option, value in (
            ("format", self.format or ""),
            ("codec", self.codec),
            ("bit depth", self.bit_depth or ""),
        ):
            _check(option, value, isinstance(value, str), "a text")
        for option, number in (("bit rate", self.bitrate), ("sample rate", self.sample_rate)):
            _check(option, number, number is None or is_whole(number, 1), "a whole number")
        _check("stems", self.stems, self.stems is None or is_text_sequence(self.stems), "a tuple of names")
        mixes: Any = self.mixes
        _check("mixes", mixes, isinstance(mixes, Mapping), "a mapping of names to tuples of stems")
        for name, terms in mixes.items():
            _check(f"mix {name}", terms, is_text_sequence(terms), "a tuple of names")


def _check(option: str, value: object, right: bool, expected: str) -> None:
    if not right:
        raise OutputOptionError(option, f"{value!r} is not {expected}", remedy=f"Pass {expected}.")
