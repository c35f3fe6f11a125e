"""A package of somebody else's adds models: it is in `example_package`."""

from __future__ import annotations

import json
import shutil
import sys
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from small_model import small_card, write_identity
from stemdock import ModelCard, Separator, load_plugins
from stemdock.cli.main import run
from stemdock.errors import ModelNotInstalledError

if TYPE_CHECKING:
    from stemdock_models.store import Store

PACKAGE = Path(__file__).with_name("example_package")


def write_model(path: Path, card: ModelCard) -> None:
    write_identity(path, card)
    path.with_suffix(".json").write_text(json.dumps(asdict(card)))


@pytest.fixture
def installed(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  must be empty
    """The package as pip would install it."""
    site = tmp_path / "site"
    shutil.copytree(PACKAGE, site)
    (site / "stemdock_example" / "remote").mkdir()
    write_model(site / "stemdock_example" / "example.onnx", small_card(name="example"))
    write_model(site / "stemdock_example" / "remote" / "second.onnx", small_card(name="second"))
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    info = site / f"stemdock_example-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = "\n".join(f"{name} = {module}" for name, module in project["entry-points"]["stemdock"].items())
    (info / "entry_points.txt").write_text(f"[stemdock]\n{points}\n")
    monkeypatch.syspath_prepend(site)
    monkeypatch.delitem(sys.modules, "stemdock_example", raising=False)


@pytest.mark.usefixtures("installed")
def test_a_package_adds_models_and_downloads(capsys: pytest.CaptureFixture[str]) -> None:
    plugins = load_plugins()
    assert Separator("example", plugins=plugins).entry.card == small_card(name="example")
    assert [status.fault for status in plugins.status if status.fault] == []
    with pytest.raises(ModelNotInstalledError):
        Separator("second", plugins=plugins)
    assert run(["models", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["example"]["installed"] is True
    assert rows["example"]["source"] == "stemdock-example"
    assert rows["second"]["installed"] is False
    assert run(["models", "pull", "second"]) == 0
    captured = capsys.readouterr()
    assert captured.out.strip().endswith("second.onnx")
    assert "copying" in captured.err
    assert run(["models", "verify", "second", "example"]) == 0
    assert capsys.readouterr().out == "second: ok\nexample: ok\n"
    sys.modules.pop("stemdock_example")
