"""An early look: the stems of a song by the network as it is now, and a page that plays them."""

from __future__ import annotations

import subprocess
import sys
from time import monotonic
from typing import TYPE_CHECKING, Final

from stemdock import StemdockError, make_folder, os_errors_as
from stemdock_export.direct import DirectConverter
from stemdock_export.exporting import export_checkpoint
from stemdock_training.errors import TrainingWriteError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock_export.config import SpleeterConfig
    from stemdock_training.loss.trainer import Losses

FOLDER: Final = "looks"
_DURATION: Final = 60
"""Seconds of the song that are separated."""
_SECONDS_PER_MINUTE: Final = 60


class EarlyLooks:
    """Separates a song every few minutes, after a checkpoint, into FOLDER/looks/step-N."""

    def __init__(
        self,
        folder: Path,
        config: SpleeterConfig,
        song: Path,
        minutes: float,
        echo: Callable[[str], None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Starts the clock.

        Args:
            folder: The folder of the training.
            config: The network.
            song: The mixture.
            minutes: Time between two looks, 0 for one after each checkpoint.
            echo: Prints a line.
            clock: Gives seconds.
        """
        self._folder = folder
        self._config = config
        self._song = song
        self._period = minutes * _SECONDS_PER_MINUTE
        self._echo = echo
        self._clock = clock
        self._last = clock()

    def stepped(self, step: int, losses: Losses) -> None:
        """Looks take place after checkpoints only."""

    def validated(self, step: int, losses: Losses) -> None:
        """Looks take place after checkpoints only."""

    def saved(self, step: int) -> None:
        """Takes a look if it is time. A look that fails does not end the training."""
        if self._clock() - self._last < self._period:
            return
        folder = self._folder / FOLDER / f"step-{step}"
        try:
            page = take_look(self._folder, self._config, self._song, folder)
            self._echo(f"early look: {page}")
        except StemdockError as error:
            self._echo(f"warning: no early look at step {step}: {error}. {error.remedy}")
        self._last = self._clock()


def take_look(checkpoint: Path, config: SpleeterConfig, song: Path, folder: Path) -> Path:
    """Separates the start of a song with the latest checkpoint.

    The separation runs in a process of its own, which gives its memory back.

    Args:
        checkpoint: The folder of the checkpoint.
        config: The network.
        song: The mixture.
        folder: Gets the stems and the page; made if missing.

    Returns:
        The page.

    Raises:
        TrainingWriteError: The folder cannot be made, or the separation failed.
        ExportError: The checkpoint cannot be converted.
    """
    with os_errors_as(lambda reason: TrainingWriteError(folder, reason)):
        make_folder(folder)
    model = folder / "model.onnx"
    export_checkpoint(checkpoint, config, model, converter=DirectConverter(), name="look", overwrite=True)
    words: list[str | Path] = ["separate", song, "--model", model, "--output", folder]
    words += [
        "--duration",
        str(_DURATION),
        "--template",
        "{instrument}.{codec}",
        "--preview",
        "--overwrite",
        "--no-tags",
    ]
    done = subprocess.run(  # noqa: S603  our own command, without a shell
        [sys.executable, "-m", "stemdock", *words], capture_output=True, check=False, stdin=subprocess.DEVNULL
    )
    model.unlink(missing_ok=True)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise TrainingWriteError(folder, lines[-1].removeprefix("error: "))
    return folder / "preview.html"
