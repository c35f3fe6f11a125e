"""plugin-cli audacity."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from stemdock import printable
from stemdock.cli import echo_checks, model_option
from stemdock_audacity.errors import HOST, InstallError
from stemdock_audacity.jobs.queue import default_queue
from stemdock_audacity.link.processes import find_audacity
from stemdock_audacity.profile.folders import PLUGIN_FILES, find_profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock import Plugins
    from stemdock_audacity.delivery.delivered import Delivered
    from stemdock_audacity.everywhere import Outcome
    from stemdock_audacity.jobs.job import AudacityJob


@click.group("audacity")
def command() -> None:
    """Separate stems inside Audacity."""


_NEXT_STEPS: Final = {
    3: "select audio, and choose Tools > Stemdock > Separate Stems.",
    4: "start it, select audio, and choose Effect > Extension > Stemdock > Separate stems.",
}

_ids_argument = click.argument("ids", nargs=-1, metavar="[ID]...")
_dry_run_option = click.option("--dry-run", is_flag=True, help="Print the changes without making them.")


@command.command("install")
@_dry_run_option
@click.pass_obj
def install_command(plugins: Plugins, dry_run: bool) -> int:
    """Install Stemdock into every Audacity, version 3 or 4.

    Prints every file it writes. Close Audacity before the first installation. For Audacity 3, run this again
    after you install a model, so that the dialog offers it.
    """
    from stemdock_audacity.everywhere import install  # noqa: PLC0415

    outcomes = install(default_queue(), plugins.models(), dry_run=dry_run)
    status = _echo_changes(outcomes, dry_run=dry_run, nothing="nothing to do: Stemdock is already installed")
    if dry_run:
        return status
    for outcome in outcomes:
        if outcome.version == 3 and any(change.path.name in PLUGIN_FILES for change in outcome.changes):  # noqa: PLR2004
            _see_to_first_start()
        if not outcome.error:
            click.echo(f"{outcome.name}: {_NEXT_STEPS[outcome.version]}", err=True)
    return status


def _see_to_first_start() -> None:
    from stemdock_audacity.install.first_start import ADVICE, QUESTION, start_once  # noqa: PLC0415

    program = find_profile().program
    if (
        program
        and not find_audacity()
        and sys.stdin.isatty()
        and click.confirm(QUESTION, default=True, err=True)
    ):
        start_once(program)
    else:
        click.echo(ADVICE, err=True)


@command.command("uninstall")
@_dry_run_option
def uninstall_command(dry_run: bool) -> int:
    """Remove Stemdock from every Audacity and restore Audacity's settings."""
    from stemdock_audacity.everywhere import uninstall  # noqa: PLC0415

    outcomes = uninstall(default_queue(), dry_run=dry_run)
    return _echo_changes(
        outcomes, dry_run=dry_run, nothing="nothing to do: Stemdock is not installed in Audacity"
    )


def _echo_changes(outcomes: Sequence[Outcome], *, dry_run: bool, nothing: str) -> int:
    """Prints what was changed, and reports each Audacity that failed.

    Returns:
        The exit status: 1 if something failed and something was done.

    Raises:
        StemdockError: Something failed and nothing was done.
    """
    for outcome in outcomes:
        for change in outcome.changes:
            click.echo(change.line(dry_run=dry_run))
    errors = [(outcome.name, outcome.error) for outcome in outcomes if outcome.error]
    if errors and not any(outcome.changes for outcome in outcomes):
        raise errors[0][1]
    for name, error in errors:
        reason = str(error).removeprefix(f"{HOST}: ")
        click.echo(f"warning: nothing was changed in {name}: {reason}. {error.remedy}", err=True)
    if not any(outcome.changes for outcome in outcomes):
        click.echo(nothing)
    return 1 if errors else 0


@command.command("doctor")
def doctor_command() -> int:
    """Check the installation in Audacity, and the connection if Audacity is running."""
    from stemdock_audacity.everywhere import diagnose  # noqa: PLC0415
    from stemdock_audacity.install.checking_running import diagnose_running  # noqa: PLC0415

    return 1 if echo_checks([*diagnose(), diagnose_running()]) == "failure" else 0


