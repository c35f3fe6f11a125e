"""What can go wrong between a checkpoint and a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import StemdockError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock_export.figures import StemFigures


class ExportError(StemdockError):
    """A checkpoint cannot be exported."""


class ExtraMissingError(ExportError, ImportError):
    """The packages that exporting needs are not installed.

    Attributes:
        package: The first one that is missing.
    """

    def __init__(self, package: str) -> None:
        super().__init__(
            f"exporting needs {package}, which is not installed",
            remedy="Install it with: pip install 'stemdock[export]'",
        )
        self.package = package


class ConfigError(ExportError, ValueError):
    """A configuration cannot be used.

    Attributes:
        source: Its file or name.
        key: Dotted path of the offending key; empty if the fault is in no single key.
    """

    def __init__(self, source: str, key: str, reason: str, *, remedy: str) -> None:
        super().__init__(f"{source}: {key}: {reason}" if key else f"{source}: {reason}", remedy=remedy)
        self.source = source
        self.key = key


class CheckpointError(ExportError):
    """A checkpoint cannot be read, or is not of the network that the configuration describes.

    Attributes:
        path: The checkpoint's directory or prefix.
    """

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        super().__init__(f"{path}: {reason}", remedy=remedy)
        self.path = path


class VariableError(CheckpointError):
    """The variables of a checkpoint do not fit the configuration.

    Attributes:
        name: The variable.
        expected: The shape that the configuration asks for, or None for a variable it knows nothing of.
        found: The shape in the checkpoint, or None if the variable is not there.
        n_others: How many further variables do not fit either.
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
            reason = f"has no variable {name} of shape {_shape(expected)}"
        elif expected is None:
            reason = f"has a variable {name} that the configuration does not account for"
        else:
            reason = f"variable {name} has shape {_shape(found)} instead of {_shape(expected)}"
        also = f", and {n_others} more do not fit" if n_others else ""
        super().__init__(
            path,
            f"{reason}{also}",
            remedy="Choose the configuration that the checkpoint was trained with (--config).",
        )
        self.name = name
        self.expected = expected
        self.found = found
        self.n_others = n_others


class ParityError(ExportError):
    """The converted network does not compute what TensorFlow computes; nothing was written.

    Attributes:
        figures: Everything that was measured.
        worst: The one with the lowest ratio of those that are too low.
        floor: What it should have reached, dB.
    """

    def __init__(self, figures: Sequence[StemFigures], worst: StemFigures, floor: float) -> None:
        super().__init__(
            f"{worst.stem} ({worst.quantity}, {worst.signal}) differs from TensorFlow's: "
            f"{worst.snr:.1f} dB instead of at least {floor:.0f} dB",
            remedy="Report it with the versions of tensorflow, tf2onnx and onnxruntime; nothing was written.",
        )
        self.figures = tuple(figures)
        self.worst = worst
        self.floor = floor


class SelfCheckError(ExportError):
    """A converted model runs but does not separate; nothing was written.

    Attributes:
        checkpoint: The prefix of the checkpoint that it was made of.
    """

    def __init__(self, checkpoint: Path, reason: str) -> None:
        super().__init__(
            f"{checkpoint}: the model made of it was tried, and {reason}",
            remedy="Use a checkpoint that was trained; nothing was written.",
        )
        self.checkpoint = checkpoint


def _shape(shape: Sequence[int] | None) -> str:
    return "x".join(str(length) for length in shape) if shape else "()"
