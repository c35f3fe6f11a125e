from __future__ import annotations

import io
import shutil
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemdock import open_audio
from stemdock.batch.audio_files import FILMS
from stemdock.batch.inputs import find_songs
from stemdock.batch.playlists import playlist_entries
from stemdock.batch.standard_input import copied_to_file
from stemdock.errors import AudioFileError
from stemdock.lib.locations import is_address
from support import other_peoples_files as files

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from stemdock.batch.songs import Song


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def below(folder: Path, songs: Iterable[Song]) -> list[str]:
    return [song.naming_path.relative_to(folder).as_posix() for song in songs]


def test_a_folder_is_searched_at_any_depth_in_order_and_keeps_its_structure(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.mp3", "b/1.FLAC", "a.wav", "b/c/d.ogg", "notes.txt", "b/cover.jpg")
    songs = find_songs([str(tmp_path)])
    assert below(tmp_path, songs) == ["a.wav", "b/1.FLAC", "b/2.mp3", "b/c/d.ogg"]
    assert [song.folder for song in songs] == [PurePath(), PurePath("b"), PurePath("b"), PurePath("b/c")]
    assert all(song.fault is None for song in songs)


def test_films_instead_of_songs(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.mp4", "b/song.mp3", "a.MKV", "c.webm", "notes.txt", "songs/1.wav")
    assert below(tmp_path, find_songs([str(tmp_path)], kind=FILMS)) == ["a.MKV", "c.webm", "b/2.mp4"]
    assert below(tmp_path, find_songs([f"{tmp_path}/**"], kind=FILMS)) == ["a.MKV", "b/2.mp4", "c.webm"]
    for argument in (tmp_path / "songs", tmp_path / "songs/*"):
        (none,) = find_songs([str(argument)], kind=FILMS)
        assert "film" in str(none.fault)


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, ".a.wav", "._a.wav", ".git/a.wav", "b.wav")
    assert below(tmp_path, find_songs([str(tmp_path)])) == ["b.wav"]


def test_what_begins_like_audio_counts_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    (tmp_path / "b.dat").write_bytes(b"fLaC\0\0\0\0")
    (tmp_path / "c.avi").write_bytes(b"RIFF\0\0\0\0AVI LIST")
    (tmp_path / "d").write_bytes(b"")
    (tmp_path / "e").write_bytes(b"tBaK\x01\x0a\0\0")
    (tmp_path / "f").write_bytes(b"FRM8\0\0\0\0\0\0\0\0DSD ")
    assert below(tmp_path, find_songs([str(tmp_path)])) == ["a", "b.dat", "e", "f"]


RARE: Final = {
    "a.dts": ("-c:a", "dca", "-strict", "-2"), "a.eac3": (), "a.ac3": (), "a.tta": (), "a.wv": (),
    "a.w64": (), "a.mlp": ("-strict", "-2"), "a.thd": ("-strict", "-2"),
}  # fmt: skip
"""ffmpeg's options for each."""
NAMELESS: Final = ("a.mlp", "a.thd")
"""Their first bytes say only how long the first part is."""


def rare(folder: Path, name: str) -> Path:
    if name == "a.dsf":
        return files.dsd(folder)
    files.ffmpeg("-f", "lavfi", "-i", "sine=r=48000:d=1", "-ac", "2", *RARE[name], folder / name)
    return folder / name


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
@pytest.mark.parametrize("name", [*RARE, "a.dsf"])
def test_rare_formats_are_found_in_folders_and_read(tmp_path: Path, name: str) -> None:
    path = rare(tmp_path, name)
    assert [song.path for song in find_songs([str(tmp_path)])] == [path]
    with open_audio(path) as audio:
        length = sum(len(block) for block in audio.blocks)
    assert length / audio.sample_rate == pytest.approx(1, abs=0.05)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
@pytest.mark.parametrize("name", [name for name in [*RARE, "a.dsf"] if name not in NAMELESS])
def test_rare_formats_are_found_by_their_first_bytes(tmp_path: Path, name: str) -> None:
    path = rare(tmp_path, name).rename(tmp_path / "without a name")
    assert [song.path for song in find_songs([str(tmp_path)])] == [path]


def test_results_of_former_runs_are_no_songs(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "separated/a/vocals.wav", "a-vocals.wav")
    made = {(tmp_path / "a-vocals.wav").resolve()}
    songs = find_songs([str(tmp_path)], output=tmp_path / "separated")
    assert below(tmp_path, songs) == ["a-vocals.wav", "a.wav"]
    made.add((tmp_path / "separated/a/vocals.wav").resolve())
    songs = find_songs([str(tmp_path), str(tmp_path / "*.wav")], output=tmp_path, made=made.intersection)
    assert below(tmp_path, songs) == ["a.wav"]
    # Who names one by itself means it.
    assert below(tmp_path, find_songs([str(tmp_path / "a-vocals.wav")], made=made.intersection)) == [
        "a-vocals.wav"
    ]


def test_what_a_run_beside_this_one_wrote_during_the_search_is_no_song(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav", "c/d.wav")
    searched: list[set[str]] = []

    def made(paths: Collection[Path]) -> Collection[Path]:
        searched.append({path.name for path in paths})
        return {path for path in paths if path.name == "d.wav"}

    assert below(tmp_path, find_songs([str(tmp_path)], made=made)) == ["a.wav", "b.wav"]
    # Only after the search it is sure that all have been announced.
    assert searched == [{"a.wav", "b.wav", "d.wav"}]


def test_links_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path, "music/a/1.wav", "elsewhere/2.wav")
    (tmp_path / "music" / "b").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "music" / "a" / "up").symlink_to(tmp_path / "music")
    assert below(tmp_path, find_songs([str(tmp_path / "music")])) == ["music/a/1.wav", "music/b/2.wav"]


