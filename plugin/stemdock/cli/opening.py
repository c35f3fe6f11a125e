"""Opening a model for a command: one that is missing is fetched first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stemdock.cli.terminal import fetch_reporter
from stemdock.errors import ModelNotInstalledError
from stemdock.types import DEFAULT_EXECUTION, DEFAULT_SEPARATION

if TYPE_CHECKING:
    from stemdock.plugins import Plugins
    from stemdock.separator import Separator
    from stemdock.types import Execution, Separation


def open_separator(
    model: str,
    plugins: Plugins,
    execution: Execution = DEFAULT_EXECUTION,
    separation: Separation = DEFAULT_SEPARATION,
) -> Separator:
    """Loads a model, and tells on standard error if it must be fetched for that.

    Args:
        model: Name of a model, or the path of an ONNX file.
        plugins: Where models come from.
        execution: How its networks are run.
        separation: How stems are made of what they estimate.

    Raises:
        ProviderUnavailableError: The provider is missing or does not work here.
        ModelError: The model cannot be had, is damaged or contradicts its card.
    """
    # The engine is imported here, since asking for help must not wait for it.
    from stemdock.separator import Separator  # noqa: PLC0415

    try:
        return Separator(model, execution=execution, separation=separation, plugins=plugins)
    except ModelNotInstalledError as error:
        click.echo(f"{error}: fetching it from {error.download.source}", err=True)
        with fetch_reporter() as on_progress:
            error.download.fetch(on_progress=on_progress)
    return Separator(model, execution=execution, separation=separation, plugins=plugins)
