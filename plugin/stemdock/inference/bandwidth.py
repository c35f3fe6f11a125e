"""The same network over more or fewer bins.

Spleeter's "-16kHz" models have the weights of their namesakes and more bins. The networks consist of
convolutions, so the weights do not depend on the number of bins. Only the shapes in the model file do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from stemdock.errors import ModelDamagedError, ModelError
from stemdock.inference.protobuf import FormatError, as_message, field_header, integer_field, read_fields

if TYPE_CHECKING:
    from stemdock.card import ModelCard
    from stemdock.entries import ModelEntry
    from stemdock.inference.onnx_file import Field, OnnxModel
    from stemdock.types import Bandwidth

_SAMPLE_RATE: Final = 44100
_FRAME_LENGTH: Final = 4096
_N_BINS: Final[dict[Bandwidth, int]] = {"11k": 1024, "16k": 1536}
"""Spleeter's F: up to 11025 and 16537.5 Hz at that rate and that frame length."""
_WIDE_SUFFIX: Final = "-16kHz"

# Numbers of the fields that change, from the graph down to one length of a shape.
_GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_VALUE_INFO = 11, 12, 13
_VALUE_TYPE, _TYPE_TENSOR, _TENSOR_SHAPE, _SHAPE_LENGTH, _LENGTH_VALUE = 2, 1, 2, 1, 1
_PATH_TO_LENGTH: Final = (_VALUE_TYPE, _TYPE_TENSOR, _TENSOR_SHAPE)
_BINS_AXIS: Final = 2


def with_bandwidth(entry: ModelEntry, bandwidth: Bandwidth | None) -> ModelEntry:
    """The entry of a model as it is with another bandwidth.

    Args:
        entry: A model, with a card unless `bandwidth` is None.
        bandwidth: Highest frequency of the stems; None for the model's own.

    Raises:
        ModelError: The model has another sample rate or frame length than Spleeter's bandwidths.
    """
    if bandwidth is None or entry.card is None:
        return entry
    n_bins = _N_BINS.get(bandwidth)
    if n_bins and (entry.card.sample_rate, entry.card.frame_length) != (_SAMPLE_RATE, _FRAME_LENGTH):
        raise ModelError(
            entry.name,
            f"does not support the bandwidth {bandwidth}, since it works at {entry.card.sample_rate} Hz in "
            f"frames of {entry.card.frame_length} samples",
            remedy='Leave the bandwidth out, or choose "full".',
        )
    card = card_with_bins(entry.card, n_bins or entry.card.n_bins)
    card = with_extension(card, bandwidth)
    highest = None if bandwidth == "full" else card.bandwidth
    return replace(entry, name=card.name, card=card, bandwidth=highest)


def with_bins(entry: ModelEntry, n_bins: int) -> ModelEntry:
    """The entry of a model that shares a file with another model and has its own number of bins.

    Args:
        entry: The other model, with a card.
        n_bins: A multiple of 64.
    """
    if entry.card is None:
        raise ModelError(entry.name, "is not a Spleeter model", remedy="Choose a Spleeter model.")
    card = card_with_bins(entry.card, n_bins)
    return replace(entry, name=card.name, card=card, bandwidth=card.bandwidth, version=f"{n_bins} bins")


def card_with_bins(card: ModelCard, n_bins: int) -> ModelCard:
    """The card of the same network over another number of bins, under the name that Spleeter gives it."""
    if n_bins == card.n_bins:
        return card
    name = card.name.removesuffix(_WIDE_SUFFIX)
    return replace(card, n_bins=n_bins, name=name + _WIDE_SUFFIX if n_bins == _N_BINS["16k"] else name)


def with_extension(card: ModelCard, bandwidth: Bandwidth | None) -> ModelCard:
    """The card with the mask extension that belongs to a bandwidth."""
    if bandwidth is None:
        return card
    return replace(card, mask_extension="average" if bandwidth == "full" else "zeros")


def model_with_bins(model: OnnxModel, n_bins: int) -> OnnxModel:
    """The same network over another number of bins.

    Args:
        model: The model.
        n_bins: A multiple of 64.

    Raises:
        ModelDamagedError: A shape is damaged.
    """
    try:
        graph: list[Field] = [
            (number, _with_length(as_message(value), _PATH_TO_LENGTH, n_bins))
            if number in {_GRAPH_INPUT, _GRAPH_OUTPUT}
            else (number, value)
            for number, value in model.graph
            # Shapes in between were inferred from the old number.
            if number != _GRAPH_VALUE_INFO
        ]
    except FormatError as error:
        raise ModelDamagedError(
            str(model.path),
            f"a shape in it is damaged ({error})",
            remedy="Install or export the model again.",
        ) from error
    return replace(model, graph=graph, variant=model.variant_with(f"{n_bins} bins"))


def _with_length(message: memoryview, path: tuple[int, ...], length: int) -> memoryview:
    """A message in which the length of the axis of bins is another.

    Args:
        message: A message that holds a shape.
        path: Numbers of the fields that lead to the shape; empty if the message is the shape.
        length: The length.
    """
    changed = bytearray()
    axis = 0
    for number, value in read_fields(message):
        new = value
        if path and number == path[0]:
            new = _with_length(as_message(value), path[1:], length)
        elif not path and number == _SHAPE_LENGTH:
            if axis == _BINS_AXIS:
                new = memoryview(integer_field(_LENGTH_VALUE, length))
            axis += 1
        if isinstance(new, int):
            changed += integer_field(number, new)
        else:
            changed += field_header(number, len(new)) + new
    return memoryview(bytes(changed))
