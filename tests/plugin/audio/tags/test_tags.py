from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from stemdock import Output, separate_file
from stemdock.audio import AudioWriter, UnreadableTagsError, open_audio, read_tags
from stemdock.output.tags import Cover, Tags
from support.mixtures import SONG
from support.pictures import PNG
from support.small_model import write_noise

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Separator

pytestmark = pytest.mark.slow

FFMPEG = shutil.which("ffmpeg")
FFPROBE = shutil.which("ffprobe")
needs_ffmpeg = pytest.mark.skipif(FFMPEG is None or FFPROBE is None, reason="ffmpeg is not installed")
CODECS = [
    *("wav", "flac", "mp3", "ogg", "opus"),
    *(pytest.param(name, marks=needs_ffmpeg) for name in ("m4a", "alac")),
]


TAGS = Tags(
    title="Lied für \N{CJK UNIFIED IDEOGRAPH-65E5}\N{CJK UNIFIED IDEOGRAPH-672C}",
    artist="Ärtist", album="Album \N{EN DASH} 1", tracknumber="3", date="2001", genre="Rock",
    comment="two\nlines", cover=Cover(mime_type="image/png", data=PNG),
)  # fmt: skip


def written(path: Path, tags: Tags, *, length: int = 8000) -> AudioWriter:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (length, 2)).astype(np.float32)
    output = Output(codec=path.suffix[1:])  # type: ignore[arg-type]
    writer = AudioWriter(path, output=output, sample_rate=48000, n_channels=2, total_length=length, tags=tags)
    with writer:
        writer.write(noise)
    return writer


@pytest.mark.parametrize("codec", CODECS)
def test_tags_are_read_as_they_were_written(tmp_path: Path, codec: str) -> None:
    path = tmp_path / f"stem.{codec}"
    assert written(path, TAGS).tag_warning == ""
    found = read_tags(path)
    for field in ("title", "artist", "album", "tracknumber", "date", "genre", "comment"):
        assert getattr(found, field) == getattr(TAGS, field), field
    assert found.cover == (TAGS.cover if codec in {"flac", "mp3", "m4a", "alac"} else None)
    assert [path.name for path in tmp_path.iterdir()] == [path.name]


