"""plugin-cli reaper project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from stemdock import os_errors_as, read_regular_file
from stemdock.cli import echo_path
from stemdock_reaper.commands.options import file_path
from stemdock_reaper.delivery.projectfile import StemFile, new_project, tracks_text, write_new
from stemdock_reaper.delivery.sourcetypes import source_type
from stemdock_reaper.delivery.splicing import line_end, splice
from stemdock_reaper.errors import ProjectFileError

if TYPE_CHECKING:
    from pathlib import Path

_MAX_PROJECT: Final = 256 << 20
"""Bytes."""


@click.command("project")
@click.argument("stems", nargs=-1, required=True, type=file_path, metavar="STEM...")
@click.option("--out", required=True, type=file_path, metavar="NEW.rpp", help="Write this project.")
@click.option(
    "--into", type=file_path, metavar="MIX.rpp",
    help="Copy this project and add the stems to the copy.",
)  # fmt: skip
@click.option(
    "--after-track", type=click.IntRange(min=0), metavar="N",
    help="With --into: insert the stems below track N; 0 inserts them at the top. Default: at the bottom.",
)  # fmt: skip
@click.option("--name", default="Stems", show_default=True, help="Name the folder track.")
def command(
    stems: tuple[Path, ...], out: Path, into: Path | None, after_track: int | None, name: str
) -> None:
    """Write a REAPER project with a track for each stem.

    REAPER is not needed. NEW.rpp must not exist yet, and MIX.rpp is not changed.
    """
    if after_track is not None and into is None:
        raise click.UsageError("--after-track needs --into.")
    files, sample_rate = _read(stems)
    if into is None:
        content = new_project(files, name, out, sample_rate)
    else:
        base = _content(into)
        if into.absolute().parent != out.absolute().parent:
            click.echo(
                "warning: the new project is in another folder, so REAPER may not find its media files; "
                "write it to the folder of the old project",
                err=True,
            )
        content = splice(base, into, tracks_text(files, name, out, line_end(base)), after_track)
    write_new(out, content)
    echo_path(out)


def _content(path: Path) -> bytes:
    remedy = "Check the path and its permissions."
    with os_errors_as(lambda reason: ProjectFileError(path, f"cannot be read ({reason})", remedy=remedy)):
        return read_regular_file(path, max_size=_MAX_PROJECT, follow_link=True)


def _read(paths: tuple[Path, ...]) -> tuple[list[StemFile], int]:
    """Facts about audio files; the sample rate is that of the first."""
    from stemdock import AudioFileError, audio_info  # noqa: PLC0415  loaded when needed

    files = []
    sample_rate = 0
    for path in paths:
        info = audio_info(path)
        if not info.total_length:
            raise AudioFileError(path, "contains no samples", remedy="Choose a file that contains audio.")
        sample_rate = sample_rate or info.sample_rate
        title = path.stem[:1].upper() + path.stem[1:]
        files.append(StemFile(path=path, title=title, duration=info.duration, source_type=source_type(path)))
    return files, sample_rate
