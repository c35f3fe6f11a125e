from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from packing import pack
from release_server import ReleaseServer
from stemdock import Plugins
from stemdock.cli import builtin
from stemdock.inference.opening import open_model
from stemdock_models import catalogue, plugin
from stemdock_models.download import Line
from stemdock_models.hub import Hub
from stemdock_models.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECKPOINTS = Path(__file__).parents[1] / "data" / "checkpoints"


@pytest.fixture(scope="session")
def narrow() -> Path:
    """A genuine checkpoint of four stems whose layers are narrow, with its config.json."""
    return CHECKPOINTS / "4stems-narrow"


@pytest.fixture(scope="session")
def archive(narrow: Path) -> bytes:
    return pack(narrow)


@pytest.fixture
def server(archive: bytes) -> Iterator[ReleaseServer]:
    checksums = {"4stems": "0" * 64, "4stems-finetune": sha256(archive).hexdigest()}
    files = {
        "4stems.tar.gz": archive,
        "4stems-finetune.tar.gz": archive,
        "checksum.json": json.dumps(checksums).encode(),
    }
    with ReleaseServer(files) as server:
        yield server


@pytest.fixture
def card(
    archive: bytes, narrow: Path, server: ReleaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A card of the release whose 4stems is the narrow checkpoint, put in place of the genuine card."""
    wide = tmp_path / "16kHz.json"
    wide.write_text(json.dumps({**json.loads((narrow / "config.json").read_text()), "F": 1536}))
    config, pin = str(narrow / "config.json"), sha256(archive).hexdigest()
    models = [
        {"name": "4stems", "archive": "4stems", "config": config, "sha256": pin},
        {"name": "4stems-16kHz", "archive": "4stems", "config": str(wide), "sha256": pin},
        {"name": "4stems-finetune", "archive": "4stems-finetune", "config": config, "sha256": None},
    ]
    path = tmp_path / "release.json"
    path.write_text(
        json.dumps({"url": server.url, "checksums": "checksum.json", "licence": "MIT", "models": models})
    )
    monkeypatch.setattr(catalogue, "_CARD", path)
    return path


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    folder = tmp_path / "models"
    monkeypatch.setenv("STEMDOCK_MODELS", str(folder))
    monkeypatch.delenv("STEMDOCK_RELEASE_URL", raising=False)
    return Store(folder)


@pytest.fixture
def hub(store: Store, card: Path) -> Hub:  # noqa: ARG001  the card must be in place
    return Hub(
        release=catalogue.load_release(),
        store=store,
        line=Line(timeout=20, n_attempts=3, backoff=0.01),
    )


@pytest.fixture
def plugins(store: Store, card: Path) -> Plugins:  # noqa: ARG001  both must be in place
    """Stemdock's own commands and models, with the narrow release."""
    plugins = Plugins()
    plugins.register(builtin, "stemdock")
    plugins.register(plugin, "models")
    return plugins


@pytest.fixture
def assert_intact(store: Store) -> Callable[..., None]:
    """Fails unless every model in the store is whole, they are these, and nothing else is left."""

    def check(*names: str) -> None:
        entries, faults = store.scan()
        assert faults == []
        assert {entry.name for entry in entries} == set(names)
        plugins = Plugins()
        plugins.register(plugin, "models")
        for entry in entries:
            assert open_model(entry.name, plugins).entry == entry
            assert entry.path
            assert {path.name for path in entry.path.parent.iterdir()} == {"model.json", entry.path.name}
        work = store.folder / ".work"
        assert [path for path in work.glob("*") if path.is_dir()] == []

    return check
