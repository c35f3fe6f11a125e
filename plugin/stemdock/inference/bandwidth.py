"""Up to which frequency a network looks, and the same network looking further: knows onnx.

Spleeter's variants "-16kHz" are the same weights over more bins: the networks are convolutions throughout,
so the number of bins is no part of them, only of the shapes that a model file declares.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from stemdock.card import card_from_metadata, card_to_metadata
from stemdock.errors import ModelContractError, ModelError
from stemdock.inference.prepared import FOLDER_VARIABLE, optimised_model

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock.card import ModelCard
    from stemdock.types import Bandwidth

_SAMPLE_RATE: Final = 44100
_FRAME_LENGTH: Final = 4096
_N_BINS: Final[dict[Bandwidth, int]] = {"11k": 1024, "16k": 1536}
"""Spleeter's F: up to 11025 and 16537.5 Hz at that rate and that frame length."""
_WIDE_SUFFIX: Final = "-16kHz"
_BINS_AXIS: Final = 2


def n_bins_for(bandwidth: Bandwidth | None, card: ModelCard) -> int:
    """Bins that the network must see.

    Raises:
        ModelError: The model is not of the rate and frame length that Spleeter's bandwidths are told in.
    """
    if bandwidth not in _N_BINS:
        return card.n_bins
    if (card.sample_rate, card.frame_length) != (_SAMPLE_RATE, _FRAME_LENGTH):
        raise ModelError(
            card.name,
            f"has no bandwidth {bandwidth}: it works at {card.sample_rate} Hz in frames of "
            f"{card.frame_length} samples",
            remedy='Leave the bandwidth out, or choose "full".',
        )
    return _N_BINS[bandwidth]


def extended_card(card: ModelCard, bandwidth: Bandwidth | None) -> ModelCard:
    """The card of a network that has the right bins already, with what the bandwidth says of those above."""
    if bandwidth is None:
        return card
    return replace(card, mask_extension="average" if bandwidth == "full" else "zeros")


def card_with_bins(card: ModelCard, n_bins: int) -> ModelCard:
    """The card of the same network over so many bins, under the name that Spleeter would give it."""
    name = card.name.removesuffix(_WIDE_SUFFIX)
    return replace(card, n_bins=n_bins, name=name + _WIDE_SUFFIX if n_bins == _N_BINS["16k"] else name)


def model_with_bins(path: Path, n_bins: int) -> Path:
    """The model file of the same network over another number of bins.

    It is made once and kept where prepared models are, and its sha256 is compared whenever it is used.

    Args:
        path: A model file, intact.
        n_bins: A multiple of 64.

    Raises:
        ModelContractError: The network holds for its own number of bins only.
        ModelError: There is no place to keep it.
    """
    kept = optimised_model(path, f"{n_bins} bins")
    made = kept.find() or kept.make(lambda staged: write_with_bins(path, staged, n_bins))
    if not made:
        raise ModelError(
            str(path),
            f"its form of another bandwidth cannot be kept in {kept.folder}",
            remedy=f"Free some disk space, or name another folder in {FOLDER_VARIABLE}.",
        )
    return made


def write_with_bins(path: Path, output: Path, n_bins: int) -> ModelCard:
    """Writes the model file of the same network over another number of bins.

    Args:
        path: A model file, intact.
        output: The file to write.
        n_bins: A multiple of 64.

    Returns:
        The card in the new file.

    Raises:
        ModelContractError: The network holds for its own number of bins only.
        OSError: The file cannot be written.
    """
    import onnx  # noqa: PLC0415  takes 0.2 s, and is needed once for each model

    model = onnx.load(path)
    card = card_from_metadata({entry.key: entry.value for entry in model.metadata_props}, str(path))
    made = card_with_bins(card, n_bins)
    _set_metadata(model, card_to_metadata(made))
    model.graph.name = made.name
    # Shapes in between are what was once inferred from the old ones.
    del model.graph.value_info[:]
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[_BINS_AXIS].dim_value = n_bins
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ModelContractError(
            card.name,
            f"its network cannot look at {n_bins} bins in place of {card.n_bins}",
            remedy="Leave the bandwidth out, or export the model with it.",
        ) from error
    onnx.save(model, output)
    return made


def _set_metadata(model: Any, properties: dict[str, str]) -> None:
    for entry in model.metadata_props:
        entry.value = properties.get(entry.key, entry.value)
