"""Exports a checkpoint to a model file: the steps that all converters share.

A converter reads the checkpoint and makes the graph. This module finds the checkpoint, adds the model
card, and installs the file only after the converter has checked it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

from stemdock import OutputError, OutputExistsError, StemdockError, atomic_file, file_sha256, os_errors_as
from stemdock_export.cards import make_card
from stemdock_export.checkpoint import find_checkpoint
from stemdock_export.model_file import finish_model, write_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
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
    _check_output(output, overwrite=overwrite)
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
    with _output_errors(output), atomic_file(output, overwrite=overwrite) as staged:
        write_model(model, staged)
        del model  # the check loads the file, and memory should not hold both
        on_step("checking the model")
        figures = conversion.check(staged)
        sha256 = file_sha256(staged)
        _check_output(output, overwrite=overwrite)
    return ExportedModel(
        path=output, card=card, n_bytes=output.stat().st_size, sha256=sha256, figures=figures
    )


def _check_output(output: Path, *, overwrite: bool) -> None:
    """Rejects an output where a model cannot or must not be written.

    Raises:
        OutputError: The output exists and must not be replaced, is a folder, or its folder does not exist.
    """
    if output.is_dir():
        raise OutputError(output, "is a folder", remedy="Choose a file name.")
    if not output.parent.is_dir():
        raise OutputError(
            output, "its folder does not exist", remedy="Create the folder, or choose another one."
        )
    if output.exists() and not overwrite:
        raise OutputExistsError(output)


def _output_errors(output: Path) -> AbstractContextManager[None]:
    remedy = "Check free space and permissions of the folder."
    return os_errors_as(
        lambda reason: OutputError(output, f"cannot be written ({reason})", remedy=remedy), keep=StemdockError
    )
