"""Disturbs two runs on one output many times; the exit status is 1 if another result came of it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from fuzz.crowd.runs import Crowd, cases
from fuzz.crowd.trouble import KINDS
from support.s3_server import S3Server


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.crowd", description=__doc__)
    parser.add_argument("--n", type=int, default=30, help="disturb each kind of runs so many times [30]")
    parser.add_argument("--seed", type=int, default=1, help="begin with this seed [1]")
    parser.add_argument("--only", choices=KINDS, help="do only this")
    choice = parser.parse_args()
    n_harmful = 0
    with tempfile.TemporaryDirectory(prefix="stemdock-crowd-") as folder, S3Server() as server:
        crowd = Crowd(Path(folder), server)
        for kind, place in cases():
            if choice.only not in {None, kind}:
                continue
            began = time.monotonic()
            outcomes = []
            for seed in range(choice.seed, choice.seed + choice.n):
                outcomes.append(crowd.disturb(kind, place, seed))
                if outcomes[-1].fault:
                    n_harmful += 1
                    print(f"{kind}, {place}, seed {seed}: {outcomes[-1].fault}", file=sys.stderr, flush=True)
            print(
                f"{kind}, {place}: {choice.n} times two runs in {time.monotonic() - began:.0f} s, "
                f"{sum(outcome.n_kills for outcome in outcomes)} kills, "
                f"{sum(outcome.n_failed for outcome in outcomes)} songs left to a later run, "
                f"{sum(bool(outcome.fault) for outcome in outcomes)} did harm",
                flush=True,
            )
    return int(bool(n_harmful))


if __name__ == "__main__":
    sys.exit(main())
