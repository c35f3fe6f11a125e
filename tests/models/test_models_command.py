"""What `plugin-cli models list` says, and what it costs to ask."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from stemdock import load_plugins
from stemdock.cli.main import run
from support.small_model import file_of

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Plugins
    from stemdock_models.store import Store

KINDS = {
    "name": str,
    "stems": list,
    "bandwidth": float | None,
    "n_bytes": int | None,
    "source": str,
    "licence": str,
    "installed": bool,
    "path": str | None,
    "fault": str | None,
}


def rows(plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    capsys.readouterr()
    assert run(["models", "list", "--json"], plugins) == 0
    return {row["name"]: row for row in json.loads(capsys.readouterr().out)}


def test_the_genuine_list(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(load_plugins(), capsys)
    sizes = ("2stems", "4stems", "5stems")
    assert set(found) >= {size + kind for size in sizes for kind in ("", "-16kHz", "-finetune")}
    for row in found.values():
        assert row.keys() == KINDS.keys()
        assert all(isinstance(row[key], kind) for key, kind in KINDS.items())
    assert {name for name, row in found.items() if row["installed"]} == {"2stems"}
    assert found["5stems"]["stems"] == ["vocals", "piano", "drums", "bass", "other"]
    assert found["5stems"]["bandwidth"] == 11025
    assert found["5stems-16kHz"]["bandwidth"] == 16537.5
    assert (
        found["4stems"]["source"]
        == "https://github.com/deezer/spleeter/releases/download/v1.4.0/4stems.tar.gz"
    )
    assert "Deezer" in str(found["4stems"]["licence"])
    assert not store.folder.exists()


def test_the_list_for_people(plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "list"], plugins) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "stems", "up", "to", "size", "installed", "licence", "source"]
    (line,) = (line for line in lines if line.startswith("2stems "))
    assert "vocals, accompaniment" in line
    assert "11.0 kHz" in line
    assert "yes" in line.split()
    (line,) = (line for line in lines if line.startswith("4stems-16kHz "))
    assert "16.5 kHz" in line
    assert "no" in line.split()


def test_the_list_follows_what_happens(plugins: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
    assert rows(plugins, capsys)["4stems"]["installed"] is False
    assert run(["models", "pull", "4stems"], plugins) == 0
    row = rows(plugins, capsys)["4stems"]
    (entry,) = (entry for entry in plugins.models() if entry.name == "4stems")
    assert row["installed"] is True
    assert row["path"] == str(entry.path)
    assert row["n_bytes"] == file_of(entry).stat().st_size
    file_of(entry).unlink()
    row = rows(plugins, capsys)["4stems"]
    assert row["installed"] is False
    assert "models pull 4stems" in str(row["fault"])


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_folder_that_cannot_be_read_is_no_model(
    plugins: Plugins,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("STEMDOCK_MODELS", str(file))
    assert run(["models", "list", *options], plugins) == 0
    captured = capsys.readouterr()
    assert str(file) not in captured.out
    assert captured.err.startswith(f"warning: {file}: cannot be read (")
    assert captured.err.count("\n") == 1


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("arguments", ["--help", "separate --help", "models --help", "models list"])
def test_asking_imports_nothing_heavy(arguments: str) -> None:
    code = (
        f"import sys\nfrom stemdock.cli.main import run\nassert run({arguments.split()}) == 0\n"
        "heavy = {'numpy', 'onnxruntime', 'onnx', 'requests', 'filelock', 'urllib3', 'platformdirs'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize("seconds", ["nan", "inf", "1e300", "0", "-1", "1" * 400])
def test_a_timeout_that_is_none_is_wrong_usage(
    plugins: Plugins, seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "pull", "4stems", "--timeout", seconds], plugins) == 2
    assert "--timeout" in capsys.readouterr().err
