"""Every recorded command line, run by Stemdock's `spleeter` and compared with what the original did.

The records are in tests/data/spleeter_lines.json and .npz; support/spleeter_record.py made them.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from stemdock_spleeter.program import run
from support.mixtures import DATA, snr
from support.spleeter_cases import LINES, Line
from support.spleeter_facts import cut_of, decoded, file_facts, written_files

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed"),
]

RECORDS: Final[dict[str, Any]] = json.loads((DATA / "spleeter_lines.json").read_text("utf-8"))
CUTS: Final = np.load(DATA / "spleeter_lines.npz")
LSB: Final = 1 / 32768
_FEW: Final = ("wav", "flac")
"""Containers without loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How Stemdock differs from the original in one line; docs/spleeter.md has the reason."""

    status: int | None = None
    strict_status: int | None = None
    files: bool = True
    """Whether the files are the same."""
    least_snr: float | None = None
    """dB, where the samples differ."""


_LOSSY: Final = Difference(least_snr=15)
"""The encoders decide otherwise after differences in the last bit; calls show that they are the same."""
DIFFERENCES: Final[dict[str, Difference]] = {
    "codec mp3": _LOSSY,
    "codec mp3 at 192k": _LOSSY,
    "codec ogg": _LOSSY,
    "codec m4a": _LOSSY,
    "bit rate in bits": _LOSSY,
    "mp3 by its suffix": _LOSSY,
    "invalid bit rate": Difference(status=1, files=False),
    "offset behind the end": Difference(status=1, files=False),
    "negative offset": Difference(status=1, files=False),
    "no duration": Difference(status=1, files=False),
    "no suffix": Difference(files=False),
    "one name for all": Difference(status=1),
    "adapter that is none": Difference(status=1),
    "no such song": Difference(status=1),
    "a folder as song": Difference(status=1),
    "a text as song": Difference(strict_status=0),
    "a text and a song": Difference(strict_status=0),
    "unknown model": Difference(status=1),
    "no such configuration": Difference(status=1),
    "a folder without a checkpoint": Difference(status=1, strict_status=1, files=False),
    "evaluation of a folder that is not there": Difference(status=1, strict_status=0),
}
_SPLEETERS_OWN: Final = {"ten minutes and a second", "a text and a song"}
"""Lines with the same files only strictly."""


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPLEETER_STRICT", "1")


def status_of(line: Line, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    shutil.rmtree(folder / "out", ignore_errors=True)
    return [run(line.words) for _ in range(line.n_runs)][-1]


def assert_like_recorded(folder: Path, line: Line) -> None:
    files = RECORDS[line.name]["files"]
    names = [path.relative_to(folder).as_posix() for path in written_files(folder)]
    assert names == sorted(files)
    for name, facts in files.items():
        assert file_facts(folder / name) == {key: value for key, value in facts.items() if key != "rms"}
        expected, found = CUTS[f"{line.name}/{name}"], cut_of(decoded(folder / name))
        least = DIFFERENCES.get(line.name, Difference()).least_snr
        if np.array_equal(expected, found):
            continue
        if least is not None:
            assert snr(expected, found) > least, name
        elif facts["container"] in _FEW:
            assert np.abs(expected - found).max() <= LSB, name
            # Almost all are equal; rounding down would move every second one.
            assert np.abs(expected - found).mean() < 0.1 * LSB, name
        else:
            assert snr(expected, found) > 40, name


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_a_line_like_the_original(line: Line, inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    difference = DIFFERENCES.get(line.name, Difference())
    status = status_of(line, inputs, monkeypatch)
    recorded = RECORDS[line.name]["status"]
    assert status == (recorded if difference.strict_status is None else difference.strict_status)
    if difference.files:
        assert_like_recorded(inputs / "out", line)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_a_line_as_it_is_by_default(line: Line, inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    difference = DIFFERENCES.get(line.name, Difference())
    recorded = RECORDS[line.name]["status"]
    assert status_of(line, inputs, monkeypatch) == (
        recorded if difference.status is None else difference.status
    )
    if difference.files and line.name not in _SPLEETERS_OWN:
        assert_like_recorded(inputs / "out", line)
