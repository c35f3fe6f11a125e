"""Formats the results of a session as Markdown tables."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.figures import show_number, show_ratio, show_summary, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.session import Outcome

_COLUMNS: Final = (
    ("wall", "wall, s", 1),
    ("cpu", "CPU, s", 1),
    ("peak_memory", "peak memory, MB", 1e-6),
    ("latency", "first samples, s", 1),
)
"""Measure, heading and factor."""
_OPERATIONS: Final = 12.2e9 / (512 * 1024)
"""Floating-point operations of one stem's network for each frame and bin."""


def describe_machine() -> str:
    """Describes the processor, memory and load of this machine."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    processor = next(
        (line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine()
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{processor}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}; load average at the start {os.getloadavg()[0]:.1f}"
    )


def comparison(outcomes: Sequence[Outcome]) -> str:
    """Table of all programs for one case; Stemdock is the first."""
    header = ["program"]
    for _, heading, _ in _COLUMNS:
        header += [heading, "ratio"]
    header.append("SNR to Spleeter, dB")
    rows = []
    for outcome in outcomes:
        cells = [outcome.program]
        for measure, _, factor in _COLUMNS:
            cells += _cells(outcome, outcomes[0], measure, factor)
        rows.append([*cells, outcome.note or _accuracy(outcome)])
    return table(header, rows)


def _cells(outcome: Outcome, ours: Outcome, measure: str, factor: float) -> list[str]:
    if outcome.note:
        return ["–", "–"]  # noqa: RUF001
    value = outcome.summary(measure)
    ratio = "–" if ours.note else show_ratio(value, ours.summary(measure))  # noqa: RUF001
    return [show_summary(value.scaled(factor)), ratio]


def _accuracy(outcome: Outcome) -> str:
    text = ", ".join(f"{stem} {value:.1f}" for stem, value in outcome.snr.items()) or "–"  # noqa: RUF001
    return f"{text}; last {outcome.missing_length} samples missing" if outcome.missing_length else text


def stages(profile: Mapping[str, Any]) -> str:
    """Table of the seconds of every stage of Stemdock."""
    whole = profile["separate"]
    times = {**profile["stages"], "whole separation": whole}
    rows = [[stage, show_number(time), f"{100 * time / whole:.0f} %"] for stage, time in times.items()]
    before = (("import", profile["import"]), ("load the model", profile["load"]))
    rows = [[stage, show_number(time), ""] for stage, time in before] + rows
    network, alone = profile["stages"]["network"], profile["network_alone"]
    remark = (
        f"onnxruntime alone needs {show_number(alone)} s for the network on the same "
        f"{profile['n_segments']} segments; in the program it takes {network / alone:.2f} times as long. "
        f"Everything except the network takes {100 * (whole - network) / whole:.0f} % of the separation's "
        "wall time."
    )
    return f"{table(['stage', 's', 'of the separation'], rows)}\n\n{remark}"


def efficiency(profile: Mapping[str, Any], wall: float, peaks: Mapping[int, Mapping[str, float]]) -> str:
    """Table of Stemdock's speed as a fraction of the machine's fastest matrix multiplication.

    Args:
        profile: Output of `benchmarks.profile`.
        wall: Seconds of the whole program.
        peaks: Output of `benchmarks.sgemm`.
    """
    operations = _OPERATIONS * profile["segment_size"] * profile["n_segments"] * profile["n_stems"]
    peak = max(value for each in peaks.values() for value in each.values())
    times = {
        "network, onnxruntime alone": profile["network_alone"],
        "network in the program": profile["stages"]["network"],
        "whole program": wall,
    }
    rows = []
    for name, time in times.items():
        speed = operations / time / 1e9
        rows.append([name, show_number(speed), f"{100 * speed / peak:.0f} %"])
    return table(["", "GFLOP/s", "of the SGEMM peak"], rows)


def sgemm(peaks: Mapping[int, Mapping[str, float]]) -> str:
    """Table of GFLOP/s by threads and library."""
    libraries = list(next(iter(peaks.values())))
    rows = [[str(n), *(show_number(each[library]) for library in libraries)] for n, each in peaks.items()]
    return table(["threads", *(f"{library}, GFLOP/s" for library in libraries)], rows)
