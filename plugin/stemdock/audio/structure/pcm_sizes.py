"""The sizes that the headers of uncompressed formats announce, compared with the size of the file."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Final

from stemdock.audio.structure.inspection import Inspection
from stemdock.audio.structure.pcm_headers import (
    SampleSection,
    aiff_section,
    au_section,
    caf_section,
    wav_section,
    wave64_section,
)
from stemdock.audio.structure.tail_tags import before_tags
from stemdock.audio.structure.windows import Window
from stemdock.types import Damage

if TYPE_CHECKING:
    from collections.abc import Callable

    from stemdock.types import DamageKind

PCM_STARTS: Final[dict[bytes, Callable[[Window], SampleSection | None]]] = {
    b"RIFF": wav_section,
    b"RF64": wav_section,
    b"riff": wave64_section,
    b"FORM": aiff_section,
    b"caff": caf_section,
    b".snd": au_section,
    b"dns.": au_section,
}
"""The reader of the header, by the first bytes of the file."""
_TOLERANCE: Final = 0.01
"""Seconds. Some programs count the header in the size of the samples."""
_PART_SIZE: Final = 1 << 16


def inspect_pcm(file: IO[bytes]) -> Inspection | None:
    """Compares the sizes; None if the file has none of these formats."""
    window = Window(file)
    find_section = PCM_STARTS.get(window.read(0, 4))
    section = find_section(window) if find_section else None
    return None if section is None else _inspection(window, section)


def _inspection(window: Window, section: SampleSection) -> Inspection:
    present = max(0, window.file_size - section.start)
    if section.block_size:
        present -= present % section.block_size
    announced = present if section.announced is None else max(0, section.announced)
    difference = _seconds(announced - present, section)
    if announced >= present:
        damage = (_damage(present, difference, section, "end"),) if difference > _TOLERANCE else ()
        return _agreed(present, section, damage)
    if section.layout is None:
        # All readers but libsndfile ignore the size.
        return _agreed(present, section)
    behind = section.start + announced
    if section.layout.chunks_fill(window, behind) or section.layout.chunks_fill(
        window, section.layout.aligned(behind)
    ):
        return _agreed(announced, section)
    if not announced:
        # The recorder crashed before it wrote the size.
        return Inspection(intact=False)
    if -difference <= _TOLERANCE or _is_empty(window, behind):
        return _agreed(announced, section)
    return Inspection(intact=True, damage=(_damage(announced, -difference, section, "invalid"),))


def _agreed(size: int, section: SampleSection, damage: tuple[Damage, ...] = ()) -> Inspection:
    """Libsndfile reads so many bytes, or stops early."""
    return Inspection(
        intact=True,
        total_length=size // section.block_size if section.block_size else None,
        sample_rate=section.sample_rate,
        damage=damage,
    )


def _damage(position: int, duration: float, section: SampleSection, kind: DamageKind) -> Damage:
    return Damage(start=_seconds(position, section), duration=duration, kind=kind)


def _seconds(size: int, section: SampleSection) -> float:
    return size / section.byte_rate if section.byte_rate else 0.0


def _is_empty(window: Window, start: int) -> bool:
    """Whether there are only zeros and tags from a position to the end of the file."""
    end = before_tags(window, start)
    return not any(
        window.read(position, min(_PART_SIZE, end - position)).strip(b"\0")
        for position in range(start, end, _PART_SIZE)
    )
