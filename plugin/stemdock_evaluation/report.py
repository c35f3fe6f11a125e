"""What an evaluation found, as lines for people and as JSON for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from stemdock_evaluation.bss_eval import RATIOS
from stemdock_evaluation.dataset import SUBSET
from stemdock_evaluation.scoring import FILTER_LENGTH, WINDOW, aggregate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from stemdock import ModelEntry, Separation
    from stemdock_evaluation.scoring import TrackScores

FORMAT_VERSION: Final = 1
"""Of the JSON: raised when a field changes its meaning."""
MEDIAN: Final = "median"
"""What stands in a table where a track's name does."""

_MAX_NAME_LENGTH: Final = 40
_RATIO_WIDTH: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One model on one set of songs."""

    model: ModelEntry
    provider: str
    """What the networks ran on."""
    separation: Separation
    dataset: Path
    references: Mapping[str, tuple[str, ...]]
    """For each measured stem the true stems that add up to it."""
    tracks: Sequence[TrackScores]
    failures: Mapping[str, str]
    """Why there are no scores of a track, by its name."""

    def values(self) -> dict[str, Any]:
        """All of it as a JSON object."""
        return {
            "format_version": FORMAT_VERSION,
            "method": {
                "name": "BSS Eval 4",
                "window": WINDOW,
                "hop": WINDOW,
                "filter_length": FILTER_LENGTH,
                "unit": "dB",
            },
            "versions": {name: version(name) for name in ("stemdock", "onnxruntime", "numpy", "scipy")},
            "model": {
                "name": self.model.name,
                "sha256": self.model.sha256 or None,
                "version": self.model.version or None,
                "checkpoint_sha256": self.model.card.checkpoint_sha256 if self.model.card else None,
                "bandwidth": self.model.bandwidth,
                "stems": list(self.model.stems),
                "unmeasured_stems": [stem for stem in self.model.stems if stem not in self.references],
            },
            "options": {"provider": self.provider, **asdict(self.separation)},
            "dataset": {
                "path": str(self.dataset),
                "subset": SUBSET,
                "references": {stem: list(parts) for stem, parts in self.references.items()},
            },
            "tracks": [
                {
                    "name": track.track,
                    "duration": track.duration,
                    "n_frames": track.n_frames,
                    "n_rated_frames": track.n_rated_frames,
                    "stems": track.stems,
                }
                for track in self.tracks
            ],
            "failures": [{"name": name, "reason": reason} for name, reason in self.failures.items()],
            "median": aggregate(self.tracks),
        }


class Table:
    """Lines of a table whose tracks are known before their scores are."""

    def __init__(self, tracks: Sequence[str], stems: Sequence[str]) -> None:
        names = (*tracks, MEDIAN, "track")
        self._name_width = min(max(map(len, names)), _MAX_NAME_LENGTH)
        self._stem_width = max(map(len, (*stems, "stem")))

    def header(self) -> str:
        """The line above all others."""
        return self._line("track", "stem", RATIOS)

    def rows(self, name: str, stems: Mapping[str, Mapping[str, float | None]]) -> list[str]:
        """A line for each stem of a track."""
        return [
            self._line(name, stem, ["-" if ratio is None else f"{ratio:z.3f}" for ratio in scores.values()])
            for stem, scores in stems.items()
        ]

    def _line(self, name: str, stem: str, cells: Sequence[str]) -> str:
        if len(name) > self._name_width:
            name = f"{name[: self._name_width - 1]}…"
        numbers = "".join(f"{cell:>{_RATIO_WIDTH + 1}}" for cell in cells)
        return f"{name:{self._name_width}}  {stem:{self._stem_width}}{numbers}"
