"""The comparison with ffmpeg, on a small collection."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from field.__main__ import main
from field.separation import FieldError, separate
from support import other_peoples_files as files
from support.verdicts import Verdict, verdict

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
def test_a_collection(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = tmp_path / "collection"
    below = collection / "below"
    below.mkdir(parents=True)
    files.ffmpeg("-f", "lavfi", "-i", "sine=d=0.5", collection / "good.wav")
    files.ffmpeg("-f", "lavfi", "-i", "sine=d=0.5", below / "video.mov")
    shutil.copy(collection / "good.wav", below / "cut.wav")
    files.cut(below / "cut.wav")
    (collection / "text.mp3").write_text("no music, only words\n" * 100)
    (collection / "README").write_text("no music, only words\n" * 100)
    monkeypatch.setattr("sys.argv", ["field", str(collection)])
    assert main() == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == "| collection | 4 | 2 | 1 | 0 | 1 | 0 | 0 |"
    rows = {line.split(" | ")[0].removeprefix("| "): line.split(" | ")[1:] for line in printed[2:-4]}
    assert rows.keys() == {"below/cut.wav", "below/video.mov", "text.mp3"}
    assert rows["below/cut.wav"][:3] == ["0.250", "0.250", Verdict.SAME_REPORTED]
    assert "not in a folder" in rows["below/video.mov"][-1]
    assert rows["text.mp3"][:3] == ["-", "-", Verdict.NEITHER]


def test_a_run_that_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="exit status 2"):
        separate([tmp_path / "song.wav"], tmp_path, "--no-such-option")


def test_verdicts() -> None:
    assert verdict(100, 100, is_reported=False) is Verdict.SAME
    assert verdict(100, 99, is_reported=True) is Verdict.OTHER_REPORTED
    assert verdict(100, 99, is_reported=False, tolerance=1) is Verdict.SAME
    assert verdict(0, None, is_reported=False) is Verdict.NEITHER
    finds = [verdict(100, 99, is_reported=False), verdict(100, None, is_reported=False)]
    assert finds == [Verdict.SILENT, Verdict.REFUSED]
    assert all(find.is_find for find in finds)
    assert not Verdict.ONLY_STEMDOCK.is_find
