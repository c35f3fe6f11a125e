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
    """Make a folder with a test for REAPER, which takes a minute.

    Stemdock's own tests run its script against a model of REAPER. This one asks a real REAPER whether
    the model is right, and writes PASS or FAIL for each point into report.txt.
    """
    from stemdock_reaper.selftest import build  # noqa: PLC0415  needs numpy

    script = build(folder)
    click.echo(script)
    click.echo(
        f"Open {folder / 'test.rpp'} in REAPER. Then choose Actions > Show action list > New action > "
        f"Load ReaScript, take {script}, and run it. Or, with REAPER closed:\n"
        f'    reaper -nosplash -ignoreerrors "{folder / "test.rpp"}" "{script}"\n'
        f"The result is in {folder / 'report.txt'}.",
        err=True,
    )
