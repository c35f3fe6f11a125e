"""Which model a configuration gets: a checkpoint of MODEL_PATH, an installed model, or a download."""

from __future__ import annotations

import json
import logging
import shutil
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import stemdock
from stemdock_spleeter import Separator, SpleeterError
from stemdock_spleeter.configuration import find_configuration
from support.mixtures import snr
from support.packing import pack
from support.release_server import ReleaseServer
from support.spleeter_cases import CHECKPOINTS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

NARROW = CHECKPOINTS / "4stems-narrow"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store."""
    folder = tmp_path / "store"
    monkeypatch.setenv("STEMDOCK_MODELS", str(folder))
    return folder


@pytest.fixture
def mixture() -> np.ndarray:
    samples: np.ndarray = np.load(CHECKPOINTS / "mixture.npz")["mixture"]
    return samples


def config_file(folder: Path, **changes: Any) -> str:
    values = {**json.loads((NARROW / "config.json").read_text("utf-8")), **changes}
    path = folder / "config.json"
    path.write_text(json.dumps(values), "utf-8")
    return str(path)


def models_in(store: Path) -> list[str]:
    return sorted(path.parent.name for path in store.rglob("*.onnx"))


@pytest.mark.parametrize("model", ["4stems-narrow", "5stems-narrow"])
def test_a_checkpoint_gives_the_stems_of_the_original(mixture: np.ndarray, model: str) -> None:
    recorded = np.load(CHECKPOINTS / model / "spleeter_output.npz")
    start = int(recorded["start"])
    stems = Separator(str(CHECKPOINTS / model / "config.json")).separate(mixture)
    for stem, samples in stems.items():
        expected = recorded[stem]
        assert snr(expected, samples[start : start + len(expected)]) > 90


def test_a_checkpoint_is_converted_once_and_model_path_stays_as_it_was(
    store: Path, tmp_path: Path, mixture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model path"
    shutil.copytree(NARROW, folder / "4stems-narrow")
    before = sorted(folder.rglob("*"))
    monkeypatch.setenv("MODEL_PATH", str(folder))
    config = config_file(tmp_path)
    Separator(config).separate(mixture[:2000])
    (made,) = models_in(store)
    monkeypatch.setattr("stemdock_spleeter.weights.install_checkpoint", None)
    Separator(config).separate(mixture[:2000])
    assert models_in(store) == [made]
    assert sorted(folder.rglob("*")) == before


def test_a_checkpoint_that_was_trained_further_is_converted_again(
    store: Path, tmp_path: Path, mixture: np.ndarray
) -> None:
    folder = tmp_path / "4stems-narrow"
    shutil.copytree(NARROW, folder)
    config = config_file(tmp_path, model_dir=str(folder))
    first = Separator(config).separate(mixture[:20000])
    other = CHECKPOINTS / "5stems-narrow"
    shutil.rmtree(folder)
    shutil.copytree(other, folder)
    config = config_file(
        tmp_path, **json.loads((other / "config.json").read_text()) | {"model_dir": str(folder)}
    )
    assert set(Separator(config).separate(mixture[:20000])) == {*first, "piano"}
    assert len(models_in(store)) == 2


def test_a_damaged_conversion_is_made_again(store: Path, tmp_path: Path, mixture: np.ndarray) -> None:
    config = config_file(tmp_path)
    expected = Separator(config).separate(mixture[:20000])
    (model,) = store.rglob("*.onnx")
    model.write_bytes(b"damaged")
    found = Separator(config).separate(mixture[:20000])
    assert np.array_equal(found["vocals"], expected["vocals"])


def test_values_of_a_configuration_are_used(tmp_path: Path, mixture: np.ndarray) -> None:
    plain = Separator(config_file(tmp_path)).separate(mixture)
    full = Separator(config_file(tmp_path, mask_extension="average")).separate(mixture)
    assert snr(mixture, sum(full.values(), np.zeros_like(mixture))) > 80
    assert snr(mixture, sum(plain.values(), np.zeros_like(mixture))) < 60


def test_an_installed_model_needs_no_model_path(
    store: Path, tmp_path: Path, mixture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_PATH", str(tmp_path / "missing"))
    found = Separator("spleeter:2stems").separate(mixture[:40000])
    expected = stemdock.Separator("2stems").separate(mixture[:40000])
    assert list(found) == list(expected)
    assert all(np.array_equal(found[stem], expected[stem]) for stem in found)
    assert models_in(store) == []


def test_a_folder_without_a_checkpoint_never_gives_random_stems(
    tmp_path: Path, mixture: np.ndarray, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    (tmp_path / "2stems").mkdir()
    monkeypatch.setenv("MODEL_PATH", str(tmp_path))
    with caplog.at_level(logging.WARNING, "spleeter"):
        stems = Separator("spleeter:2stems").separate(mixture[:40000])
    assert "contains no checkpoint" in caplog.text
    assert np.abs(stems["vocals"] - stems["accompaniment"]).max() > 0.01


def test_a_damaged_checkpoint_is_an_error(tmp_path: Path, mixture: np.ndarray) -> None:
    folder = tmp_path / "4stems-narrow"
    shutil.copytree(NARROW, folder)
    (folder / "model.data-00000-of-00001").write_bytes(b"\0" * 368952)
    with pytest.raises(SpleeterError) as caught:
        Separator(config_file(tmp_path, model_dir=str(folder))).separate(mixture)
    assert caught.value.remedy


def test_models_come_from_the_release_that_the_environment_names(
    tmp_path: Path, mixture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = pack(NARROW)
    checksums = json.dumps({"mine": sha256(archive).hexdigest()}).encode()
    monkeypatch.setenv("MODEL_PATH", str(tmp_path / "model path"))
    with ReleaseServer({"mine.tar.gz": archive, "checksum.json": checksums}) as server:
        monkeypatch.setenv("GITHUB_HOST", server.url.removesuffix("/download/v1.4.0"))
        monkeypatch.setenv("GITHUB_REPOSITORY", "people/models")
        monkeypatch.setenv("GITHUB_RELEASE", "v9")
        config = config_file(tmp_path, model_dir="mine")
        stems = Separator(config).separate(mixture)
        n_requests = len(server.requests)
        assert server.requests[-1].path == "/people/models/releases/download/v9/mine.tar.gz"
        Separator(config).separate(mixture[:2000])
        assert len(server.requests) == n_requests
    expected = np.load(NARROW / "spleeter_output.npz")
    start = int(expected["start"])
    assert snr(expected["vocals"], stems["vocals"][start : start + 13230]) > 90


def test_an_archive_with_another_hash_is_refused(
    store: Path, tmp_path: Path, mixture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"4stems.tar.gz": pack(NARROW), "checksum.json": b'{"4stems": "%s"}' % (b"0" * 64)}
    monkeypatch.setenv("MODEL_PATH", str(tmp_path / "model path"))
    with ReleaseServer(files) as server:
        monkeypatch.setenv("GITHUB_HOST", server.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", "deezer/spleeter")
        with pytest.raises(SpleeterError, match="sha256"):
            Separator("spleeter:4stems").separate(mixture)
    assert models_in(store) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [("no JSON", "JSON"), ("[]", "JSON object"), ("{}", "model")],
)
def test_a_configuration_that_cannot_be_used(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text, "utf-8")
    with pytest.raises(SpleeterError, match=reason):
        find_configuration(str(path))


def test_a_configuration_without_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SpleeterError, match="model_dir"):
        find_configuration(config_file(tmp_path, model_dir=""))
