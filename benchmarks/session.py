"""Runs all programs on the same songs in turns, so that disturbances affect all of them."""

from __future__ import annotations

import json
import shutil
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import soundfile

from benchmarks.cases import SAMPLE_RATE, songs
from benchmarks.errors import BenchmarkError, CommandFailedError
from benchmarks.figures import snr, summarise
from benchmarks.programs import spleeter_reference, stemdock_python
from benchmarks.weights import stemdock_model
from benchmarks.workspace import ROOT, WORK, available_memory, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.cases import Case
    from benchmarks.figures import Summary
    from benchmarks.programs import Program

MEASURES: Final = ("wall", "cpu", "peak_memory", "latency")
"""Seconds, seconds of all cores, bytes, and seconds to the first samples on disk."""


@dataclass(kw_only=True)
class Outcome:
    """Measurements of one program for one case."""

    program: str
    note: str = ""
    runs: list[dict[str, float]] = field(default_factory=list)
    """Measures of each repetition."""
    snr: dict[str, float] = field(default_factory=dict)
    """By stem: dB against Spleeter's float32 output, for the song where it is lowest."""
    missing_length: int = 0
    """Samples missing at the end of a song, for the song where most are missing."""

    def summary(self, measure: str) -> Summary:
        """Median and range of a measure over the repetitions."""
        return summarise([run[measure] for run in self.runs])


def run_case(case: Case, programs: Sequence[Program], n_repetitions: int) -> list[Outcome]:
    """Runs every program that can handle the case: once to warm up, then `n_repetitions` times, in turns."""
    songs(case)
    outcomes = {program: Outcome(program=program.name) for program in programs}
    for program, outcome in outcomes.items():
        try:
            outcome.note = program.obstacle(case, available_memory())
            if not outcome.note:
                program.prepare(case)
        except BenchmarkError as error:
            outcome.note = f"not installed: {str(error).splitlines()[0]}"
    reference = _reference(case) if case.compared else None
    for repetition in range(n_repetitions + 1):
        for program, outcome in outcomes.items():
            if not outcome.note:
                _repeat(program, case, outcome, reference, warm_up=repetition == 0)
    return list(outcomes.values())


def profile(case: Case, n_repetitions: int) -> dict[str, Any]:
    """Time of each stage of Stemdock for the case's first song, and of the network alone.

    The two measurements alternate, each in a new process. The results are medians.
    """
    arguments = [str(stemdock_model(case.model)), str(songs(case)[0])]
    variables = {"PYTHONPATH": str(ROOT)}
    runs: list[dict[str, Any]] = []
    alone: list[float] = []
    for _ in range(n_repetitions):
        command = [str(stemdock_python()), "-m", "benchmarks.profile", *arguments, str(_clean_output())]
        runs.append(json.loads(run(command, variables)))
        alone.append(float(run([str(stemdock_python()), "-m", "benchmarks.alone", *arguments], variables)))
    stages = {stage: median(each["stages"][stage] for each in runs) for stage in runs[0]["stages"]}
    times = {name: median(each[name] for each in runs) for name in ("import", "load", "separate")}
    return {
        **runs[0],
        **times,
        "stages": stages,
        "network_alone": median(alone) * runs[0]["n_segments"],
    }


def time_help(n_repetitions: int) -> Summary:
    """Seconds for `plugin-cli --help`, after one warm-up run."""
    command = [str(stemdock_python().with_name("plugin-cli")), "--help"]
    runs = [_measured(command, _clean_output(), {}) for _ in range(n_repetitions + 1)]
    return summarise([figures["wall"] for figures in runs[1:]])


def _repeat(program: Program, case: Case, outcome: Outcome, reference: Path | None, *, warm_up: bool) -> None:
    output = _clean_output()
    print(f"{case.name}: {program.name}", file=sys.stderr, flush=True)
    try:
        figures = _measured(program.commands(case, output), output, program.variables())
    except CommandFailedError as error:
        print(error, file=sys.stderr)
        outcome.note = f"failed with exit code {error.exit_code}"
        return
    if not warm_up:
        outcome.runs.append(figures)
    elif reference is not None:
        outcome.snr, outcome.missing_length = compare(reference, output)
    shutil.rmtree(output)


def _measured(command: Sequence[str | Path], output: Path, variables: Mapping[str, str]) -> dict[str, float]:
    """Runs a command that writes into a folder, and returns its measures.

    Raises:
        CommandFailedError: The command failed.
    """
    result = WORK / "result.json"
    measure = [sys.executable, "-I", str(Path(__file__).with_name("measure.py")), str(result), str(output)]
    log = run([*measure, *command], variables)
    figures = json.loads(result.read_text(encoding="utf-8"))
    if figures["exit_code"]:
        raise CommandFailedError([str(word) for word in command], figures["exit_code"], log)
    return {measure: figures[measure] for measure in MEASURES}


def compare(reference: Path, output: Path) -> tuple[dict[str, float], int]:
    """Worst SNR in dB of each stem over all songs, and the most samples missing at a song's end.

    Args:
        reference: Contains `song/stem.npy`, float32.
        output: Contains `song/stem.wav`. Samples missing at the end are counted, but are not noise.
    """
    ratios = defaultdict(list)
    missing_length = 0
    for path in sorted(reference.glob("*/*.npy")):
        expected = np.load(path)
        found, sample_rate = soundfile.read(
            (output / path.relative_to(reference)).with_suffix(".wav"), dtype="float32", always_2d=True
        )
        if sample_rate != SAMPLE_RATE:
            raise BenchmarkError(f"{path.stem} has {sample_rate} Hz instead of {SAMPLE_RATE} Hz")
        length = min(len(expected), len(found))
        ratios[path.stem].append(snr(expected[:length], found[:length]))
        missing_length = max(missing_length, len(expected) - length)
    return {stem: min(values) for stem, values in ratios.items()}, missing_length


def _reference(case: Case) -> Path | None:
    """Spleeter's float32 output for the case, created if it is missing; None if Spleeter cannot run."""
    folder = WORK / "references" / case.name
    if not folder.exists():
        part = folder.with_name(f".{case.name}")
        shutil.rmtree(part, ignore_errors=True)
        print(f"{case.name}: Spleeter's own output", file=sys.stderr, flush=True)
        try:
            spleeter_reference(case, part)
        except BenchmarkError as error:
            print(error, file=sys.stderr)
            return None
        part.rename(folder)
    return folder


def _clean_output() -> Path:
    output = WORK / "output"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    return output
