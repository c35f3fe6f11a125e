"""What the benchmark does around the measured programs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

import benchmarks
from benchmarks import cases
from benchmarks.cases import CASES, SAMPLE_RATE, Case, songs, tiled
from benchmarks.programs import PROGRAMS, SherpaOnnx
from benchmarks.report import comparison
from benchmarks.session import Outcome, compare

if TYPE_CHECKING:
    from collections.abc import Sequence

MEASURE = Path(benchmarks.__file__).with_name("measure.py")
FILL = "held = bytearray(200_000_000)"
WRITE = "import sys; open(sys.argv[1], 'wb').write(bytes(1000))"


def measure(folder: Path, command: Sequence[str | Path]) -> dict[str, float]:
    result = folder / "result.json"
    output = folder / "output"
    output.mkdir()
    subprocess.run([sys.executable, "-I", MEASURE, result, output, *command], check=True)
    figures: dict[str, float] = json.loads(result.read_text(encoding="utf-8"))
    return figures


def test_a_measurement_counts_the_memory_of_the_command_alone(tmp_path: Path) -> None:
    held = np.ones(50_000_000, np.float64)
    figures = measure(tmp_path, [sys.executable, "-I", "-c", FILL])
    assert held.nbytes > 1.5 * figures["peak_memory"] > 300e6
    assert figures["cpu"] > 0
    assert 0 < figures["latency"] <= figures["wall"]


def test_a_measurement_tells_the_exit_code(tmp_path: Path) -> None:
    assert measure(tmp_path, [sys.executable, "-c", "raise SystemExit(3)"])["exit_code"] == 3


def test_samples_are_found_in_hidden_folders(tmp_path: Path) -> None:
    target = tmp_path / "output" / "song" / ".stemdock-1" / "vocals.wav"
    script = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).parent.mkdir(parents=True); "
    figures = measure(tmp_path, [sys.executable, "-c", f"{script}{WRITE}; time.sleep(1.0)", target])
    # The command still sleeps when the file is seen.
    assert figures["latency"] < figures["wall"]


def test_a_song_repeats_its_example_whatever_the_blocks() -> None:
    example = np.arange(14, dtype=np.int16).reshape(7, 2)
    expected = np.concatenate([example] * 4)[3:23]
    for block_length in (1, 6, 7, 100):
        blocks = list(tiled(example, 3, 20, block_length))
        np.testing.assert_array_equal(np.concatenate(blocks), expected)
        assert max(map(len, blocks)) <= block_length


def test_the_middle_of_a_song_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "WORK", tmp_path)
    case = Case(name="", model="2stems", duration=90, silent_share=0.6)
    (path,) = songs(case)
    samples, rate = soundfile.read(path, dtype="int16")
    silent = np.flatnonzero(~samples.any(axis=1))
    middle = np.arange(18 * rate, 72 * rate)
    assert len(samples) == 90 * rate
    assert np.isin(middle, silent).all()
    assert np.isin(silent, middle).mean() > 0.99  # the example itself has some zeros
    assert songs(replace(case, silent_share=0.0)) != [path]


def test_the_worst_song_and_the_longest_gap_are_reported(tmp_path: Path) -> None:
    reference, output = tmp_path / "reference", tmp_path / "output"
    samples = np.full((1000, 2), 0.5, np.float32)
    for song, error, missing in (("a", 0.1, 5), ("b", 0.01, 20)):
        for folder in (reference / song, output / song):
            folder.mkdir(parents=True)
        np.save(reference / song / "vocals.npy", samples)
        made = samples[missing:] * np.float32(1 + error)
        soundfile.write(output / song / "vocals.wav", made, SAMPLE_RATE, subtype="FLOAT")
    ratios, missing_length = compare(reference, output)
    assert ratios["vocals"] == pytest.approx(20, abs=0.01)
    assert missing_length == 20


def test_programs_are_left_out_where_memory_does_not_suffice() -> None:
    case = next(case for case in CASES if case.name == "2stems-60min")
    ours, spleeter, _ = PROGRAMS
    assert "GB" in spleeter.obstacle(case, 23e9)
    assert not spleeter.obstacle(case, 200e9)
    assert not ours.obstacle(case, 1e9)


def test_sherpa_onnx_is_not_asked_for_what_it_cannot() -> None:
    program = SherpaOnnx(name="sherpa-onnx")
    assert [case.name for case in CASES if program.obstacle(case, 1e15)] == ["4stems-3min", "5stems-3min"]


def test_the_table_has_others_as_multiples_of_ours() -> None:
    def run(factor: float) -> dict[str, float]:
        return {"wall": factor, "cpu": 2 * factor, "peak_memory": 4e8 * factor, "latency": factor}

    ours = Outcome(program="ours", runs=[run(1.0), run(3.0), run(2.0)], snr={"vocals": 99.96})
    other = Outcome(program="other", runs=[run(5.0)], snr={"vocals": 23.0}, missing_length=680)
    absent = Outcome(program="absent", note="left out: why")
    rows = comparison([ours, other, absent]).splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert cells[0][:5] == ["ours", "2.00 (1.00–3.00)", "1.00 ×", "4.00 (2.00–6.00)", "1.00 ×"]  # noqa: RUF001
    assert cells[1][1:7] == ["5.00", "2.50 ×", "10.0", "2.50 ×", "2000", "2.50 ×"]  # noqa: RUF001
    assert cells[0][-1] == "vocals 100.0"
    assert cells[1][-1] == "vocals 23.0; last 680 samples missing"
    assert cells[2] == ["absent", *["–"] * 8, "left out: why"]  # noqa: RUF001
