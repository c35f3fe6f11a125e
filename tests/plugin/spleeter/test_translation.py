"""Command lines of Spleeter in Stemdock's words."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click
import pytest

from stemdock import Plugins
from stemdock.cli.main import cli, run
from stemdock.plugins import load_plugins
from stemdock_spleeter import plugin
from support.spleeter_cases import CHECKPOINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXACT = "--sample-rate 44100 --no-tags --fold front --overwrite"


def translate(line: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    plugins = Plugins()
    plugins.register(plugin, "spleeter")
    assert run(["spleeter", line], plugins) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "spleeter separate -o out song.mp3",
            f"separate song.mp3 --model 2stems --output out --codec wav --bit-depth 16 {_EXACT}",
        ),
        (
            "spleeter separate -p spleeter:4stems-16kHz -o 'my stems' a.mp3 b.mp3 -c mp3 -b 192k",
            "separate a.mp3 b.mp3 --model 4stems-16kHz --output 'my stems' --codec mp3 --bitrate 192k "
            + _EXACT,
        ),
        (
            "python -m spleeter separate a.wav -o out -c flac -s 10 -d 20.5 --mwf --verbose",
            (
                "separate a.wav --model 2stems --output out --codec flac --bit-depth 24 --duration 20.5 "
                f"--start 10 --mwf {_EXACT}"
            ),
        ),
        (
            "spleeter separate a.wav -o out -f '{instrument}/{filename}.{codec}' -c ogg",
            (
                "separate a.wav --model 2stems --output out --codec ogg --bitrate 128k "
                f"--template '{{instrument}}/{{filename}}.{{codec}}' {_EXACT}"
            ),
        ),
        (
            "spleeter evaluate -p spleeter:4stems --mus_dir musdb -o results --mwf",
            "evaluate musdb --model 4stems --output results --mwf",
        ),
        (
            "spleeter train -p config.json -d data",
            "train --config config.json --data data --overwrite",
        ),
    ],
)
def test_a_line(line: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = translate(line, capsys)
    assert found == f"plugin-cli {expected}"
    assert_valid(shlex.split(found)[1:])


def test_a_configuration_becomes_a_model_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(CHECKPOINTS / "4stems-narrow")
    added, separated = translate("spleeter separate -p config.json -o out song.mp3", capsys)
    folder = CHECKPOINTS / "4stems-narrow"
    assert added == f"plugin-cli models add {folder} --config config.json --name config"
    assert "--model config " in separated


def assert_valid(words: Sequence[str]) -> None:
    """The words are a command line that plugin-cli can parse."""
    context = click.Context(cli, info_name="plugin-cli", obj=load_plugins())
    command = cli.get_command(context, words[0])
    assert command
    command.make_context(words[0], list(words[1:]), parent=context)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("spleeter separate -o out", "no equivalent"),
        ("spleeter separate a.wav -c wma", "wma"),
        ("spleeter separate a.wav -a my.Adapter", "adapters"),
        ("spleeter train -p config.json -d data -a my.Adapter", "adapters"),
        ("spleeter divide a.wav", "no verb"),
        ("spleeter separate 'a.wav", "quot"),
    ],
)
def test_a_line_without_an_equivalent(line: str, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    plugins = Plugins()
    plugins.register(plugin, "spleeter")
    assert run(["spleeter", line], plugins) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert reason in captured.err
