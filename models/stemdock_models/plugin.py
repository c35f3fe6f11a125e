"""Offers the installed models, those that can be fetched, and the command that manages them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import Check, CommandEntry, ModelDownload, ModelEntry, hookimpl

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
def stemdock_checks() -> list[Check]:
    """Models of the store that are too damaged to be offered, and so missed by whoever looks at those."""
    from stemdock_models.store import default_store  # noqa: PLC0415

    return [
        Check(subject=f"model {fault.model}", status="failure", detail=f"{fault}.", remedy=fault.remedy)
        for fault in default_store().scan()[1]
    ]


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
