"""Songs: what is found, and every kind of bad data set, named before the first step."""

from __future__ import annotations

import json
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from stemdock import AudioFileError, CancelledError, open_audio
from stemdock_export.config import PREDEFINED, parse_config
from stemdock_training.config import load_training_config
from stemdock_training.data import checking
from stemdock_training.data.batches import Batches, validation_batches
from stemdock_training.data.finding import find_songs
from stemdock_training.data.magnitudes import PartStore, _decoded, _encoded
from stemdock_training.data.parts import training_parts, usable_duration, validation_parts
from stemdock_training.errors import DatasetError
from support.training_songs import RATE, list_rows, make_musdb, make_song, training_content, write_list

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock_training.config import TrainingConfig

NETWORK = parse_config(json.dumps(training_content()), "small")
SEGMENT = 63 * 64 + 256
"""Samples under the 64 frames of a segment."""


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    return make_musdb(tmp_path / "songs")


def rewrite(path: Path, change: Callable[[Any], Any], rate: int = RATE) -> None:
    samples, _ = soundfile.read(path)
    soundfile.write(path, change(samples), rate, subtype="FLOAT")


def no_number(samples: Any) -> Any:
    samples[100] = np.nan
    return samples


BAD_FILES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "missing stem": (lambda song: (song / "rest.wav").unlink(), "rest.wav", "is missing"),
    "missing mixture": (lambda song: (song / "mixture.wav").unlink(), "mixture.wav", "is missing"),
    "no audio": (lambda song: (song / "rest.wav").write_text("hello"), "rest.wav", ""),
    "another length": (
        lambda song: rewrite(song / "rest.wav", lambda x: x[:-200]),
        "rest.wav",
        "s long, but",
    ),
    "another rate": (lambda song: rewrite(song / "rest.wav", lambda x: x, 16000), "rest.wav", "16000 Hz"),
    "mono": (lambda song: rewrite(song / "voice.wav", lambda x: x[:, 0]), "voice.wav", "is mono"),
    "silence": (lambda song: rewrite(song / "voice.wav", lambda x: 0 * x), "voice.wav", "is silent"),
    "no numbers": (lambda song: rewrite(song / "voice.wav", no_number), "voice.wav", "not numbers"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_named(kind: str, songs: Path, training_config: Callable[..., TrainingConfig]) -> None:
    spoil, name, reason = BAD_FILES[kind]
    song = songs / "train" / "song 1"
    spoil(song)
    with pytest.raises(DatasetError) as caught:
        find_songs(songs, NETWORK, training_config())
    assert [problem.path for problem in caught.value.problems] == [song / name]
    assert reason in caught.value.problems[0].reason
    assert caught.value.problems[0].remedy.endswith(".")


def test_a_song_shorter_than_a_segment_is_named(
    songs: Path, training_config: Callable[..., TrainingConfig]
) -> None:
    folder = make_song(songs / "train" / "short", 5, duration=0.5)
    with pytest.raises(DatasetError, match="shorter than one segment") as caught:
        find_songs(songs, NETWORK, training_config())
    assert {problem.path for problem in caught.value.problems} == {folder / "mixture.wav"}


def test_a_stem_shorter_than_a_segment_is_named(
    songs: Path, training_config: Callable[..., TrainingConfig]
) -> None:
    folder = make_song(songs / "train" / "short", 5, duration=SEGMENT / RATE)
    rewrite(folder / "rest.wav", lambda samples: samples[:-1])
    with pytest.raises(DatasetError, match="shorter than one segment") as caught:
        find_songs(songs, NETWORK, training_config())
    assert [problem.path for problem in caught.value.problems] == [folder / "rest.wav"]


@pytest.mark.parametrize("n_parts", [1, 2, 3])
@pytest.mark.parametrize("more", [0, 1, 100, 3999, 4000, 4200])
def test_a_song_barely_longer_than_a_segment_can_be_used(
    more: int, n_parts: int, tmp_path: Path, training_config: Callable[..., TrainingConfig]
) -> None:
    # One stem is shorter than its mixture, by less than a hop.
    folder = make_musdb(tmp_path / "songs", duration=(SEGMENT + more + 60) / RATE)
    for song in ("train/song 0", "train/song 1", "test/unheard"):
        rewrite(folder / song / "rest.wav", lambda samples: samples[:-60])
    config = training_config(chunk_duration=1.0, batch_size=2, n_chunks_per_song=n_parts)
    dataset = find_songs(folder, NETWORK, config)
    durations = [usable_duration(song) for song in dataset.training]
    parts = training_parts(dataset.training, durations, SEGMENT / RATE, config)
    store = PartStore(tmp_path / "parts", NETWORK)
    for part in parts:
        assert store.magnitudes(part).shape[1] >= 64
    assert Batches(parts, store, NETWORK, config).batch(0).mixture.shape == (2, 64, 64, 2)
    heard = validation_parts(
        dataset.validation, [usable_duration(song) for song in dataset.validation], SEGMENT / RATE
    )
    (batch,) = validation_batches(heard, store, NETWORK, config)
    assert batch.mixture.shape == (1, 64, 64, 2)


def test_a_file_that_was_cut_meanwhile_is_named(
    songs: Path, tmp_path: Path, training_config: Callable[..., TrainingConfig]
) -> None:
    dataset = find_songs(songs, NETWORK, training_config())
    (part, *_) = training_parts(dataset.training, [2.5, 2.5], 0.536, training_config(chunk_duration=1.0))
    path = songs / "train" / "song 0" / "rest.wav"
    rewrite(path, lambda samples: samples[: SEGMENT + 3999])
    with pytest.raises(AudioFileError, match="is shorter than before") as caught:
        PartStore(tmp_path / "parts", NETWORK).magnitudes(part)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:100],
        lambda content: content[:-100],
        lambda content: content[: len(content) // 2] + b"damage" + content[len(content) // 2 + 6 :],
        lambda _: b"",
        lambda _: b"something else",
    ],
)
def test_a_damaged_stored_part_is_computed_anew(
    damage: Callable[[bytes], bytes],
    songs: Path,
    tmp_path: Path,
    training_config: Callable[..., TrainingConfig],
) -> None:
    dataset = find_songs(songs, NETWORK, training_config())
    (part, *_) = training_parts(dataset.training, [2.5, 2.5], 0.536, training_config(chunk_duration=1.0))
    store = PartStore(tmp_path / "parts", NETWORK)
    intact = store.magnitudes(part)
    (stored,) = (tmp_path / "parts").iterdir()
    whole = stored.read_bytes()
    stored.write_bytes(damage(whole))
    np.testing.assert_array_equal(store.magnitudes(part), intact)
    assert stored.read_bytes() == whole


