"""Offers the installed models, those that can be fetched, and the command that manages them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock.hookspecs import hookimpl
from stemdock.types import CommandEntry, ModelDownload, ModelEntry

if TYPE_CHECKING:
    import click

# Every start of the command line imports this module; what the hooks need, they import themselves.


@hookimpl
def stemdock_models() -> list[ModelEntry]:
    """Those of the store, then those that come with the package."""
    from stemdock_models.installed import installed_models  # noqa: PLC0415
    from stemdock_models.store import default_store  # noqa: PLC0415

    return installed_models(default_store())


@hookimpl
def stemdock_downloads() -> list[ModelDownload]:
    """All of Spleeter's release."""
    from stemdock_models.catalogue import load_release  # noqa: PLC0415
    from stemdock_models.offers import downloads  # noqa: PLC0415

    return downloads(load_release())


@hookimpl
def stemdock_commands() -> list[CommandEntry]:
    """`models`."""

    def load() -> click.Command:
        from stemdock_models.command import command  # noqa: PLC0415

        return command

    return [CommandEntry(name="models", summary="List, fetch, check, add and remove models.", load=load)]
