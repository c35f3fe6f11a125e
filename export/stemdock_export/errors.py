"""Errors between a checkpoint and a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock import StemdockError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock_export.figures import StemFigures

UNPACK_AGAIN: Final = "Unpack the model's archive again."
"""Remedy for checkpoints that are damaged or incomplete."""


class FormatError(ValueError):
    """The index of a checkpoint has the wrong format. Callers turn it into a `CheckpointError`."""


class ExportError(StemdockError):
    """A checkpoint cannot be exported."""


class ExtraMissingError(ExportError, ImportError):
    """A package that exporting needs is not installed.

    Attributes:
        package: The first one that is missing.
    """

    def __init__(self, package: str) -> None:
        super().__init__(
            f"exporting and training need {package}, which is not installed",
            remedy="Install it with: pip install 'stemdock[export]'",
        )
        self.package = package


class ConfigError(ExportError, ValueError):
    """A configuration cannot be used.

    Attributes:
        source: Its file or name.
        key: Dotted path of the invalid key; empty if the error concerns the whole file.
    """

    def __init__(self, source: str, key: str, reason: str, *, remedy: str) -> None:
        super().__init__(f"{source}: {key}: {reason}" if key else f"{source}: {reason}", remedy=remedy)
        self.source = source
        self.key = key


class FieldMissingError(ConfigError):
    """A configuration lacks a field."""

    def __init__(self, source: str, key: str) -> None:
        super().__init__(
            source,
            "",
            f"the field '{key}' is missing",
            remedy="Use the configuration that the model was trained with.",
        )
        self.key = key


class CheckpointError(ExportError):
    """A checkpoint cannot be read, or does not match the configuration.

    Attributes:
        path: The checkpoint's folder or prefix, or one of its files.
    """

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        super().__init__(f"{path}: {reason}", remedy=remedy)
        self.path = path


class VariableError(CheckpointError):
    """The variables of a checkpoint do not match the configuration.

    Attributes:
        name: The variable.
        expected: Its shape by the configuration, or None if the configuration has no such variable.
        found: Its shape in the checkpoint, or None if the checkpoint has no such variable.
        n_others: How many other variables do not match either.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        *,
        expected: Sequence[int] | None,
        found: Sequence[int] | None,
        n_others: int = 0,
    ) -> None:
        if found is None:
            reason = f"variable {name} of shape {_shape(expected)} is missing"
        elif expected is None:
            reason = f"variable {name} does not exist in the configured network"
        else:
            reason = f"variable {name} has shape {_shape(found)} instead of {_shape(expected)}"
        others = f"; {n_others} more variables do not match" if n_others else ""
        super().__init__(
            path,
            f"{reason}{others}",
            remedy="Choose the configuration that the checkpoint was trained with (--config).",
        )
        self.name = name
        self.expected = expected
        self.found = found
        self.n_others = n_others


class ParityError(ExportError):
    """The converted network does not compute the same as TensorFlow. No file was written.

    Attributes:
        figures: All measurements.
        worst: The lowest of those that are too low.
        floor: The minimum for it, dB.
    """

    def __init__(self, figures: Sequence[StemFigures], worst: StemFigures, floor: float) -> None:
        super().__init__(
            f"{worst.stem} differs from TensorFlow's output ({worst.quantity} of {worst.signal}): "
            f"{worst.snr:.1f} dB instead of at least {floor:.0f} dB; no model was written",
            remedy="Report this with the versions of tensorflow, tf2onnx and onnxruntime.",
        )
        self.figures = tuple(figures)
        self.worst = worst
        self.floor = floor


class SelfCheckError(ExportError):
    """A converted model does not separate. No file was written.

    Attributes:
        checkpoint: Prefix of the checkpoint.
    """

    def __init__(self, checkpoint: Path, reason: str) -> None:
        super().__init__(
            f"{checkpoint}: the converted model does not separate: {reason}; no model was written",
            remedy="Choose a trained checkpoint.",
        )
        self.checkpoint = checkpoint


def _shape(shape: Sequence[int] | None) -> str:
    return "x".join(str(length) for length in shape) if shape else "()"
