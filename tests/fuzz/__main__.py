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

from fuzz.pool import Case, run_cases
from fuzz.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzz.worker import Outcome


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__)
    parser.add_argument("--n", type=int, default=20_000, help="run this many cases [20000]")
    parser.add_argument("--seed", type=int, default=1, help="seed the random generator with this number [1]")
    parser.add_argument("--only", choices=TARGETS, help="run only this type of input")
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


def make_cases(n: int, seed: int, *, only: str | None = None) -> list[Case]:
    """Cases of all targets in proportion to their weights, in random order."""
    rng = Random(seed)  # noqa: S311  must be reproducible
    names = [only] if only else [name for name, target in TARGETS.items() if target.weight]
    weights = [TARGETS[name].weight or 1 for name in names]
    return [
        Case(target=name, seed=seed, number=number)
        for number, name in enumerate(rng.choices(names, weights, k=n))
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
    harmful: list[tuple[Case, Outcome]] = []
    outcomes = run_cases(cases, corpus=corpus, scratch=scratch, findings=findings, n_workers=n_workers)
    for number, (case, outcome) in enumerate(outcomes, 1):
        endings[case.target][outcome.ending] += 1
        peaks[case.target] = max(peaks[case.target], outcome.peak_memory)
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
        print(f"{target}: {counts.total()} cases, at most {peaks[target] >> 20} MB; {counted}")
    print(f"{len(cases)} cases in {time.monotonic() - began:.0f} s, {len(harmful)} did harm")
    return int(bool(harmful))


if __name__ == "__main__":
    sys.exit(main())
