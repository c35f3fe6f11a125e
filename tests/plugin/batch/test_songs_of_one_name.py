"""Songs whose stems have the same places: nothing is lost without a word."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import soundfile

from stemdock.batch.shards import Shard
from stemdock.batch.song_places import place_key
from stemdock.cli.main import run
from stemdock.lib.locations import Location
from support.small_model import write_noise

if TYPE_CHECKING:
    from collections.abc import Callable

    from stemdock import Plugins

MEMORY = pytest.param(
    "memory://one-name/out",
    marks=pytest.mark.skipif(find_spec("fsspec") is None, reason="needs fsspec: install stemdock[remote]"),
)


@pytest.fixture
def separate(
    plugins: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """Separates in the test's folder; returns how songs ended, with the kinds of errors."""
    monkeypatch.chdir(tmp_path)

    def outcomes(*line: str) -> list[str]:
        status = run(["separate", *line, "--resume", "-m", "small", "--progress", "json"], plugins)
        events = [json.loads(message) for message in capsys.readouterr().err.splitlines()]
        ended = [event for event in events if event["event"] in {"done", "skipped", "failed", "refused"}]
        assert status == int(any(event["event"] in {"failed", "refused"} for event in ended))
        return [event.get("kind") or event["event"] for event in ended]

    return outcomes


def song(path: Path, level: float) -> Path:
    path.parent.mkdir(exist_ok=True)
    return write_noise(path, level=level)


def tagged(path: Path, level: float) -> None:
    samples, sample_rate = soundfile.read(write_noise(path.with_suffix(".wav"), level=level))
    with soundfile.SoundFile(path, "w", sample_rate, 2) as file:
        file.title, file.artist = "Waterloo", "Abba"
        file.write(samples)


@pytest.mark.parametrize("out", ["out", MEMORY])
def test_a_later_command_does_not_replace_the_stems_of_another_song(
    separate: Callable[..., list[str]], out: str
) -> None:
    for folder, level in (("a", 0.5), ("b", 0.1)):
        song(Path(folder, "song.wav"), level)
    assert separate("a", "-o", out) == ["done"]
    for _ in range(2):
        assert separate("b", "-o", out) == ["OutputTakenError"]
        assert separate("a", "-o", out) == ["skipped"]
    # The same song, edited.
    song(Path("a/song.wav"), 0.2)
    assert separate("a", "-o", out) == ["done"]
    assert separate("b", "-o", out, "--overwrite") == ["done"]
    assert separate("b", "-o", out) == ["skipped"]
    assert separate("a", "-o", out) == ["OutputTakenError"]


def test_a_shard_does_not_replace_stems_of_another(separate: Callable[..., list[str]]) -> None:
    names = {}
    for number in range(20):
        name = f"{number}.flac"
        names[1 if Shard(number=1, n_shards=2).has(name) else 2] = name
    Path("songs").mkdir()
    for part, name in names.items():
        tagged(Path("songs", name), 0.3 / part)
        Path("songs", name).with_suffix(".wav").unlink()
    line = ("songs", "-o", "out", "-f", "{artist}/{title}/{instrument}.{codec}", "--shard")
    assert separate(*line, "1/2") == ["done"]
    before = Path("out/Abba/Waterloo/low.wav").read_bytes()
    assert separate(*line, "2/2") == ["OutputTakenError"]
    assert Path("out/Abba/Waterloo/low.wav").read_bytes() == before
    assert separate(*line, "1/2") == ["skipped"]
    tagged(Path("songs", names[1]), 0.2)
    Path("songs", names[1]).with_suffix(".wav").unlink()
    assert separate(*line, "1/2") == ["done"]


def test_a_place_is_seen_from_the_output_folder(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    key = place_key(one / "music/a.wav", one / "out")
    assert key == place_key(other / "music/a.wav", other / "out")
    assert key != place_key(one / "a.wav", one / "out")
    assert key != place_key(one / "music/a.wav", Location("s3://stems"))
    signed = [Location(f"https://host/a.wav?X-Amz-Signature={number}") for number in (1, 2)]
    assert place_key(signed[0], one) == place_key(signed[1], one)
