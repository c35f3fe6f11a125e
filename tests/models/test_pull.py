"""From a name to a model that gives Spleeter's own stems."""

from __future__ import annotations

from hashlib import sha256
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest

from stemdock import FetchProgress, ModelEntry, Separator, hookimpl
from stemdock.cli.main import run
from stemdock.errors import CancelledError, ModelNotInstalledError
from stemdock_export.direct import DirectConverter
from stemdock_export.exporting import export_checkpoint
from stemdock_models.store import Store
from support.small_model import small_card, write_identity, write_noise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock import Plugins
    from stemdock_export.exporting import ExportedModel
    from stemdock_models.fetching import Fetcher
    from support.release_server import ReleaseServer

pytestmark = pytest.mark.slow


def publish(store: Store, path: Path, converted: ExportedModel) -> None:
    source = "https://example.org"
    store.publish(path, converted.card, converted.sha256, source, on_wait=lambda: None)


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
    assert separator.model == "4stems"
    assert separator.entry.licence == "MIT"
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


def entries(plugins: Plugins) -> dict[str, ModelEntry]:
    return {entry.name: entry for entry in plugins.models()}


@pytest.mark.parametrize(
    "pulls", [["4stems"], ["4stems-16kHz"], ["4stems", "4stems-16kHz"], ["4stems-16kHz", "4stems"]]
)
def test_models_of_one_archive_share_its_weights(
    plugins: Plugins,
    server: ReleaseServer,
    store: Store,
    assert_intact: Callable[..., None],
    pulls: list[str],
) -> None:
    for name in pulls:
        assert run(["models", "pull", name], plugins) == 0
    assert len(server.requests) == 1
    assert_intact("4stems")
    found = entries(plugins)
    assert found["4stems"].path == found["4stems-16kHz"].path
    assert (found["4stems"].bandwidth, found["4stems-16kHz"].bandwidth) == (11025, 16537.5)
    assert run(["models", "verify", "4stems-16kHz", "4stems"], plugins) == 0
    assert list((store.folder / ".downloads").iterdir()) == []


def test_both_models_of_an_archive_give_what_converting_each_gives(
    plugins: Plugins, fetcher: Fetcher, narrow: Path, tmp_path: Path
) -> None:
    assert run(["models", "pull", "4stems"], plugins) == 0
    mixture = np.load(narrow.parent / "mixture.npz")["mixture"][:60000]
    for name in ("4stems", "4stems-16kHz"):
        path = tmp_path / f"{name}.onnx"
        config = fetcher.release.models[name].config
        converted = export_checkpoint(
            narrow, config, path, converter=DirectConverter(), name=name, licence="MIT"
        )
        publish(Store(tmp_path / "other"), path, converted)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("STEMDOCK_MODELS", str(tmp_path / "other"))
            separator = Separator(name, plugins=plugins)
        assert separator.entry.sha256 == converted.sha256
        expected = separator.separate(mixture)
        for stem, samples in Separator(name, plugins=plugins).separate(mixture).items():
            assert np.array_equal(samples, expected[stem])


@pytest.mark.parametrize(("old", "other"), [("4stems-16kHz", "4stems"), ("4stems", "4stems-16kHz")])
def test_a_model_with_a_file_of_its_own_still_works(
    plugins: Plugins,
    server: ReleaseServer,
    fetcher: Fetcher,
    store: Store,
    narrow: Path,
    tmp_path: Path,
    old: str,
    other: str,
) -> None:
    """Earlier versions installed a file for each model of an archive."""
    path = tmp_path / "m.onnx"
    config = fetcher.release.models[old].config
    converted = export_checkpoint(narrow, config, path, converter=DirectConverter(), name=old, licence="MIT")
    publish(store, path, converted)
    assert run(["models", "pull", old, other], plugins) == 0
    assert server.requests == []
    assert entries(plugins)[old].card == converted.card
    assert entries(plugins)[other].path == entries(plugins)[old].path
    assert run(["models", "verify", old, other], plugins) == 0

    file = entries(plugins)[old].path
    assert file
    file.write_bytes(file.read_bytes()[:-1])
    assert run(["models", "verify", old], plugins) == 1
    assert run(["models", "pull", old], plugins) == 0
    assert run(["models", "verify", old, other], plugins) == 0


