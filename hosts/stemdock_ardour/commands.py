"""plugin-cli ardour."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stemdock.cli import echo_checks
from stemdock_ardour import places
from stemdock_ardour.errors import ArdourNotFoundError, ArdourSystemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from stemdock_hostkit.install.plan import Change

_dry_run = click.option("--dry-run", is_flag=True, help="Print the changes without making them.")


@click.group("ardour")
def command() -> None:
    """Separate stems inside Ardour."""


@command.command("install")
@_dry_run
def _install(dry_run: bool) -> None:
    """Install the actions in every version of Ardour, while it is closed.

    Prints every file it writes. Run it again after you upgrade or move Python. To remove everything, run
    `plugin-cli ardour uninstall`.
    """
    from stemdock_ardour.setup import install  # noqa: PLC0415  only this command needs it

    _with_each(install, dry_run=dry_run, nothing="the actions are already installed")


@command.command("uninstall")
@_dry_run
def _uninstall(dry_run: bool) -> None:
    """Remove the actions from Ardour.

    Restores Ardour's files as they were before. Your stems stay.
    """
    from stemdock_ardour.setup import uninstall  # noqa: PLC0415  only this command needs it

    _with_each(uninstall, dry_run=dry_run, nothing="the actions are not installed")


@command.command("doctor")
def _doctor() -> int:
    """Check the installation in Ardour. The exit status is 1 if a check fails."""
    from stemdock_ardour.checking import diagnose  # noqa: PLC0415  only this command needs it

    return int(echo_checks(diagnose()) != "ok")


@command.command("work")
@click.argument("folder", metavar="JOBDIR", type=click.Path(path_type=Path))
def _work(folder: Path) -> int:
    """Do one job in a window; Ardour starts this command in the background."""
    from stemdock_ardour.working import Work  # noqa: PLC0415  only this command needs it

    return {"done": 0, "cancelled": 130}.get(Work(folder.absolute()).show().kind, 1)


@command.command("models")
def _models() -> None:
    """Print a line for each model: its name and its stems, separated by tabs. For the script in Ardour."""
    from stemdock import load_plugins  # noqa: PLC0415  only this command needs it

    plugins = load_plugins()
    stems = {model.name: model.stems for model in plugins.models()}
    for model in plugins.downloads():
        stems.setdefault(model.name, model.stems)
    for name, names in stems.items():
        click.echo("\t".join((name, *names)))


def _with_each(change: Callable[..., list[Change]], *, dry_run: bool, nothing: str) -> None:
    if not places.is_supported():
        raise ArdourSystemError
    found = places.find_all()
    if not found:
        raise ArdourNotFoundError
    running = places.is_running()
    # A fault in one version is found before another one is changed.
    planned = [each for ardour in found for each in change(ardour, running=running, dry_run=True)]
    if not planned:
        click.echo(f"nothing to do: {nothing}")
    for ardour in () if dry_run else found:
        change(ardour, running=running)
    for each in planned:
        click.echo(each.line(dry_run=dry_run))
