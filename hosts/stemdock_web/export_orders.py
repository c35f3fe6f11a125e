"""What a page wants to export, and what that means for `separate_file`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from stemdock import Output
from stemdock_web.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stemdock_hostkit.job.live import LiveStems

MIX: Final = "mix"
"""Name of the mix as it is set."""
_LOUDEST: Final = 24.0
"""dB that a stem can be raised by."""
_SOFTEST: Final = -100.0
"""dB; what is lower is silence."""
_STEREO: Final = 2
_FILMS: Final = (
    ".3gp", ".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm",
    ".wmv",
)  # fmt: skip
"""Endings of songs that are films; other ones can be films, too, but seldom are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Gain and place of a stem in a mix."""

    gain: float = 1.0
    """Factor; 0 for a stem that is not heard."""
    pan: float = 0.0
    """-1 for left, 1 for right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A kind of file to export."""

    name: str
    title: str
    """For people."""
    output: Output
    holds_all: bool = False
    """Whether one file holds all stems."""
    contains_mix: bool = False
    """Whether it also contains the mix, if that is not the plain sum."""
    is_folder: bool = False
    """Whether it is several files, which are sent as one archive."""
    endings: tuple[str, ...] = ()
    """Ends of the names of songs for which it makes sense; empty for all songs."""

    @property
    def is_film(self) -> bool:
        """Whether it contains the pictures of the song, too."""
        return self.output.format == "video"


CHOICES: Final = {
    choice.name: choice
    for choice in (
        Choice(name="wav", title="WAV, 32-bit float", output=Output()),
        Choice(name="wav24", title="WAV, 24-bit", output=Output(bit_depth="24", prevent_clipping=True)),
        Choice(name="flac", title="FLAC, 24-bit", output=Output(codec="flac", prevent_clipping=True)),
        Choice(name="mp3", title="MP3", output=Output(codec="mp3", prevent_clipping=True)),
        Choice(name="ogg", title="Ogg Vorbis", output=Output(codec="ogg", prevent_clipping=True)),
        Choice(
            name="video",
            title="Film with this sound",
            output=Output(format="video", codec="m4a", prevent_clipping=True),
            endings=_FILMS,
        ),
        Choice(
            name="zip",
            title="Zip of WAV files",
            output=Output(),
            holds_all=True,
            contains_mix=True,
            is_folder=True,
        ),
        Choice(
            name="zip-flac",
            title="Zip of FLAC files",
            output=Output(codec="flac", prevent_clipping=True),
            holds_all=True,
            contains_mix=True,
            is_folder=True,
        ),
        Choice(
            name="stem",
            title="DJ stem file (AAC)",
            output=Output(format="stem", codec="m4a", prevent_clipping=True),
            holds_all=True,
        ),
        Choice(
            name="dawproject",
            title="DAWproject",
            output=Output(format="dawproject"),
            holds_all=True,
            contains_mix=True,
        ),
        Choice(
            name="rpp",
            title="REAPER project",
            output=Output(format="rpp"),
            holds_all=True,
            contains_mix=True,
            is_folder=True,
        ),
        Choice(
            name="ardour",
            title="Ardour session",
            output=Output(format="ardour"),
            holds_all=True,
            contains_mix=True,
            is_folder=True,
        ),
        Choice(
            name="audacity",
            title="Audacity project",
            output=Output(format="audacity"),
            holds_all=True,
            contains_mix=True,
            is_folder=True,
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to export."""

    choice: Choice
    stem: str | None = None
    """The stem to export by itself; None for the mix, or for all stems if one file holds them."""
    mix: Mapping[str, Setting] = field(default_factory=dict)
    """By the name of the stem; stems that are missing are heard as they are."""

    def output(self, live: LiveStems, gain: float) -> Output:
        """What `separate_file` writes.

        Args:
            live: The stems of the song.
            gain: Factor for a stem that is exported by itself.

        Raises:
            RefusedError: Nothing is heard in the mix.
        """
        output = self.choice.output
        if self.stem is not None:
            if gain == 1:
                return replace(output, stems=(self.stem,))
            return replace(output, stems=(), mixes={self.stem: (_term(self.stem, Setting(gain=gain)),)})
        settings = {name: self.mix.get(name, Setting()) for name in live.stems}
        if live.n_channels != _STEREO:
            settings = {name: replace(setting, pan=0.0) for name, setting in settings.items()}
        terms = tuple(_term(name, setting) for name, setting in settings.items() if _is_heard(setting))
        if self.choice.holds_all:
            is_plain = all(setting == Setting() for setting in settings.values())
            has_mix = self.choice.contains_mix and terms and not is_plain
            return replace(output, mixes={MIX: terms} if has_mix else {})
        if not terms:
            raise RefusedError(422, "no stem is heard in this mix", remedy="Turn one up, or end its mute.")
        return replace(output, stems=(), mixes={MIX: terms})


def order_from_values(content: Any, stems: tuple[str, ...]) -> Order:
    """Reads what a page asks for.

    Args:
        content: The value that the page sent, which may be anything.
        stems: The stems of the song.

    Raises:
        RefusedError: It is invalid.
    """
    try:
        stem = content.get("stem")
        if stem is not None and stem not in stems:
            raise ValueError(stem)  # noqa: TRY301  one handler for all faults
        mix = {name: _setting(setting) for name, setting in content.get("mix", {}).items() if name in stems}
        return Order(choice=CHOICES[content["choice"]], stem=stem, mix=mix)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise RefusedError(400, "the export is invalid", remedy="Reload the page.") from error


def n_bytes_of(order: Order, live: LiveStems, n_song_bytes: int) -> int:
    """Bytes that an export may need on the disk, with its temporary files.

    Args:
        order: What to export.
        live: The stems of the song.
        n_song_bytes: Size of the song's file.

    Returns:
        All samples twice, and the film if there is one.
    """
    n_sounds = len(live.stems) + 2 if order.choice.holds_all else 1
    n_samples_bytes = 2 * n_sounds * live.length * live.frame_size // len(live.stems)
    return n_samples_bytes + (n_song_bytes if order.choice.is_film else 0)


def _is_heard(setting: Setting) -> bool:
    return setting.gain > 10 ** (_SOFTEST / 20)


def _term(name: str, setting: Setting) -> str:
    """A stem in a mix, as `Output.mixes` has it."""
    gain = f":{20 * math.log10(setting.gain):+.9f}dB" if setting.gain != 1 else ""
    pan = f":{'L' if setting.pan < 0 else 'R'}{100 * abs(setting.pan):.9f}" if setting.pan else ""
    return f"{name}{gain}{pan}"


def _setting(content: Mapping[str, Any]) -> Setting:
    gain, pan = float(content["gain"]), float(content["pan"])
    if not (0 <= gain <= 10 ** (_LOUDEST / 20) and -1 <= pan <= 1):
        raise ValueError("out of range")
    return Setting(gain=gain, pan=pan)
