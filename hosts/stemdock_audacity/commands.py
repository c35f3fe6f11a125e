"""plugin-cli audacity."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stemdock.cli import echo_checks, model_option
from stemdock_audacity.errors import InstallError
from stemdock_audacity.folders import find_profile
from stemdock_audacity.spool import default_spool

if TYPE_CHECKING:
    from stemdock import Plugins


@click.group("audacity")
def command() -> None:
    """Separate stems inside Audacity."""


@command.command("install")
@click.pass_obj
def install_command(plugins: Plugins) -> None:
    """Install the menu items and switch Audacity's scripting on.

    Audacity has to be closed the first time. Repeat it when there are new models.
    """
    from stemdock_audacity.setup import install  # noqa: PLC0415

    for line in install(find_profile(), default_spool(), plugins.models()):
        click.echo(line)
    click.echo("In Audacity: Tools > Stemdock > Separate Stems. Start it with: plugin-cli audacity launch")


@command.command("uninstall")
def uninstall_command() -> None:
    """Undo what install did."""
    from stemdock_audacity.setup import uninstall  # noqa: PLC0415

    for line in uninstall(find_profile(), default_spool()) or ["There was nothing to undo."]:
        click.echo(line)


@command.command("doctor")
def doctor_command() -> int:
    """Check Audacity's installation, and the pipe if it runs."""
    from stemdock_audacity.diagnosis import diagnose_running  # noqa: PLC0415
    from stemdock_audacity.installation import diagnose  # noqa: PLC0415

    return 1 if echo_checks([*diagnose(), diagnose_running()]) == "failure" else 0


@command.command("launch")
def launch_command() -> None:
    """Start Audacity and wait until its pipe answers."""
    from stemdock_audacity.launch import launch  # noqa: PLC0415
    from stemdock_audacity.setup import mend_settings  # noqa: PLC0415

    profile = find_profile()
    if profile.program is None:
        raise InstallError("Audacity's program was not found", remedy="Start it by hand.")
    for line in mend_settings(profile, default_spool()):
        click.echo(line)
    click.echo(f"Audacity runs as process {launch(profile.program)}.")


@command.command("status")
def status_command() -> None:
    """Show the requests from Audacity's menu, and what became of the last ones."""
    spool = default_spool()
    for line in spool.recent():
        click.echo(line)
    for line in spool.status_lines() or ["Nothing is being separated."]:
        click.echo(line)


@command.command("cancel")
@click.argument("ids", nargs=-1, metavar="[ID]...")
def cancel_command(ids: tuple[str, ...]) -> None:
    """Cancel requests, all of them if none is named; forget those that failed."""
    jobs = {job.id: job for job in default_spool().jobs()}
    unknown = [name for name in ids if name not in jobs]
    if unknown:
        raise click.UsageError(f"There is no request {unknown[0]}; `plugin-cli audacity status` lists them.")
    for job in [jobs[name] for name in ids] or jobs.values():
        state = job.state()
        job.remove() if state and state.state == "failed" else job.cancel()
        click.echo(f"cancelled {job.id}")


@command.command("separate")
@model_option
@click.option("-s", "--stem", "stems", multiple=True, help="Only this stem; may be repeated.")
@click.option("-r", "--remainder", is_flag=True, help="What the stems leave as one more track.")
@click.option("--mute", is_flag=True, help="Mute the original.")
def separate_command(model: str, stems: tuple[str, ...], remainder: bool, mute: bool) -> None:
    """Separate what is selected in the running Audacity, over its pipe alone.

    Prints the names of the new tracks.
    """
    from stemdock_audacity.terminal import separate_selection  # noqa: PLC0415

    spool = default_spool()
    spool.prepare()
    folder = Path(tempfile.mkdtemp(prefix="terminal-", dir=spool.folder))
    try:
        names, note = separate_selection(
            spool, folder, model=model, stems=stems, remainder=remainder, mute_original=mute
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name in names:
        click.echo(name)
    if note:
        click.echo(f"warning: {note}", err=True)
