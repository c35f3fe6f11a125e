"""Finishes an ONNX model and writes it to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stemdock import card_to_metadata
from stemdock_export.extra import import_extra
from stemdock_export.phases import split_transposed_convolutions

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import ModelCard

OPSET: Final = 17
"""Has every operator that the network needs, and every onnxruntime that Stemdock supports reads it."""
IR_VERSION: Final = 8
"""The file format of that operator set."""


def finish_model(model: Any, card: ModelCard) -> None:
    """Makes a model faster and adds its card, in place."""
    onnx = import_extra("onnx")
    split_transposed_convolutions(model)
    model.graph.name = card.name
    model.graph.ClearField("doc_string")
    model.producer_name, _, model.producer_version = card.exporter.partition(" ")
    onnx.helper.set_model_props(model, card_to_metadata(card))


def write_model(model: Any, path: Path) -> None:
    """Writes a model and validates the file.

    Raises:
        onnx.checker.ValidationError: The model is not valid ONNX.
    """
    onnx = import_extra("onnx")
    path.write_bytes(model.SerializeToString())
    # Checks the file, because onnx would serialize the object a second time.
    onnx.checker.check_model(path, full_check=True)
