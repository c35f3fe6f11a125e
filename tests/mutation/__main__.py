"""Plants faults into modules, one at a time, and lists those that no test notices.

The exit status is 1 if such a fault has no reason in tests/mutation/reasons.toml.
"""

from __future__ import annotations

import argparse
import tempfile
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from mutation.mutants import Mutant, mutants_of
from mutation.running import ROOT, Copy
from mutation.targets import TARGETS

_REASONS = Path(__file__).with_name("reasons.toml")


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="./dev mutate", description=__doc__)
    parser.add_argument("modules", nargs="*", default=list(TARGETS), help="plant faults into these [all]")
    parser.add_argument("--workers", type=int, default=2, help="run this many processes at a time [2]")
    choice = parser.parse_args()
    unknown = [module for module in choice.modules if module not in TARGETS]
    if unknown:
        parser.error(f"{unknown[0]} has no tests in tests/mutation/targets.py")
    reasons = tomllib.loads(_REASONS.read_text(encoding="utf-8"))
    totals: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="stemdock-mutation-") as scratch:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for number in range(choice.workers):
            copies.put(Copy(Path(scratch) / str(number)))
        for module in choice.modules:
            totals += _try_module(module, reasons.get(module, {}), copies, choice.workers)
    _print_counts("all", totals)
    return 1 if totals["unexplained"] else 0


def _try_module(
    module: str, reasons: dict[str, str], copies: SimpleQueue[Copy], n_workers: int
) -> Counter[str]:
    tests = TARGETS[module]
    mutants = mutants_of((ROOT / module).read_text(encoding="utf-8"))
    for copy in [copies.get() for _ in range(n_workers)]:
        copy.measure(tests)
        copies.put(copy)

    def is_noticed(mutant: Mutant) -> bool:
        copy = copies.get()
        try:
            return copy.notices(module, mutant.source, tests)
        finally:
            copies.put(copy)

    counts: Counter[str] = Counter()
    with ThreadPoolExecutor(n_workers) as executor:
        for mutant, noticed in zip(mutants, executor.map(is_noticed, mutants), strict=True):
            outcome = "noticed" if noticed else "explained" if mutant.name in reasons else "unexplained"
            counts[outcome] += 1
            if outcome == "unexplained":
                print(f"{module}:{mutant.line}: {mutant.name}", flush=True)
    _print_counts(module, counts)
    return counts


def _print_counts(name: str, counts: Counter[str]) -> None:
    total = counts.total() or 1
    print(
        f"{name}: {counts['noticed']} of {total} noticed ({counts['noticed'] / total:.0%}), "
        f"{counts['explained']} explained, {counts['unexplained']} not explained",
        flush=True,
    )


if __name__ == "__main__":
    raise SystemExit(main())
