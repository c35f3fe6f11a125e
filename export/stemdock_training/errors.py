"""Errors of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import StemdockError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock_training.problems import Problem


class TrainingError(StemdockError):
    """A model cannot be trained."""


class TrainingOptionError(TrainingError, ValueError):
    """An option cannot be used with this configuration.

    Attributes:
        option: Its name.
    """

    def __init__(self, option: str, reason: str, *, remedy: str) -> None:
        super().__init__(f"{option}: {reason}", remedy=remedy)
        self.option = option


class DatasetError(TrainingError):
    """Songs cannot be used for training. No step was made.

    Attributes:
        problems: What is wrong, all of it.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        others = f"; {len(problems) - 1} more problems" if len(problems) > 1 else ""
        super().__init__(f"{printable(str(first.path))}: {first.reason}{others}", remedy=first.remedy)
        self.problems = tuple(problems)


class TrainingWriteError(TrainingError, OSError):
    """A file of the training cannot be written. The last complete checkpoint stays.

    Attributes:
        path: The file or folder.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path}: cannot be written ({reason}); the last complete checkpoint is kept",
            remedy="Free space on the disk or check the folder's permissions. Then run the same command "
            "again: it goes on from that checkpoint.",
        )
        self.path = path


class DivergedError(TrainingError, ArithmeticError):
    """The loss is not a finite number any more. No checkpoint has the weights that gave it.

    Attributes:
        step: The last step that was made.
    """

    def __init__(self, step: int) -> None:
        super().__init__(
            f"the loss is not a finite number (step {step})",
            remedy="Lower learning_rate in the configuration. Then run the same command again: it goes on "
            "from the last checkpoint, if there is one.",
        )
        self.step = step
