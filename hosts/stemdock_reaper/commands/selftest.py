"""plugin-cli reaper selftest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stemdock_reaper.commands.options import file_path

if TYPE_CHECKING:
    from pathlib import Path


@click.command("selftest")
@click.argument("folder", type=file_path, default="stemdock-selftest", metavar="[FOLDER]")
def command(folder: Path) -> None:
    """Create a folder with a test to run in REAPER; the test takes a minute.

    It checks Stemdock's script in your REAPER and writes PASS or FAIL for each check to report.txt.
    """
    from stemdock_reaper.selftest import build  # noqa: PLC0415  needs numpy

    script = build(folder)
    click.echo(script)
    click.echo(
        f"Open {folder / 'test.rpp'} in REAPER. Then choose Actions > Show action list > New action > "
        f"Load ReaScript, open {script}, and run it. Or close REAPER and run:\n"
        f'    reaper -nosplash -ignoreerrors "{folder / "test.rpp"}" "{script}"\n'
        f"The result will be in {folder / 'report.txt'}.",
        err=True,
    )
