"""Sums of stems in a request of Ardour's script, without Ardour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock.output.mixes import selected
from stemdock.output.options import Output
from stemdock_ardour import working
from stemdock_hostkit.job.folder import Job
from stemdock_hostkit.window.values import Ending

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_sums_with_gains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "show", lambda *_: Ending(kind="done"))
    sums = "drums+bass, vocals: -12dB + drums:+3dB:L20 vocals"
    (tmp_path / "request.tsv").write_text(
        f"session\tname\t44100\noptions\t4stems\t\t\t\t{sums}\npiece\t1\tTake\t0\t9\nchannel\t/a.wav\t0\n"
    )
    working.Work(tmp_path).show()
    mixes = Job(tmp_path).request().mixes
    assert mixes == {
        "drums+bass": ("drums", "bass"),
        "vocals -12dB+drums +3dB L20": ("vocals:-12dB", "drums:+3dB:L20"),
        "vocals": ("vocals",),
    }
    legal = {name: terms for name, terms in mixes.items() if name != "vocals"}
    assert len(selected(Output(stems=(), mixes=legal), ("vocals", "drums", "bass", "other"))) == 2
