"""Films with another sound, compared with the film by ffmpeg: pictures, times, sound."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from stemdock import Excerpt, Observer, Output, separate_file
from stemdock.cli.main import run
from stemdock.cli.streams import OutputStream
from stemdock.errors import AudioFileError, OutputError, OutputOptionError

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Plugins, Separator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed"),
]

RATE = 48000
WHOLE = {"whole": ("mixture",)}


def ffmpeg(*arguments: str | Path) -> bytes:
    command = ["ffmpeg", "-nostdin", "-v", "error", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout


def make_film(path: Path, *, delay: float = 0.0, codec: str = "flac", extra: tuple[str, ...] = ()) -> Path:
    """Three seconds of pictures, and two of noise that start after the delay."""
    sound = path.with_name("sound.wav")
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, (2 * RATE, 2)).astype(np.float32)
    soundfile.write(sound, noise, RATE, subtype="PCM_16")
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=3", "-itsoffset", str(delay), "-i", sound,
        *extra, "-map", "0:v", "-map", "1:a", "-c:v", "mpeg4", "-c:a", codec,
        "-metadata:s:a:0", "language=fra", "-metadata", "title=A film", path,
    )  # fmt: skip
    sound.unlink()
    return path


def pictures(path: Path) -> list[tuple[str, ...]]:
    """Time, length, size and hash of each packet."""
    lines = ffmpeg("-i", path, "-map", "0:v:0", "-c", "copy", "-f", "framemd5", "-").decode().splitlines()
    rows = [tuple(re.split(r",\s*", line)) for line in lines if not line.startswith("#")]
    base = next(line for line in lines if line.startswith("#tb"))
    numerator, denominator = map(int, base.split()[-1].split("/"))
    return [
        (
            f"{int(row[2]) * numerator / denominator:.3f}",
            f"{int(row[3]) * numerator / denominator:.3f}",
            *row[4:],
        )
        for row in rows
    ]


def sound_of(path: Path) -> np.ndarray:
    """The sound from the beginning of the film, with silence where there is none."""
    filters = "aresample=async=1:min_hard_comp=0.0001:first_pts=0"
    data = ffmpeg("-i", path, "-map", "0:a", "-af", filters, "-f", "f32le", "-ac", "2", "-ar", str(RATE), "-")
    samples: np.ndarray = np.frombuffer(data, "<f4").reshape(-1, 2)
    return samples


def start_of(samples: np.ndarray) -> int:
    return int(np.argmax(np.abs(samples).max(axis=1) > 0.02))


@pytest.mark.parametrize("delay", [0.0, 0.04, 0.5])
@pytest.mark.parametrize(
    ("film", "sound", "codec"),
    [
        ("a.mkv", "flac", "flac"),
        ("a.mkv", "flac", "alac"),
        ("a.mp4", "alac", "alac"),
        ("a.mov", "alac", "alac"),
    ],
)
def test_pictures_and_times_stay(
    small_separator: Separator, tmp_path: Path, delay: float, film: str, sound: str, codec: Any
) -> None:
    source = make_film(tmp_path / film, delay=delay, codec=sound)
    output = Output(format="video", codec=codec, mixes=WHOLE, bit_depth="16")
    made = separate_file(small_separator, source, tmp_path / "out", output=output)
    path = made.packages["video"]
    assert made.files == {"video": path}
    assert [found.name for found in (tmp_path / "out").iterdir()] == [film]
    assert pictures(path) == pictures(source)
    before, after = sound_of(source), sound_of(path)
    # Matroska counts milliseconds.
    tolerance = RATE // 1000 if film.endswith("mkv") else 1
    assert abs(start_of(before) - round(delay * RATE)) <= tolerance
    assert abs(start_of(after) - start_of(before)) <= tolerance
    length = 2 * RATE - 100
    begin, end = start_of(before), start_of(after)
    np.testing.assert_allclose(after[end : end + length], before[begin : begin + length], atol=2**-14)


@pytest.mark.parametrize(("film", "codec"), [("a.mp4", "m4a"), ("a.mkv", "m4a")])
def test_lossy_sound_is_in_time(small_separator: Separator, tmp_path: Path, film: str, codec: Any) -> None:
    source = make_film(tmp_path / film, delay=0.3, codec="alac")
    output = Output(format="video", codec=codec, mixes=WHOLE)
    path = separate_file(small_separator, source, tmp_path / "out", output=output).packages["video"]
    # With AAC in Matroska, all of the film starts later by the samples that decoders of AAC need first.
    shift = float(pictures(path)[0][0]) - float(pictures(source)[0][0])
    assert abs(shift) < 0.03
    before = sound_of(source)[RATE // 2 : RATE * 3 // 2, 0]
    after = sound_of(path)[:, 0]
    spectra = np.fft.rfft(after, 2**18) * np.conj(np.fft.rfft(before, 2**18))
    found = int(np.argmax(np.fft.irfft(spectra)[: len(after)]))
    assert abs(found / RATE - shift - 0.5) < 0.0015


def test_everything_else_is_copied(small_separator: Separator, tmp_path: Path) -> None:
    (tmp_path / "text.srt").write_text("1\n00:00:00,500 --> 00:00:01,000\nHello\n")
    (tmp_path / "chapters.txt").write_text(
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=Prologue\n"
    )
    extra = ("-i", str(tmp_path / "text.srt"), "-i", str(tmp_path / "chapters.txt"))
    mapped = ("-map", "2:s", "-c:s", "srt", "-map_chapters", "3")
    source = make_film(tmp_path / "a.mkv", extra=extra + mapped)
    output = Output(format="video", codec="flac", stems=("low",))
    path = separate_file(small_separator, source, tmp_path / "out", output=output).packages["video"]
    assert b"Hello" in ffmpeg("-i", path, "-map", "0:s", "-f", "srt", "-")
    facts = ffmpeg("-i", path, "-f", "ffmetadata", "-").decode()
    assert "title=Prologue" in facts
    assert "title=A film" in facts
    described = subprocess.run(["ffmpeg", "-i", path], capture_output=True, text=True, check=False).stderr
    assert "(fra): Audio: flac" in described
    assert described.count("Audio:") == 1


def make_full_film(path: Path, folder: Path) -> Path:
    """A film with two subtitles, a font, languages and the place where it was made."""
    (folder / "text.srt").write_text("1\n00:00:00,500 --> 00:00:01,000\nHello\n")
    (folder / "font.ttf").write_bytes(b"a font")
    extra: tuple[str, ...] = ("-i", str(folder / "text.srt"), "-map", "2:s", "-map", "2:s")
    extra += ("-metadata:s:s:0", "language=ita", "-metadata:s:s:1", "language=eng")
    extra += ("-metadata", "location=+50.0+003.0/", "-metadata:s:a:0", "title=Dialogue")
    if path.suffix == ".mkv":
        extra += ("-c:s", "srt", "-attach", str(folder / "font.ttf"), "-metadata:s:t", "mimetype=font/ttf")
        return make_film(path, extra=extra)
    return make_film(path, codec="alac", extra=(*extra, "-c:s", "mov_text"))


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.mov"])
@pytest.mark.parametrize("film", ["a.mkv", "a.mp4"])
def test_subtitles_fit_every_container(
    small_separator: Separator, tmp_path: Path, film: str, name: str
) -> None:
    source = make_full_film(tmp_path / film, tmp_path)
    output = Output(format="video", codec="alac", mixes=WHOLE)
    path = separate_file(small_separator, source, {"video": tmp_path / "out" / name}, output=output).packages[
        "video"
    ]
    for number in range(2):
        assert b"Hello" in ffmpeg("-i", path, "-map", f"0:s:{number}", "-f", "srt", "-")
    described = subprocess.run(["ffmpeg", "-i", path], capture_output=True, text=True, check=False).stderr
    assert re.search(r"\(ita\): Subtitle", described)
    assert re.search(r"\(eng\): Subtitle", described)
    assert ("font.ttf" in described) == (film == name == "a.mkv")


@pytest.mark.parametrize("film", ["a.mkv", "a.mp4"])
def test_without_tags(small_separator: Separator, tmp_path: Path, film: str) -> None:
    source = make_full_film(tmp_path / film, tmp_path)
    output = Output(format="video", codec="alac", mixes=WHOLE, copy_tags=False)
    path = separate_file(small_separator, source, tmp_path / "out", output=output).packages["video"]
    described = subprocess.run(["ffmpeg", "-i", path], capture_output=True, text=True, check=False).stderr
    for text in ("A film", "+50.0", "Dialogue"):
        assert text in subprocess.run(
            ["ffmpeg", "-i", source], capture_output=True, text=True, check=False
        ).stderr or (text, film) == ("Dialogue", "a.mp4")
        assert text not in described
    assert re.search(r"\(fra\): Audio", described)
    assert re.search(r"\(ita\): Subtitle", described)
    assert ("font.ttf" in described) == (film == "a.mkv")


@pytest.mark.parametrize(("name", "remedy"), [("a.mov", "filename}.mkv"), ("a.mkv", "")])
def test_subtitles_that_are_pictures(
    small_separator: Separator, tmp_path: Path, name: str, remedy: str
) -> None:
    """Found before the separation; Matroska can contain them."""
    film, other = make_full_film(tmp_path / "a.mkv", tmp_path), tmp_path / "b.mkv"
    ffmpeg("-i", film, "-map", "0:v", "-map", "0:a", "-map", "0:s:0", "-c", "copy", other)
    data = other.read_bytes()
    assert data.count(b"S_TEXT/UTF8") == 1
    other.write_bytes(data.replace(b"S_TEXT/UTF8", b"S_HDMV/PGS\0"))
    targets = {"video": tmp_path / "out" / name}
    output = Output(format="video", codec="alac", mixes=WHOLE)
    started: list[object] = []
    observer = Observer(on_progress=started.append)
    if remedy:
        with pytest.raises(AudioFileError, match=r"has subtitles \(hdmv_pgs_subtitle\)") as caught:
            separate_file(small_separator, other, targets, output=output, observer=observer)
        assert remedy in caught.value.remedy
        assert not started
    else:
        made = separate_file(small_separator, other, targets, output=output)
        assert b"S_HDMV/PGS" in made.packages["video"].read_bytes()


def test_the_second_track(small_separator: Separator, tmp_path: Path) -> None:
    film, other = make_film(tmp_path / "a.mkv"), tmp_path / "b.mkv"
    ffmpeg("-i", film, "-map", "0", "-map", "0:a", "-c", "copy", "-metadata:s:a:1", "language=deu", other)
    output = Output(format="video", codec="flac", mixes=WHOLE)
    path = separate_file(small_separator, other, tmp_path / "out", output=output, track=2).packages["video"]
    described = subprocess.run(["ffmpeg", "-i", path], capture_output=True, text=True, check=False).stderr
    assert "(deu): Audio: flac" in described
    assert described.count("Audio:") == 1


@pytest.mark.parametrize(
    ("output", "excerpt", "name", "reason"),
    [
        (Output(format="video", codec="m4a"), Excerpt(), "a.mkv", "this run makes 2: low, high"),
        (Output(format="video", codec="m4a", mixes={"a": ("low",), "b": ("high",)}), Excerpt(), "a.mkv",
         "this run makes 2: a, b"),
        (Output(format="video", codec="flac", mixes=WHOLE), Excerpt(duration=1.0), "a.mkv", "cannot be cut"),
        (Output(format="video", codec="flac", mixes=WHOLE), Excerpt(), "a.mov",
         r"\.mov films cannot contain flac"),
        (Output(format="video", codec="flac", mixes=WHOLE), Excerpt(), "a.avi", "by the end of its name"),
        (Output(format="video", codec="wav", mixes=WHOLE), Excerpt(), "a.mkv", "cannot contain wav"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_film(
    small_separator: Separator, tmp_path: Path, output: Output, excerpt: Excerpt, name: str, reason: str
) -> None:
    source = make_film(tmp_path / "a.mkv")
    target = {"video": tmp_path / "out" / name}
    with pytest.raises(OutputOptionError, match=reason):
        separate_file(small_separator, source, target, output=output, excerpt=excerpt)
    assert not (tmp_path / "out").exists()


def test_a_song_is_no_film(small_separator: Separator, song: Path, tmp_path: Path) -> None:
    film = tmp_path / "a.mkv"
    ffmpeg("-i", song, "-c:a", "flac", film)
    with pytest.raises(AudioFileError, match="contains no picture"):
        separate_file(
            small_separator, film, tmp_path / "out", output=Output(format="video", codec="m4a", mixes=WHOLE)
        )


def test_the_film_itself_stays(small_separator: Separator, tmp_path: Path) -> None:
    source = make_film(tmp_path / "a.mkv")
    content = source.read_bytes()
    output = Output(format="video", codec="m4a", mixes=WHOLE)
    with pytest.raises(OutputError, match="is the mixture itself"):
        separate_file(small_separator, source, tmp_path, output=output, overwrite=True)
    assert source.read_bytes() == content


def test_the_command(plugins: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = make_film(tmp_path / "a.mkv")
    command = ["separate", str(source), "-m", "small", "-o", str(tmp_path / "out"), "--as", "video"]
    assert run([*command, "--mix", "quiet=mixture-low+low:-12dB"], plugins) == 0
    path = tmp_path / "out" / "a.mkv"
    assert capsys.readouterr().out == f"{path}\n"
    assert pictures(path)
    assert run([*command, "--mix", "quiet=mixture-low+low:-12dB", "--resume"], plugins) == 0
    assert capsys.readouterr().out == ""
    assert run(command, plugins) == 2
    assert "a film has one sound" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "options"), [("a.mp4", ()), ("a.mkv", ()), ("a.mp4", ("-f", "{filename}.mkv"))]
)
def test_a_film_on_standard_output(
    plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: tuple[str, ...]
) -> None:
    sent = io.BytesIO()
    monkeypatch.setattr("sys.stdout", OutputStream(io.TextIOWrapper(sent, write_through=True)))
    source = make_film(tmp_path / name, codec="alac")
    command = ["separate", str(source), "-m", "small", "-o", "-", "--as", "video", "--stems", "low"]
    assert run([*command, *options], plugins) == 0
    made = tmp_path / "made"
    made.write_bytes(sent.getvalue())
    assert len(pictures(made)) == len(pictures(source))
    assert sent.getvalue().startswith(b"\x1aE\xdf\xa3") == (name == "a.mkv" or bool(options))


def test_a_film_from_standard_input(
    plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has no name that says the container."""
    source = make_film(tmp_path / "a.mkv")
    command = ["separate", "-", "-m", "small", "-o", str(tmp_path / "out"), "--as", "video", "--stems", "low"]
    assert run(command, plugins) == 2
    assert "--template '{filename}.mkv'" in capsys.readouterr().err
    with source.open() as content:
        monkeypatch.setattr("sys.stdin", content)
        assert run([*command, "-f", "{filename}.mkv"], plugins) == 0
    assert pictures(tmp_path / "out" / "stdin.mkv")


def test_another_container_is_a_matter_of_the_template(
    plugins: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make_film(tmp_path / "a.avi", codec="pcm_s16le")
    command = ["separate", str(source), "-m", "small", "-o", str(tmp_path / "out"), "--as", "video"]
    command += ["--stems", "low"]
    assert run(command, plugins) == 1
    error = capsys.readouterr().err
    assert "targets" not in error
    assert "--template '{filename}.mkv'" in error
    assert run([*command, "-f", "{filename}.mkv"], plugins) == 0
    assert pictures(tmp_path / "out" / "a.mkv")
    source = make_film(tmp_path / "b.mkv")
    command[1] = str(source)
    assert run([*command, "-f", "{foldername}/{filename}.{extension}"], plugins) == 0