def without(rows: list[dict[str, str]], column: str) -> list[dict[str, str]]:
    return [{key: value for key, value in row.items() if key != column} for row in rows]


BAD_LISTS: dict[str, tuple[Callable[[list[dict[str, str]]], list[dict[str, str]]], str]] = {
    "missing column": (lambda rows: without(rows, "rest_path"), "the column rest_path is missing"),
    "no duration": (lambda rows: without(rows, "duration"), "the column duration is missing"),
    "wrong duration": (lambda rows: [{**rows[0], "duration": "2:30"}], "line 2: the duration '2:30'"),
    "negative duration": (lambda rows: [{**rows[0], "duration": "-5"}], "line 2: the duration '-5'"),
    "endless duration": (lambda rows: [{**rows[0], "duration": "inf"}], "line 2: the duration 'inf'"),
    "empty path": (lambda rows: [rows[0], {**rows[1], "voice_path": ""}], "line 3: voice_path is empty"),
    "twice": (lambda rows: [rows[0], rows[0]], "is listed twice"),
    "longer than the file": (lambda rows: [{**rows[0], "duration": "9"}], "the list says 9.00 s"),
}


@pytest.mark.parametrize("kind", BAD_LISTS)
def test_a_bad_list_is_named(
    kind: str, songs: Path, tmp_path: Path, training_config: Callable[..., TrainingConfig]
) -> None:
    spoil, reason = BAD_LISTS[kind]
    rows = list_rows(songs)
    (songs / "train").rename(songs / "all")
    rows = [{key: value.replace("train", "all") for key, value in row.items()} for row in rows]
    path = write_list(tmp_path / "train.csv", spoil(rows))
    with pytest.raises(DatasetError) as caught:
        find_songs(songs, NETWORK, training_config(train_csv=str(path)))
    (problem,) = caught.value.problems
    assert reason in problem.reason
    assert problem.path in {path, songs / "all" / "song 0" / "mixture.wav"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"mix_path,voice_path,rest_path,duration\n", "lists no songs"), (b"\xff\xfe\x00", "not a text")],
)
def test_a_file_that_is_no_list_is_named(
    content: bytes, reason: str, tmp_path: Path, training_config: Callable[..., TrainingConfig]
) -> None:
    path = tmp_path / "train.csv"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=reason):
        find_songs(tmp_path, NETWORK, training_config(train_csv=str(path)))