def test_a_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a 1.mp3", "a 2.mp3", "b/3.mp3", "a.jpg", "a.raw")
    monkeypatch.chdir(tmp_path)
    assert [str(song.path) for song in find_songs(["a*"])] == ["a 1.mp3", "a 2.mp3"]
    assert [str(song.path) for song in find_songs(["**/*.mp3"])] == ["a 1.mp3", "a 2.mp3", "b/3.mp3"]
    assert [str(song.path) for song in find_songs(["*.raw"])] == ["a.raw"]
    (song,) = find_songs(["*.flac"])
    assert "no audio file matches" in str(song.fault)


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path: Path) -> None:
    touch(tmp_path, "song [live].wav", "song l.wav")
    (song,) = find_songs([str(tmp_path / "song [live].wav")])
    assert song.path.name == "song [live].wav"


def test_each_song_once_in_the_order_of_the_arguments(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav")
    songs = find_songs(
        [str(tmp_path / "b.wav"), str(tmp_path), str(tmp_path / "x" / ".." / "b.wav"), "-", "-"]
    )
    assert [song.path.name for song in songs] == ["b.wav", "a.wav", "-"]
    assert songs[-1].is_standard_input


@pytest.mark.parametrize("argument", ["", " "])
def test_an_empty_path_is_a_fault(argument: str) -> None:
    (song,) = find_songs([argument])
    assert "the path is empty" in str(song.fault)


def test_a_folder_without_songs_is_a_fault(tmp_path: Path) -> None:
    (song,) = find_songs([str(tmp_path)])
    assert song.fault is not None
    assert song.fault.path == tmp_path


def test_what_is_not_there_is_left_to_whoever_reads_it(tmp_path: Path) -> None:
    (song,) = find_songs([str(tmp_path / "nothing.wav")])
    assert song.fault is None


def test_a_playlist_is_relative_to_itself(tmp_path: Path) -> None:
    touch(tmp_path, "music/a.mp3", "lists/b.mp3", "lists/c/d.mp3")
    playlist = tmp_path / "lists" / "mine.M3U8"
    absolute = tmp_path / "music" / "a.mp3"
    playlist.write_bytes(
        "\ufeff#EXTM3U\r\n#EXTINF:1,A\r\n../music/a.mp3\r\n\r\n  b.mp3  \r\nc\\d.mp3\r\n".encode()
        + str(absolute).encode()
    )
    songs = find_songs([str(playlist)])
    assert [song.naming_path.resolve().relative_to(tmp_path).as_posix() for song in songs] == [
        "music/a.mp3", "lists/b.mp3", "lists/c/d.mp3",
    ]  # fmt: skip


def test_urls_in_a_playlist_are_reported_one_by_one(tmp_path: Path) -> None:
    playlist = tmp_path / "mine.m3u"
    playlist.write_text("http://radio.example/stream\nfile:///music/a.mp3\nb.mp3\n")
    radio, file, song = find_songs([str(playlist)])
    assert "http://radio.example/stream" in str(radio.fault)
    assert "file:///music/a.mp3" in str(file.fault)
    assert song.path == tmp_path / "b.mp3"


def test_secrets_of_addresses_in_a_playlist_are_not_told(tmp_path: Path) -> None:
    playlist = tmp_path / "mine.m3u"
    playlist.write_text(
        "https://me:s3cret@host/a.mp3?X-Amz-Signature=s3cret\nfile://me:s3cret@host/a.mp3\ns3://k:s3/cret@b/a.mp3\n"
    )
    faults = [str(song.fault) for song in find_songs([str(playlist)])]
    assert "which is not supported: https://host/a.mp3" in faults[0]
    assert not any(secret in fault for fault in faults for secret in ("s3cret", "me:", "cret@"))


def test_a_playlist_in_a_playlist_is_reported(tmp_path: Path) -> None:
    playlist = tmp_path / "mine.m3u"
    playlist.write_text("other.M3U8\nb.mp3\n")
    other, song = find_songs([str(playlist)])
    assert "contains other.M3U8, and playlists in playlists are not supported" in str(other.fault)
    assert song.path == tmp_path / "b.mp3"


def test_an_empty_playlist_is_a_fault(tmp_path: Path) -> None:
    playlist = tmp_path / "mine.m3u"
    playlist.write_text("#EXTM3U\n")
    (song,) = find_songs([str(playlist)])
    assert song.fault is not None


NAMES = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: name == name.strip(" \t") and not name.startswith(("#", "\ufeff", "ÿþ", "þÿ"))
)


