"""Runs Stemdock with the Python of Windows under wine: doctor, a separation, and tests.

The stems are compared with those of this system. `listed.toml` lists the tests that make sense on Windows,
and those that wine cannot pass, each with its reason. Needs wine and, the first time, the package index.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import soundfile

from support.wine import Wine
from windows.errors import SetUpError
from windows.installation import ROOT, WORK, windows_python
from windows.listed import CHOSEN

if TYPE_CHECKING:
    from collections.abc import Sequence

_SONG: Final = "tests/data/audio_example.mp3"
_STEMS: Final = ("vocals", "accompaniment")
_MIN_SNR: Final = 100.0
"""dB between the stems of both systems: other processors' instructions round otherwise."""
_PATIENCE: Final = 7200
"""Seconds for the tests, on a busy machine."""
_TEST_PATIENCE: Final = 900
"""Seconds for one test."""
_ENVIRONMENT: Final = {"PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1", "ORT_DISABLE_TELEMETRY": "1"}


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="./dev windows", description=__doc__)
    parser.add_argument("tests", nargs="*", metavar="TEST", help="run only these; options go to pytest")
    options, of_pytest = parser.parse_known_args()
    wine = Wine(prefix=WORK / "wine")
    if not wine.program:
        print("skipped: Windows under wine: wine is not installed")
        return 0
    try:
        python = windows_python() / "python.exe"
    except SetUpError as error:
        print(error, file=sys.stderr)
        return 1
    chosen = [*options.tests, *of_pytest]
    passed = [] if chosen else [_doctor(wine, python), _separates_alike(wine, python)]
    passed.append(_tests(wine, python, chosen or CHOSEN))
    return int(not all(passed))


def _run(wine: Wine, python: Path, *words: str) -> int:
    return wine.run(
        [python, *words], folder=ROOT, timeout=_PATIENCE, environment=_ENVIRONMENT, show=True
    ).status


def _doctor(wine: Wine, python: Path) -> bool:
    print("== doctor", flush=True)
    return _run(wine, python, "-m", "stemdock", "doctor") == 0


def _separates_alike(wine: Wine, python: Path) -> bool:
    """Separates the example on both systems, and compares the stems."""
    print("== separate", flush=True)
    with tempfile.TemporaryDirectory(prefix="stemdock-windows-") as name:
        here, there = Path(name, "here"), Path(name, "Wîndows")
        command = ["-m", "stemdock", "separate", _SONG, "--output"]
        subprocess.run([sys.executable, *command, here], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        if _run(wine, python, *command, wine.path(there)) != 0:
            return False
        snrs = [_snr(here / "audio_example" / stem, there / "audio_example" / stem) for stem in _STEMS]
    for stem, snr in zip(_STEMS, snrs, strict=True):
        print(f"{stem}: {'the same samples' if np.isinf(snr) else f'SNR {snr:.1f} dB'} as on this system")
    return min(snrs) >= _MIN_SNR


def _snr(reference: Path, stem: Path) -> float:
    """The ratio of a stem to its difference from the reference, dB; infinite if there is none."""
    wanted, _ = soundfile.read(reference.with_suffix(".wav"))
    found, _ = soundfile.read(stem.with_suffix(".wav"))
    difference = np.sum((found - wanted) ** 2) if found.shape == wanted.shape else np.inf
    return float(10 * np.log10(np.sum(wanted**2) / difference)) if difference else np.inf


def _tests(wine: Wine, python: Path, chosen: Sequence[str]) -> bool:
    print("== tests", flush=True)
    options = ["--fast", "--quiet", "--tb", "short", "-rfEx", "-o", f"timeout={_TEST_PATIENCE}"]
    return _run(wine, python, "tests/windows/within.py", *options, *chosen) == 0


if __name__ == "__main__":
    sys.exit(main())
