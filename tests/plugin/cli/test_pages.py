"""separate --preview."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stemdock.cli.main import run
from support.page_parsing import Page
from support.tones import write

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from stemdock import Plugins


def test_separate_writes_it_too_with_what_it_did(
    plugins: Plugins, song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["separate", str(song), "-m", "small", "-o", str(tmp_path / "out"), "--preview"]
    assert run(arguments, plugins) == 0
    path = tmp_path / "out" / "song" / "preview.html"
    assert capsys.readouterr().out.splitlines()[-1] == str(path)
    page = Page(path.read_text())
    assert page.song()["title"] == "song"
    assert page.song()["facts"]["model"] == "small"
    assert [stem["name"] for stem in page.song()["stems"]] == ["low", "high"]
    # Alone, the command finds the same in the record, unless the stems are no more what was recorded.
    assert run(["preview", str(path.parent), "--overwrite"]) == 0
    assert Page(path.read_text()).song()["facts"] == page.song()["facts"]
    write(path.parent / "low.wav", np.zeros(100), 8000)
    assert run(["preview", str(path.parent), "--overwrite"]) == 0
    assert Page(path.read_text()).song()["facts"] == {}


def test_an_old_page_stops_separate_before_any_work(
    plugins: Plugins, song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["separate", str(song), "-m", "small", "-o", str(tmp_path / "out"), "--preview"]
    old = tmp_path / "out" / "song" / "preview.html"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    assert run(arguments, plugins) == 1
    assert "preview.html: already exists" in capsys.readouterr().err
    assert list(old.parent.iterdir()) == [old]
    assert run([*arguments, "--overwrite"], plugins) == 0
    assert old.read_text() != "old"
