"""plugin-cli separate over many songs, and again."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
import soundfile

from stemdock import Plugins, hookimpl
from stemdock.batch import planning
from stemdock.cli import batch_run
from stemdock.cli.main import run
from support.small_model import file_of, write_noise

if TYPE_CHECKING:
    from threading import Event

    import numpy as np
    from numpy.typing import NDArray

    from stemdock import SeparatedFile
    from stemdock.errors import OutputError
    from support.small_model import SmallPlugin


class Batch:
    """Runs the command and keeps what it told."""

    def __init__(self, plugins: Plugins, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.plugins = plugins
        self.music = root / "music"
        self.out = root / "out"
        self.capsys = capsys
        self.music.mkdir()

    def add(self, name: str, level: float = 0.5) -> Path:
        path = self.music / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_noise(path, level=level)

    def run(self, *options: str, status: int = 0, of: str = "") -> list[dict[str, Any]]:
        """The events of a run over the folder, or of something else."""
        line = ["separate", of or str(self.music), "-m", "small", "-o", str(self.out), "--progress", "json"]
        assert run([*line, *options], self.plugins) == status
        self.printed, messages = self.capsys.readouterr()
        return [json.loads(message) for message in messages.splitlines()]

    def files(self) -> list[str]:
        return sorted(
            path.relative_to(self.out).as_posix() for path in self.out.rglob("*.wav") if path.is_file()
        )


@pytest.fixture
def batch(plugins: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Batch:
    return Batch(plugins, tmp_path, capsys)


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events if event["event"] not in {"song", "progress"}]


def test_a_folder_keeps_its_structure(batch: Batch) -> None:
    batch.add("1.wav")
    batch.add("b/1.wav")
    events = batch.run()
    assert batch.files() == ["1/high.wav", "1/low.wav", "b/1/high.wav", "b/1/low.wav"]
    assert names(events) == ["start", "done", "done", "summary"]
    assert batch.printed.splitlines() == [
        str(batch.out / name) for name in ("1/low.wav", "1/high.wav", "b/1/low.wav", "b/1/high.wav")
    ]
    assert events[2]["event"] == "progress"
    assert events[2]["sample_rate"] == 8000


def test_what_is_done_is_left_alone_and_the_rest_is_done(batch: Batch) -> None:
    batch.add("1.wav")
    batch.run()
    before = {path: path.stat().st_mtime_ns for path in batch.out.rglob("*")}
    batch.add("2.wav")
    assert names(batch.run("--resume")) == ["start", "skipped", "done", "summary"]
    for path, time in before.items():
        assert path.is_dir() or path.stat().st_mtime_ns == time
    assert names(batch.run("--resume")) == ["start", "skipped", "skipped", "summary"]
    assert batch.printed == ""


def damage_output(batch: Batch) -> None:
    path = batch.out / "1" / "low.wav"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def change_input(batch: Batch) -> None:
    # As long as before and of the same time: only the bytes tell.
    path = batch.music / "1.wav"
    time = path.stat().st_mtime_ns
    batch.add("1.wav", level=0.25)
    os.utime(path, ns=(time, time))


@pytest.mark.parametrize(
    "spoil",
    [
        damage_output,
        change_input,
        lambda batch: (batch.out / "1" / "high.wav").unlink(),
        lambda batch: shutil.rmtree(batch.out / "1"),
        lambda batch: (batch.out / "1" / "low.wav").write_bytes(b""),
    ],
    ids=["damaged", "other input", "missing", "all missing", "empty"],
)
def test_what_is_not_as_it_should_be_is_done_again(batch: Batch, spoil: Any, tmp_path: Path) -> None:
    batch.add("1.wav")
    batch.add("2.wav")
    batch.run()
    spoil(batch)
    assert names(batch.run("--resume")) == ["start", "done", "skipped", "summary"]
    resumed = {name: (batch.out / name).read_bytes() for name in batch.files()}
    batch.out = tmp_path / "anew"
    batch.run()
    assert resumed == {name: (batch.out / name).read_bytes() for name in batch.files()}


def test_another_option_or_model_is_other_work(batch: Batch, small_plugin: SmallPlugin) -> None:
    batch.add("1.wav")
    batch.run()
    assert names(batch.run("--resume", "-b", "24")) == ["start", "done", "summary"]
    assert soundfile.info(batch.out / "1" / "low.wav").subtype == "PCM_24"
    assert names(batch.run("--resume", "-b", "24")) == ["start", "skipped", "summary"]
    file_of(small_plugin.entry).write_bytes(b"another")
    small_plugin.entry = replace(small_plugin.entry, sha256=sha256(b"another").hexdigest())
    assert names(batch.run("--resume", "-b", "24")) == ["start", "done", "summary"]


def test_files_of_others_are_never_replaced_by_resuming(batch: Batch) -> None:
    batch.add("1.wav")
    batch.add("2.wav")
    mine = batch.out / "2" / "low.wav"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    events = batch.run("--resume", status=1)
    assert names(events) == ["refused"]
    assert str(mine) in events[0]["error"]
    # Nothing was done to the other, either.
    assert batch.files() == ["2/low.wav"]
    assert names(batch.run("--resume", "--overwrite")) == ["start", "done", "done", "summary"]
    assert mine.read_bytes() != b"mine"


def test_without_resume_what_is_there_is_refused_before_any_work(batch: Batch) -> None:
    batch.add("1.wav")
    batch.run()
    batch.add("2.wav")
    events = batch.run(status=1)
    assert names(events) == ["refused", "refused"]
    assert batch.files() == ["1/high.wav", "1/low.wav"]


def test_a_link_to_nowhere_in_the_place_of_a_stem_is_refused_before_any_work(batch: Batch) -> None:
    batch.add("one.wav")
    stem = batch.out / "one" / "low.wav"
    stem.parent.mkdir(parents=True)
    stem.symlink_to("nowhere")
    for options in ((), ("--resume",)):
        (refused,) = batch.run(*options, status=1)
        assert refused["event"] == "refused"
        assert refused["error"].startswith(f"{stem}: already exists")
    assert list(stem.parent.iterdir()) == [stem]


def test_a_bad_song_fails_alone_and_is_tried_again(batch: Batch) -> None:
    batch.add("1.wav")
    (batch.music / "2.wav").write_text("no audio")
    batch.add("3.wav")
    events = batch.run(status=1)
    assert names(events) == ["start", "done", "failed", "done", "summary"]
    assert (events[-1]["n_done"], events[-1]["n_failed"]) == (2, 1)
    assert not (batch.out / "2").exists()
    batch.add("2.wav")
    assert names(batch.run("--resume")) == ["start", "skipped", "done", "skipped", "summary"]


def test_results_inside_the_folder_are_not_separated_again(batch: Batch) -> None:
    batch.add("1.wav")
    batch.out = batch.music
    batch.run()
    assert names(batch.run("--resume")) == ["start", "skipped", "summary"]


def test_several_at_once_give_the_same(batch: Batch, tmp_path: Path) -> None:
    for number in range(6):
        batch.add(f"{number}.wav", level=0.1 + 0.1 * number)
    batch.run()
    one_by_one = {name: (batch.out / name).read_bytes() for name in batch.files()}
    batch.out = tmp_path / "at once"
    events = batch.run("--workers=3", "--memory=4G", "--preview")
    assert one_by_one == {name: (batch.out / name).read_bytes() for name in batch.files()}
    assert events[-1]["n_done"] == 6
    # The paths are in the order of the songs, pages included.
    songs = [Path(line).parent.name for line in batch.printed.splitlines()]
    assert songs == sorted([*"012345"] * 3)
    assert all((batch.out / number / "preview.html").exists() for number in "012345")


def test_with_a_lossy_codec_the_next_song_is_separated_meanwhile(
    batch: Batch, small_plugin: SmallPlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    songs = [batch.add(f"{number}.wav") for number in range(2)]
    together = Barrier(2, timeout=120)
    network = small_plugin.session.run

    def run_together(magnitude: NDArray[np.float32], cancel: Event) -> list[NDArray[np.float32]]:
        together.wait()
        return network(magnitude, cancel)

    monkeypatch.setattr(small_plugin.session, "run", run_together)
    events = batch.run("--codec", "ogg")
    assert [event["song"] for event in events if event["event"] == "done"] == [1, 2]
    assert [Path(line).parent.name for line in batch.printed.splitlines()] == ["0", "0", "1", "1"]
    assert len(songs) == events[-1]["n_done"]


@pytest.mark.parametrize(
    "option", [("--workers", "0"), ("--memory", "4"), ("--memory", "0G"), ("--memory", "G")]
)
def test_wrong_workers_and_sizes_are_refused(
    batch: Batch, option: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["separate", str(batch.music), "-m", "small", "-o", str(batch.out), *option]
    assert run(line, batch.plugins) == 2
    assert option[0] in capsys.readouterr().err


def test_standard_input(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    data = batch.add("1.wav").read_bytes()
    for expected in ("done", "skipped"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert names(batch.run("--resume", of="-")) == ["start", expected, "summary"]
    assert batch.files() == ["stdin/high.wav", "stdin/low.wav"]


def test_a_song_that_changes_meanwhile_fails_and_leaves_no_record(
    batch: Batch, small_plugin: SmallPlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch.add("1.wav")
    network = small_plugin.session.run

    def run_and_change(magnitude: NDArray[np.float32], cancel: Event) -> list[NDArray[np.float32]]:
        change_input(batch)
        return network(magnitude, cancel)

    with monkeypatch.context() as patch:
        patch.setattr(small_plugin.session, "run", run_and_change)
        events = batch.run(status=1)
    assert names(events) == ["start", "failed", "summary"]
    assert "changed during the separation" in events[-2]["error"]
    assert not batch.out.exists()
    assert names(batch.run("--resume")) == ["start", "done", "summary"]


@pytest.mark.parametrize("options", [(), ("--resume",)])
def test_a_file_that_appears_meanwhile_stays(
    batch: Batch, small_plugin: SmallPlugin, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    batch.add("1.wav")
    network = small_plugin.session.run
    other = batch.out / "1/low.wav"

    def run_and_add(magnitude: NDArray[np.float32], cancel: Event) -> list[NDArray[np.float32]]:
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_text("mine")
        return network(magnitude, cancel)

    monkeypatch.setattr(small_plugin.session, "run", run_and_add)
    events = batch.run(*options, status=1)
    assert names(events) == ["start", "failed", "summary"]
    assert "already exists" in events[-2]["error"]
    assert (batch.files(), other.read_text()) == (["1/low.wav"], "mine")
    batch.run("--resume", status=1)
    assert other.read_text() == "mine"
    assert names(batch.run("--overwrite")) == ["start", "done", "summary"]
    assert batch.files() == ["1/high.wav", "1/low.wav"]


def test_a_song_that_vanishes_meanwhile_fails(batch: Batch) -> None:
    batch.add("1.wav")
    second = batch.add("2.wav")

    class Remover:
        @hookimpl
        def stemdock_separated(self, separated: SeparatedFile) -> None:  # noqa: ARG002
            second.unlink(missing_ok=True)

    batch.plugins.register(Remover(), "remover")
    events = batch.run(status=1)
    assert names(events) == ["start", "done", "failed", "summary"]
    assert "no such file" in events[-2]["error"]
    assert batch.files() == ["1/high.wav", "1/low.wav"]


def test_a_part_of_each_song(batch: Batch) -> None:
    songs = [batch.add("one.wav"), batch.add("two.wav")]
    batch.run("--start", "0.01", "--duration", "0.05")
    _, sample_rate = soundfile.read(songs[0])
    first, length = round(0.01 * sample_rate), round(0.05 * sample_rate)
    for song in songs:
        mixture, _ = soundfile.read(song, dtype="float32")
        cut = batch.music.parent / song.name
        soundfile.write(cut, mixture[first : first + length], sample_rate, subtype="FLOAT")
        batch.run(of=str(cut), status=1)  # the places are taken
        batch.run("--overwrite", "-o", str(batch.out / "cuts"), of=str(cut))
        found = {path.name: path.read_bytes() for path in (batch.out / song.stem).glob("*.wav")}
        wanted = {path.name: path.read_bytes() for path in (batch.out / "cuts" / song.stem).glob("*.wav")}
        assert found == wanted
        assert len(found) == 2


def test_another_part_is_other_work(batch: Batch) -> None:
    batch.add("one.wav")
    batch.run("--duration", "0.05")
    assert batch.run("--duration", "0.05", "--resume")[-1]["n_skipped"] == 1
    assert batch.run("--duration", "0.04", "--resume")[-1]["n_done"] == 1


@pytest.mark.parametrize("options", [("--start", "-1"), ("--duration", "0"), ("--duration", "x")])
def test_no_part_of_a_song(batch: Batch, options: tuple[str, str]) -> None:
    song = batch.add("one.wav")
    assert run(["separate", str(song), "-m", "small", *options], batch.plugins) == 2
    assert batch.files() == []


def test_a_damaged_song_is_done_with_damage_but_not_if_it_is_short(batch: Batch) -> None:
    whole = batch.add("whole.wav")
    short = batch.add("short.wav")
    short.write_bytes(short.read_bytes()[: short.stat().st_size // 2])
    done = {event["song"]: event for event in batch.run() if event["event"] == "done"}
    paths = sorted([whole, short])
    (place,) = done[1]["damage"]
    assert paths[0] == short
    assert place["kind"] == "end"
    assert place["start"] == pytest.approx(1.0, abs=0.01)
    assert place["duration"] == pytest.approx(1.0, abs=0.01)
    assert "ends early, at 1.00 s; 1.00 s are missing" in done[1]["warnings"][0]
    assert done[2]["damage"] == []
    again = {event["song"]: event["event"] for event in batch.run("--resume") if "song" in event}
    assert again == {1: "done", 2: "skipped"}


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
def test_a_song_with_a_hole_is_skipped_with_a_note(batch: Batch, capsys: pytest.CaptureFixture[str]) -> None:
    path = batch.music / "song.flac"
    soundfile.write(path, *soundfile.read(batch.add("song.wav")))
    (batch.music / "song.wav").unlink()
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = bytes(4000)
    path.write_bytes(data)
    (done,) = [event for event in batch.run() if event["event"] == "done"]
    assert done["damage"]
    assert all(place["kind"] != "end" for place in done["damage"])
    (skipped,) = [event for event in batch.run("--resume") if event["event"] == "skipped"]
    assert skipped["damage"] == done["damage"]
    line = ["separate", str(path.parent), "-m", "small", "-o", str(batch.out), "--resume"]
    assert run(line, batch.plugins) == 0
    assert "skipped, done before; is damaged" in capsys.readouterr().err


def test_shards_have_each_song_once_with_its_number_among_all(batch: Batch) -> None:
    for number in range(6):
        batch.add(f"{number}.wav")
    told = [batch.run(f"--shard={number}/3", "--preview") for number in (1, 2, 3)]
    done = [event["song"] for events in told for event in events if event["event"] == "done"]
    assert sorted(done) == [1, 2, 3, 4, 5, 6]
    for events in told:
        n_done = names(events).count("done")
        assert events[0]["n_songs"] == events[-1]["n_songs"] == events[-1]["n_done"] == n_done
    # All together are what one run would be.
    assert names(batch.run("--resume")) == ["start", *["skipped"] * 6, "summary"]


def test_a_signal_ends_a_look_at_the_songs(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    look = planning.conflicts

    def interrupted(*arguments: Any, **options: Any) -> list[OutputError]:
        signal.raise_signal(signal.SIGTERM)  # a parent may ignore SIGINT
        return look(*arguments, **options)

    monkeypatch.setattr(batch_run, "conflicts", interrupted)
    batch.add("1.wav")
    batch.add("2.wav")
    (event,) = batch.run(status=143)
    assert (event["event"], event["n_songs"], event["n_left"]) == ("summary", 2, 2)
    monkeypatch.undo()
    assert batch.run()[-1]["n_done"] == 2


def test_a_shard_can_be_empty(batch: Batch) -> None:
    batch.add("1.wav")
    statuses = [names(batch.run(f"--shard={number}/2")) for number in (1, 2)]
    assert sorted(statuses) == [["start", "done", "summary"], ["start", "summary"]]


@pytest.mark.parametrize(
    "text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "a/b", "1/2/3", "1/ 2", "1/1_0", "1.5/2"]
)
def test_what_is_no_shard(plugins: Plugins, capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert run(["separate", "song.wav", f"--shard={text}"], plugins) == 2
    assert "Write I/N, with I from 1 to N, such as 3/20" in " ".join(capsys.readouterr().err.split())
