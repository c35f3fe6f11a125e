"""The card of a Spleeter model: everything that the engine must know besides the weights.

A card is stored in the metadata of the ONNX file, so a model file needs no companion.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from stemdock.errors import ModelContractError
from stemdock.lib.json_shapes import checked
from stemdock.lib.untrusted_json import parse_json
from stemdock.model_fields import check_model_fields, raise_first

if TYPE_CHECKING:
    from collections.abc import Mapping

MaskExtension = Literal["zeros", "average"]

CARD_VERSION: Final = 1
"""Increase it when a field changes its meaning. Stemdock refuses cards of another version."""

INPUT_NAME: Final = "mixture_magnitude"
"""Name of the graph's only input. Each output has the name of its stem."""

_PREFIX: Final = "stemdock."
_POOLING: Final = 64
"""Both axes of a segment must be multiples of it: the network has six levels of stride 2."""
_OVERLAP: Final = 4
"""Frames that cover each sample. The constant 2/3 of the inverse transform holds for this overlap only."""
_MAX_EXPONENT: Final = 4
_MAX_SIZE: Final = 1 << 27
"""Values in the frames of one segment, over all channels and stems: six times those of 5stems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """The network of one model, and how its estimates become masks.

    Raises:
        ModelContractError: A value is out of its range.
    """

    name: str
    """Name of the model for people, for example "2stems"."""
    stems: tuple[str, ...]
    """Names in the order of the graph's outputs."""
    sample_rate: int
    """Hz that the network was trained at."""
    n_channels: int
    """Channels of the mixture, always 2 in Spleeter."""
    frame_length: int
    """Samples in an STFT frame."""
    hop_length: int
    """Samples from one frame to the next, a quarter of `frame_length`."""
    n_frames: int
    """Frames in a segment (Spleeter's T)."""
    n_bins: int
    """Bins of the network's input, from 0 Hz up (Spleeter's F)."""
    separation_exponent: float
    """Power to which magnitudes are raised in the ratio mask."""
    mask_extension: MaskExtension
    """Mask of the bins above `n_bins`: "zeros", or the "average" of those below."""
    licence: str
    """Licence of the weights and its holder."""
    checkpoint_sha256: str
    """Of the checkpoint's tensor data, hex."""
    exporter: str
    """Program and version that wrote the model."""

    def __post_init__(self) -> None:
        check_model_fields(self.name, self.stems, self.sample_rate, min_stems=2)
        raise_first(self.name, *self._faults())

    def _faults(self) -> tuple[tuple[bool, str], ...]:
        spectrum_length = self.frame_length // 2 + 1
        return (
            (self.n_channels <= 0, f"{self.n_channels} channels are too few"),
            (
                self.hop_length <= 0 or self.frame_length != _OVERLAP * self.hop_length,
                f"frames of {self.frame_length} samples are not {_OVERLAP} hops of {self.hop_length} long",
            ),
            (
                self.n_frames <= 0 or self.n_frames % _POOLING != 0,
                f"{self.n_frames} frames in a segment are not a multiple of {_POOLING}",
            ),
            (
                self.n_bins <= 0 or self.n_bins % _POOLING != 0 or self.n_bins > spectrum_length,
                f"{self.n_bins} bins are not a multiple of {_POOLING} up to {spectrum_length}",
            ),
            (
                self.n_frames * self.frame_length * self.n_channels * len(self.stems) > _MAX_SIZE,
                f"segments of {self.n_frames} frames of {self.frame_length} samples are too large",
            ),
            (
                not 0 < self.separation_exponent <= _MAX_EXPONENT,
                f"the separation exponent {self.separation_exponent} is outside 0 to {_MAX_EXPONENT}",
            ),
            (
                self.mask_extension not in {"zeros", "average"},
                f"the mask extension {self.mask_extension!r} is unknown",
            ),
        )

    @property
    def bandwidth(self) -> float:
        """Highest frequency of the network's input, in Hz."""
        return self.n_bins * self.sample_rate / self.frame_length


def card_to_metadata(card: ModelCard) -> dict[str, str]:
    """The card as ONNX metadata properties: one JSON value per field."""
    return {_PREFIX + key: json.dumps(value) for key, value in card_to_values(card).items()}


def card_to_values(card: ModelCard) -> dict[str, Any]:
    """The card as a JSON object, which `card_from_values` reads."""
    return {"card_version": CARD_VERSION, **asdict(card), "stems": list(card.stems)}


def card_from_metadata(metadata: Mapping[str, str], model: str) -> ModelCard:
    """The card in ONNX metadata properties.

    Args:
        metadata: Properties of an ONNX model; those of other programs are ignored.
        model: Name or path for error messages.

    Raises:
        ModelContractError: The card is missing, of another version, or unusable.
    """
    own = {key.removeprefix(_PREFIX): text for key, text in metadata.items() if key.startswith(_PREFIX)}
    if not own:
        raise ModelContractError(
            model,
            "the ONNX file has no Stemdock model card",
            remedy="Use a model that `plugin-cli export` wrote.",
        )
    try:
        values = {key: parse_json(text) for key, text in own.items()}
    except ValueError as error:
        raise ModelContractError(
            model, f"the card is unusable: {error}", remedy="Export the model again."
        ) from error
    return card_from_values(values, model)


def card_from_values(values: Mapping[str, Any], model: str) -> ModelCard:
    """The card in a JSON object that holds `card_version` and the card's fields.

    Args:
        values: The object, decoded.
        model: Name or path for error messages.

    Raises:
        ModelContractError: The card is of another version, or unusable.
    """
    version = values.get("card_version")
    if version != CARD_VERSION:
        raise ModelContractError(
            model,
            f"the card has version {version!r}, and Stemdock reads version {CARD_VERSION}",
            remedy="Update Stemdock, or export the model again.",
        )
    try:
        return checked(ModelCard, dict(values), ignore_unknown=True)
    except ValueError as error:
        raise ModelContractError(
            model, f"the card is unusable: {error}", remedy="Export the model again."
        ) from error
