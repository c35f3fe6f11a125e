"""Stops work by SIGKILL and by power cuts; the exit status is 1 if another result came of it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from fuzz.stopping.runs import cut_power, kill
from fuzz.stopping.works import SCENARIOS


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.stopping", description=__doc__)
    parser.add_argument("--cuts", type=int, default=200, help="cut the power so many times [200]")
    parser.add_argument("--kills", type=int, default=300, help="kill so many processes [300]")
    parser.add_argument("--seed", type=int, default=1, help="seed the random generator with this number [1]")
    parser.add_argument("--only", choices=SCENARIOS, help="do only this work")
    choice = parser.parse_args()
    names = [choice.only] if choice.only else list(SCENARIOS)
    n_harmful = 0
    for name in names:
        for way, stop, n in (("power cuts", cut_power, choice.cuts), ("kills", kill, choice.kills)):
            n_each = -(-n // len(names))
            began = time.monotonic()
            with tempfile.TemporaryDirectory(prefix="stemdock-stopping-") as scratch:
                faults = [one for one in stop(name, Path(scratch), n_each, choice.seed) if one[1]]
            for moment, fault in faults:
                print(f"{name}, {moment}: {fault}", file=sys.stderr, flush=True)
            n_harmful += len(faults)
            seconds = time.monotonic() - began
            print(f"{name}: {n_each} {way} in {seconds:.0f} s, {len(faults)} did harm", flush=True)
    return int(bool(n_harmful))


if __name__ == "__main__":
    sys.exit(main())
