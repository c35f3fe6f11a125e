"""plugin-cli preview: a web page that plays the stems of a song."""

from __future__ import annotations

from pathlib import Path

import click

from stemdock.cli.pages import PAGE_NAME
from stemdock.cli.terminal import echo_path, progress_bar
from stemdock.lib.paths import resolved


@click.command("preview")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help=f"Write the page to this file.  [default: DIR/{PAGE_NAME}]",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing page.")
def command(folder: Path, output: Path | None, overwrite: bool) -> None:
    """Write a web page that plays the stems in DIR, with solo, mute and volume for each stem.

    DIR holds the stems of one song. The page shows a waveform and a spectrogram of each stem. It is a single
    file and works without a network. Prints the path of the page.
    """
    # numpy loads slowly, and --help does not need it.
    from stemdock.preview import find_stems, write_preview  # noqa: PLC0415
    from stemdock.preview.history import find_history, without_mixes  # noqa: PLC0415

    path = output or folder / PAGE_NAME
    files = find_stems(folder)
    history = find_history(files.values())
    title = resolved(folder).name
    with progress_bar(title) as on_progress:
        write_preview(
            without_mixes(files, history.mixes),
            path,
            title=title,
            facts=history.facts,
            overwrite=overwrite,
            on_progress=on_progress,
        )
    echo_path(path)
