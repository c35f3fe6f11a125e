"""plugin-cli evaluate."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from stemdock import (
    CancelledError,
    OutputError,
    OutputExistsError,
    StemdockError,
    make_folder,
    os_errors_as,
    write_atomically,
)
from stemdock.cli import echo_error, model_option, open_separator, separation_options
from stemdock_evaluation.dataset import SUBSET, find_tracks, references

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stemdock import Plugins, Separation, Separator
    from stemdock_evaluation.dataset import Track
    from stemdock_evaluation.scoring import TrackScores

# numpy, scipy and onnxruntime are imported in functions, so that --help stays fast.


@click.command("evaluate")
@click.argument("dataset", metavar="MUSDB_DIR", type=click.Path(path_type=Path))
@model_option
@separation_options
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="DIR",
    help=f"Keep the separated stems as DIR/{SUBSET}/<track>/<stem>.wav.",
)  # fmt: skip
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), metavar="FILE",
    help="Write all scores, versions and options to this JSON file.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace existing stems and an existing JSON file.")
@click.pass_obj
def command(
    plugins: Plugins,
    dataset: Path,
    model: str,
    separation: Separation,
    output: Path | None,
    json_path: Path | None,
    overwrite: bool,
) -> int:
    """Measure a model on songs with known stems.

    MUSDB_DIR has the layout of MUSDB18-HQ: test/<track>/{mixture,vocals,drums,bass,other}.wav. Compares the
    model's stems with the true ones by BSS Eval 4, like museval, and prints SDR, SIR, SAR and ISR in dB. The
    score of a track is the median over its seconds. The last lines are the medians over all tracks. The exit
    status is 1 if a track could not be measured.
    """
    tracks = find_tracks(dataset)
    if json_path and json_path.exists() and not overwrite:
        raise OutputExistsError(json_path)
    separator = open_separator(model, plugins, separation=separation)
    measured = references(separator.model, separator.stems)
    for stem in separator.stems:
        if stem not in measured:
            click.echo(f"{stem}: not measured, because the songs have no such stem", err=True)
    scores, failures = _evaluate(tracks, separator, measured, output, overwrite=overwrite)
    if json_path:
        from stemdock_evaluation.report import Evaluation  # noqa: PLC0415

        evaluation = Evaluation(
            model=separator.entry,
            provider=separator.provider,
            separation=separation,
            dataset=dataset,
            references=measured,
            tracks=scores,
            failures=failures,
        )
        _write(json_path, json.dumps(evaluation.values(), indent=2, ensure_ascii=False, allow_nan=False))
    if failures:
        click.echo(f"{len(failures)} of {len(tracks)} tracks could not be measured", err=True)
    return 1 if failures else 0


def _evaluate(
    tracks: Sequence[Track],
    separator: Separator,
    measured: Mapping[str, tuple[str, ...]],
    output: Path | None,
    *,
    overwrite: bool,
) -> tuple[list[TrackScores], dict[str, str]]:
    """Prints the table; returns the scores, and the reasons for missing ones by track name."""
    from stemdock_evaluation.report import MEDIAN, Table  # noqa: PLC0415
    from stemdock_evaluation.scoring import aggregate  # noqa: PLC0415

    table = Table([track.name for track in tracks], list(measured))
    click.echo(table.header())
    scores: list[TrackScores] = []
    failures: dict[str, str] = {}
    for number, track in enumerate(tracks, start=1):
        click.echo(f"{number} of {len(tracks)}: {track.name}", err=True)
        try:
            scored = _scored(track, separator, measured, output, overwrite=overwrite)
        except CancelledError:
            raise
        except StemdockError as error:
            echo_error(error)
            failures[track.name] = f"{str(error).rstrip('.')}. {error.remedy}"
            continue
        scores.append(scored)
        for line in table.rows(track.name, scored.stems):
            click.echo(line)
    for line in table.rows(MEDIAN, aggregate(scores)):
        click.echo(line)
    return scores, failures


def _scored(
    track: Track,
    separator: Separator,
    measured: Mapping[str, tuple[str, ...]],
    output: Path | None,
    *,
    overwrite: bool,
) -> TrackScores:
    from stemdock import separate_file  # noqa: PLC0415
    from stemdock_evaluation.scoring import score  # noqa: PLC0415

    with _estimates(output) as folder:
        separated = separate_file(separator, track.mixture, folder / SUBSET / track.name, overwrite=overwrite)
        return score(track, separated, measured)


@contextmanager
def _estimates(output: Path | None) -> Iterator[Path]:
    """The folder for the separated stems; without `output`, a temporary one."""
    if output is not None:
        yield output
        return
    with TemporaryDirectory(prefix="stemdock-evaluate-") as name:
        yield Path(name)


def _write(path: Path, text: str) -> None:
    remedy = "Choose a folder that you can write to."
    with os_errors_as(lambda reason: OutputError(path, f"cannot be written ({reason})", remedy=remedy)):
        make_folder(path.parent)
        write_atomically(path, f"{text}\n".encode())
