"""Spleeter's evaluation: separates the songs of MUSDB18, writes their scores, and prints the medians."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stemdock import SeparatedFile, audio_info, write_atomically
from stemdock_evaluation.bss_eval import RATIOS
from stemdock_evaluation.dataset import SUBSET, find_tracks, references
from stemdock_evaluation.scoring import WINDOW, aggregate, score
from stemdock_spleeter.adapters import AudioAdapter
from stemdock_spleeter.configuration import find_configuration
from stemdock_spleeter.errors import spleeter_errors, write_errors
from stemdock_spleeter.log import logger
from stemdock_spleeter.separator import Separator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock_evaluation.dataset import Track
    from stemdock_evaluation.scoring import TrackScores

_FORMAT: Final = "{foldername}/{instrument}.{codec}"
_RATIOS: Final = ("SDR", "SAR", "SIR", "ISR")
"""In Spleeter's order."""
_MUSEVAL: Final = "0.4.1"
"""The version of museval whose files these are."""
_DECIMALS: Final = 5
"""Decimals of a ratio in dB, as in museval."""


def evaluate_model(descriptor: str, mus_dir: str, output_path: str, *, adapter: str, mwf: bool) -> None:
    """Separates the test songs, writes their scores as museval does, and logs the medians in dB.

    The stems are in `OUTPUT/audio/test/TRACK/STEM.wav`, the scores in `OUTPUT/metrics/test/TRACK.json`.

    Args:
        descriptor: The model: a name, or the path of a JSON configuration.
        mus_dir: A folder in the layout of MUSDB18-HQ.
        output_path: Folder of the stems and scores, which are kept.
        adapter: Class that loads the songs and saves the stems.
        mwf: Whether a Wiener filter refines the stems.

    Raises:
        SpleeterError: A song is missing or cannot be separated or measured, or a file cannot be written.
    """
    with spleeter_errors():
        tracks = find_tracks(Path(mus_dir))
        stems = find_configuration(descriptor).network.stems
        measured = references(descriptor, stems)
        separator, audio_adapter = Separator(descriptor, MWF=mwf), AudioAdapter.get(adapter)
        folder = Path(output_path) / "audio" / SUBSET
        for track in tracks:
            separator.separate_to_file(
                track.mixture, folder, audio_adapter=audio_adapter, filename_format=_FORMAT
            )
        logger.info("Starting musdb evaluation (this could be long) ...")
        scores = []
        for track in tracks:
            scores.append(score(track, _separated(track, folder, stems), measured))
            path = Path(output_path) / "metrics" / SUBSET / f"{track.name}.json"
            with write_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, json.dumps(_museval_scores(scores[-1]), indent=2).encode())
        logger.info("musdb evaluation done")
    for stem, ratios in aggregate(scores).items():
        logger.info("%s:", stem)
        for name in _RATIOS:
            value = ratios[name]
            logger.info("%s: %s", name, "nan" if value is None else f"{value:.3f}")


def _museval_scores(scores: TrackScores) -> dict[str, Any]:
    """The scores as museval's `TrackStore` writes them, NaN where a ratio is undefined."""
    return {
        "targets": [
            {
                "name": stem,
                "frames": [
                    {
                        "time": index * WINDOW,
                        "duration": WINDOW,
                        "metrics": dict(zip(RATIOS, ratios, strict=True)),
                    }
                    for index, ratios in enumerate(frames.round(_DECIMALS).tolist())
                ],
            }
            for stem, frames in scores.frames.items()
        ],
        "museval_version": _MUSEVAL,
    }


def _separated(track: Track, folder: Path, stems: Sequence[str]) -> SeparatedFile:
    files = {stem: folder / track.name / f"{stem}.wav" for stem in stems}
    info = audio_info(files[stems[0]])
    return SeparatedFile(
        source=track.mixture,
        stems=files,
        mixes={},
        peaks={},
        clipped_lengths={},
        gain_db=0.0,
        warnings=(),
        model="",
        sample_rate=info.sample_rate,
        n_channels=info.n_channels,
        total_length=info.total_length,
    )
