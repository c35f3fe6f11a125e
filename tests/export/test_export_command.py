from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import stemdock_export.reference
from stemdock.cli.main import run
from stemdock.plugins import Plugins
from stemdock_export import plugin
from stemdock_export.errors import ParityError
from stemdock_export.figures import StemFigures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from stemdock_export.config import SpleeterConfig

pytestmark = pytest.mark.slow


@pytest.fixture
def export(small_config_file: Path) -> Callable[..., int]:
    plugins = Plugins()
    plugins.register(plugin, "export")

    def call(*arguments: object, config: object = small_config_file) -> int:
        return run(["export", "--config", str(config), *map(str, arguments)], plugins)

    return call


def test_offering_the_command_costs_nothing() -> None:
    heavy = "{'click', 'google_crc32c', 'numpy', 'onnx', 'tensorflow', 'tf2onnx', 'stemdock_export.command'}"
    script = (
        "import sys, stemdock_export.plugin as p; p.stemdock_commands(); "
        f"sys.exit(len({heavy} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_help_needs_neither_numpy_nor_tensorflow() -> None:
    script = (
        "import sys, stemdock_export.plugin as p; p.stemdock_commands()[0].load(); "
        "sys.exit(len({'google_crc32c', 'numpy', 'onnx', 'tensorflow', 'tf2onnx'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.export
def test_a_model_is_written_and_its_parity_printed(
    export: Callable[..., int], small_checkpoint: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from stemdock.inference.session import OnnxSession  # noqa: PLC0415

    output = tmp_path / "mine.onnx"
    assert export(small_checkpoint, "-o", output, "--licence", "CC0, me") == 0
    assert list(tmp_path.iterdir()) == [output]
    out, err = capfd.readouterr()
    assert err.splitlines() == [
        "loading TensorFlow ...",
        f"reading {small_checkpoint / 'model'} ...",
        "converting ...",
        "checking the model ...",
    ]
    assert out.startswith(f"{output}: mine, 0.1 MB, voice, rest\nlicence of the weights: CC0, me\n")
    rows = [line.split() for line in out.splitlines()[2:]]
    assert rows[0] == ["signal", "stem", "estimate", "masked", "batch"]
    assert [row[:2] for row in rows[1:]] == [
        [signal, stem] for signal in ("music", "noise", "silence") for stem in ("voice", "rest")
    ]
    card = OnnxSession(output).card
    assert (card.name, card.stems, card.licence) == ("mine", ("voice", "rest"), "CC0, me")
    assert card.exporter.startswith("stemdock ")
    assert len(card.checkpoint_sha256) == 64


@pytest.mark.export
def test_an_unknown_checkpoint_has_an_unknown_licence(
    export: Callable[..., int], small_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(small_checkpoint, "-o", tmp_path / "x.onnx", "--name", "my own") == 0
    assert "my own, 0.1 MB" in (out := capsys.readouterr().out)
    assert "licence of the weights: unknown" in out


@pytest.mark.export
def test_large_kernels_are_halved(
    export: Callable[..., int],
    small_content: dict[str, Any],
    make_values: Callable[[SpleeterConfig], Mapping[str, Any]],
    write_checkpoint: Callable[[Path, Mapping[str, Any]], Path],
    tmp_path: Path,
) -> None:
    import json  # noqa: PLC0415

    from stemdock_export.config import load_config  # noqa: PLC0415

    params = {"conv_n_filters": [4, 4, 4, 4, 64, 128]}
    config = tmp_path / "wide.json"
    config.write_text(
        json.dumps({**small_content, "model": {"type": "unet.unet", "params": params}}), "utf-8"
    )
    checkpoint = write_checkpoint(tmp_path / "wide", make_values(load_config(str(config))))
    for weights in ("float32", "int16"):
        assert (
            export(checkpoint, "-o", tmp_path / f"{weights}.onnx", "--weights", weights, config=config) == 0
        )
    ratio = (tmp_path / "int16.onnx").stat().st_size / (tmp_path / "float32.onnx").stat().st_size
    assert 0.5 < ratio < 0.6


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("missing",), "missing: folder not found"),
        ((".",), "contains no checkpoint"),
    ],
)
def test_an_export_error_takes_one_line(
    export: Callable[..., int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert export(*arguments, "-o", "model.onnx") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert expected in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_configuration_is_reported(
    export: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(tmp_path, "-o", tmp_path / "model.onnx", config="spleeter:3stems") == 1
    assert "spleeter:3stems: no such configuration" in capsys.readouterr().err


def test_an_existing_model_is_kept_unless_asked(
    export: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "model.onnx"
    output.write_text("precious", encoding="utf-8")
    assert export(tmp_path / "checkpoint", "-o", output) == 1
    assert "already exists" in capsys.readouterr().err
    assert export(tmp_path / "checkpoint", "-o", tmp_path) == 1
    assert "is a folder" in capsys.readouterr().err
    assert export(tmp_path / "checkpoint", "-o", tmp_path / "nowhere" / "model.onnx") == 1
    assert "its folder does not exist" in capsys.readouterr().err
    assert output.read_text(encoding="utf-8") == "precious"


@pytest.mark.export
def test_the_same_checkpoint_gives_the_same_file(
    small_checkpoint: Path, small_config_file: Path, tmp_path: Path
) -> None:
    script = (
        "import sys; from stemdock.cli.main import run; from stemdock.plugins import Plugins; "
        "from stemdock_export import plugin; plugins = Plugins(); plugins.register(plugin, 'export'); "
        "sys.exit(run(sys.argv[1:], plugins))"
    )
    contents = []
    for seed in ("1", "2"):
        # The order in which tf2onnx walks its sets depends on the seed of Python's hashes.
        subprocess.run(
            [
                *(sys.executable, "-c", script, "export", small_checkpoint),
                *("--config", small_config_file, "--name", "small", "-o", tmp_path / seed),
            ],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        contents.append((tmp_path / seed).read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.export
def test_overwriting_replaces_the_model(
    export: Callable[..., int], small_checkpoint: Path, tmp_path: Path
) -> None:
    output = tmp_path / "model.onnx"
    output.write_text("old", encoding="utf-8")
    assert export(small_checkpoint, "-o", output, "--overwrite") == 0
    assert output.stat().st_size > 1000


@pytest.mark.export
@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (ParityError([], StemFigures(signal="s", quantity="estimate", stem="x", snr=1, max_error=1), 90), 1),
        (KeyboardInterrupt(), 130),
        (OSError(28, "No space left on device"), 1),
    ],
)
def test_nothing_is_left_of_a_failed_export(
    export: Callable[..., int],
    small_checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
    status: int,
) -> None:
    def fail(*_: object) -> None:
        assert len(list(tmp_path.iterdir())) == 2  # half-way: the unproven model is beside the old one
        raise failure

    monkeypatch.setattr(stemdock_export.reference, "require_parity", fail)
    output = tmp_path / "model.onnx"
    output.write_text("old", encoding="utf-8")
    assert export(small_checkpoint, "-o", output, "--overwrite") == status
    assert list(tmp_path.iterdir()) == [output]
    assert output.read_text(encoding="utf-8") == "old"


@pytest.mark.export
def test_a_model_that_appears_meanwhile_is_kept(
    export: Callable[..., int],
    small_checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "model.onnx"
    monkeypatch.setattr(
        stemdock_export.reference, "require_parity", lambda *_: output.write_text("theirs", encoding="utf-8")
    )
    assert export(small_checkpoint, "-o", output) == 1
    assert "already exists" in capsys.readouterr().err
    assert output.read_text(encoding="utf-8") == "theirs"
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize("package", ["tensorflow", "onnx", "tf2onnx"])
def test_a_missing_extra_is_named(
    export: Callable[..., int],
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    package: str,
) -> None:
    if package != "tensorflow":
        pytest.importorskip("tensorflow")
    monkeypatch.setitem(sys.modules, package, None)
    checkpoint = data / "checkpoints" / "4stems-narrow"
    assert export(checkpoint, "-o", tmp_path / "x.onnx", config=checkpoint / "config.json") == 1
    err = capsys.readouterr().err
    assert f"exporting and training need {package}, which is not installed" in err
    assert "pip install 'stemdock[export]'" in err


def test_a_checkpoint_that_does_not_fit_is_refused_without_the_extra(
    export: Callable[..., int],
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert export(data / "checkpoints" / "4stems-narrow", "-o", tmp_path / "x.onnx", config="2stems") == 1
    err = capsys.readouterr().err
    assert "variable conv2d/kernel has shape 5x5x2x4 instead of 5x5x2x16" in err
    assert "is not installed" not in err
