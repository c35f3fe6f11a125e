"""Opening a model for a command, with a download first if it is not installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stemdock.cli.terminal import fetch_reporter
from stemdock.errors import ModelNotInstalledError
from stemdock.types import DEFAULT_EXECUTION, DEFAULT_SEPARATION

if TYPE_CHECKING:
    from stemdock.cli.early_opening import EarlyOpening
    from stemdock.plugins import Plugins
    from stemdock.separator import Separator
    from stemdock.types import Execution, Separation


def open_separator(
    model: str,
    plugins: Plugins,
    execution: Execution = DEFAULT_EXECUTION,
    separation: Separation = DEFAULT_SEPARATION,
    *,
    early: EarlyOpening | None = None,
) -> Separator:
    """Loads a model; downloads it first if necessary, with progress on standard error.

    Args:
        model: Name of a model, or the path of an ONNX file.
        plugins: The plug-ins that offer models.
        execution: How the networks run.
        separation: How stems are computed from the networks' estimates.
        early: The same model with the same options, if it is being opened already.

    Raises:
        ProviderUnavailableError: The provider is missing or does not work here.
        ModelError: The model cannot be downloaded, is damaged or contradicts its card.
    """
    # The engine loads slowly, and --help does not need it.
    from stemdock.separator import Separator  # noqa: PLC0415

    try:
        if early:
            return Separator.of(early.result(), plugins, execution)
        return Separator(model, execution=execution, separation=separation, plugins=plugins)
    except ModelNotInstalledError as error:
        click.echo(f"{error}. Downloading it from {error.download.source}", err=True)
        with fetch_reporter() as on_progress:
            error.download.fetch(on_progress=on_progress)
    return Separator(model, execution=execution, separation=separation, plugins=plugins)
