"""Values that pass between the parts of Stemdock and its plug-ins.

Conventions:
    Arrays are float32 and time-first, `(n_samples, n_channels)`, nominal range [-1, 1], which
    stems of a loud song exceed. `*_length` counts samples, `n_*` counts things.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from threading import Event

    from stemdock.card import ModelCard
    from stemdock.lib import arrays

    FloatArray: TypeAlias = arrays.FloatArray
    ComplexArray: TypeAlias = arrays.ComplexArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a separation has come, in samples of the mixture.

    A separation in two passes has come halfway through the song when it has come halfway through its
    work: `done_length` never falls, and ends at the mixture's length.
    """

    done_length: int
    total_length: int | None
    """None while the length of a stream is not known."""
    sample_rate: int | None = None
    """Of these samples, in Hz; None if the caller did not say either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How networks are run."""

    provider: str = "auto"
    """Execution provider, a name in `stemdock.inference.providers`; "auto" for the best that works and
    computes in float32."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """What the provider computes in. bfloat16 takes hardware and a provider that know it."""
    n_threads: int = 0
    """Threads of the processor; 0 for one a core."""


DEFAULT_EXECUTION: Final = Execution()

Bandwidth: TypeAlias = Literal["11k", "16k", "full"]
"""Up to which frequency stems have sound: about 11 or 16.5 kHz, or as far as the mixture."""

DownmixMode: TypeAlias = Literal["auto", "front", "refuse"]
"""What becomes of a file with more than two channels: all of them folded to stereo, front left and right
alone, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """How stems are made of what the networks estimate. The defaults are Spleeter's."""

    mwf: bool = False
    """Whether stems come from a multi-channel Wiener filter, in two passes, in place of masks."""
    bandwidth: Bandwidth | None = None
    """Up to which frequency; as the model's card says, if None."""


DEFAULT_SEPARATION: Final = Separation()


class MaskSession(Protocol):
    """A loaded network."""

    @property
    def card(self) -> ModelCard:
        """The model's card."""
        ...

    @property
    def provider(self) -> str:
        """What it runs on, for people."""
        ...

    def run(self, magnitude: FloatArray) -> Sequence[FloatArray]:
        """Estimates the magnitude of every stem.

        Args:
            magnitude: `(n_segments, n_frames, n_bins, n_channels)`, >= 0, as the card says.

        Returns:
            One array of the same shape for each stem, in the card's order.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """A model that a plug-in offers."""

    card: ModelCard
    """Must equal the one inside the file."""
    path: Path
    """The ONNX file."""
    sha256: str
    """Of that file, hex; checked whenever the model is opened."""
    source: str = ""
    """Where it came from, for people: an address, a file, a package."""
    remedy: str = "Install the model again."
    """How to get the file back when it is gone or damaged, one sentence."""

    @property
    def name(self) -> str:
        """What people type after --model."""
        return self.card.name


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchProgress:
    """How far the fetching of a model has come."""

    step: str
    """What is being done, for people: the same text as long as it is the same step."""
    n_done_bytes: int = 0
    n_total_bytes: int | None = None
    """None if the step is not measured in bytes, or nobody knows how many there are."""


class FetchModel(Protocol):
    """Makes a model ready to use."""

    def __call__(
        self,
        *,
        on_progress: Callable[[FetchProgress], None] | None = None,
        cancel: Event | None = None,
    ) -> ModelEntry:
        """Downloads and installs the model, or finds it installed.

        Args:
            on_progress: Told of every step, and now and then during one.
            cancel: Set it from another thread to stop soon.

        Raises:
            ModelError: It cannot be had; what is installed is as it was.
            CancelledError: `cancel` was set.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDownload:
    """A model that a plug-in can fetch, installed or not."""

    name: str
    """What people type after --model."""
    stems: tuple[str, ...]
    """In the order of the model's outputs."""
    bandwidth: float
    """Highest frequency in Hz that the network sees."""
    n_bytes: int
    """Size of the installed model, roughly."""
    source: str
    """Where it is fetched from, an address."""
    licence: str
    """Licence of the weights and whose they are."""
    fetch: FetchModel


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEntry:
    """A subcommand of plugin-cli, loaded only when it is used."""

    name: str
    summary: str
    """One line for the list of commands."""
    load: Callable[[], Any]
    """Imports and returns the `click.Command`; `Any`, since only the command line loads click."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of `plugin-cli doctor`."""

    subject: str
    status: Literal["ok", "warning", "failure"]
    """A warning leaves the main job possible, a failure does not."""
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEntry:
    """An audio editor that Stemdock can work in."""

    name: str
    summary: str
    diagnose: Callable[[], Sequence[Check]]
    """Looks at the installation; must neither start nor disturb the editor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Downmix:
    """How the channels of a file become stereo."""

    speakers: tuple[str, ...]
    """Loudspeakers of the file's channels, in the file's order."""
    matrix: tuple[tuple[float, float], ...]
    """Gain of each channel in left and right."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """Loudspeakers that are not heard in the stereo."""
        return tuple(name for name, gains in zip(self.speakers, self.matrix, strict=True) if not any(gains))


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparatedFile:
    """What became of one file."""

    source: Path
    stems: Mapping[str, Path]
    """Written files by stem, in the card's order."""
    mixes: Mapping[str, Path]
    """Written sums of stems, by name."""
    peaks: Mapping[str, float]
    """Largest absolute sample of each stem and mix, before the file format clipped anything."""
    clipped_lengths: Mapping[str, int]
    """Samples of each stem and mix, over all channels, that exceed what the file format can hold."""
    gain_db: float
    """What everything was turned down by to prevent clipping: 0 or less."""
    warnings: tuple[str, ...]
    """What is not quite as it was asked for, each a sentence that names the file."""
    card: ModelCard
    sample_rate: int
    """Hz of the files, that of the source unless another was asked for or needed."""
    total_length: int
    """Samples a channel: those of the source, or of the part of it that was wanted, or at another sample
    rate as many as last as long."""
    downmix: Downmix | None = None
    """How the source's channels became two, if it had more."""

    @property
    def files(self) -> Mapping[str, Path]:
        """Stems and mixes."""
        return {**self.stems, **self.mixes}
