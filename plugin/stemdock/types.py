"""Values that pass between the parts of Stemdock, and the protocol of an engine.

Conventions:
    Arrays are float32 and time-first, `(n_samples, n_channels)`. Their nominal range is [-1, 1]; stems of
    a loud song exceed it. `*_length` counts samples, `n_*` counts things.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias, get_args

from stemdock.errors import ArgumentError
from stemdock.lib.arguments import is_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from stemdock.lib import arrays

    FloatArray: TypeAlias = arrays.FloatArray
    ComplexArray: TypeAlias = arrays.ComplexArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a separation has come, in samples of the mixture.

    With an engine of two passes, half of `total_length` means half of the work. `done_length` never falls,
    and ends at the length of the mixture.
    """

    done_length: int
    total_length: int | None
    """None while the length of a stream is unknown."""
    sample_rate: int | None = None
    """Of these samples, in Hz; None if the caller gave no rate either."""


MAX_THREADS: Final = 1024
"""More than the processors of one machine have. Systems run out of threads at some ten thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How an engine uses the hardware."""

    provider: str = "auto"
    """Execution provider: a name in `stemdock.inference.providers`, or "auto" for the best one that works
    here and computes in float32."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Number format of the computation. bfloat16 needs hardware and a provider that support it."""
    n_threads: int = 0
    """Processor threads, up to `MAX_THREADS`; 0 for one per core."""
    memory: int = 0
    """Bytes that it may plan with, model included; 0 for what the machine has to spare."""

    def __post_init__(self) -> None:
        """Checks the fields.

        Raises:
            ArgumentError: A field has the wrong type or is out of its range.
        """
        if not isinstance(self.provider, str):
            raise ArgumentError("provider", self.provider, "the name of a provider")
        check_choice("precision", self.precision, ("float32", "bfloat16"))
        if not (is_whole(self.n_threads, 0) and self.n_threads <= MAX_THREADS):
            raise ArgumentError("n_threads", self.n_threads, f"a whole number from 0 to {MAX_THREADS}")
        if not is_whole(self.memory, 0):
            raise ArgumentError("memory", self.memory, "a whole number of bytes, 0 or more")


def check_choice(argument: str, value: object, choices: tuple[str, ...]) -> None:
    """Checks an argument that has a few possible values.

    Raises:
        ArgumentError: The value is not one of them.
    """
    if not isinstance(value, str) or value not in choices:
        raise ArgumentError(argument, value, f"one of {', '.join(choices)}")


DEFAULT_EXECUTION: Final = Execution()

Bandwidth: TypeAlias = Literal["11k", "16k", "full"]
"""Highest frequency of the stems: about 11 or 16.5 kHz, or that of the mixture."""

DownmixMode: TypeAlias = Literal["auto", "front", "refuse"]
"""How a file with more than two channels becomes stereo: from all channels, from front left and right
only, or not at all."""

SeparationOption: TypeAlias = Literal["mwf", "bandwidth"]
"""Name of a field of `Separation`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """Options of the separation itself. The defaults are Spleeter's."""

    mwf: bool = False
    """Whether a multichannel Wiener filter makes the stems, in two passes, instead of masks."""
    bandwidth: Bandwidth | None = None
    """Highest frequency of the stems; None for the model's own. "full" excludes `mwf`: the filter makes
    no stems above the network's range."""

    def __post_init__(self) -> None:
        """Checks the fields.

        Raises:
            ArgumentError: A field has the wrong type or is out of its range, or the two exclude each other.
        """
        if not isinstance(self.mwf, bool):
            raise ArgumentError("mwf", self.mwf, "True or False")
        if self.bandwidth is not None:
            check_choice("bandwidth", self.bandwidth, get_args(Bandwidth))
        if self.mwf and self.bandwidth == "full":
            raise ArgumentError(
                "bandwidth",
                self.bandwidth,
                "possible with the Wiener filter (mwf)",
                remedy="Choose 11k or 16k, or leave the filter out.",
            )


DEFAULT_SEPARATION: Final = Separation()