@given(names=st.lists(NAMES), end=st.sampled_from(["\n", "\r\n", "\r"]), marked=st.booleans())
def test_a_playlist_in_utf8(names: list[str], end: str, marked: bool) -> None:
    text = end.join(["#EXTM3U", *names])
    assert playlist_entries(text.encode("utf-8-sig" if marked else "utf-8")) == names


@given(st.lists(NAMES))
def test_a_playlist_in_utf16(names: list[str]) -> None:
    assert playlist_entries("\n".join(["#", *names]).encode("utf-16")) == names


def test_a_playlist_in_latin1() -> None:
    assert playlist_entries(b"Caf\xe9 \x85.mp3\nna\xefve.mp3") == ["Café \x85.mp3", "naïve.mp3"]


@pytest.mark.parametrize(
    ("entry", "url"),
    [("http://x", True), ("FILE:///a", True), ("C:\\a.mp3", False), ("a://b", False), ("a b.mp3", False)],
)
def test_urls(entry: str, url: bool) -> None:
    assert is_address(entry) is url


def test_standard_input_is_kept_in_a_file_as_long_as_it_is_needed() -> None:
    data = bytes(range(256)) * 10_000
    with copied_to_file(io.BytesIO(data)) as path:
        assert path.read_bytes() == data
    assert not path.parent.exists()


def test_empty_standard_input() -> None:
    with pytest.raises(AudioFileError, match="is empty"), copied_to_file(io.BytesIO()):
        pass
