"""The comparison with ffmpeg, on a small collection."""

from __future__ import annotations

import shutil
import tarfile
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from field.__main__ import main
from field.errors import FieldError
from field.packages import Package, fetched
from field.separation import separate
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


BACKEND = """
from pathlib import Path

def prepare_metadata_for_build_wheel(folder, settings=None):
    place = Path(folder, "sounds-1.0.dist-info")
    place.mkdir()
    (place / "METADATA").write_text("Metadata-Version: 2.1\\nName: sounds\\nVersion: 1.0\\n")
    return place.name
"""


@pytest.mark.slow
def test_a_package_is_fetched_by_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": BACKEND,
        "tests/good.wav": "RIFF",
    }
    source = tmp_path / "sounds-1.0"
    for name, text in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    archive = tmp_path / "index" / "sounds-1.0.tar.gz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as content:
        content.add(source, source.name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(archive.parent))
    package = Package(name="sounds", version="1.0", sha256=sha256(archive.read_bytes()).hexdigest())
    place = fetched(package, tmp_path / "fetched")
    assert (place / "sounds-1.0" / "tests" / "good.wav").read_text() == "RIFF"
    with pytest.raises(FieldError, match=r"sounds 1\.0 cannot be downloaded"):
        fetched(replace(package, sha256="0" * 64), tmp_path / "other")


def test_verdicts() -> None:
    assert verdict(100, 100, is_reported=False) is Verdict.SAME
    assert verdict(100, 99, is_reported=True) is Verdict.OTHER_REPORTED
    assert verdict(100, 99, is_reported=False, tolerance=1) is Verdict.SAME
    assert verdict(0, None, is_reported=False) is Verdict.NEITHER
    finds = [verdict(100, 99, is_reported=False), verdict(100, None, is_reported=False)]
    assert finds == [Verdict.SILENT, Verdict.REFUSED]
    assert all(find.is_find for find in finds)
    assert not Verdict.ONLY_STEMDOCK.is_find
