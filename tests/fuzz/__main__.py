"""Runs damaged inputs and counts the outcomes; the exit status is 1 if one did harm."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from fuzz.case import Case
from fuzz.pool import run_cases
from fuzz.targets import GROUPS, TARGETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzz.worker import Outcome


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__)
    parser.add_argument("--n", type=int, default=20_000, help="run this many cases [20000]")
    parser.add_argument("--seed", type=int, default=1, help="seed the random generator with this number [1]")
    parser.add_argument(
        "--only", default="all", choices=[*GROUPS, *TARGETS], help="run only these types of input [all]"
    )
    parser.add_argument("--workers", type=int, default=2, help="run this many processes at a time [2]")
    parser.add_argument(
        "--findings",
        type=Path,
        default=Path("fuzz-findings"),
        help="keep inputs that did harm in this folder",
    )
    choice = parser.parse_args()
    cases = make_cases(choice.n, choice.seed, only=choice.only)
    with tempfile.TemporaryDirectory(prefix="stemdock-fuzz-") as scratch:
        return _report(cases, Path(scratch), choice.findings, choice.workers)


def make_cases(n: int, seed: int, *, only: str = "all") -> list[Case]:
    """Cases of all targets in proportion to their weights, in random order."""
    rng = Random(seed)  # noqa: S311  must be reproducible
    weights = GROUPS.get(only, {only: 1})
    return [
        Case(target=name, seed=seed, number=number)
        for number, name in enumerate(rng.choices(list(weights), list(weights.values()), k=n))
    ]


def build_corpus(folder: Path, cases: Sequence[Case]) -> Path:
    """Writes intact inputs for these cases."""
    for name in sorted({case.target for case in cases}):
        (folder / name).mkdir(parents=True)
        TARGETS[name].build(folder / name)
    return folder


def _report(cases: Sequence[Case], scratch: Path, findings: Path, n_workers: int) -> int:
    began = time.monotonic()
    corpus = build_corpus(scratch / "corpus", cases)
    endings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    peaks: defaultdict[str, int] = defaultdict(int)
    slowest: defaultdict[str, float] = defaultdict(float)
    harmful: list[tuple[Case, Outcome]] = []
    outcomes = run_cases(cases, corpus=corpus, scratch=scratch, findings=findings, n_workers=n_workers)
    for number, (case, outcome) in enumerate(outcomes, 1):
        endings[case.target][outcome.ending] += 1
        peaks[case.target] = max(peaks[case.target], outcome.peak_memory)
        slowest[case.target] = max(slowest[case.target], outcome.seconds)
        if outcome.harm:
            harmful.append((case, outcome))
            print(f"{case.name}: {outcome.harm}", file=sys.stderr, flush=True)
        if number % 1000 == 0:
            print(
                f"{number} of {len(cases)} after {time.monotonic() - began:.0f} s",
                file=sys.stderr,
                flush=True,
            )
    for target, counts in endings.items():
        counted = ", ".join(f"{ending} {n}" for ending, n in counts.most_common())
        most = f"{peaks[target] >> 20} MB and {slowest[target]:.1f} s"
        print(f"{target}: {counts.total()} cases, at most {most}; {counted}")
    print(f"{len(cases)} cases in {time.monotonic() - began:.0f} s, {len(harmful)} did harm")
    return int(bool(harmful))


if __name__ == "__main__":
    sys.exit(main())
