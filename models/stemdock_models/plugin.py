"""Offer the installed models, the ones that can be downloaded, and the command that manages them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import Check, CommandEntry, ModelDownload, ModelEntry, hookimpl

if TYPE_CHECKING:
    import click

# Every start of the command line imports this module. So each hook imports what it needs.


@hookimpl
def stemdock_models() -> list[ModelEntry]:
    """The models in the store, then the ones that come with the package."""
    from stemdock_models.installed import installed_models  # noqa: PLC0415
    from stemdock_models.store import find_store  # noqa: PLC0415

    return installed_models(find_store())


@hookimpl
def stemdock_checks() -> list[Check]:
    """A failure for each model whose description is damaged. It is missing from `stemdock_models`."""
    from stemdock_models.store import store_faults  # noqa: PLC0415

    return [
        Check(subject=f"model {fault.model}", status="failure", detail=f"{fault}.", remedy=fault.remedy)
        for fault in store_faults()
    ]


@hookimpl
def stemdock_downloads() -> list[ModelDownload]:
    """All models of Spleeter's release."""
    from stemdock_models.catalogue import load_release  # noqa: PLC0415
    from stemdock_models.offers import downloads  # noqa: PLC0415

    return downloads(load_release())


@hookimpl
def stemdock_commands() -> list[CommandEntry]:
    """The command `models`."""

    def load() -> click.Command:
        from stemdock_models.command import command  # noqa: PLC0415

        return command

    return [CommandEntry(name="models", summary="List, download, check, add and remove models.", load=load)]
