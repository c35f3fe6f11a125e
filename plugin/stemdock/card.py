"""The model card: all that the runtime must know of a model besides its weights.

A card travels inside the ONNX file (its metadata), so a model file needs no companion.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal

from stemdock.errors import ModelContractError
from stemdock.lib.legal_names import is_legal_name
from stemdock.lib.untrusted_json import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

MaskExtension = Literal["zeros", "average"]

CARD_VERSION: Final = 1
"""Raised when a field changes its meaning; a runtime refuses cards newer than itself."""

INPUT_NAME: Final = "mixture_magnitude"
"""Name of the graph's one input; every output bears the name of its stem."""

_PREFIX: Final = "stemdock."
_POOLING: Final = 64
"""Six levels of stride 2: both segment axes must divide by it."""
_OVERLAP: Final = 4
"""Frames over each sample: the inverse transform's constant 2/3 holds for this overlap only."""
_MAX_SAMPLE_RATE: Final = 768_000
"""Hz."""
_MAX_EXPONENT: Final = 4
_MAX_SIZE: Final = 1 << 27
"""Values in the frames of one segment, over all channels and stems: six times as many as of 5stems."""
_MAX_STEM_LENGTH: Final = 64
"""Characters in the name of a stem, which becomes part of file names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What one model is and how its masks are made.

    Raises:
        ModelContractError: A value is out of its range.
    """

    name: str
    """How people call the model, for example "2stems"."""
    stems: tuple[str, ...]
    """Names in the order of the graph's outputs."""
    sample_rate: int
    """Hz the network was trained at."""
    n_channels: int
    """Channels of the mixture, always 2 in Spleeter."""
    frame_length: int
    """Samples in an STFT frame."""
    hop_length: int
    """Samples from one frame to the next, a quarter of `frame_length`."""
    n_frames: int
    """Frames in a segment (Spleeter's T)."""
    n_bins: int
    """Bins that the network sees, from 0 Hz up (Spleeter's F)."""
    separation_exponent: float
    """Power to which magnitudes are raised in the ratio mask."""
    mask_extension: MaskExtension
    """Mask of the bins above `n_bins`: "zeros", or the "average" of those below."""
    licence: str
    """Licence of the weights and whose they are."""
    checkpoint_sha256: str
    """Of the checkpoint's tensor data, hex."""
    exporter: str
    """Program and version that wrote the model."""

    def __post_init__(self) -> None:
        for wrong, reason in self._faults():
            if wrong:
                raise ModelContractError(self.name or "model", reason, remedy="Export the model again.")

    def _faults(self) -> tuple[tuple[bool, str], ...]:
        spectrum_length = self.frame_length // 2 + 1
        return (
            (not self.name.isprintable() or not self.name.strip(), "the card has no usable model name"),
            (len(self.stems) < 2, "the card names fewer than two stems"),  # noqa: PLR2004
            (len(set(self.stems)) != len(self.stems), "the card names a stem twice"),
            (
                not all(is_legal_name(stem) and len(stem) <= _MAX_STEM_LENGTH for stem in self.stems),
                f"the card has a stem that cannot name a file: {', '.join(map(repr, self.stems))}",
            ),
            (not 0 < self.sample_rate <= _MAX_SAMPLE_RATE, f"sample rate {self.sample_rate} Hz"),
            (self.n_channels <= 0, f"{self.n_channels} channels"),
            (
                self.hop_length <= 0 or self.frame_length != _OVERLAP * self.hop_length,
                f"{self.frame_length} samples every {self.hop_length} are no overlap of {_OVERLAP} frames",
            ),
            (
                self.n_frames <= 0 or self.n_frames % _POOLING != 0,
                f"segments of {self.n_frames} frames are no multiple of {_POOLING}",
            ),
            (
                self.n_bins <= 0 or self.n_bins % _POOLING != 0 or self.n_bins > spectrum_length,
                f"{self.n_bins} bins are no multiple of {_POOLING} up to {spectrum_length}",
            ),
            (
                self.n_frames * self.frame_length * self.n_channels * len(self.stems) > _MAX_SIZE,
                f"segments of {self.n_frames} frames of {self.frame_length} samples are too large",
            ),
            (
                not 0 < self.separation_exponent <= _MAX_EXPONENT,
                f"separation exponent {self.separation_exponent}",
            ),
            (self.mask_extension not in {"zeros", "average"}, f"mask extension {self.mask_extension!r}"),
        )

    @property
    def bandwidth(self) -> float:
        """Highest frequency in Hz that the network sees."""
        return self.n_bins * self.sample_rate / self.frame_length


def card_to_metadata(card: ModelCard) -> dict[str, str]:
    """The card as ONNX metadata properties: one JSON value a field."""
    return {_PREFIX + key: json.dumps(value) for key, value in card_to_values(card).items()}


def card_to_values(card: ModelCard) -> dict[str, Any]:
    """The card as a JSON object, which `card_from_values` reads."""
    return {"card_version": CARD_VERSION, **asdict(card), "stems": list(card.stems)}


def card_from_metadata(metadata: Mapping[str, str], model: str) -> ModelCard:
    """The card in ONNX metadata properties.

    Args:
        metadata: Properties of an ONNX model; foreign ones are passed over.
        model: Name or path for error messages.

    Raises:
        ModelContractError: No card, a newer card, or an unusable one.
    """
    own = {key.removeprefix(_PREFIX): text for key, text in metadata.items() if key.startswith(_PREFIX)}
    if not own:
        raise ModelContractError(
            model,
            "an ONNX file without a Stemdock model card",
            remedy="Use a model that `plugin-cli export` wrote.",
        )
    try:
        values = {key: parse_json(text) for key, text in own.items()}
    except ValueError as error:
        raise ModelContractError(model, f"unusable card: {error}", remedy="Export it again.") from error
    return card_from_values(values, model)


def card_from_values(values: Mapping[str, Any], model: str) -> ModelCard:
    """The card in a JSON object that has `card_version` beside the card's fields.

    Args:
        values: The object, decoded.
        model: Name or path for error messages.

    Raises:
        ModelContractError: A newer card, or an unusable one.
    """
    version = values.get("card_version")
    if version != CARD_VERSION:
        raise ModelContractError(
            model, f"its card has version {version!r}", remedy="Update Stemdock, or export the model again."
        )
    kinds = {field.name: _JSON_TYPES.get(field.name, str) for field in fields(ModelCard)}
    for name, kind in kinds.items():
        if not isinstance(values.get(name), kind):
            raise ModelContractError(
                model, f"unusable card: {name} is {values.get(name)!r}", remedy="Export the model again."
            )
    known = {name: values[name] for name in kinds}
    return ModelCard(**{**known, "stems": tuple(str(stem) for stem in values["stems"])})


_JSON_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "stems": list,
    "separation_exponent": (int, float),
    **dict.fromkeys(("sample_rate", "n_channels", "frame_length", "hop_length", "n_frames", "n_bins"), int),
}
"""What JSON makes of the fields that are no strings."""