@needs_ffmpeg
@pytest.mark.parametrize("codec", CODECS)
def test_ffmpeg_reads_the_same_tags(tmp_path: Path, codec: str) -> None:
    """An independent reader, which also decodes all of the file without a complaint."""
    path = tmp_path / f"stem.{codec}"
    written(path, TAGS)
    probed = subprocess.run(
        ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", path],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert probed.stderr == ""
    about = json.loads(probed.stdout)
    audio = next(stream for stream in about["streams"] if stream["codec_type"] == "audio")
    found = {
        key.lower(): value
        for key, value in {**audio.get("tags", {}), **about["format"].get("tags", {})}.items()
    }
    keys = {"title": "title", "artist": "artist", "album": "album", "genre": "genre", "track": "tracknumber"}
    for key, field in keys.items():
        assert found[key] == getattr(TAGS, field), key
    pictures = [stream for stream in about["streams"] if stream["codec_type"] == "video"]
    assert [(picture["codec_name"], picture["width"]) for picture in pictures] == (
        [("png", 8)] if codec in {"flac", "mp3", "m4a", "alac"} else []
    )
    decoded = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-f", "null", "-"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert decoded.stderr == ""


@pytest.mark.parametrize("codec", CODECS)
def test_tags_do_not_touch_the_samples(tmp_path: Path, codec: str) -> None:
    samples = {}
    for name, tags in (("tagged", TAGS), ("plain", Tags())):
        written(tmp_path / f"{name}.{codec}", tags, length=20000)
        with open_audio(tmp_path / f"{name}.{codec}") as audio:
            samples[name] = np.concatenate(list(audio.blocks))
    np.testing.assert_array_equal(samples["tagged"], samples["plain"])


def test_the_songs_own_tags_reach_the_stems(small_separator: Separator, tmp_path: Path) -> None:
    output = Output(codec="flac", mixes={"both": ("low", "high")})
    separated = separate_file(small_separator, SONG, tmp_path, output=output)
    song = read_tags(SONG)
    assert (song.artist, song.album) == ("Steven M Bryant", "ccMixter")
    for name, path in separated.files.items():
        found = read_tags(path)
        assert found.title == f"{song.title} ({name})"
        assert (found.artist, found.album, found.date) == (song.artist, song.album, song.date)
    assert separated.warnings == ()


def test_tags_can_be_left_out(small_separator: Separator, tmp_path: Path) -> None:
    output = Output(codec="flac", copy_tags=False)
    separated = separate_file(small_separator, SONG, tmp_path, output=output)
    assert read_tags(separated.files["low"]) == Tags()


def test_damaged_tags_are_told_and_harm_nothing(
    small_separator: Separator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise IndexError("index out of range")

    monkeypatch.setattr("stemdock.audio.tags.reading.TinyTag.get", fail)
    source = write_noise(tmp_path / "song.wav")
    separated = separate_file(small_separator, source, tmp_path / "out")
    (warning,) = separated.warnings
    assert str(source) in warning
    assert "index out of range" in warning
    assert all(path.exists() for path in separated.files.values())


@pytest.mark.parametrize(
    ("codec", "picture"),
    [
        ("flac", PNG + bytes(2**24)),
        pytest.param("m4a", PNG[:20], marks=needs_ffmpeg),
    ],
)
def test_a_cover_that_cannot_be_written_is_told_and_harms_nothing(
    tmp_path: Path, codec: str, picture: bytes
) -> None:
    tags = Tags(title="Title", cover=Cover(mime_type="image/png", data=picture))
    path = tmp_path / f"stem.{codec}"
    assert "cover" in written(path, tags).tag_warning
    found = read_tags(path)
    assert (found.title, found.cover) == ("Title", None)
    with open_audio(path) as audio:
        assert sum(len(block) for block in audio.blocks) >= 8000


@pytest.mark.parametrize("name", ["song.xyz", "song"])
def test_a_kind_of_file_that_has_no_tags(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"nothing that anybody knows")
    assert read_tags(path) == Tags()


@given(
    position=st.integers(0, 4000),
    damage=st.binary(min_size=1, max_size=40),
    codec=st.sampled_from(["mp3", "flac", "ogg"]),
)
def test_any_bytes_are_tags_or_refused(
    tmp_path_factory: pytest.TempPathFactory,
    intact: dict[str, bytes],
    position: int,
    damage: bytes,
    codec: Any,
) -> None:
    data = bytearray(intact[codec])
    data[position : position + len(damage)] = damage
    path = tmp_path_factory.getbasetemp() / f"damaged.{codec}"
    path.write_bytes(data)
    try:
        tags = read_tags(path)
    except UnreadableTagsError:
        return
    assert "\0" not in tags.title + tags.artist + tags.comment
    assert tags.cover is None or tags.cover.data.startswith(b"\x89PNG\r\n\x1a\n")


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("intact")
    files = {}
    for codec in ("mp3", "flac", "ogg"):
        written(folder / f"stem.{codec}", TAGS)
        files[codec] = (folder / f"stem.{codec}").read_bytes()
    return files


def test_a_day_is_a_year_in_mp3(tmp_path: Path) -> None:
    """ID3v2.3 has four digits for it."""
    written(tmp_path / "stem.mp3", Tags(date="2001-05-03"))
    assert read_tags(tmp_path / "stem.mp3").date == "2001"


def test_mp3_has_no_tag_if_there_is_nothing_to_say(tmp_path: Path) -> None:
    written(tmp_path / "stem.mp3", Tags())
    assert (tmp_path / "stem.mp3").read_bytes()[:1] == b"\xff"
    assert soundfile.info(tmp_path / "stem.mp3").frames == 8000


@needs_ffmpeg
def test_a_comment_in_a_frame_of_its_own_is_read(tmp_path: Path) -> None:
    """ffmpeg writes it as TXXX, not as COMM."""
    plain, tagged = tmp_path / "plain.mp3", tmp_path / "tagged.mp3"
    written(plain, Tags())
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", plain, "-c", "copy", "-metadata", "comment=a comment", tagged],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    assert b"TXXX" in tagged.read_bytes()
    assert read_tags(tagged).comment == "a comment"
    assert read_tags(plain).comment == ""
