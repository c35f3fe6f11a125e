"""From a name to a model that gives Spleeter's own stems."""

from __future__ import annotations

from hashlib import sha256
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest

from stemdock import FetchProgress, Separator
from stemdock.cli.main import run
from stemdock.errors import CancelledError, ModelNotInstalledError
from support.small_model import write_noise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock import Plugins
    from stemdock_models.fetching import Fetcher
    from stemdock_models.store import Store
    from support.release_server import ReleaseServer


def snr(reference: np.ndarray, found: np.ndarray) -> float:
    return float(10 * np.log10((reference**2).sum() / ((reference - found) ** 2).sum()))


def test_a_pulled_model_gives_spleeters_own_stems(
    plugins: Plugins,
    server: ReleaseServer,
    narrow: Path,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ModelNotInstalledError, match="4stems") as caught:
        Separator("spleeter:4stems", plugins=plugins)
    assert "plugin-cli models pull 4stems" in caught.value.remedy
    assert server.requests == []

    assert run(["models", "pull", "spleeter:4stems"], plugins) == 0
    path = capsys.readouterr().out.strip()
    assert_intact("4stems")
    assert run(["models", "path", "4stems"], plugins) == 0
    assert capsys.readouterr().out.strip() == path

    separator = Separator("spleeter:4stems", plugins=plugins)
    assert separator.card.name == "4stems"
    assert separator.card.licence == "MIT"
    with np.load(narrow.parent / "mixture.npz") as arrays:
        stems = separator.separate(arrays["mixture"])
    assert list(stems) == ["vocals", "drums", "bass", "other"]
    with np.load(narrow / "spleeter_output.npz") as recorded:
        start = int(recorded["start"])
        for name, samples in stems.items():
            reference = recorded[name]
            assert snr(reference, samples[start : start + len(reference)]) >= 90


def test_what_is_there_is_not_fetched_again(
    plugins: Plugins, server: ReleaseServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "pull", "4stems"], plugins) == 0
    first = capsys.readouterr().out
    assert len(server.requests) == 1
    assert run(["models", "pull", "4stems"], plugins) == 0
    assert capsys.readouterr().out == first
    assert len(server.requests) == 1


def test_models_of_one_archive_share_its_download(
    plugins: Plugins, server: ReleaseServer, store: Store, assert_intact: Callable[..., None]
) -> None:
    assert run(["models", "pull", "4stems-16kHz", "4stems"], plugins) == 0
    assert len(server.requests) == 1
    assert_intact("4stems", "4stems-16kHz")
    assert {entry.name: entry.card.n_bins for entry in store.scan()[0]} == {
        "4stems": 1024,
        "4stems-16kHz": 1536,
    }
    assert list((store.folder / ".downloads").iterdir()) == []


@pytest.mark.parametrize(("first", "second"), [("4stems", "4stems-16kHz"), ("4stems-16kHz", "4stems")])
def test_the_second_model_of_an_archive_is_made_of_the_first(
    plugins: Plugins,
    server: ReleaseServer,
    store: Store,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    first: str,
    second: str,
) -> None:
    assert run(["models", "pull", first], plugins) == 0
    assert run(["models", "pull", second], plugins) == 0
    assert f"{second}: making it of {first}" in capsys.readouterr().err
    assert len(server.requests) == 1
    assert_intact("4stems", "4stems-16kHz")
    made = store.find(second)
    assert run(["models", "remove", first], plugins) == 0
    assert run(["models", "remove", second], plugins) == 0
    assert run(["models", "pull", second], plugins) == 0
    assert len(server.requests) == 2
    # To the last byte what comes of the archive.
    assert store.find(second) == made


def test_a_damaged_model_is_not_made_another_of(
    plugins: Plugins, server: ReleaseServer, store: Store, assert_intact: Callable[..., None]
) -> None:
    assert run(["models", "pull", "4stems"], plugins) == 0
    path = store.scan()[0][0].path
    path.write_bytes(path.read_bytes()[:-1])
    assert run(["models", "pull", "4stems-16kHz"], plugins) == 0
    assert len(server.requests) == 2
    assert run(["models", "pull", "4stems"], plugins) == 0
    assert_intact("4stems", "4stems-16kHz")


def test_of_another_archive_no_model_is_made(
    plugins: Plugins, server: ReleaseServer, archive: bytes, store: Store
) -> None:
    server.files["4stems.tar.gz"] = archive + b"\0" * 512
    other = sha256(server.files["4stems.tar.gz"]).hexdigest()
    assert run(["models", "pull", "4stems", "--sha256", other], plugins) == 0
    assert run(["models", "pull", "4stems-16kHz"], plugins) == 1
    assert store.find("4stems-16kHz") is None
    assert run(["models", "pull", "4stems-16kHz", "--sha256", other], plugins) == 0
    assert Separator("4stems-16kHz", plugins=plugins).card.licence == "unknown"