@command.command("launch")
def launch_command() -> None:
    """Start Audacity and wait until it is ready for Stemdock.

    Starts Audacity 3 if both versions are installed. Audacity 4 needs no special start.
    """
    from stemdock_audacity.everywhere import program_4, start_4  # noqa: PLC0415
    from stemdock_audacity.install.launch import launch  # noqa: PLC0415
    from stemdock_audacity.install.settings_changes import restore_export_command  # noqa: PLC0415

    if program := program_4():
        click.echo(f"Audacity 4 is running (process {start_4(program)}).")
        return
    profile = find_profile()
    if profile.program is None:
        raise InstallError("the program Audacity was not found", remedy="Start Audacity yourself.")
    queue = default_queue()
    for line in restore_export_command(profile, queue):
        click.echo(line)
    click.echo(f"Audacity is ready (process {launch(profile.program)}).")
    if titles := [job.title for job in queue.waiting()]:
        click.echo(f"Finished stems are waiting: {printable(', '.join(titles))}.", err=True)
        click.echo("Bring them into the open project with: plugin-cli audacity bring-in", err=True)


@command.command("status")
def status_command() -> None:
    """Show running requests and the outcome of recent ones."""
    queue = default_queue()
    for outcome in queue.recent():
        click.echo(str(outcome))
    for line in queue.status_lines() or ["Nothing is being separated."]:
        click.echo(line)


@command.command("bring-in")
@_ids_argument
def bring_in_command(ids: tuple[str, ...]) -> None:
    """Bring finished stems into the open project; without IDs, all that are waiting.

    Stems wait if they could not be imported when they were ready. Prints the names of the new tracks.
    """
    from stemdock_audacity.courier import Courier  # noqa: PLC0415

    queue = default_queue()
    jobs = _chosen(ids, queue.waiting())
    for job in jobs:
        delivered = Courier(queue, job).bring_in()
        job.kit.remove()
        _echo_delivered(delivered)
    queue.write_status()
    if not jobs:
        click.echo("No finished stems are waiting.", err=True)


@command.command("cancel")
@_ids_argument
def cancel_command(ids: tuple[str, ...]) -> None:
    """Cancel requests and remove failed ones; without IDs, all of them."""
    for job in _chosen(ids, default_queue().jobs()):
        if job.phase().is_over:
            job.kit.remove()
        else:
            job.kit.cancel()
        click.echo(f"cancelled {job.id}")


@command.command("separate")
@model_option
@click.option("-s", "--stem", "stems", multiple=True, help="Import only this stem; repeatable.")
@click.option("-r", "--remainder", is_flag=True, help="Import everything else as one more track.")
@click.option("--mute/--no-mute", default=True, show_default=True, help="Mute the original track.")
def separate_command(model: str, stems: tuple[str, ...], remainder: bool, mute: bool) -> None:
    """Separate the selection in the running Audacity.

    Imports the stems as new tracks and prints the names of these tracks.
    """
    from stemdock_audacity.terminal import separate_selection  # noqa: PLC0415

    queue = default_queue()
    queue.prepare()
    folder = Path(tempfile.mkdtemp(prefix="terminal-", dir=queue.folder))
    try:
        delivered = separate_selection(
            queue, folder, model=model, stems=stems, remainder=remainder, mute_original=mute
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _echo_delivered(delivered)


def _chosen(ids: Sequence[str], jobs: Sequence[AudacityJob]) -> Sequence[AudacityJob]:
    known = {job.id: job for job in jobs}
    unknown = [name for name in ids if name not in known]
    if unknown:
        raise click.UsageError(
            f"Unknown request {unknown[0]}. List requests with: plugin-cli audacity status"
        )
    return [known[name] for name in ids] or jobs


def _echo_delivered(delivered: Delivered) -> None:
    for name in delivered.names:
        click.echo(name)
    if delivered.note:
        click.echo(f"warning: {delivered.note}", err=True)
