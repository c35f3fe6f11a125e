"""What a page gets of its songs, with a worker that the test controls, and once with the real one."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from importlib.resources import files
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rpp
import soundfile

from stemdock import CancelledError, Progress
from stemdock_hostkit.errors import InterruptedJobError, WorkerError
from stemdock_hostkit.job.states import Fault, JobProgress, JobResult
from stemdock_web.errors import RefusedError
from stemdock_web.folder_archive import archived, n_archived_bytes
from stemdock_web.orders import REST, Parts, parts_of
from support.web_server import PuppetWorker, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import NDArray

    from stemdock_hostkit.job.folder import Job
    from support.web_server import Page, Server


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> PuppetWorker:
    return PuppetWorker(monkeypatch, n_blocks=30)


def wav_of(worker: PuppetWorker) -> bytes:
    """A song as long as the stems."""
    file = io.BytesIO()
    mixture = worker.stems.sum(axis=0)
    soundfile.write(file, mixture, worker.SAMPLE_RATE, format="WAV", subtype="FLOAT")
    return file.getvalue()


def samples_of(page: Page, song: str, start: int, end: int) -> NDArray[np.float32]:
    answer = page.ask("GET", f"/api/songs/{song}/samples?start={start}&end={end}")
    frames = np.frombuffer(answer.body, np.float32)
    return frames.reshape(-1, 2, 2).transpose(1, 0, 2)


def sound_of(content: bytes) -> NDArray[np.float64]:
    samples, _ = soundfile.read(io.BytesIO(content))
    return np.asarray(samples)


def test_stems_can_be_heard_while_others_are_made(server: Server, worker: PuppetWorker) -> None:
    page = server.page()
    song = page.add(wav_of(worker), "A song.wav")
    wait_for(lambda: page.song(song).get("length") == worker.BLOCK)
    shown = page.song(song)
    assert (shown["name"], shown["state"], shown["stems"]) == ("A song.wav", "separating", list(worker.STEMS))
    assert (shown["sampleRate"], shown["nChannels"]) == (worker.SAMPLE_RATE, 2)
    assert np.array_equal(samples_of(page, song, 100, 5000), worker.stems[:, 100:5000])
    assert samples_of(page, song, 11000, 20000).shape[1] == 25
    assert wait_for(lambda: page.song(song)["duration"]) == 15
    worker.go_on.set()
    shown = page.wait(song, "done")
    assert shown["length"] == worker.stems.shape[1]
    assert np.array_equal(samples_of(page, song, 0, shown["length"]), worker.stems)


def test_the_page_s_chunks_are_answered_at_any_sample_rate(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    reel = files("stemdock_web").joinpath("page", "reel.js").read_text(encoding="utf-8")
    assert "this.chunkLength = CHUNK_LENGTH;" in reel
    (shift,) = re.findall(r"^const CHUNK_LENGTH = 1 << (\d+);$", reel, re.MULTILINE)
    length = 1 << int(shift)
    monkeypatch.setattr(PuppetWorker, "SAMPLE_RATE", 192_000)
    monkeypatch.setattr(PuppetWorker, "BLOCK", length)
    worker = PuppetWorker(monkeypatch, n_blocks=2)
    worker.go_on.set()
    page = server.page()
    song = page.add(b"sound")
    assert page.wait(song, "done")["sampleRate"] == 192_000
    assert samples_of(page, song, length, 2 * length).shape[1] == length


def test_pictures_grow_with_the_stems(server: Server, worker: PuppetWorker) -> None:
    page = server.page()
    song = page.add(wav_of(worker))
    early = wait_for(lambda: page.song(song).get("nColumns"))
    worker.go_on.set()
    page.wait(song, "done")
    wait_for(lambda: page.song(song)["nColumns"] > early)
    shown = page.song(song)
    assert shown["nColumns"] == -(-worker.stems.shape[1] // shown["columnLength"])
    assert page.n_edges == 1, "long values that never change came more than once"
    size = 2 + len(shown["edges"]) - 1
    content = page.ask("GET", f"/api/songs/{song}/pictures?start=2&end=5").body
    columns = np.frombuffer(content, np.uint8).reshape(2, 3, size)
    for stem, drawn in zip(worker.stems, columns, strict=True):
        part = stem[2 * shown["columnLength"] : 3 * shown["columnLength"]]
        assert drawn[0, 0] == pytest.approx(255 * part.max(), abs=1)
        assert drawn[0, 1] == pytest.approx(-255 * part.min(), abs=1)


def test_chosen_stems_reach_the_worker_with_the_rest(server: Server, worker: PuppetWorker) -> None:
    page = server.page()
    page.add(b"sound", stems="vocals")
    request = wait_for(lambda: worker.running)[0].request()
    assert request.stems == ("vocals",)
    assert request.mixes == {"everything else": ("mixture", "-vocals")}
    assert request.live


def test_all_stems_add_up_to_the_song(server: Server, worker: PuppetWorker) -> None:
    server.page().add(b"sound")
    request = wait_for(lambda: worker.running)[0].request()
    assert request.stems == ("vocals",)
    assert request.mixes == {"accompaniment": ("mixture", "-vocals")}


@pytest.mark.parametrize(
    ("chosen", "stems", "expected"),
    [
        (None, ("vocals", "other", "bass"), Parts(stems=("vocals", "bass"), rest="other")),
        (None, ("voice", "band"), Parts(stems=("voice", "band"), rest=REST)),
        (("bass", "other"), ("vocals", "other", "bass"), Parts(stems=("bass", "other"), rest=REST)),
    ],
)
def test_one_part_has_the_rest(
    chosen: tuple[str, ...] | None, stems: tuple[str, ...], expected: Parts
) -> None:
    assert parts_of(chosen, stems) == expected


@pytest.mark.parametrize("query", ["model=6stems", "model=2stems&stems=bass", "model=../2stems", ""])
def test_unknown_models_and_stems_are_refused(server: Server, query: str) -> None:
    page = server.page()
    assert page.ask("POST", f"/api/songs?name=a.wav&{query}", body=b"sound").status == 400
    assert server.files() == []


def test_songs_of_a_page_wait_for_one_another_but_not_for_other_pages(
    server: Server, worker: PuppetWorker
) -> None:
    ours, theirs = server.page(), server.page()
    first, second = ours.add(b"sound"), ours.add(b"sound")
    third = theirs.add(b"sound")
    wait_for(lambda: len(worker.running) == 2)
    wait_for(lambda: ours.song(second))
    assert [ours.song(first)["state"], ours.song(second)["state"]] == ["separating", "queued"]
    assert theirs.wait(third, "separating")
    ours.ask("DELETE", f"/api/songs/{first}")
    ours.wait(second, "separating")
    wait_for(lambda: [song["id"] for song in ours.songs] == [second])
    assert wait_for(lambda: not any(first in str(path) for path in server.files()))


def test_a_song_in_the_queue_can_be_removed(server: Server, worker: PuppetWorker) -> None:
    page = server.page()
    first, second, third = (page.add(b"sound") for _ in range(3))
    wait_for(lambda: worker.running)
    page.ask("DELETE", f"/api/songs/{second}")
    worker.go_on.set()
    page.wait(first, "done")
    page.wait(third, "done")
    assert len(worker.ended) == 2


def test_the_mix_is_exported_as_it_is_set(server: Server, worker: PuppetWorker) -> None:
    worker.go_on.set()
    page = server.page()
    song = page.add(wav_of(worker), "A song.wav")
    page.wait(song, "done")
    settings = {"vocals": {"gain": 0.5, "pan": 0.25}, "accompaniment": {"gain": 1.5, "pan": -1}}
    answer, name = page.export(song, choice="wav", mix=settings)
    assert name == "A song (mix).wav"
    assert answer.headers["content-disposition"].startswith("attachment")
    vocals, accompaniment = worker.stems.astype(np.float64)
    angle = 0.25 * np.pi / 2
    right = 0.5 * (vocals[:, 1] + vocals[:, 0] * np.sin(angle))
    left = 0.5 * vocals[:, 0] * np.cos(angle) + 1.5 * accompaniment.sum(axis=1)
    assert np.abs(sound_of(answer.body) - np.stack([left, right], axis=1)).max() < 1e-6


def test_an_untouched_mix_is_the_sum_of_the_stems(server: Server, worker: PuppetWorker) -> None:
    worker.go_on.set()
    page = server.page()
    song = page.add(wav_of(worker))
    page.wait(song, "done")
    plain, _ = page.export(song, choice="wav")
    assert np.abs(sound_of(plain.body) - worker.stems.sum(axis=0)).max() < 1e-6
    silent, _ = page.export(song, choice="wav", mix={"vocals": {"gain": 0, "pan": 0}})
    assert np.abs(sound_of(silent.body) - worker.stems[1]).max() < 1e-6


def test_stems_are_exported_alone_and_in_an_archive(server: Server, worker: PuppetWorker) -> None:
    worker.go_on.set()
    page = server.page()
    song = page.add(wav_of(worker), "A song.wav")
    page.wait(song, "done")
    vocals, name = page.export(song, choice="wav", stem="vocals", mix={"vocals": {"gain": 0, "pan": 0}})
    assert name == "A song (vocals).wav"
    assert np.array_equal(sound_of(vocals.body), worker.stems[0])
    archive, name = page.export(song, choice="zip")
    assert name == "A song.zip"
    with zipfile.ZipFile(io.BytesIO(archive.body)) as opened:
        members = {member.rpartition("/")[2]: opened.read(member) for member in opened.namelist()}
    assert set(members) == {"vocals.wav", "accompaniment.wav"}
    assert np.array_equal(sound_of(members["accompaniment.wav"]), worker.stems[1])
    flac, name = page.export(song, choice="flac")
    assert name == "A song (mix).flac"
    assert soundfile.info(io.BytesIO(flac.body)).format == "FLAC"


MIX = {"vocals": {"gain": 0.5, "pan": 0.25}, "accompaniment": {"gain": 0, "pan": 0}}


def members_of(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        return {member: opened.read(member) for member in opened.namelist()}


def test_a_mix_that_is_set_is_in_the_archive_too(server: Server, worker: PuppetWorker) -> None:
    worker.go_on.set()
    page = server.page()
    song = page.add(wav_of(worker), "A song.wav")
    page.wait(song, "done")
    members = members_of(page.export(song, choice="zip", mix=MIX)[0].body)
    assert set(members) == {f"A song/{name}.wav" for name in ("vocals", "accompaniment", "mix")}
    mix, _ = page.export(song, choice="wav", mix=MIX)
    assert np.array_equal(sound_of(members["A song/mix.wav"]), sound_of(mix.body))
    assert np.array_equal(sound_of(members["A song/vocals.wav"]), worker.stems[0])


def test_a_project_comes_with_its_sounds(server: Server, worker: PuppetWorker) -> None:
    worker.go_on.set()
    page = server.page()
    song = page.add(wav_of(worker), "A song.wav")
    page.wait(song, "done")
    archive, name = page.export(song, choice="rpp", mix=MIX)
    assert name == "A song (REAPER project).zip"
    members = members_of(archive.body)
    project = rpp.loads(members.pop("A song/A song.rpp").decode())
    sounds = {each[1] for each in project.findall(".//SOURCE/FILE")}
    assert {f"A song/{sound}" for sound in sounds} == set(members)
    assert len(members) == 4  # the mixture, two stems and the mix
    assert np.array_equal(sound_of(members["A song/A song media/vocals.wav"]), worker.stems[0])


def test_a_session_has_a_folder_of_its_name(server: Server, worker: PuppetWorker) -> None:
    worker.go_on.set()
    page = server.page()
    song = page.add(wav_of(worker), "No. 1: a song.wav")
    page.wait(song, "done")
    archive, name = page.export(song, choice="ardour")
    assert name.endswith(" (Ardour session).zip")
    members = members_of(archive.body)
    (session,) = (Path(member) for member in members if member.endswith(".ardour"))
    assert session.parent.name == session.stem
    sounds = [member for member in members if member.endswith(".wav")]
    assert len(sounds) == 3
    assert {Path(sound).parent for sound in sounds} == {
        session.parent / "interchange" / session.stem / "audiofiles"
    }


def test_a_project_of_audacity_keeps_its_folder(server: Server, worker: PuppetWorker) -> None:
    worker.go_on.set()
    page = server.page()
    song = page.add(wav_of(worker), "A song.wav")
    page.wait(song, "done")
    archive, name = page.export(song, choice="audacity", mix=MIX)
    assert name == "A song (Audacity project).zip"
    members = members_of(archive.body)
    project = members.pop("A song/A song.aup")
    assert b'projname="A song_data"' in project
    assert len(members) == 4  # the mixture, two stems and the mix
    assert all(f'aliasfile="{Path(member).name}"'.encode() in project for member in members)
    assert np.array_equal(sound_of(members["A song/A song_data/A song vocals.wav"]), worker.stems[0])


def test_an_archive_needs_no_space_and_no_seeking(tmp_path: Path) -> None:
    contents = {"a.wav": os.urandom(1_000_000), "b/c.wav": b"", "\N{EIGHTH NOTE}.wav": b"sound"}
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    parts = list(archived(tmp_path, "A song"))
    assert max(map(len, parts)) < 300_000
    assert n_archived_bytes(tmp_path, "A song") == sum(map(len, parts))
    assert members_of(b"".join(parts)) == {f"A song/{name}": content for name, content in contents.items()}


def test_an_archive_of_more_than_2_gb_does_not_say_its_size(tmp_path: Path) -> None:
    with (tmp_path / "a.wav").open("wb") as file:
        file.truncate(2_100_000_000)  # it needs no space
    assert n_archived_bytes(tmp_path, "A song") is None


@pytest.mark.parametrize("end", ["closed page", "many exports"])
def test_a_download_that_runs_is_completed(
    start: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    # More than the buffers of a connection hold.
    worker = PuppetWorker(monkeypatch, n_blocks=300)
    worker.go_on.set()
    server = start(away_time=0.2, closed_time=0.2)
    page = server.page()
    song = page.add(wav_of(worker))
    page.wait(song, "done")
    answer = page.order(song, b'{"choice": "zip"}')
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", answer.json["address"])
    response = connection.getresponse()
    begin = response.read(1000)
    if end == "closed page":
        page.close()
        wait_for(lambda: page.ask("POST", "/api/session").status == 401)
        wait_for(lambda: all("export-" in str(path) for path in server.files()))
    else:
        for _ in range(4):
            assert page.order(song, b'{"choice": "wav"}').status == 200
        assert server.ask("GET", answer.json["address"]).status == 404
    members = members_of(begin + response.read())
    connection.close()
    assert {name.rpartition("/")[2] for name in members} == {"vocals.wav", "accompaniment.wav"}
    assert int(response.headers["Content-Length"]) > sum(map(len, members.values()))
    if end == "closed page":
        wait_for(lambda: not [path for path in server.folder.glob("*/*") if path.is_dir()])
    else:
        wait_for(lambda: len(list(server.folder.glob("*/*/export-*"))) == 4)


def test_a_silent_mix_is_refused(server: Server, worker: PuppetWorker) -> None:
    worker.go_on.set()
    page = server.page()
    song = page.add(wav_of(worker))
    page.wait(song, "done")
    silent = {stem: {"gain": 0, "pan": 0} for stem in worker.STEMS}
    answer = page.order(song, json.dumps({"choice": "wav", "mix": silent}).encode())
    assert (answer.status, answer.json["error"]) == (422, "no stem is heard in this mix")


@pytest.mark.parametrize(("name", "suffix"), [("A film.mp4", ".mp4"), ("A film.avi", ".mkv")])
def test_a_film_gets_the_mix_as_its_sound(
    server: Server, worker: PuppetWorker, tmp_path: Path, name: str, suffix: str
) -> None:
    if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        pytest.skip("ffmpeg, which writes films, is not installed")
    film = tmp_path / name
    film.with_suffix(".wav").write_bytes(wav_of(worker))
    command = [
        "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=1.5",
        "-i", str(film.with_suffix(".wav")), "-shortest", str(film),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    worker.go_on.set()
    page = server.page()
    choice = next(choice for choice in page.offered["choices"] if choice["name"] == "video")
    assert film.suffix in choice["endings"]
    song = page.add(film.read_bytes(), name)
    page.wait(song, "done")
    answer, exported = page.export(song, choice="video", mix=MIX)
    assert exported == f"A film (mix){suffix}"
    (tmp_path / exported).write_bytes(answer.body)
    probe = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0"]
    kinds = subprocess.run([*probe, str(tmp_path / exported)], check=True, capture_output=True, text=True)
    assert set(kinds.stdout.split()) == {"video", "audio"}


def test_a_song_without_pictures_is_no_film(server: Server, worker: PuppetWorker) -> None:
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg, which writes films, is not installed")
    worker.go_on.set()
    page = server.page()
    song = page.add(wav_of(worker), "A song.mp4")
    page.wait(song, "done")
    answer = page.order(song, b'{"choice": "video"}')
    assert (answer.status, answer.json["error"]) == (422, "A song.mp4: contains no picture")


LONG = (
    "Symphony No. 5 in C minor, Op. 67 - I. Allegro con brio - Berliner Philharmoniker - remastered in 1984"
)


@pytest.mark.parametrize(
    ("name", "archive", "mix"),
    [
        ("Wait...wav", "Wait.zip", "Wait (mix).wav"),
        (".hidden.wav", "hidden.zip", "hidden (mix).wav"),
        ("Opus 3. No. 1", "Opus 3. No. 1.zip", "Opus 3. No. 1 (mix).wav"),
        (f"{LONG} (live at home).flac", f"{LONG} (live at home).zip", f"{LONG} (live at home) (mix).wav"),
        ("\u3042" * 50 + ".wav", "\u3042" * 40 + ".zip", "\u3042" * 40 + " (mix).wav"),
    ],
)
def test_exports_have_the_whole_name(
    server: Server, worker: PuppetWorker, name: str, archive: str, mix: str
) -> None:
    worker.go_on.set()
    page = server.page()
    song = page.add(wav_of(worker), name)
    page.wait(song, "done")
    assert page.export(song, choice="zip")[1] == archive
    assert page.export(song, choice="wav")[1] == mix


def test_stems_are_lowered_alike_and_the_page_says_so(server: Server, worker: PuppetWorker) -> None:
    worker.stems *= np.array([4, 1], np.float32)[:, None, None]
    worker.go_on.set()
    page = server.page()
    song = page.add(wav_of(worker))
    page.wait(song, "done")
    gain = (1 - 2**-15) / np.abs(worker.stems).max()
    for stem, samples in zip(worker.STEMS, worker.stems, strict=True):
        body = json.dumps({"choice": "flac", "stem": stem}).encode()
        answer = page.order(song, body).json
        assert answer["notes"] == [f"{-20 * np.log10(gain):.1f} dB lower, so that it does not clip."]
        exported = sound_of(server.ask("GET", answer["address"]).body)
        assert np.abs(exported - gain * samples).max() < 1e-6
    answer = page.order(song, b'{"choice": "wav", "stem": "vocals"}').json
    assert answer["notes"] == []


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_a_loud_dj_file_is_lowered(server: Server, worker: PuppetWorker) -> None:
    worker.stems *= 4
    worker.go_on.set()
    page = server.page()
    song = page.add(wav_of(worker), "A song.wav")
    page.wait(song, "done")
    answer = page.order(song, b'{"choice": "stem"}').json
    assert answer["name"] == "A song.stem.m4a"
    assert "dB lower, so that it does not clip." in answer["notes"][0]
    assert not [note for note in answer["notes"] if "/" in note], answer


def test_stems_that_are_cut_are_not_exported(server: Server, worker: PuppetWorker) -> None:
    worker.go_on.set()
    page = server.page()
    song = page.add(wav_of(worker))
    page.wait(song, "done")
    (stems,) = (path for path in server.files() if path.name.endswith("-live.f32"))
    os.truncate(stems, stems.stat().st_size // 2)
    answer = page.order(song, b'{"choice": "wav"}')
    assert answer.status == 422
    assert "the stems cannot be read" in answer.json["error"]
    assert not list(server.folder.glob("*/*/export-*"))


def test_a_song_whose_stems_are_cut_has_failed(server: Server, worker: PuppetWorker) -> None:
    page = server.page()
    song = page.add(wav_of(worker))
    stems = wait_for(lambda: [path for path in server.files() if path.name.endswith("-live.f32")])[0]
    page.wait(song, "separating")
    worker.stems = np.concatenate([worker.stems, worker.stems], axis=1)
    worker.go_on.set()
    shown = page.wait(song, "done", "failed")
    assert stems.exists()
    assert (shown["state"], shown["text"]) == ("failed", "The stems are not as long as the song")


def test_a_song_that_is_not_done_is_not_exported(server: Server, worker: PuppetWorker) -> None:
    page = server.page()
    song = page.add(wav_of(worker))
    page.wait(song, "separating")
    assert page.order(song, b'{"choice": "wav"}').status == 409


def test_an_export_that_fails_says_why_and_leaves_nothing(server: Server, worker: PuppetWorker) -> None:
    worker.go_on.set()
    page = server.page()
    song = page.add(b"this is not audio", "A song.wav")
    page.wait(song, "done")
    answer = page.order(song, b'{"choice": "wav"}')
    assert answer.status == 422
    assert answer.json["error"].startswith("A song.wav: ")
    assert str(server.folder) not in answer.body.decode()
    intact = page.add(wav_of(worker), "B song.wav")
    page.wait(intact, "done")
    (stems,) = (path for path in server.files() if intact in path.parts and path.name.endswith("-live.f32"))
    stems.unlink()
    answer = page.order(intact, b'{"choice": "wav"}')
    assert answer.status == 422
    assert "the stems cannot be read" in answer.json["error"]
    assert str(server.folder) not in answer.body.decode()
    assert not list(server.folder.glob("*/*/export-*"))


def test_old_exports_go(server: Server, worker: PuppetWorker) -> None:
    worker.go_on.set()
    page = server.page()
    song = page.add(wav_of(worker))
    page.wait(song, "done")
    for _ in range(6):
        page.export(song, choice="wav")
    assert len([path for path in server.files() if "export-" in str(path)]) == 4


def test_exports_that_nobody_fetches_go(server: Server, worker: PuppetWorker) -> None:
    worker.go_on.set()
    page = server.page()
    song = page.add(wav_of(worker))
    page.wait(song, "done")

    def begin() -> bool:
        return page.ask("POST", f"/api/songs/{song}/exports", body=b'{"choice": "wav"}').status == 202

    for _ in range(9):
        wait_for(begin)
    assert len(list(server.folder.glob("*/*/export-*"))) <= 4


def test_the_worker_s_errors_are_shown(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(job: Job, **_: Any) -> JobResult:
        path = job.request().sources[0].path
        fault = Fault(
            code="AudioFileError", message=f"{path}: contains no audio", remedy="Choose another file."
        )
        return JobResult(status="error", error=fault)

    monkeypatch.setattr("stemdock_web.songs.client.run", run)
    page = server.page()
    song = page.wait(page.add(b"sound", "A song.wav"), "failed")
    assert (song["text"], song["remedy"]) == ("A song.wav: contains no audio", "Choose another file.")


def test_a_song_that_failed_can_be_tried_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(job: Job, **_: Any) -> JobResult:
        return JobResult(status="error", error=Fault.of(InterruptedJobError(job.folder)))

    monkeypatch.setattr("stemdock_web.songs.client.run", run)
    page = server.page()
    song = page.add(b"sound", "A song.wav")
    text = page.wait(song, "failed")["text"]
    assert text == "A song.wav: the separation was interrupted, because its process was ended"
    worker = PuppetWorker(monkeypatch)
    worker.go_on.set()
    assert page.ask("POST", f"/api/songs/{song}/retry").status == 204
    assert page.wait(song, "done")["text"] == ""
    assert np.array_equal(samples_of(page, song, 0, 100), worker.stems[:, :100])
    assert page.ask("POST", f"/api/songs/{song}/retry").status == 409


def test_a_worker_that_does_not_start_is_said(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def run(_: Job, **__: Any) -> JobResult:
        raise WorkerError(tmp_path / "log.txt")

    monkeypatch.setattr("stemdock_web.songs.client.run", run)
    page = server.page()
    song = page.wait(page.add(b"sound"), "failed")
    assert "worker does not start" in song["text"]
    assert "doctor" in song["remedy"]


def test_an_unexpected_error_stops_one_song_only(
    server: Server, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def run(_: Job, **__: Any) -> JobResult:
        raise RuntimeError("/secret/place")

    page = server.page()
    monkeypatch.setattr("stemdock_web.songs.client.run", run)
    assert page.wait(page.add(b"sound"), "failed")["text"] == "Stemdock failed unexpectedly"
    assert "secret" not in str(page.songs)
    worker = PuppetWorker(monkeypatch)
    worker.go_on.set()
    page.wait(page.add(b"sound"), "done")
    assert "RuntimeError" in capfd.readouterr().err


def test_a_download_waits_for_consent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(job: Job, *, on_progress: Any, cancel: Any, consent: Any) -> JobResult:
        on_progress(JobProgress(state="asking", text="Download it once, about 80 MB?"))
        while not (consent.wait(0.02) or cancel.is_set()):
            pass
        return JobResult(
            status="error", error=Fault(code="X", message="consent", remedy=str(job.folder.name))
        )

    monkeypatch.setattr("stemdock_web.songs.client.run", run)
    page = server.page()
    song = page.add(b"sound")
    assert page.wait(song, "asking")["text"] == "Download it once, about 80 MB?"
    assert page.ask("POST", f"/api/songs/{song}/download").status == 204
    assert page.wait(song, "failed")["text"] == "consent"


def test_a_question_holds_no_other_songs(server: Server, worker: PuppetWorker) -> None:
    ours, theirs = server.page(), server.page()
    worker.go_on.set()
    asked = [ours.add(b"sound", model="4stems") for _ in range(3)]
    shown = ours.wait(asked[0], "asking")
    assert shown["text"].startswith("The model 4stems is not installed. Download it once, about ")
    theirs.wait(theirs.add(b"sound"), "done")
    assert len(worker.ended) == 1
    assert ours.ask("DELETE", f"/api/songs/{asked[0]}").status == 204
    ours.wait(asked[1], "asking")
    # PuppetWorker checks that there is consent only where it was asked for.
    assert ours.ask("POST", f"/api/songs/{asked[1]}/download").status == 204
    ours.wait(asked[1], "done")
    assert len(worker.ended) == 2
    ours.wait(asked[2], "asking")
    assert not [path for path in server.files() if asked[0] in str(path)]


@pytest.mark.slow
@pytest.mark.parametrize(("stems", "rest"), [("vocals", REST), ("", "accompaniment")])
def test_with_the_real_worker(server: Server, example: Path, stems: str, rest: str) -> None:
    page = server.page()
    song = page.add(example.read_bytes(), "Éxample ♪.mp3", stems=stems)
    shown = page.wait(song, "done", "failed")
    assert shown["state"] == "done", shown
    assert shown["stems"] == ["vocals", rest]
    mixture, sample_rate = soundfile.read(example)
    assert (shown["length"], shown["sampleRate"]) == (len(mixture), sample_rate)
    mix, name = page.export(song, choice="wav")
    assert name == "Éxample ♪ (mix).wav"
    assert np.abs(sound_of(mix.body) - mixture).max() < 1e-5
    assert not [path for path in server.files() if path.parent.name == "stems"]


def test_a_busy_worker_holds_neither_the_page_nor_the_end(
    server: Server, worker: PuppetWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes: list[str] = []
    monkeypatch.setattr("stemdock_web.warming.client.prepare", wishes.append)
    monkeypatch.setattr("stemdock_web.warming._EVERY", 0.0)
    page = server.page()
    for model in ("2stems", "6stems", "../2stems"):
        assert page.ask("POST", f"/api/warm?model={model}").status == 204
    assert wishes == ["2stems"]
    page.wait(page.add(b"sound"), "separating")
    # More than the threads that a server has for its answers.
    for _ in range(40):
        assert page.ask("POST", "/api/warm?model=2stems").status == 204
    page.add(b"another sound")
    assert wishes == ["2stems"]
    assert len(worker.running) == 1
    server.stop()


def test_an_export_says_how_far_it_is_and_can_be_cancelled(
    server: Server, worker: PuppetWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.go_on.set()
    page, other = server.page(), server.page()
    song = page.add(b"sound")
    page.wait(song, "done")

    def half(
        _: Any, __: Path, folder: Path, ___: Any, on_progress: Callable[[Progress], None], cancel: Event
    ) -> None:
        (folder / "half.wav").write_bytes(b"half")
        on_progress(Progress(done_length=1, total_length=2))
        assert cancel.wait(60)
        raise CancelledError

    monkeypatch.setattr("stemdock_web.running_exports.export", half)
    number = page.ask("POST", f"/api/songs/{song}/exports", body=b'{"choice": "wav"}').json["id"]
    address = f"/api/exports/{number}"
    assert wait_for(lambda: page.ask("GET", address).json["fraction"]) == 0.5
    for method in ("GET", "DELETE"):
        assert other.ask(method, address).status == 404
    waiting = page.ask("POST", f"/api/songs/{song}/exports", body=b'{"choice": "wav"}').json["id"]
    assert page.ask("GET", f"/api/exports/{waiting}").json == {"fraction": 0}
    assert page.ask("DELETE", address).status == 204
    assert page.ask("GET", address).status == 404
    assert wait_for(lambda: page.ask("GET", f"/api/exports/{waiting}").json["fraction"]) == 0.5
    assert len(list(server.folder.glob("*/*/export-*"))) == 1
    page.close()
    server.stop()
    assert server.files() == []


def test_exports_hold_no_answers(
    start: Callable[..., Server], worker: PuppetWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.go_on.set()
    server = start(n_sessions=40)
    go_on = Event()

    def wait(*_: object) -> None:
        assert go_on.wait(60)
        raise RefusedError(422, "it waited", remedy="")

    monkeypatch.setattr("stemdock_web.running_exports.export", wait)
    pages = [server.page() for _ in range(40)]
    songs = [page.add(b"sound") for page in pages]
    for page, song in zip(pages, songs, strict=True):
        page.wait(song, "done")
    with ThreadPoolExecutor(len(pages)) as pool:
        exports = [
            pool.submit(page.order, song, b'{"choice": "wav"}')
            for page, song in zip(pages, songs, strict=True)
        ]
        assert samples_of(pages[-1], songs[-1], 0, 10).shape[1] == 10
        assert not any(export.done() for export in exports)
        go_on.set()
        assert {export.result().status for export in exports} == {422}