def test_a_hash_that_is_not_pinned_comes_from_the_release_and_is_reported(
    plugins: Plugins, assert_intact: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "pull", "4stems-finetune"], plugins) == 0
    assert "no sha256 is pinned in Stemdock; using the one in http" in capsys.readouterr().err
    assert_intact("4stems-finetune")


@pytest.mark.parametrize("checksums", [b"{}", b"[]", b"no json", b'{"4stems-finetune": "abc"}'])
def test_without_any_hash_nothing_is_fetched(
    plugins: Plugins,
    server: ReleaseServer,
    assert_intact: Callable[..., None],
    checksums: bytes,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.files["checksum.json"] = checksums
    assert run(["models", "pull", "4stems-finetune"], plugins) == 1
    assert "contains no valid sha256 for 4stems-finetune" in capsys.readouterr().err
    assert server.asked_for("4stems-finetune.tar.gz") == []
    assert_intact()


def test_separating_fetches_what_is_missing_and_says_so(
    plugins: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    song = write_noise(tmp_path / "song.wav", sample_rate=44100)
    assert run(["separate", str(song), "-m", "4stems", "-o", str(tmp_path / "out")], plugins) == 0
    captured = capsys.readouterr()
    assert "4stems: is not installed. Downloading it from http://127.0.0.1" in captured.err
    assert [line.rsplit("/", 1)[1] for line in captured.out.splitlines()] == [
        "vocals.wav", "drums.wav", "bass.wav", "other.wav",
    ]  # fmt: skip


def test_another_place_by_option_and_by_environment(
    plugins: Plugins, server: ReleaseServer, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card.write_text(card.read_text().replace(server.url, "http://127.0.0.1:9/nothing"))
    assert run(["models", "pull", "4stems", "--base-url", f"{server.url}/"], plugins) == 0
    monkeypatch.setenv("STEMDOCK_RELEASE_URL", server.url)
    assert run(["models", "pull", "4stems-finetune"], plugins) == 0
    assert len(server.asked_for("4stems-finetune.tar.gz")) == 1


def test_another_archive_must_be_named_by_its_hash(
    plugins: Plugins, server: ReleaseServer, archive: bytes, assert_intact: Callable[..., None]
) -> None:
    server.files["4stems.tar.gz"] = archive + b"\0" * 512
    assert run(["models", "pull", "4stems"], plugins) == 1
    assert_intact()
    other = sha256(server.files["4stems.tar.gz"]).hexdigest()
    assert run(["models", "pull", "4stems", "4stems-16kHz", "--sha256", other], plugins) == 2
    assert run(["models", "pull", "4stems", "--sha256", other.upper()], plugins) == 0
    assert_intact("4stems")
    assert Separator("4stems", plugins=plugins).card.licence == "unknown"


def test_an_unknown_name_lists_the_known_ones(plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "pull", "6stems"], plugins) == 1
    assert "4stems-finetune" in capsys.readouterr().err


@pytest.mark.parametrize("step", ["downloading", "unpacking", "reading", "trying"])
def test_it_can_be_cancelled(
    fetcher: Fetcher, server: ReleaseServer, assert_intact: Callable[..., None], step: str
) -> None:
    cancel = Event()
    model = fetcher.release.models["4stems"]

    def watch(progress: FetchProgress) -> None:
        if step in progress.step:
            cancel.set()

    with pytest.raises(CancelledError):
        fetcher.fetch([model], on_progress=watch, cancel=cancel)
    assert_intact()
    n_requests = len(server.requests)
    fetcher.fetch([model])
    assert_intact("4stems")
    # Once it had come, the archive need not come again.
    assert len(server.requests) == (n_requests if step != "downloading" else n_requests + 1)


def test_it_can_be_cancelled_while_another_task_has_the_archive(fetcher: Fetcher, store: Store) -> None:
    cancel = Event()

    def watch(progress: FetchProgress) -> None:
        if "waiting" in progress.step:
            cancel.set()

    with store.scratch("4stems", on_wait=pytest.fail), pytest.raises(CancelledError):
        fetcher.fetch([fetcher.release.models["4stems"]], on_progress=watch, cancel=cancel)


def test_progress_counts_the_bytes_of_the_download(fetcher: Fetcher, archive: bytes) -> None:
    seen: list[FetchProgress] = []
    fetcher.fetch([fetcher.release.models["4stems"]], on_progress=seen.append)
    counts = [each for each in seen if each.n_total_bytes]
    assert {each.n_total_bytes for each in counts} == {len(archive)}
    assert [each.n_done_bytes for each in counts] == sorted({each.n_done_bytes for each in counts})
    assert counts[-1].n_done_bytes == len(archive)
