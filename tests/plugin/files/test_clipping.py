from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from stemdock import Observer, Output, separate_file
from stemdock.errors import CancelledError
from support.small_model import write_noise

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Progress, Separator


@pytest.mark.parametrize(("codec", "bit_depth"), [("wav", "16"), ("wav", "32f"), ("flac", "24")])
def test_one_gain_for_all_keeps_their_balance(
    small_separator: Separator, tmp_path: Path, codec: Any, bit_depth: Any
) -> None:
    source = write_noise(tmp_path / "loud.wav", level=4)
    output = Output(codec=codec, bit_depth=bit_depth, prevent_clipping=True, mixes={"sum": ("low", "high")})
    separated = separate_file(small_separator, source, tmp_path / "out", output=output)
    stems = small_separator.separate(soundfile.read(source, dtype="float32")[0])
    stems["sum"] = stems["low"] + stems["high"]
    peak = max(np.abs(samples).max() for samples in stems.values())
    gain = (1 - 2**-15) / peak
    assert separated.gain_db == pytest.approx(20 * np.log10(gain))
    assert set(separated.clipped_lengths.values()) == {0}
    assert max(separated.peaks.values()) == pytest.approx(1 - 2**-15)
    for name, path in separated.files.items():
        found, _ = soundfile.read(path, dtype="float32")
        np.testing.assert_allclose(found, stems[name] * gain, atol=2**-15)


def test_what_does_not_clip_stays_as_it_is(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    plain = separate_file(small_separator, song, tmp_path / "plain")
    output = Output(prevent_clipping=True)
    prevented = separate_file(small_separator, song, tmp_path / "prevented", output=output)
    assert prevented.gain_db == 0
    for stem, path in plain.stems.items():
        np.testing.assert_array_equal(soundfile.read(path)[0], soundfile.read(prevented.stems[stem])[0])


def test_only_what_is_written_counts(small_separator: Separator, tmp_path: Path) -> None:
    """A loud stem that nobody wants does not turn down the others."""
    source = write_noise(tmp_path / "loud.wav", level=2)
    stems = small_separator.separate(soundfile.read(source, dtype="float32")[0])
    quiet, loud = sorted(stems, key=lambda stem: float(np.abs(stems[stem]).max()))
    assert np.abs(stems[loud]).max() > np.abs(stems[quiet]).max()
    output = Output(prevent_clipping=True, stems=(quiet,))
    separated = separate_file(small_separator, source, tmp_path / "out", output=output)
    peak = np.abs(stems[quiet]).max()
    assert separated.gain_db == pytest.approx(min(0, 20 * np.log10((1 - 2**-15) / peak)))


def test_cancelling_between_the_two_stages(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    cancel = Event()

    def on_progress(progress: Progress) -> None:
        # No more segments ask for it then, so only the second stage is left to.
        if progress.done_length == progress.total_length:
            cancel.set()

    with pytest.raises(CancelledError):
        separate_file(
            small_separator, song, tmp_path / "out",
            output=Output(prevent_clipping=True), observer=Observer(on_progress=on_progress, cancel=cancel),
        )  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_silence_needs_no_gain(small_separator: Separator, tmp_path: Path) -> None:
    source = write_noise(tmp_path / "silence.wav", level=0)
    output = Output(prevent_clipping=True)
    assert separate_file(small_separator, source, tmp_path / "out", output=output).gain_db == 0
