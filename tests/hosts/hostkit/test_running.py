"""What the worker does with one job."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from stemdock import move_all_to_place
from stemdock.errors import ModelNotFoundError
from stemdock_hostkit.errors import JobError, JobTakenError
from stemdock_hostkit.job.folder import Job, remove_old_jobs, waiting_jobs
from stemdock_hostkit.job.live import LiveWriter, live_stems
from stemdock_hostkit.worker import naming, running
from support.host_jobs import left, make_job, source
from support.reaper_model.known_separator import SHARES, known_separator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stemdock import SeparatedFile, Separator

pytestmark = pytest.mark.slow

SAMPLE_RATE = 8000
LENGTH = 40_000


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "Ünder 'the' song.wav"
    mixture = np.random.default_rng(2).uniform(-1, 1, (LENGTH, 2))
    soundfile.write(path, mixture, SAMPLE_RATE, subtype="FLOAT")
    return path


def run(folder: Path) -> dict[str, Any]:
    status = running.run_job(Job(folder), lambda *_: known_separator())
    result: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="ascii"))
    assert result["status"] == status
    return result


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "progress.jsonl").read_text(encoding="ascii").splitlines()]


def test_stems_are_those_of_the_part_that_was_asked_for(tmp_path: Path, song: Path) -> None:
    folder = make_job(tmp_path, source(song))
    (entry,) = run(folder)["sources"]
    mixture, _ = soundfile.read(song, dtype="float32")
    assert (entry["id"], entry["status"], entry["start"], entry["duration"]) == ("s1", "ok", 1.0, 2.0)
    assert [(stem["name"], stem["title"]) for stem in entry["stems"]] == [
        ("vocals", "Vocals"),
        ("accompaniment", "Accompaniment"),
    ]
    for stem in entry["stems"]:
        samples, rate = soundfile.read(stem["path"], dtype="float32")
        assert rate == SAMPLE_RATE
        np.testing.assert_array_equal(samples, mixture[8000:24000] * np.float32(SHARES[stem["name"]]))
    assert sorted(path.name for path in (tmp_path / "Média").iterdir()) == [
        "Song - Accompaniment.wav",
        "Song - Vocals.wav",
    ]


def test_progress_rises_from_the_first_line_to_the_last(tmp_path: Path, song: Path) -> None:
    folder = make_job(tmp_path, source(song), source(song, "s2", name="Bis"))
    run(folder)
    fractions = [line["fraction"] for line in lines(folder)]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert "Separating Bis (2 of 2)" in [line["text"] for line in lines(folder)]


def test_a_start_between_samples_is_told_as_it_was_cut(tmp_path: Path, song: Path) -> None:
    folder = make_job(tmp_path, source(song, start=1.00003, duration=0.5))
    (entry,) = run(folder)["sources"]
    assert entry["start"] == 1.0
    assert entry["duration"] == 4001 / SAMPLE_RATE


def test_files_that_are_there_are_never_replaced(tmp_path: Path, song: Path) -> None:
    media = tmp_path / "Média"
    media.mkdir()
    # One of the two names is taken; the stems still share a number.
    (media / "Song - Accompaniment.wav").write_bytes(b"precious")
    folder = make_job(tmp_path, source(song), source(song, "s2"))
    first, second = run(folder)["sources"]
    assert [Path(stem["path"]).name for stem in first["stems"]] == [
        "Song (2) - Vocals.wav",
        "Song (2) - Accompaniment.wav",
    ]
    assert Path(second["stems"][0]["path"]).name == "Song (3) - Vocals.wav"
    assert (media / "Song - Accompaniment.wav").read_bytes() == b"precious"
    assert not (media / "Song - Vocals.wav").exists()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("..hidden. ", "hidden"),
        ("a/b: c?", "a_b_ c_"),
        (" . ", "Item"),
        ("é" * 100, "é" * 60),
        ("NUL.1", "NUL_.1"),
    ],
)
def test_names_of_items_become_legal_names_of_visible_files(
    tmp_path: Path, song: Path, name: str, expected: str
) -> None:
    run(make_job(tmp_path, source(song, name=name), stems=["vocals"]))
    assert left(tmp_path / "Média") == [f"{expected} - Vocals.wav"]


def test_only_the_stems_wanted_are_kept(tmp_path: Path, song: Path) -> None:
    folder = make_job(tmp_path, source(song), stems=["vocals"])
    (entry,) = run(folder)["sources"]
    assert [stem["name"] for stem in entry["stems"]] == ["vocals"]
    assert [path.name for path in (tmp_path / "Média").iterdir()] == ["Song - Vocals.wav"]


def test_a_stem_that_the_model_lacks_is_an_error_with_the_ones_it_has(tmp_path: Path, song: Path) -> None:
    result = run(make_job(tmp_path, source(song), stems=["drums"]))
    assert result["status"] == "error"
    assert "drums" in result["error"]["message"]
    assert "vocals, accompaniment" in result["error"]["hint"]


def test_one_bad_source_does_not_spoil_the_others(tmp_path: Path, song: Path) -> None:
    folder = make_job(tmp_path, source(tmp_path / "gone.wav"), source(song, "s2"))
    result = run(folder)
    assert result["status"] == "ok"
    bad, good = result["sources"]
    assert (bad["status"], bad["error"]["code"]) == ("error", "AudioFileNotFoundError")
    assert good["status"] == "ok"


def test_if_all_sources_fail_the_job_fails_with_the_first_reason(tmp_path: Path) -> None:
    result = run(make_job(tmp_path, source(tmp_path / "gone.wav")))
    assert result["status"] == "error"
    assert "gone.wav" in result["error"]["message"]
    assert result["error"]["hint"]


def test_inputs_made_for_the_job_are_removed_and_others_are_not(tmp_path: Path, song: Path) -> None:
    folder = make_job(tmp_path, source(song))
    own = folder / "rendered.wav"
    own.write_bytes(song.read_bytes())
    job = json.loads((folder / "job.json").read_text())
    job["sources"].append(source(own, "s2"))
    (folder / "job.json").write_text(json.dumps(job))
    run(folder)
    assert not own.exists()
    assert song.exists()


def test_cancelling_leaves_no_stems(tmp_path: Path, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_job(tmp_path, source(song), source(song, "s2"))
    genuine = running._separate_source
    n_calls = 0

    def cancelled_later(*arguments: Any) -> SeparatedFile:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 2:
            (folder / "cancel").touch()
            arguments[-1].check_cancel()
        return genuine(*arguments)

    monkeypatch.setattr(running, "_separate_source", cancelled_later)
    assert run(folder) == {"protocol": 2, "status": "cancelled"}
    assert left(tmp_path / "Média") == []


def test_a_worker_that_is_killed_at_the_second_source_leaves_no_stem_of_the_first(
    tmp_path: Path, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_job(tmp_path, source(song), source(song, "s2"))
    genuine = running._separate_source
    seen: list[list[str]] = []

    def looking(*arguments: Any) -> SeparatedFile:
        seen.append([name for name in left(tmp_path / "Média") if not name.startswith(".")])
        return genuine(*arguments)

    monkeypatch.setattr(running, "_separate_source", looking)
    assert run(folder)["status"] == "ok"
    assert seen == [[], []]


def test_cancelling_at_the_last_moment_counts(
    tmp_path: Path, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_job(tmp_path, source(song))
    genuine = running._separate_source

    def cancelled_after(*arguments: Any) -> SeparatedFile:
        entry = genuine(*arguments)
        (folder / "cancel").touch()
        return entry

    monkeypatch.setattr(running, "_separate_source", cancelled_after)
    assert run(folder)["status"] == "cancelled"
    assert left(tmp_path / "Média") == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"protocol": 2}',
        '{"protocol": "2", "sources": []}',
        '{"protocol": 2, "output_dir": "/x", "model": "2stems", "sources": []}',
        '{"protocol": 2, "output_dir": "/x", "model": "2stems", "sources": [{"id": "a"}]}',
        (
            '{"protocol": 2, "output_dir": "/x", "model": "m", "sources": '
            '[{"id": "a", "name": "n", "path": "p", "start": NaN, "duration": 1}]}'
        ),
        (
            '{"protocol": 2, "output_dir": "/x", "model": "m", "sources": '
            '[{"id": "a", "name": "n", "path": "p", "start": 0, "duration": 0}]}'
        ),
    ],
)
def test_a_damaged_job_gets_an_answer(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "job.json").write_text(content)
    result = run(folder)
    assert (result["status"], result["error"]["code"]) == ("error", "JobError")


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (0, "Stemdock's part in REAPER is older than this Stemdock"),
        (1, "Stemdock's part in REAPER is older than this Stemdock"),
        (3, "this Stemdock is older than its part in REAPER"),
    ],
)
def test_another_version_gets_an_answer_that_it_can_read(
    tmp_path: Path, song: Path, version: int, reason: str
) -> None:
    host = {"name": "REAPER", "version": "7.20"}
    result = run(make_job(tmp_path, source(song), protocol=version, host=host))
    assert result["protocol"] == version
    assert (result["status"], result["error"]["code"]) == ("error", "JobVersionError")
    assert reason in result["error"]["message"]
    assert result["error"]["hint"] == "Close REAPER, and run in a terminal: plugin-cli reaper install"


def test_the_stems_are_those_that_the_result_describes(tmp_path: Path, song: Path) -> None:
    run(make_job(tmp_path, source(song, start=0.5, duration=1.25)))
    result = Job(tmp_path / "jobs" / "{0F}").result()
    assert result is not None
    (entry,) = result.sources
    assert (entry.start, entry.length, entry.sample_rate, entry.n_channels) == (0.5, 10_000, SAMPLE_RATE, 2)
    assert [soundfile.info(stem.path).frames for stem in entry.stems] == [10_000] * 2


def test_a_mix_with_a_gain(tmp_path: Path, song: Path) -> None:
    job = make_job(tmp_path, source(song), stems=[], mixes={"quiet": ["vocals:-12dB", "accompaniment:L100"]})
    (entry,) = run(job)["sources"]
    (stem,) = entry["stems"]
    mixed, _ = soundfile.read(stem["path"], dtype="float32")
    mixture = soundfile.read(song, dtype="float32")[0][8000:24000]
    expected = mixture * SHARES["vocals"] * 10 ** (-12 / 20)
    expected[:, 0] += mixture.sum(axis=1) * SHARES["accompaniment"]
    np.testing.assert_allclose(mixed, expected, atol=1e-6)


def test_a_mix_with_a_gain_that_is_none(tmp_path: Path, song: Path) -> None:
    answer = run(make_job(tmp_path, source(song), stems=[], mixes={"m": ["vocals:loud"]}))
    assert answer["status"] == "error"
    assert "m: 'loud' of vocals is neither a gain nor a pan" in answer["error"]["message"]
    assert "vocals:-12dB" in answer["error"]["hint"]


def test_mixes_are_written_and_other_stems_are_not(tmp_path: Path, song: Path) -> None:
    mixes = {"everything but vocals": ["-vocals"]}
    (entry,) = run(make_job(tmp_path, source(song, file_name="1"), stems=["vocals"], mixes=mixes))["sources"]
    assert [stem["name"] for stem in entry["stems"]] == ["vocals", "everything but vocals"]
    assert left(tmp_path / "Média") == ["1 - Everything but vocals.wav", "1 - Vocals.wav"]
    samples, _ = soundfile.read(entry["stems"][1]["path"], dtype="float32")
    mixture, _ = soundfile.read(song, dtype="float32")
    np.testing.assert_array_equal(samples, mixture[8000:24000] * np.float32(SHARES["accompaniment"]))


def test_a_missing_model_gets_an_answer(tmp_path: Path, song: Path) -> None:
    folder = make_job(tmp_path, source(song))

    def missing(model: str, _: object) -> Separator:
        raise ModelNotFoundError(model, known=("2stems",))

    assert running.run_job(Job(folder), missing) == "error"
    assert "2stems" in json.loads((folder / "result.json").read_text())["error"]["hint"]


def test_a_surprise_gets_an_answer_too(
    tmp_path: Path, song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_job(tmp_path, source(song))

    def burst(*_: object) -> Separator:
        raise MemoryError

    with pytest.raises(MemoryError):
        running.run_job(Job(folder), burst)
    assert json.loads((folder / "result.json").read_text())["error"]["code"] == "MemoryError"
    assert "MemoryError" in capsys.readouterr().err


def test_a_job_is_done_once(tmp_path: Path, song: Path) -> None:
    folder = make_job(tmp_path, source(song))
    assert waiting_jobs(folder.parent) == [Job(folder)]
    run(folder)
    before = (folder / "result.json").read_bytes()
    assert waiting_jobs(folder.parent) == []
    with pytest.raises(JobTakenError):
        running.run_job(Job(folder), lambda *_: known_separator())
    assert (folder / "result.json").read_bytes() == before


def test_a_cancelled_job_is_not_picked_up(tmp_path: Path, song: Path) -> None:
    folder = make_job(tmp_path, source(song))
    (folder / "cancel").touch()
    assert waiting_jobs(folder.parent) == []


def test_a_folder_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="cannot be written"):
        running.run_job(Job(tmp_path / "gone"), lambda *_: known_separator())


def test_stems_appear_together_or_not_at_all(
    tmp_path: Path, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_job(tmp_path, source(song))
    genuine = Path.replace

    def failing(path: Path, target: Path) -> Path:
        if target.name == "Song - Accompaniment.wav":
            raise OSError(errno.ENOSPC, "No space left on device")
        return genuine(path, target)

    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(Path, "replace", failing)
    result = run(folder)
    assert "No space left on device" in result["error"]["message"]
    assert left(tmp_path / "Média") == []


def test_a_name_that_another_program_takes_at_the_last_moment_stays_its_own(
    tmp_path: Path, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_job(tmp_path, source(song))
    theirs = tmp_path / "Média" / "Song - Accompaniment.wav"

    def move_late(places: Mapping[Path, Path], **options: bool) -> None:
        if not theirs.exists():
            theirs.write_text("theirs")
        move_all_to_place(places, **options)

    monkeypatch.setattr(naming, "move_all_to_place", move_late)
    assert run(folder)["status"] == "ok"
    assert theirs.read_text() == "theirs"
    assert left(tmp_path / "Média") == [
        "Song (2) - Accompaniment.wav", "Song (2) - Vocals.wav", "Song - Accompaniment.wav"
    ]  # fmt: skip


def test_a_worker_that_is_killed_before_its_stems_are_in_place_leaves_none_of_their_names(
    tmp_path: Path, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_job(tmp_path, source(song))
    seen: list[list[str]] = []

    def move(*_: object, **__: object) -> None:
        seen.append([name for name in left(tmp_path / "Média") if not name.startswith(".")])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(naming, "move_all_to_place", move)
    assert run(folder)["status"] == "error"
    assert seen == [[]]


def test_a_batch_in_the_media_folder_leaves_the_stems_of_a_running_job(
    tmp_path: Path, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_job(tmp_path, source(song))
    genuine = naming.move_to_free_names

    def move_late(job: Job, files: Mapping[str, Path], media: Path, name: str) -> Mapping[str, Path]:
        # The stems are complete and still hidden. Another process now does what a batch does first.
        program = "import sys; from pathlib import Path; from stemdock.files.staging import remove_abandoned"
        code = f"{program}; remove_abandoned(Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", code, str(media)], check=True)
        return genuine(job, files, media, name)

    monkeypatch.setattr(running, "move_to_free_names", move_late)
    assert run(folder)["status"] == "ok"
    assert left(tmp_path / "Média") == ["Song - Accompaniment.wav", "Song - Vocals.wav"]


def test_a_media_folder_that_cannot_be_made_is_told(tmp_path: Path, song: Path) -> None:
    (tmp_path / "file").touch()
    result = run(make_job(tmp_path, source(song), output_dir=str(tmp_path / "file" / "Media")))
    assert result["error"]["code"] == "OutputError"
    assert "Save the project" in result["error"]["hint"]


def test_only_jobs_of_long_ago_are_removed(tmp_path: Path, song: Path) -> None:
    old = make_job(tmp_path, source(song))
    for path in (old / "job.json", old):
        os.utime(path, (1e9, 1e9))
    new = old.with_name("new")
    new.mkdir()
    assert remove_old_jobs(old.parent) == 1
    assert list(old.parent.iterdir()) == [new]


def test_live_stems_are_those_in_the_files(tmp_path: Path, song: Path) -> None:
    folder = make_job(
        tmp_path, source(song), live=True, stems=["vocals"], mixes={"rest": ["mixture", "-vocals"]}
    )
    (entry,) = run(folder)["sources"]
    live = live_stems(Job(folder), "s1")
    assert live
    assert (live.stems, live.sample_rate, live.n_channels) == (("vocals", "rest"), SAMPLE_RATE, 2)
    files = [soundfile.read(stem["path"], dtype="float32")[0] for stem in entry["stems"]]
    assert live.length == len(files[0]) == 2 * SAMPLE_RATE
    assert np.array_equal(live.read(0, live.length), np.stack(files))
    assert np.array_equal(live.read(1000, 10), np.stack(files)[:, 1000:1010])
    assert live.read(live.length, 10).shape == (2, 0, 2)


def test_without_the_wish_there_are_no_live_stems(tmp_path: Path, song: Path) -> None:
    folder = make_job(tmp_path, source(song))
    run(folder)
    assert live_stems(Job(folder), "s1") is None
    assert not list(folder.glob("*-live.*"))


def test_live_stems_grow_by_whole_blocks(tmp_path: Path) -> None:
    job = Job(tmp_path)
    samples = np.random.default_rng(4).uniform(-1, 1, (2, 50, 2)).astype(np.float32)
    with LiveWriter(job, "s1") as writer:
        assert live_stems(job, "s1") is None
        writer.add(SAMPLE_RATE, {"low": samples[0, :30], "high": samples[1, :30]})
        live = live_stems(job, "s1")
        assert live
        assert live.length == 30
        writer.add(SAMPLE_RATE, {"low": samples[0, 30:], "high": samples[1, 30:]})
        assert live.length == 50
    assert np.array_equal(live.read(0, 100), samples)
    with live.path.open("ab") as file:
        file.write(b"half")
    assert live.length == 50
    (tmp_path / "s1-live.json").write_text('{"stems": 3}')
    with pytest.raises(JobError, match=r"s1-live\.json is damaged"):
        live_stems(job, "s1")


def test_surround_sound_becomes_stereo_on_request(tmp_path: Path) -> None:
    path = tmp_path / "surround.wav"
    mixture = np.random.default_rng(2).uniform(-0.1, 0.1, (LENGTH, 6))
    soundfile.write(path, mixture, SAMPLE_RATE, subtype="FLOAT")
    (entry,) = run(make_job(tmp_path, source(path), name="auto", downmix="auto"))["sources"]
    assert (entry["status"], entry["n_channels"]) == ("ok", 2)
    for name, changes in {"none": {}, "wrong": {"downmix": 3}}.items():
        (entry,) = run(make_job(tmp_path, source(path), name=name, **changes))["sources"]
        assert entry["status"] == "error"
