"""What is written of a separation, and how: values that commands, hosts and writers share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

CodecName = Literal["wav", "flac", "mp3", "ogg", "opus", "m4a"]
"""How a stem is encoded; also the extension of its file."""
BitDepth = Literal["16", "24", "32f"]
"""Bits of a sample: integers, or 32-bit floating point, which cannot clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How stems become files."""

    codec: CodecName = "wav"
    bit_depth: BitDepth | None = None
    """None for the best that the codec has, if it has any: 32f in wav, 24 in flac."""
    bitrate: int | None = None
    """Kilobits per second of a lossy codec; None for the codec's default."""
    sample_rate: int | None = None
    """Hz; None for that of the source, or if the codec lacks it, for the next above that it has."""
    stems: tuple[str, ...] | None = None
    """Stems to write; None for all of the model's."""
    mixes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Sums to write as well, by name: stems to add, or, each with a minus before it, stems to leave out."""
    prevent_clipping: bool = False
    """Whether everything is turned down by one common gain if anything would exceed full scale."""
    copy_tags: bool = True
    """Whether files get the tags of the source, and its cover if the codec can hold it."""
