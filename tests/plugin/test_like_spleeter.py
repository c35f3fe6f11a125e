"""What Spleeter's own tests ask of it, asked of Stemdock.

deezer/spleeter's tests separate two songs, stereo and mono, with 2, 4 and 5 stems, look at names of files,
and compare checksums. Its test of evaluation is in tests/plugin/evaluation.
"""

from __future__ import annotations

import json
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from stemdock import Plugins, Separator
from stemdock.audio import open_audio
from stemdock.cli import builtin
from stemdock.cli.main import run
from stemdock.errors import AudioFileNotFoundError
from stemdock_models import plugin as models
from stemdock_models.catalogue import load_release
from support.mixtures import DATA, SONG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

INSTRUMENTS = {
    "2stems": ("vocals", "accompaniment"),
    "4stems-narrow": ("vocals", "drums", "bass", "other"),
    "5stems-narrow": ("vocals", "piano", "drums", "bass", "other"),
    "4stems-narrow-16kHz": ("vocals", "drums", "bass", "other"),
    "5stems-narrow-16kHz": ("vocals", "piano", "drums", "bass", "other"),
}
"""2stems is genuine. The others have Spleeter's layers, narrower and with random weights."""


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugins]:
    """Stemdock with all these models."""
    plugins = Plugins()
    plugins.register(builtin, "stemdock")
    plugins.register(models, "models")
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEMDOCK_MODELS", str(folder / "store"))
        for name in INSTRUMENTS:
            checkpoint = DATA / "checkpoints" / name.removesuffix("-16kHz")
            if checkpoint.exists():
                config = json.loads((checkpoint / "config.json").read_text())
                if name.endswith("-16kHz"):
                    config["F"] = 1536
                path = folder / f"{name}.json"
                path.write_text(json.dumps(config))
                arguments = ["models", "add", str(checkpoint), "--config", str(path), "--name", name]
                assert run(arguments, plugins) == 0
        yield plugins


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Spleeter's example, and the same in mono."""
    samples, sample_rate = soundfile.read(SONG, dtype="float32")
    mono = tmp_path_factory.mktemp("songs") / "audio_example_mono.flac"
    soundfile.write(mono, samples.mean(axis=1), sample_rate)
    return {"stereo": SONG, "mono": mono}


@pytest.mark.parametrize("model", INSTRUMENTS)
@pytest.mark.parametrize("kind", ["stereo", "mono"])
def test_separating_samples(plugins: Plugins, songs: dict[str, Path], kind: str, model: str) -> None:
    mixture, _ = soundfile.read(songs[kind], dtype="float32", always_2d=True)
    stems = Separator(model, plugins=plugins).separate(mixture)
    assert tuple(stems) == INSTRUMENTS[model]
    for stem in stems.values():
        assert stem.shape == (len(mixture), 2)
        assert not np.allclose(mixture, stem)
    for one, other in combinations(stems.values(), 2):
        assert not np.allclose(one, other)


@pytest.mark.parametrize("model", INSTRUMENTS)
@pytest.mark.parametrize("kind", ["stereo", "mono"])
def test_separating_to_files(
    plugins: Plugins, songs: dict[str, Path], tmp_path: Path, kind: str, model: str
) -> None:
    assert run(["separate", str(songs[kind]), "-m", f"spleeter:{model}", "-o", str(tmp_path)], plugins) == 0
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.wav")}
    assert names == {f"{songs[kind].stem}/{instrument}.wav" for instrument in INSTRUMENTS[model]}
    assert {soundfile.info(tmp_path / name).frames for name in names} == {479832}


@pytest.mark.parametrize("model", INSTRUMENTS)
@pytest.mark.parametrize("kind", ["stereo", "mono"])
def test_a_template_of_ones_own(
    plugins: Plugins, songs: dict[str, Path], tmp_path: Path, kind: str, model: str
) -> None:
    song = tmp_path / songs[kind].name
    samples, sample_rate = soundfile.read(songs[kind], frames=44100)
    soundfile.write(song, samples, sample_rate)
    template = "export/{filename}/{instrument}.{codec}"
    arguments = ["separate", str(song), "-m", model, "-o", str(tmp_path), "--template", template]
    assert run(arguments, plugins) == 0
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.wav")}
    assert names == {f"export/{song.stem}/{instrument}.wav" for instrument in INSTRUMENTS[model]}


@pytest.mark.parametrize("model", INSTRUMENTS)
@pytest.mark.parametrize("kind", ["stereo", "mono"])
def test_a_template_that_gives_all_stems_one_name(
    plugins: Plugins,
    songs: dict[str, Path],
    tmp_path: Path,
    kind: str,
    model: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["separate", str(songs[kind]), "-m", model, "-o", str(tmp_path / "out")]
    # Spleeter's own example of such a template. Where Spleeter raises, its command still exits with 0.
    assert run([*arguments, "--template", "I wanna be your lover"], plugins) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "I wanna be your lover" in captured.err
    assert not (tmp_path / "out").exists()


def test_the_example_is_read_whole() -> None:
    with open_audio(SONG) as audio:
        samples = np.concatenate(list(audio.blocks))
    assert audio.sample_rate == 44100
    assert samples.dtype == np.float32
    assert samples.shape == (479832, 2)


def test_a_song_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(AudioFileNotFoundError), open_audio(tmp_path / "Paris City Jazz"):
        pass


def test_checksums_are_those_of_the_release() -> None:
    pinned = {name: model.sha256 for name, model in load_release().models.items()}
    expected = {
        "2stems": "f3a90b39dd2874269e8b05a48a86745df897b848c61f3958efc80a39152bd692",
        "4stems": "3adb4a50ad4eb18c7c4d65fcf4cf2367a07d48408a5eb7d03cd20067429dfaa8",
        "5stems": "25a1e87eb5f75cc72a4d2d5467a0a50ac75f05611f877c278793742513cc7218",
    }
    for name, sha256 in expected.items():
        assert pinned[name] == pinned[f"{name}-16kHz"] == sha256


def test_a_model_without_a_checksum_is_no_model(plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "pull", "laisse moi stems stems stems"], plugins) == 1
    assert "no such model" in capsys.readouterr().err


def test_the_version_is_told(plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"], plugins) == 0
    assert capsys.readouterr().out.split()[0] == "stemdock"
