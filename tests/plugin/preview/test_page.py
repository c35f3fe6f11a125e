"""What is written, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from stemdock.cli.main import run
from stemdock.errors import AudioFileError, OutputExistsError
from stemdock.preview import find_stems, write_preview
from stemdock.preview import sound as preview_sound
from stemdock.preview.drawing import N_BANDS
from stemdock.preview.page import write_page
from stemdock.preview.reading import DrawnStem
from stemdock.preview.sound import Sound, sound_for
from stemdock.preview.stems import SourceFile
from support.mixtures import SONG
from support.page_parsing import Page
from support.tones import N_SECONDS, SAMPLE_RATE, write

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
SOUND = Sound(sample_rate=44100, bitrate=160, is_reduced=False)


@pytest.fixture
def short_stems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("short")
    for name in ("drums", "vocals"):
        write(folder / f"{name}.wav", 0.5 * np.sin(np.arange(8000) / 9), 8000)
    return folder


@pytest.fixture(scope="module")
def parsed(page: Path) -> Page:
    return Page(page.read_text(encoding="utf-8"))


def test_it_has_the_sound_of_each_stem(parsed: Page, stems: Path) -> None:
    song = parsed.song()
    assert [stem["name"] for stem in song["stems"]] == ["high", "low", "silence"]
    assert song["duration"] == N_SECONDS
    for stem, (samples, sample_rate) in zip(song["stems"], parsed.sounds(), strict=True):
        original, _ = soundfile.read(stems / stem["file"])
        assert samples.shape == original.shape
        assert sample_rate == SAMPLE_RATE
        assert np.abs(samples - original).mean() < 0.01


def test_it_has_a_picture_of_each_stem_on_one_scale(parsed: Page) -> None:
    high, low, silence = parsed.song()["stems"]
    n_columns = len(high["up"])
    for stem, early, late in ((high, 13, 127), (low, 127, 13), (silence, 0, 0)):
        assert [len(stem[side]) for side in ("up", "down")] == [n_columns] * 2
        for side in ("up", "down"):
            assert stem[side][n_columns // 4] == pytest.approx(early, abs=1)
            assert stem[side][n_columns * 3 // 4] == pytest.approx(late, abs=1)
        png = base64.b64decode(stem["spectrogram"].removeprefix("data:image/png;base64,"))
        assert png.startswith(b"\x89PNG")
    assert [stem["nChannels"] for stem in (high, low, silence)] == [1, 2, 2]
    assert [stem["peak"] for stem in (high, low, silence)] == pytest.approx([0.5, 0.5, 0], abs=1e-3)


def test_it_runs_nothing_but_the_scripts_it_was_written_with(parsed: Page) -> None:
    (policy,) = [has["content"] for tag, has, _ in parsed.elements if "http-equiv" in has and tag == "meta"]
    scripts = [
        text for tag, has, text in parsed.elements if tag == "script" and has in ({}, {"type": "module"})
    ]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    sources = " ".join(f"'sha256-{digest}'" for digest in hashes)
    assert len(scripts) == 2
    assert not re.search(r"^(import|export)\b", scripts[1], re.MULTILINE)
    assert policy == f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; img-src data:"
    loaded = [has for _, has, _ in parsed.elements if "src" in has or "href" in has]
    assert loaded == []


def test_it_says_whose_player_it_carries(parsed: Page) -> None:
    (comment,) = parsed.comments
    (version,) = re.findall(r"wavesurfer_version=(\S+)", (ROOT / "dev").read_text())
    assert f"wavesurfer.js {version}" in comment
    assert f"wavesurfer.js {version}" in (ROOT / "NOTICE").read_text()
    assert "BSD 3-Clause License" in comment
    assert "katspaugh and contributors" in comment


@settings(deadline=None)
@given(
    title=st.text()
    | st.sampled_from(["</script><script>alert(1)</script>", "<!--<script>", "{{song}}", "'\"&amp;"]),
    name=st.text() | st.sampled_from(["</title>", "]]>", "{{scripts}}", "\u2028", "--><b>"]),
)
def test_no_name_gets_out_of_its_place(
    tmp_path_factory: pytest.TempPathFactory, title: str, name: str
) -> None:
    mp3 = tmp_path_factory.getbasetemp() / "sound.mp3"
    mp3.write_bytes(b"sound")
    source = SourceFile(name=name, path=Path("stem.wav"), sample_rate=44100, total_length=44100)
    stem = DrawnStem(
        source=source, n_channels=1, peak=0.0, n_bad_samples=0, mp3=mp3,
        extremes=np.zeros((5, 2), np.float32), powers=np.zeros((5, N_BANDS), np.float32),
    )  # fmt: skip

    def written(title: str, name_of_fact: str) -> Page:
        text = io.StringIO()
        write_page(text, [stem], title=title, facts={name_of_fact: name}, duration=1, sound=SOUND)
        return Page(text.getvalue())

    page, plain = written(title, name), written("title", "fact")
    song = page.song()
    assert song["title"] == title
    assert song["stems"][0]["name"] == name
    assert song["facts"] == {name: name}
    assert [element[:2] for element in page.elements] == [element[:2] for element in plain.elements]
    assert page.texts("script", type="text/plain") == [base64.b64encode(b"sound").decode()]


def test_the_command_writes_it_once(
    short_stems: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "page.html"
    assert run(["preview", str(short_stems), "-o", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    before = path.read_bytes()
    assert run(["preview", str(short_stems), "-o", str(path)]) == 1
    refused = capsys.readouterr().err
    assert "already exists" in refused
    assert "Choose another file with --output, or" in refused
    assert run(["preview", str(short_stems), "-o", str(path), "--overwrite"]) == 0
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_beside_the_stems_it_is_called_preview(stems: Path, tmp_path: Path) -> None:
    folder = tmp_path / "song"
    folder.mkdir()
    (folder / "vocals.wav").write_bytes((stems / "high.wav").read_bytes())
    (folder / "._vocals.wav").write_bytes(b"what macOS leaves")
    (folder / "cover.jpg").write_bytes(b"picture")
    assert run(["preview", str(folder)]) == 0
    page = Page((folder / "preview.html").read_text())
    assert page.texts("title") == ["song (stems)"]
    assert [stem["name"] for stem in page.song()["stems"]] == ["vocals"]


def test_stems_in_other_codecs_and_of_one_name(tmp_path: Path) -> None:
    samples = 0.5 * np.sin(np.arange(48000) / 20)
    for name, subtype in (("a.flac", "PCM_16"), ("a.ogg", "VORBIS"), ("b.mp3", "MPEG_LAYER_III")):
        soundfile.write(tmp_path / name, samples, 48000, subtype=subtype)
    write_preview(find_stems(tmp_path), tmp_path / "preview.html", title="codecs")
    page = Page((tmp_path / "preview.html").read_text())
    assert [stem["name"] for stem in page.song()["stems"]] == ["a.flac", "a.ogg", "b"]
    assert [(len(samples), rate) for samples, rate in page.sounds()] == [(48000, 48000)] * 3


@pytest.mark.parametrize(
    ("rate", "page_rate"), [(22050, 44100), (32000, 48000), (96000, 48000), (37000, 48000)]
)
def test_other_rates_are_brought_to_one_that_all_browsers_play(
    tmp_path: Path, rate: int, page_rate: int
) -> None:
    write(tmp_path / "a.wav", np.zeros(rate), rate)
    write(tmp_path / "b.wav", np.zeros(rate), rate)
    write_preview(find_stems(tmp_path), tmp_path / "preview.html", title="rates")
    page = Page((tmp_path / "preview.html").read_text())
    assert page.song()["sampleRate"] == page_rate
    assert [(len(samples), rate) for samples, rate in page.sounds()] == [(page_rate, page_rate)] * 2


def test_what_cannot_be_shown_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "a.wav", np.zeros(44100))
    (tmp_path / "b.wav").write_bytes(b"RIFF")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert run(["preview", str(tmp_path)]) == 1
    assert "b.wav" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == names


@pytest.mark.parametrize(
    ("name", "reason"),
    [("nothing", "folder (No such"), ("empty", "no audio files"), ("file", "folder (Not a")],
)
def test_a_folder_without_stems(
    tmp_path: Path, name: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"")
    assert run(["preview", str(tmp_path / name)]) == 1
    captured = capsys.readouterr()
    assert reason in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_an_empty_stem_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "drums.wav", np.zeros((0, 2)))
    assert run(["preview", str(tmp_path)]) == 1
    assert "drums.wav: contains no samples" in capsys.readouterr().err


def test_the_page_is_not_one_of_the_stems(stems: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes((stems / "high.wav").read_bytes())
    before = path.read_bytes()
    assert run(["preview", str(tmp_path), "-o", str(path), "--overwrite"]) == 1
    assert path.read_bytes() == before


def test_a_page_that_appears_meanwhile_stays(
    short_stems: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "preview.html"
    monkeypatch.setattr("stemdock.preview.write_page", lambda *_, **__: path.write_text("somebody's"))
    with pytest.raises(OutputExistsError):
        write_preview(find_stems(short_stems), path, title="song")
    assert path.read_text() == "somebody's"


def lasting(n_minutes: float, sample_rate: int = 44100) -> list[SourceFile]:
    total_length = round(n_minutes * 60 * sample_rate / 2)
    names = ("vocals", "drums")
    return [
        SourceFile(name=name, path=Path(f"{name}.wav"), sample_rate=sample_rate, total_length=total_length)
        for name in names
    ]


def test_long_songs_cost_sound_and_the_longest_are_refused() -> None:
    good, reduced = sound_for(lasting(30)), sound_for(lasting(31))
    assert (good.sample_rate, good.is_reduced) == (44100, False)
    assert (reduced.sample_rate, reduced.is_reduced) == (32000, True)
    assert sound_for(lasting(31, 48000)).sample_rate == 32000
    assert reduced.bitrate < good.bitrate
    with pytest.raises(AudioFileError, match=r"last 61 minutes in total, and a page can hold 60"):
        sound_for(lasting(61))


def test_a_reduced_page_says_so(short_stems: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview_sound, "N_GOOD_MINUTES", 0.01)
    write_preview(find_stems(short_stems), tmp_path / "preview.html", title="song")
    page = Page((tmp_path / "preview.html").read_text())
    assert page.song()["isReduced"]
    assert [(len(samples), rate) for samples, rate in page.sounds()] == [(32000, 32000)] * 2


def test_the_real_song(tmp_path: Path) -> None:
    samples, rate = soundfile.read(SONG)
    write_preview({"mixture": SONG}, tmp_path / "preview.html", title="song")
    page = Page((tmp_path / "preview.html").read_text())
    ((decoded, decoded_rate),) = page.sounds()
    assert (decoded.shape, decoded_rate) == (samples.shape, rate)
    error = 10 * np.log10(np.square(samples).sum() / np.square(samples - decoded).sum())
    assert error > 15
