"""Measures the chosen cases and prints the results as Markdown."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.cases import CASES, QUICK
from benchmarks.errors import BenchmarkError
from benchmarks.figures import show_summary
from benchmarks.programs import NOT_COMPARED, PROGRAMS, earlier, install_stemdock
from benchmarks.report import comparison, describe_machine, efficiency, sgemm, stages
from benchmarks.session import profile, run_case, time_help
from benchmarks.sgemm import sgemm_peaks

if TYPE_CHECKING:
    from benchmarks.cases import Case
    from benchmarks.programs import Program


def main() -> int:
    """Runs the benchmark; returns the exit code."""
    arguments = _arguments()
    names = QUICK if arguments.quick else arguments.cases
    n_repetitions = 1 if arguments.quick else arguments.repetitions
    try:
        before = [earlier(arguments.before)] if arguments.before else []
        cases = [case for case in CASES if case.name in names]
        result = _session(cases, [*PROGRAMS, *before], n_repetitions)
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 0


def _arguments() -> argparse.Namespace:
    names = [case.name for case in CASES]
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"run only {' '.join(QUICK)}, and only once")
    parser.add_argument(
        "--cases",
        nargs="+",
        choices=names,
        default=names,
        metavar="CASE",
        help=f"run these cases: {' '.join(names)}",
    )
    parser.add_argument(
        "--repetitions",
        type=int,
        default=5,
        metavar="N",
        help="repeat each measurement N times after one warm-up run (default: 5)",
    )
    parser.add_argument(
        "--before", metavar="COMMIT", help="also run Stemdock as it was at this commit, branch or tag"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write every single figure to this file"
    )
    arguments = parser.parse_args()
    if arguments.repetitions < 1:
        parser.error("--repetitions must be at least 1")
    return arguments


def _session(cases: list[Case], programs: list[Program], n_repetitions: int) -> dict[str, Any]:
    """Runs the cases and prints the results of each when it is finished."""
    machine = describe_machine()
    print(f"{machine}. Median of {n_repetitions} runs (smallest–largest).\n")  # noqa: RUF001
    install_stemdock()
    peaks = sgemm_peaks()
    print(f"{sgemm(peaks)}\n")
    time_to_help = time_help(n_repetitions)
    print(f"`plugin-cli --help` takes {show_summary(time_to_help)} s.\n", flush=True)
    results: dict[str, Any] = {}
    for case in cases:
        outcomes = run_case(case, programs, n_repetitions)
        print(f"## {case.name}\n\n{comparison(outcomes)}\n", flush=True)
        results[case.name] = {"programs": [asdict(outcome) for outcome in outcomes]}
        if case.n_songs == 1 and not outcomes[0].note:
            figures = profile(case, n_repetitions)
            wall = outcomes[0].summary("wall").median
            print(f"{stages(figures)}\n\n{efficiency(figures, wall, peaks)}\n", flush=True)
            results[case.name]["profile"] = figures
    print("Not compared:\n")
    for name, reason in NOT_COMPARED.items():
        print(f"- {name}: {reason}.")
    return {
        "machine": machine,
        "n_repetitions": n_repetitions,
        "sgemm": peaks,
        "help": asdict(time_to_help),
        "cases": results,
    }


if __name__ == "__main__":
    sys.exit(main())
