"""Exports a checkpoint to a model file: the steps that all converters share.

A converter reads the checkpoint and makes the graph. This module finds the checkpoint, adds the model
card, and installs the file only after the converter has checked it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

from stemdock import file_sha256
from stemdock_export.cards import make_card
from stemdock_export.checkpoint import find_checkpoint
from stemdock_export.model_file import finish_model, write_model
from stemdock_export.staging import check_output, staged_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock import ModelCard
    from stemdock_export.checkpoint import Checkpoint
    from stemdock_export.config import SpleeterConfig
    from stemdock_export.figures import StemFigures


class Conversion(Protocol):
    """One checkpoint on its way to a model."""

    def make_model(self) -> Any:
        """Converts the network to an `onnx.ModelProto` without a card."""

    def check(self, path: Path) -> tuple[StemFigures, ...]:
        """Runs the finished model file and raises an `ExportError` if it cannot be used.

        Returns:
            The model's differences from TensorFlow, if the converter measures them.
        """


class Converter(Protocol):
    """A way to convert checkpoints to models."""

    @property
    def libraries(self) -> str:
        """Names and versions for the model card, for example "tf2onnx 1.16.1"."""

    def read(
        self, checkpoint: Checkpoint, config: SpleeterConfig, on_step: Callable[[str], None]
    ) -> Conversion:
        """Loads the libraries and reads the checkpoint.

        Raises:
            CheckpointError: The checkpoint cannot be read or does not match the configuration.
            ExtraMissingError: A package is not installed.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedModel:
    """A finished model file."""

    path: Path
    card: ModelCard
    n_bytes: int
    sha256: str
    """Of the file, hex."""
    figures: tuple[StemFigures, ...]
    """Differences from TensorFlow; empty if the converter does not use TensorFlow."""


def export_checkpoint(
    directory: Path,
    config: SpleeterConfig,
    output: Path,
    *,
    converter: Converter,
    name: str = "",
    licence: str = "",
    overwrite: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> ExportedModel:
    """Writes an ONNX model of a checkpoint and checks it.

    The file appears only when it is complete and has passed the check. After an error nothing is left.

    Args:
        directory: The checkpoint's folder.
        config: The configuration that the checkpoint was trained with.
        output: The model file.
        converter: How to convert, for example `direct.DirectConverter()`.
        name: The model's name; if empty, that of the predefined configuration or of the output file.
        licence: Licence and holder of the weights; if empty, looked up by the checkpoint's hash.
        overwrite: Whether to replace an existing file.
        on_step: Called with a description of each step before it starts.

    Raises:
        OutputError: The output exists, or cannot be written.
        CheckpointError: The checkpoint cannot be read or does not match the configuration.
        ParityError: The model differs too much from TensorFlow.
        SelfCheckError: The model does not separate.
        ModelError: The model cannot be loaded.
        ExtraMissingError: A package that the converter needs is not installed.
    """
    check_output(output, overwrite=overwrite)
    checkpoint = find_checkpoint(directory)
    conversion = converter.read(checkpoint, config, on_step)
    card = make_card(
        config,
        checkpoint,
        output,
        name=name,
        licence=licence,
        exporter=f"stemdock {version('stemdock')} ({converter.libraries})",
    )
    on_step("converting")
    model = conversion.make_model()
    finish_model(model, card)
    with staged_file(output) as staged:
        write_model(model, staged)
        del model  # the check loads the file, and memory should not hold both
        on_step("checking the model")
        figures = conversion.check(staged)
        sha256 = file_sha256(staged)
        check_output(output, overwrite=overwrite)
        staged.replace(output)
    return ExportedModel(
        path=output, card=card, n_bytes=output.stat().st_size, sha256=sha256, figures=figures
    )