def test_missing_folders_and_lists_are_named(
    tmp_path: Path, training_config: Callable[..., TrainingConfig]
) -> None:
    with pytest.raises(DatasetError, match="is not a folder"):
        find_songs(tmp_path / "none", NETWORK, training_config())
    with pytest.raises(DatasetError, match="has no folder train"):
        find_songs(tmp_path, NETWORK, training_config())
    with pytest.raises(DatasetError, match="the list cannot be read"):
        find_songs(tmp_path, NETWORK, training_config(train_csv=str(tmp_path / "none.csv")))
    (tmp_path / "train").mkdir()
    with pytest.raises(DatasetError, match="contains no folders of songs"):
        find_songs(tmp_path, NETWORK, training_config())


@pytest.mark.parametrize("name", ["x" * 300 + ".wav", "a\0b.wav"])
@pytest.mark.parametrize("column", ["mix_path", "rest_path"])
def test_a_name_that_no_system_accepts_is_named(
    column: str, name: str, songs: Path, tmp_path: Path, training_config: Callable[..., TrainingConfig]
) -> None:
    rows = list_rows(songs)
    path = write_list(tmp_path / "train.csv", [{**rows[0], column: name}, rows[1]])
    with pytest.raises(DatasetError) as caught:
        find_songs(songs, NETWORK, training_config(train_csv=str(path)))
    assert [problem.path for problem in caught.value.problems] == [songs / name]


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_folder_or_list_that_no_system_accepts_is_named(
    name: str, songs: Path, training_config: Callable[..., TrainingConfig]
) -> None:
    with pytest.raises(DatasetError, match="is not a folder"):
        find_songs(songs / name, NETWORK, training_config())
    with pytest.raises(DatasetError, match="the list cannot be read"):
        find_songs(songs, NETWORK, training_config(train_csv=name))


def test_a_song_in_two_places_is_named(songs: Path, training_config: Callable[..., TrainingConfig]) -> None:
    again = songs / "train" / "song 5"
    again.symlink_to("song 0")
    with pytest.raises(DatasetError, match="is listed twice") as caught:
        find_songs(songs, NETWORK, training_config())
    assert [problem.path for problem in caught.value.problems] == [again / "mixture.wav"]


