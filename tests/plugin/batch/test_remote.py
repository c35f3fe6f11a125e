"""Songs and stems in an object store and on the web."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from stemdock.batch import object_store, planning
from stemdock.batch.object_store import ObjectInfo
from stemdock.batch.sources import Source
from stemdock.cli.main import run
from stemdock.errors import AudioFileError, CancelledError
from stemdock.lib.hashing import file_sha256
from stemdock.lib.locations import Location
from support.small_model import write_noise
from support.web_files import Web, web_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stemdock import Plugins

for package in ("s3fs", "moto", "flask_cors"):
    if find_spec(package) is None:
        pytest.skip(f"needs {package}: pip install -e '.[remote]' --group store", allow_module_level=True)

from support.s3_server import ANSWER_LOST, NO_ANSWER, S3Server  # noqa: E402  needs moto

pytestmark = pytest.mark.slow  # as a whole

RECORDS = ".stemdock/"


@pytest.fixture(scope="module")
def running() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


@pytest.fixture
def server(running: S3Server) -> Iterator[S3Server]:
    yield running
    running.faults.clear()
    running.requests.clear()
    running.delay = 0
    running.hung.clear()


class Store:
    """A bucket of songs, an empty one for stems, and the command."""

    def __init__(
        self, server: S3Server, plugins: Plugins, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.server = server
        self.plugins = plugins
        self.folder = folder
        self.capsys = capsys
        self.songs = f"songs-{uuid4().hex}"
        self.stems = f"stems-{uuid4().hex}"
        for bucket in (self.songs, self.stems):
            server.files.mkdir(bucket)

    def add(self, key: str, level: float = 0.5) -> Path:
        path = self.folder / "local" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        write_noise(path, level=level)
        self.server.files.put_file(str(path), f"{self.songs}/{key}")
        return path

    def run(self, *options: str, of: str = "", out: str = "", status: int = 0) -> list[dict[str, Any]]:
        line = ["separate", of or f"s3://{self.songs}", "-m", "small", "-o", out or f"s3://{self.stems}/out"]
        assert run([*line, "--progress", "json", *options], self.plugins) == status
        self.printed, self.messages = self.capsys.readouterr()
        return [json.loads(message) for message in self.messages.splitlines()]

    def files(self) -> dict[str, bytes]:
        """The stems, without the records."""
        return {
            key.removeprefix("out/"): content
            for key, content in self.server.content(self.stems).items()
            if RECORDS not in key
        }

    def records(self) -> list[Any]:
        content = self.server.content(self.stems)
        return [json.loads(content[key]) for key in sorted(content) if RECORDS in key]

    def local(self, song: str, out: str = "expected") -> dict[str, bytes]:
        """What separating a local file gives."""
        folder = self.folder / out
        assert (
            run(
                ["separate", str(self.folder / "local" / song), "-m", "small", "-o", str(folder)],
                self.plugins,
            )
            == 0
        )
        self.capsys.readouterr()
        return {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.wav"))
        }


@pytest.fixture
def store(server: S3Server, plugins: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Store:
    return Store(server, plugins, tmp_path, capsys)


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events if event["event"] not in {"song", "progress"}]


def test_from_bucket_to_bucket_as_on_a_disk(store: Store) -> None:
    store.add("a/1.wav")
    store.server.files.pipe_file(f"{store.songs}/notes.txt", b"notes")
    store.add("a/.2.wav")
    expected = {f"a/{name}": content for name, content in store.local("a/1.wav").items()}
    assert names(store.run()) == ["start", "done", "summary"]
    assert store.files() == expected
    assert store.printed.splitlines() == [
        f"s3://{store.stems}/out/a/1/{stem}.wav" for stem in ("low", "high")
    ]


def test_resuming_reads_neither_songs_nor_stems(store: Store) -> None:
    store.add("1.wav")
    store.run()
    before = store.server.content(store.stems)
    store.server.requests.clear()
    assert names(store.run("--resume")) == ["start", "skipped", "summary"]
    read = [path for method, path in store.server.requests if method == "GET" and path.endswith(".wav")]
    assert read == []
    assert not any(method in {"PUT", "POST", "DELETE"} for method, _ in store.server.requests)
    assert store.server.content(store.stems) == before


def change_song(store: Store) -> None:
    store.add("1.wav", level=0.25)


def change_stem(store: Store) -> None:
    store.server.files.pipe_file(f"{store.stems}/out/1/low.wav", b"x")


def remove_stem(store: Store) -> None:
    store.server.files.rm_file(f"{store.stems}/out/1/high.wav")


@pytest.mark.parametrize("spoil", [change_song, change_stem, remove_stem])
def test_what_is_not_as_it_should_be_is_done_again(store: Store, spoil: Callable[[Store], None]) -> None:
    store.add("1.wav")
    store.run()
    spoil(store)
    assert names(store.run("--resume")) == ["start", "done", "summary"]
    assert store.files() == store.local("1.wav")
    assert names(store.run("--resume")) == ["start", "skipped", "summary"]


def test_objects_of_others_are_never_replaced(store: Store) -> None:
    store.add("1.wav")
    store.server.files.pipe_file(f"{store.stems}/out/1/low.wav", b"mine")
    (event,) = store.run("--resume", status=1)
    assert event["event"] == "refused"
    assert event["error"] == f"s3://{store.stems}/out/1/low.wav: already exists"
    assert store.files() == {"1/low.wav": b"mine"}


def test_an_object_that_appears_meanwhile_stays(store: Store) -> None:
    store.add("1.wav")

    def appear(method: str, path: str) -> None:
        if (method, path) == ("PUT", f"/{store.stems}/out/1/high.wav"):
            store.server.faults.clear()
            store.server.files.pipe_file(f"{store.stems}/out/1/high.wav", b"mine")

    store.server.faults.append(appear)
    events = store.run(status=1)
    assert names(events) == ["start", "failed", "summary"]
    expected = store.local("1.wav")
    assert store.files() == {**expected, "1/high.wav": b"mine"}
    # The stem that had been uploaded is known, and may be completed once the other object has gone.
    store.server.files.rm_file(f"{store.stems}/out/1/high.wav")
    assert names(store.run("--resume")) == ["start", "done", "summary"]
    assert store.files() == expected


def test_two_songs_with_one_output_are_a_conflict(store: Store) -> None:
    store.add("1.wav")
    store.add("1.w64")
    (event,) = store.run(status=1)
    assert "would be written by 2 songs" in event["error"]


def test_a_stop_between_upload_and_record_costs_nothing(store: Store) -> None:
    store.add("1.wav")
    puts = []

    def stop(method: str, path: str) -> int | None:
        if method == "PUT" and RECORDS in path:
            puts.append(path)
            return 403 if len(puts) > 1 else None
        return None

    store.server.faults.append(stop)
    store.run(status=1)
    store.server.faults.clear()
    assert [record["complete"] for record in store.records()] == [False]
    assert store.files() == store.local("1.wav")
    assert names(store.run("--resume")) == ["start", "skipped", "summary"]
    assert [record["complete"] for record in store.records()] == [True]


def test_a_kill_between_two_uploads_costs_the_song_in_hand(store: Store, tmp_path: Path) -> None:
    store.add("1.wav")
    hang_at = f"/{store.stems}/out/1/high.wav"
    store.server.faults.append(lambda method, path: NO_ANSWER if (method, path) == ("PUT", hang_at) else None)
    driver = tmp_path / "driver.py"
    driver.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from stemdock import Plugins\n"
        "from stemdock.cli import builtin\n"
        "from stemdock.cli.main import run\n"
        "from support.small_model import SmallPlugin\n"
        "plugins = Plugins()\n"
        "plugins.register(builtin, 'stemdock')\n"
        "plugins.register(SmallPlugin(Path(sys.argv[1])), 'small')\n"
        "sys.exit(run(sys.argv[2:], plugins))\n"
    )
    (tmp_path / "model").mkdir()
    line = ["separate", f"s3://{store.songs}", "-m", "small", "-o", f"s3://{store.stems}/out"]
    with subprocess.Popen(
        [sys.executable, driver, tmp_path / "model", *line], env=environment(store.server)
    ) as process:
        assert store.server.hung.wait(120)
        process.send_signal(signal.SIGKILL)
    store.server.faults.clear()
    assert list(store.files()) == ["1/low.wav"]
    assert names(store.run("--resume")) == ["start", "done", "summary"]
    assert store.files() == store.local("1.wav")


def environment(server: S3Server) -> dict[str, str]:
    paths = [str(Path(__file__).parents[2]), *sys.path]
    return {**os.environ, **server.environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@pytest.mark.parametrize("status", [503, 500])
def test_errors_that_pass_are_tried_again(store: Store, status: int) -> None:
    store.add("1.wav")
    left = [status, status]
    store.server.faults.append(lambda *_: left.pop() if left else None)
    assert names(store.run()) == ["start", "done", "summary"]
    assert store.files() == store.local("1.wav")


def test_an_upload_that_succeeded_although_its_answer_was_lost_is_no_conflict(store: Store) -> None:
    store.add("1.wav")
    lost: list[str] = []

    def lose(method: str, path: str) -> int | None:
        if (method, path) == ("PUT", f"/{store.stems}/out/1/high.wav") and not lost:
            lost.append(path)
            return ANSWER_LOST
        return None

    store.server.faults.append(lose)
    assert names(store.run()) == ["start", "done", "summary"]
    assert lost
    assert store.files() == store.local("1.wav")


def test_a_download_that_hangs_can_be_stopped(store: Store, tmp_path: Path) -> None:
    store.add("1.wav")
    location = Location(f"s3://{store.songs}/1.wav")
    store.server.faults.append(lambda method, _: NO_ANSWER if method == "GET" else None)
    cancel = Event()
    raised: list[BaseException] = []

    def fetch() -> None:
        try:
            object_store.fetch(location, tmp_path / "copy", max_size=1 << 20, cancel=cancel)
        except CancelledError as error:
            raised.append(error)

    thread = Thread(target=fetch)
    thread.start()
    assert store.server.hung.wait(60)
    cancel.set()
    thread.join(60)
    assert len(raised) == 1


def test_a_song_that_the_disk_has_no_room_for_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add("1.wav")
    usage = shutil.disk_usage(store.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=(256 << 20) + 1000))
    store.server.requests.clear()
    events = store.run(status=1)
    assert "the disk for temporary files has too little room" in events[-2]["error"]
    assert ("GET", f"/{store.songs}/1.wav") not in store.server.requests


@pytest.mark.parametrize(("status", "said"), [(403, "access is denied"), (507, "the server answered 507")])
def test_a_store_that_refuses_stems_is_named_and_later_gets_the_rest(
    store: Store, status: int, said: str
) -> None:
    store.add("1.wav")
    store.add("2.wav")
    store.server.faults.append(
        lambda method, path: status if (method, path) == ("PUT", f"/{store.stems}/out/1/high.wav") else None
    )
    events = store.run(status=1)
    assert names(events) == ["start", "failed", "done", "summary"]
    (failed,) = [event for event in events if event["event"] == "failed"]
    assert failed["error"] == f"s3://{store.stems}/out/1/high.wav: cannot be used ({said})"
    assert sorted(store.files()) == ["1/low.wav", "2/high.wav", "2/low.wav"]
    store.server.faults.clear()
    assert names(store.run("--resume")) == ["start", "done", "skipped", "summary"]
    assert sorted(store.files()) == ["1/high.wav", "1/low.wav", "2/high.wav", "2/low.wav"]


def test_a_slow_store_is_only_slow(store: Store) -> None:
    store.add("1.wav")
    store.server.delay = 0.2
    assert names(store.run()) == ["start", "done", "summary"]


def test_secrets_appear_nowhere(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    store.add("1.wav")
    store.run()
    store.server.faults.append(lambda *_: 403)
    refused = store.run("--resume", "--overwrite", status=1)
    store.server.faults.clear()
    records = store.server.content(store.stems)
    told = [str(refused), caplog.text, *map(str, records.values())]
    for secret in ("secret-of-the-store", "key-of-the-store"):
        assert not any(secret in text for text in told)


def test_an_estimate_uploads_and_leaves_nothing_behind(store: Store) -> None:
    for number in range(11):
        store.add(f"{number}.wav")
    estimate = store.run("--estimate")[-1]
    assert (estimate["n_songs"], estimate["n_measured"]) == (11, 10)
    assert set(estimate["shares"]) == {"download", "decode", "separate", "encode", "upload", "other"}
    assert store.server.content(store.stems) == {}


def test_workers_share_a_bucket(store: Store) -> None:
    for number in range(4):
        store.add(f"{number}.wav", level=0.1 * (number + 1))
    assert names(store.run("--workers", "2")) == ["start", *["done"] * 4, "summary"]
    expected = {
        name: content for number in range(4) for name, content in store.local(f"{number}.wav").items()
    }
    assert store.files() == expected
    assert names(store.run("--workers", "2", "--resume")) == ["start", *["skipped"] * 4, "summary"]


def test_a_song_that_changes_meanwhile_fails(store: Store) -> None:
    store.add("1.wav")

    def change(method: str, path: str) -> None:
        if (method, path) == ("GET", f"/{store.songs}/1.wav"):
            store.server.faults.clear()
            store.server.files.pipe_file(f"{store.songs}/1.wav", store.add("2.wav", 0.1).read_bytes())

    store.server.faults.append(change)
    events = store.run(of=f"s3://{store.songs}/1.wav", status=1)
    assert "changed during the separation" in events[-2]["error"]
    assert store.files() == {}


def test_files_of_this_machine_to_a_bucket_and_back(store: Store, tmp_path: Path) -> None:
    path = store.add("1.wav")
    store.run(of=str(path))
    assert store.files() == store.local("1.wav")
    assert names(store.run("--resume", of=f"file://{path}")) == ["start", "skipped", "summary"]
    out = f"file://{tmp_path / 'back'}"
    events = store.run(out=out)
    assert events[-2]["outputs"]["low"] == str(tmp_path / "back/1/low.wav")
    assert (tmp_path / "back/1/low.wav").read_bytes() == store.files()["1/low.wav"]
    assert names(store.run("--resume", out=out)) == ["start", "skipped", "summary"]


def test_a_song_that_is_no_audio_is_named_by_its_address(store: Store) -> None:
    store.server.files.pipe_file(f"{store.songs}/1.wav", b"no audio")
    events = store.run(status=1)
    assert events[-2]["error"].startswith(f"s3://{store.songs}/1.wav: ")
    assert store.files() == {}
    assert "/object" not in store.messages


def test_patterns_and_missing_objects(store: Store) -> None:
    store.add("a/1.wav")
    store.add("b/2.wav")
    store.run(of=f"s3://{store.songs}/**/*.wav")
    assert sorted(store.files()) == ["1/high.wav", "1/low.wav", "2/high.wav", "2/low.wav"]
    events = store.run(of=f"s3://{store.songs}/none.wav", status=1)
    assert events[-2]["error"] == f"s3://{store.songs}/none.wav: no such file"
    events = store.run(of=f"s3://{store.songs}/*.ogg", status=1)
    assert "no audio file matches" in events[-2]["error"]


def test_names_of_objects_lead_nowhere_else(store: Store, tmp_path: Path) -> None:
    store.add("1.wav")
    for key in ("../../2.wav", "a/../../../3.wav", "C:\\x\\/4.wav", "//5.wav"):
        store.server.files.copy(f"{store.songs}/1.wav", f"{store.songs}/{key}")
    (tmp_path / "in").mkdir()
    store.run(out=str(tmp_path / "in/out"))
    found = {path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("low.wav")}
    assert found == {("in", "out")}
    assert (tmp_path / "in/out/C__x_/4/low.wav").exists()


@pytest.mark.parametrize(
    "address",
    [
        "ftp://host/",
        "ftp://host/a.mp3",
        "s3://me:secret@bucket",
        "https://host/",
        "file://me:secret@host/a.mp3",
    ],
)
def test_addresses_that_cannot_be_are_named(store: Store, address: str) -> None:
    events = store.run(of=address, status=1)
    assert [event["event"] for event in events] == ["start", "failed", "summary"]
    assert "secret" not in store.messages


def test_stems_are_not_songs_of_the_next_run(store: Store) -> None:
    store.add("1.wav")
    store.run(out=f"s3://{store.songs}/stems")
    events = store.run("--resume", out=f"s3://{store.songs}/stems")
    assert names(events) == ["start", "skipped", "summary"]


def test_tags_name_stems_of_songs_elsewhere(store: Store) -> None:
    store.add("1.wav")
    store.run("-f", "{artist}/{title}/{instrument}.{codec}")
    assert sorted(store.files()) == ["unknown artist/1/high.wav", "unknown artist/1/low.wav"]


@pytest.mark.parametrize(("tags", "sized"), [(True, True), (False, True), (False, False)])
def test_a_song_from_the_web(store: Store, tmp_path: Path, tags: bool, sized: bool) -> None:
    web = Web(files={"1.wav": store.add("1.wav").read_bytes()}, tags=tags, sized=sized, statuses=[503])
    out = tmp_path / "out"
    with web_server(web):
        address = f"{web.url}/a%20b/1.wav".replace("http://", "http://me:password@") + "?signature=s3cret"
        events = store.run(of=address, out=str(out))
        assert names(events) == ["start", "done", "summary"]
        assert events[1]["path"] == f"{web.url}/a%20b/1.wav"
        messages = [store.messages]
        assert names(store.run("--resume", of=address, out=str(out))) == ["start", "skipped", "summary"]
        web.statuses += [403] * 9
        messages.append(str(store.run("--resume", of=address, out=str(out), status=1)))
        assert f"{web.url}/a%20b/1.wav: cannot be read (access is denied)" in messages[-1]
    records = [path.read_text() for path in (out / ".stemdock").glob("*.json")]
    for secret in ("password", "s3cret", "me:"):
        assert not any(secret in text for text in (*messages, *records))
    assert {
        path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.wav")
    } == store.local("1.wav")


@pytest.mark.parametrize(
    "output",
    [
        "https://example.com/out",
        "ftp://example.com/out",
        "s3://a:b@bucket/out",
        "s3://",
        "memory://",
        "s3:///",
    ],
)
def test_outputs_that_cannot_be_are_refused(store: Store, output: str) -> None:
    store.add("1.wav")
    assert run(["separate", f"s3://{store.songs}", "-o", output], store.plugins) == 2
    message = store.capsys.readouterr().err
    assert "stems cannot be written to" in message
    assert "a:b@" not in message


def test_names_of_objects_can_contain_what_looks_like_a_query_or_a_pattern(store: Store) -> None:
    for key in ("Who?R=you.wav", "live [1999]/1.wav", "a*b/2.wav"):
        store.add(key)
    assert names(store.run()) == ["start", "done", "done", "done", "summary"]
    assert {key.rpartition("/")[0] for key in store.files()} == {"Who_R=you", "live [1999]/1", "a_b/2"}
    for number, name in enumerate(("Who?R=you.wav", "live [1999]", "a*b")):
        out = f"s3://{store.stems}/out{number}"
        assert names(store.run(of=f"s3://{store.songs}/{name}", out=out)) == ["start", "done", "summary"]


def test_patterns_are_those_of_folders(store: Store) -> None:
    for key in ("1.wav", "23.wav", "[a]/4.wav"):
        store.add(key)
    patterns = {"?.wav": ["1"], "2[0-9].wav": ["23"], "[[]a]/*.wav": ["4"]}
    for number, (pattern, found) in enumerate(patterns.items()):
        events = store.run(of=f"s3://{store.songs}/{pattern}", out=f"s3://{store.stems}/{number}")
        assert [Location(event["path"]).path.stem for event in events if event["event"] == "song"] == found


@pytest.mark.parametrize("out", ["", "/"])
def test_stems_beside_songs_and_above_them_are_no_songs(store: Store, out: str) -> None:
    store.add("a/1.wav")
    of = f"s3://{store.songs}" if out else f"s3://{store.songs}/a"
    for expected in ("done", "skipped"):
        events = store.run("--resume", of=of, out=f"s3://{store.songs}{out}")
        assert names(events) == ["start", expected, "summary"]


def test_a_store_keeps_capitals_apart(store: Store) -> None:
    store.add("A.wav")
    store.add("a.wav")
    assert names(store.run()) == ["start", "done", "done", "summary"]
    assert len(store.files()) == 4


def test_the_kind_of_an_address_may_be_in_capitals(store: Store) -> None:
    store.add("1.wav")
    events = store.run(of=f"S3://{store.songs}/1.wav", out=f"S3://{store.stems}/out")
    assert names(events) == ["start", "done", "summary"]


def test_a_song_whose_tags_cannot_be_read_now_gets_no_wrong_name(store: Store) -> None:
    store.add("1.wav")
    store.add("2.wav")
    left = [403]
    song = ("GET", f"/{store.songs}/1.wav")
    store.server.faults.append(lambda *request: left.pop() if left and request == song else None)
    options = ("--resume", "-f", "{artist}/{filename}/{instrument}.{codec}")
    assert names(store.run(*options, status=1)) == ["start", "failed", "done", "summary"]
    assert not any("/1/" in key for key in store.files())
    assert names(store.run(*options)) == ["start", "done", "skipped", "summary"]


def test_uploads_that_meet_are_tried_again(store: Store) -> None:
    store.add("1.wav")
    left = [409, 409]
    store.server.faults.append(
        lambda method, path: left.pop() if left and method == "PUT" and path.endswith("high.wav") else None
    )
    assert names(store.run()) == ["start", "done", "summary"]
    assert not left


def test_an_upload_in_parts_that_is_stopped_leaves_no_part(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(70 << 20)
    store.server.faults.append(lambda method, _: NO_ANSWER if method == "PUT" else None)
    cancel = Event()
    raised: list[BaseException] = []

    def upload() -> None:
        try:
            object_store.create(Location(f"s3://{store.stems}/large"), path, cancel=cancel)
        except CancelledError as error:
            raised.append(error)

    thread = Thread(target=upload)
    thread.start()
    assert store.server.hung.wait(60)
    assert store.server.files.list_multipart_uploads(store.stems)
    cancel.set()
    thread.join(60)
    assert len(raised) == 1
    assert not store.server.files.list_multipart_uploads(store.stems)


def test_a_large_upload_is_the_same(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(os.urandom(1 << 20) * 70)
    location = Location(f"s3://{store.stems}/large")
    assert object_store.create(location, path)
    assert object_store.sha256_of(location) == file_sha256(path)
    assert not object_store.create(location, path)


def test_of_many_songs_the_first_are_looked_at_before_any_work(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add("1.wav")
    store.add("2.wav")
    monkeypatch.setattr(planning, "N_CHECKED", 1)
    store.server.files.pipe_file(f"{store.stems}/out/2/low.wav", b"mine")
    events = store.run(status=1)
    assert names(events) == ["start", "done", "failed", "summary"]
    assert "already exists" in events[-2]["error"]
    assert store.files()["2/low.wav"] == b"mine"
    store.server.files.pipe_file(f"{store.stems}/other/1/low.wav", b"mine")
    assert names(store.run(out=f"s3://{store.stems}/other", status=1)) == ["refused"]


def test_machines_behind_one_name_may_have_other_etags(monkeypatch: pytest.MonkeyPatch) -> None:
    content = [b"song"]
    n_asked = 0

    def info(_: Location, __: Event | None = None) -> ObjectInfo:
        nonlocal n_asked
        n_asked += 1
        return ObjectInfo(size=len(content[0]), etag=str(n_asked), is_folder=False)

    def fetch(_: Location, path: Path, **__: object) -> None:
        path.write_bytes(content[0])

    monkeypatch.setattr(object_store, "info", info)
    monkeypatch.setattr(object_store, "fetch", fetch)
    with Source(Location("https://host/a.wav")) as source:
        source.identity()
        with source.local():
            source.check_unchanged()
            content[0] = b"gone"
            with pytest.raises(AudioFileError, match="changed"):
                source.check_unchanged()