def test_a_model_without_a_file_of_its_own_is_removed_with_the_other(
    plugins: Plugins, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "pull", "4stems-16kHz"], plugins) == 0
    assert run(["models", "remove", "4stems-16kHz"], plugins) == 1
    assert "plugin-cli models remove 4stems\n" in capsys.readouterr().err
    assert run(["models", "remove", "4stems"], plugins) == 0
    assert store.scan() == ([], [])
    assert "4stems-16kHz" not in entries(plugins)


def test_an_added_model_of_another_shape_has_no_variant(plugins: Plugins, tmp_path: Path) -> None:
    write_identity(tmp_path / "m.onnx", small_card(name="4stems"))
    assert run(["models", "add", str(tmp_path / "m.onnx")], plugins) == 0
    assert set(entries(plugins)) == {"2stems", "4stems"}


def test_a_damaged_model_is_fetched_again_for_its_variant(
    plugins: Plugins, server: ReleaseServer, store: Store, assert_intact: Callable[..., None]
) -> None:
    assert run(["models", "pull", "4stems"], plugins) == 0
    path = store.scan()[0][0].path
    assert path
    path.write_bytes(path.read_bytes()[:-1])
    assert run(["models", "pull", "4stems-16kHz"], plugins) == 0
    assert len(server.requests) == 2
    assert_intact("4stems")


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
    assert Separator("4stems", plugins=plugins).entry.licence == "unknown"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--sha256", "zz"), "64 digits"),
        (("--sha256", "g" * 64), "64 digits"),
        (("--base-url", "foo"), "--base-url: 'foo' is not an address that begins with http:// or https://"),
        (("--base-url", ""), "--base-url: '' is not an address that begins with http:// or https://"),
        (("--base-url", "file:///tmp"), "http:// or https://"),
        (("--base-url", "http://"), "http:// or https://"),
    ],
)
def test_a_wrong_hash_or_address_is_a_usage_error(
    plugins: Plugins,
    server: ReleaseServer,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    message: str,
) -> None:
    assert run(["models", "pull", "4stems", *options], plugins) == 2
    assert message in capsys.readouterr().err
    assert server.requests == []


def test_a_wrong_address_in_the_environment_is_named(
    plugins: Plugins, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STEMDOCK_RELEASE_URL", "foo")
    assert run(["models", "pull", "4stems"], plugins) == 2
    assert "STEMDOCK_RELEASE_URL: 'foo'" in capsys.readouterr().err


def test_an_unknown_name_lists_the_known_ones(plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "pull", "6stems"], plugins) == 1
    expected = "error: 6stems: no such model. Choose one of 4stems, 4stems-16kHz, 4stems-finetune.\n"
    assert capsys.readouterr().err == expected


class OtherPackage:
    @hookimpl
    def stemdock_models(self) -> list[ModelEntry]:
        return [ModelEntry(name="hpss", stems=("a", "b"), sample_rate=44100, version="1")]


def test_a_model_without_a_download_or_file_says_why(
    plugins: Plugins, narrow: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plugins.register(OtherPackage(), "hpss")
    assert (
        run(
            ["models", "add", str(narrow), "--name", "mine", "--config", str(narrow / "config.json")], plugins
        )
        == 0
    )
    capsys.readouterr()
    use = "separate --model hpss\n"
    for command, name, start, end in (
        ("pull", "hpss", "error: hpss: cannot be downloaded; it comes with a plug-in. ", use),
        ("pull", "mine", "error: mine: cannot be downloaded; it was added from a file or folder. ", "mine\n"),
        ("path", "hpss", "error: hpss: has no file, because it is part of a plug-in. ", use),
    ):
        assert run(["models", command, name], plugins) == 1
        error = capsys.readouterr().err
        assert error.startswith(start)
        assert error.endswith(end)


@pytest.mark.parametrize("step", ["downloading", "unpacking", "reading", "checking"])
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