@pytest.mark.parametrize("at", ["song", "block"])
def test_the_check_can_be_stopped(
    at: str, songs: Path, training_config: Callable[..., TrainingConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel, checked, decoded = Event(), [], []

    def on_song(number: int, _: int) -> None:
        checked.append(number)
        if at == "song":
            cancel.set()

    def opened(path: Path) -> Any:
        decoded.append(path)
        cancel.set()
        return open_audio(path)

    monkeypatch.setattr(checking, "open_audio", opened)
    with pytest.raises(CancelledError):
        find_songs(songs, NETWORK, training_config(), on_song=on_song, cancel=cancel)
    assert checked == [1]
    assert len(decoded) == (at == "block")


def test_all_problems_are_named_at_once(songs: Path, training_config: Callable[..., TrainingConfig]) -> None:
    (songs / "train" / "song 0" / "rest.wav").unlink()
    rewrite(songs / "test" / "unheard" / "voice.wav", lambda samples: samples[:, 0])
    with pytest.raises(DatasetError, match="1 more problem") as caught:
        find_songs(songs, NETWORK, training_config())
    assert len(caught.value.problems) == 2


def test_a_stem_may_rest(songs: Path, training_config: Callable[..., TrainingConfig]) -> None:
    for name in ("voice", "mixture"):
        rewrite(songs / "train" / "song 0" / f"{name}.wav", lambda samples: 0 * samples)
    with pytest.raises(DatasetError) as caught:
        find_songs(songs, NETWORK, training_config(), allow_silence=True)
    assert [problem.path.name for problem in caught.value.problems] == ["mixture.wav"]


def test_accompaniment_is_the_sum_of_the_rest(
    tmp_path: Path, training_config: Callable[..., TrainingConfig]
) -> None:
    folder = make_musdb(tmp_path / "songs", ("vocals", "drums", "bass"))
    # What a Mac leaves on other systems' disks.
    (folder / "train" / "song 0" / "._drums.wav").write_bytes(b"\0\5\x16\7")
    network = parse_config(json.dumps(training_content(["vocals", "accompaniment"])), "two")
    song = find_songs(folder, network, training_config()).training[0]
    assert [path.name for path in song.stems["accompaniment"]] == ["bass.wav", "drums.wav"]
    config = training_config(chunk_duration=1.0, batch_size=1)
    parts = training_parts([song], [2.5], 0.536, config)
    mixture, vocals, rest = PartStore(tmp_path / "parts", network).magnitudes(parts[0])
    # Neither stem can hold what only the other has.
    assert np.abs(mixture - rest).max() <= vocals.max() * 1.1


def test_lists_of_the_original_and_folders_give_the_same_songs(
    songs: Path, tmp_path: Path, training_config: Callable[..., TrainingConfig]
) -> None:
    by_folder = find_songs(songs, NETWORK, training_config())
    path = write_list(tmp_path / "train.csv", list_rows(songs))
    listed = tmp_path / "listed"
    listed.mkdir()
    (listed / "songs").symlink_to(songs)
    rows = [
        {key: value if key == "duration" else f"songs/{value}" for key, value in row.items()}
        for row in list_rows(songs)
    ]
    write_list(path, rows)
    by_list = find_songs(listed, NETWORK, training_config(train_csv=str(path)))
    assert [song.mixture.resolve() for song in by_list.training] == [
        song.mixture.resolve() for song in by_folder.training
    ]
    assert [song.name for song in by_folder.validation] == ["unheard"]


def test_lists_count_although_the_folder_has_the_layout_of_musdb(
    songs: Path, tmp_path: Path, training_config: Callable[..., TrainingConfig]
) -> None:
    heard, unheard = list_rows(songs)
    config = training_config(
        train_csv=str(write_list(tmp_path / "train.csv", [heard])),
        validation_csv=str(write_list(tmp_path / "validation.csv", [unheard])),
    )
    dataset = find_songs(songs, NETWORK, config)
    assert [song.mixture for song in dataset.training] == [songs / "train" / "song 0" / "mixture.wav"]
    assert [song.mixture for song in dataset.validation] == [songs / "train" / "song 1" / "mixture.wav"]


def test_a_missing_list_for_validation_is_named(
    songs: Path, tmp_path: Path, training_config: Callable[..., TrainingConfig]
) -> None:
    path = tmp_path / "valdation.csv"
    lists = write_list(tmp_path / "train.csv", list_rows(songs))
    with pytest.raises(DatasetError, match="the list cannot be read") as caught:
        find_songs(songs, NETWORK, training_config(train_csv=str(lists), validation_csv=str(path)))
    assert [problem.path for problem in caught.value.problems] == [path]
    assert "validation_csv" in caught.value.problems[0].remedy


@pytest.mark.parametrize("name", PREDEFINED)
def test_a_predefined_configuration_names_no_lists(name: str) -> None:
    config = load_training_config(name)
    assert (config.train_csv, config.validation_csv) == ("", "")


def test_batches_depend_on_seed_and_step_alone(
    songs: Path, tmp_path: Path, training_config: Callable[..., TrainingConfig]
) -> None:
    dataset = find_songs(songs, NETWORK, training_config())
    config = training_config(chunk_duration=1.0, batch_size=2, random_seed=3)
    parts = training_parts(dataset.training, [2.5, 2.5], 0.536, config)
    assert [part.start for part in parts] == [0.5, 1.0, 0.5, 1.0]
    store = PartStore(tmp_path / "parts", NETWORK)
    straight = Batches(parts, store, NETWORK, config).from_step(0)
    first = [next(straight) for _ in range(5)]
    straight.close()
    for step in (0, 4, 2):
        again = Batches(parts, store, NETWORK, config).batch(step)
        np.testing.assert_array_equal(again.mixture, first[step].mixture)
        np.testing.assert_array_equal(again.targets, first[step].targets)
    assert first[0].mixture.shape == (2, 64, 64, 2)
    assert first[0].targets.shape == (2, 2, 64, 64, 2)
    other = Batches(parts, store, NETWORK, training_config(chunk_duration=1.0, batch_size=2, random_seed=4))
    assert not np.array_equal(other.batch(0).mixture, first[0].mixture)
    alone = Batches(parts[:1], store, NETWORK, training_config(chunk_duration=1.0, batch_size=4)).batch(0)
    assert len({segment.tobytes() for segment in alone.mixture}) > 1  # cut from other places of one part
    changed = Batches(parts, store, NETWORK, config, augment=True).batch(0)
    assert changed.mixture.shape == first[0].mixture.shape
    assert not np.array_equal(changed.mixture, first[0].mixture)


def test_stored_magnitudes_have_the_original_s_eight_bits(
    songs: Path, tmp_path: Path, training_config: Callable[..., TrainingConfig]
) -> None:
    dataset = find_songs(songs, NETWORK, training_config())
    parts = validation_parts(dataset.validation, [2.5], 0.536)
    (batch,) = validation_batches(
        parts, PartStore(tmp_path / "parts", NETWORK), NETWORK, training_config(batch_size=4)
    )
    samples, _ = soundfile.read(dataset.validation[0].mixture, dtype="float32")
    from stemdock import stft  # noqa: PLC0415

    magnitudes = np.abs(stft(np.ascontiguousarray(samples.T), 256, 64)).transpose(1, 2, 0)
    first = (len(magnitudes) - 64) // 2
    exact = magnitudes[first : first + 64]
    # 256 levels over at most 100 dB: a level is at most 0.4 dB.
    loud = exact > exact.max() * 1e-4
    error = 20 * np.log10(batch.mixture[0][loud] / exact[loud])
    assert np.abs(error).max() < 100 / 255.9999 + 0.01


def test_a_hundred_decibels_are_kept() -> None:
    magnitudes = np.array([1e-8, 1e-5, 1e-2, 100.0], np.float32).reshape(1, 1, 4, 1)
    decoded = _decoded(*_encoded(magnitudes)).ravel()
    decibels = 20 * np.log10(decoded)
    assert decibels == pytest.approx([-60, -60, -40, 40], abs=100 / 255)