class Engine(Protocol):
    """A loaded model: samples in, stems out."""

    @property
    def stems(self) -> tuple[str, ...]:
        """Names of the stems, in the order of the arrays."""
        ...

    @property
    def sample_rate(self) -> int:
        """Rate of mixture and stems, in Hz."""
        ...

    @property
    def n_channels(self) -> int:
        """Channels of mixture and stems."""
        ...

    @property
    def provider(self) -> str:
        """What the engine computes on, for people: "cpu", "cuda"."""
        ...

    def separate(
        self, mixture: Iterable[FloatArray], on_analysed: Callable[[int], None]
    ) -> Iterator[FloatArray]:
        """Separates one mixture, in memory that does not grow with its length.

        The stems must not depend on how the mixture is cut into blocks. Several threads may each separate a
        mixture of their own at the same time.

        An engine whose blocks take longer than a moment can have a third parameter, `cancel`: an event that
        is set when the separation is to stop, or None. The engine then raises `CancelledError` soon.

        Args:
            mixture: Blocks `(n_samples, n_channels)` of any length, finite float32 at `sample_rate`. The
                engine must not change them.
            on_analysed: For engines that take in the whole mixture before they give the first stems: call
                it during that pass with the samples analysed so far. It raises `CancelledError` to stop the
                separation; let that pass. An engine of one pass never calls it, and is stopped between two
                blocks of stems.

        Yields:
            Blocks `(n_stems, n_samples, n_channels)` float32, which add up to exactly the samples taken in.

        Raises:
            StemdockError: The mixture cannot be separated.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Downmix:
    """How the channels of a file become stereo."""

    speakers: tuple[str, ...]
    """Loudspeakers of the file's channels, in the file's order."""
    matrix: tuple[tuple[float, float], ...]
    """Gain of each channel in left and right."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """Loudspeakers that the stereo does not contain."""
        return tuple(name for name, gains in zip(self.speakers, self.matrix, strict=True) if not any(gains))


DamageKind: TypeAlias = Literal["silence", "invalid", "end"]
"""What damage did to the sound. silence: samples were lost, and silence keeps their place. invalid: data
could not be decoded, so sound may be missing or wrong. end: the file ends before its announced length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A damaged place of an audio file."""

    start: float
    """Seconds into the file as it is read, with the silence that keeps the time."""
    duration: float
    """Seconds; 0 if unknown."""
    kind: DamageKind

    def __str__(self) -> str:
        """The damage as the end of a sentence that starts with the name of the file."""
        if self.kind == "silence":
            return f"is damaged at {self.start:.2f} s; {self.duration:.2f} s are replaced by silence"
        if self.kind == "end":
            missing = f"; {self.duration:.2f} s are missing" if self.duration else " and may be incomplete"
            return f"ends early, at {self.start:.2f} s{missing}"
        span = f"from {self.start:.2f} to {self.start + self.duration:.2f} s" if self.duration else ""
        return f"is damaged {span or f'at {self.start:.2f} s'}; sound may be missing or wrong there"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparatedFile:
    """The result of separating one file."""

    source: Path
    stems: Mapping[str, Path]
    """Written files by stem, in the model's order."""
    mixes: Mapping[str, Path]
    """Written sums of stems, by name."""
    peaks: Mapping[str, float]
    """Largest absolute sample of each file, before the file format clipped anything."""
    clipped_lengths: Mapping[str, int]
    """Samples of each file, over all channels, that exceed the range of the file format."""
    gain_db: float
    """Gain that all files got to prevent clipping: 0 or less."""
    warnings: tuple[str, ...]
    """Deviations from the request, each a sentence that names the file."""
    model: str
    """Name of the model."""
    sample_rate: int
    """Hz of the files: the rate of the source, the requested one, or one that the format supports."""
    n_channels: int
    """Channels of the files."""
    total_length: int
    """Samples per channel, at `sample_rate`: as long as the source or the requested part of it."""
    packages: Mapping[str, Path] = field(default_factory=dict)
    """Written files that hold all stems or refer to them, by the name of their format."""
    downmix: Downmix | None = None
    """How the source became stereo, if it had more than two channels."""
    damage: tuple[Damage, ...] = ()
    """Damaged places of the source, in order; `warnings` describe them, too."""
    stages: Mapping[str, float] = field(default_factory=dict)
    """Seconds that reading ("decode"), separating ("separate") and writing ("encode") took, the last without
    those in which the network ran meanwhile; in a batch also "download" and "upload"."""

    @property
    def files(self) -> Mapping[str, Path]:
        """All written files by name."""
        return {**self.stems, **self.mixes, **self.packages}
