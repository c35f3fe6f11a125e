"""Every recorded call of Spleeter's Python API, made through `install()` and compared with the original.

The records are in tests/data/spleeter_calls.json and .npz; support/spleeter_record.py made them.
"""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from stemdock_spleeter.importing import install
from support import spleeter_calls
from support.mixtures import DATA, snr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed"),
]

RECORDS: Final[dict[str, Any]] = json.loads((DATA / "spleeter_calls.json").read_text("utf-8"))
CUTS: Final = np.load(DATA / "spleeter_calls.npz")
LSB: Final = 1 / 32768

_STEMS: Final = {
    stem: {"shape": [30000, 2], "dtype": "float32"} for stem in ("bass", "drums", "other", "vocals")
}
DIFFERENT: Final[dict[str, Any]] = {
    "load a text": {"raises": ["SpleeterError"]},
    "save by the suffix": [{"shape": [30000, 2], "dtype": "float32"}, 44100],
    "get an adapter of no module": {"raises": ["SpleeterError"]},
    "separate float64": _STEMS,
    "separate an array with one axis": _STEMS,
}
"""Results that differ from the original's; docs/spleeter.md has the reasons."""
LOOSE: Final[dict[str, float]] = {
    "load at another rate": 40,
    "separate with a Wiener filter": 60,
    "separator by position": 60,
}
"""Calls whose samples differ, and the least SNR in dB."""


@pytest.fixture(autouse=True)
def _installed() -> Iterator[None]:
    path = list(sys.meta_path)
    install()
    yield
    sys.meta_path[:] = path
    for name in [name for name in sys.modules if name.partition(".")[0] in {"spleeter", "quiet"}]:
        del sys.modules[name]


@pytest.mark.parametrize("name", spleeter_calls.CALLS)
def test_a_call_like_the_original(name: str, inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(inputs)
    monkeypatch.setattr(sys, "path", list(sys.path))
    described, arrays = spleeter_calls.outcomes({name: spleeter_calls.CALLS[name]})
    expected = DIFFERENT.get(name, RECORDS[name])
    if "raises" in (expected if isinstance(expected, dict) else {}):
        # The kinds that the original raises can be caught here, too.
        assert set(expected["raises"]) <= set(described[name]["raises"])
        return
    assert described[name] == expected
    if name in DIFFERENT:
        return
    for key, found in arrays.items():
        recorded = CUTS[key]
        assert found.shape == recorded.shape
        if key.partition("/")[0] in LOOSE:
            assert snr(recorded, found) > LOOSE[key.partition("/")[0]], key
        elif len(found):
            assert np.abs(found - recorded).max() <= LSB * max(1.0, float(np.abs(recorded).max())), key
