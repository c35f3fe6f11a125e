"""The equivalent of a Spleeter command line in Stemdock's own words."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from stemdock import StemdockError
from stemdock_spleeter.codecs import Codec
from stemdock_spleeter.configuration import PREFIX, find_configuration
from stemdock_spleeter.program import cli

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LOSSLESS: Final = {Codec.WAV, Codec.FLAC}
_EXACT: Final = ("--sample-rate", "44100", "--no-tags", "--fold", "front", "--overwrite")
"""What Spleeter does without being asked."""


class TranslationError(StemdockError):
    """A command line has no equivalent."""


def translated(line: str) -> list[str]:
    """The command lines of Stemdock that do the same.

    Args:
        line: A command line, such as `spleeter separate -o stems song.mp3`.

    Raises:
        TranslationError: Stemdock's own command cannot do what the line does.
    """
    verb, values, files = _parsed(line)
    if verb == "evaluate":
        words = [*_model(values), "--output", _output(values), *_flags(values)]
        return [shlex.join(["plugin-cli", "evaluate", values["mus_dir"], *words])]
    if values.get("adapter"):
        raise TranslationError(
            f"{line}: plugin-cli has no audio adapters", remedy="Use separate_file in Python: docs/python.md."
        )
    if verb == "train" and "data" in values:
        config = values.get("params_filename", "spleeter:2stems")
        words = ["--config", config, "--data", values["data"], "--overwrite"]
        return [shlex.join(["plugin-cli", "train", *words])]
    if verb != "separate" or "deprecated_files" in values or not files:
        raise TranslationError(
            f"{line}: has no equivalent", remedy="Give a complete line with separate, evaluate or train."
        )
    words = [*files, *_model(values), "--output", _output(values), *_encoding(values)]
    for option, name in (("filename_format", "--template"), ("duration", "--duration")):
        words += [name, values[option]] if option in values else []
    words += ["--start", values["offset"]] if "offset" in values else []
    return [*_preparation(values), shlex.join(["plugin-cli", "separate", *words, *_flags(values), *_EXACT])]


def _parsed(line: str) -> tuple[str, dict[str, Any], Sequence[str]]:
    """The verb, the given options and the songs of a line, without a look at the disk."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise TranslationError(f"{line}: {error}", remedy="Check the quotes.") from error
    start = next((i for i, word in enumerate(words) if word in cli.commands), None)
    if start is None:
        raise TranslationError(f"{line}: names no verb", remedy="Give a complete line of Spleeter.")
    command = cli.commands[words[start]]
    values, rest, _ = command.make_parser(click.Context(command)).parse_args(words[start + 1 :])
    files = values.pop("files", rest)
    # click marks an argument that is not given by an object of its own.
    return words[start], values, files if isinstance(files, tuple) else rest


def _model(values: dict[str, Any]) -> Iterator[str]:
    descriptor = values.get("params_filename", "spleeter:2stems")
    named = descriptor.startswith(PREFIX)
    yield "--model"
    yield descriptor.removeprefix(PREFIX) if named else Path(descriptor).stem


def _preparation(values: dict[str, Any]) -> list[str]:
    """The line that adds the model of a JSON configuration."""
    descriptor = values.get("params_filename", "spleeter:2stems")
    if descriptor.startswith(PREFIX):
        return []
    folder = find_configuration(descriptor).checkpoint_folder
    words = [str(folder), "--config", descriptor, "--name", Path(descriptor).stem]
    return [shlex.join(["plugin-cli", "models", "add", *words])]


def _output(values: dict[str, Any]) -> str:
    if "output_path" in values:
        return str(values["output_path"])
    command = cli.commands["separate"]
    (option,) = (param for param in command.params if param.name == "output_path")
    return str(option.get_default(click.Context(command)))


def _encoding(values: dict[str, Any]) -> list[str]:
    codec = Codec(values.get("codec", Codec.WAV))
    if codec == Codec.WMA:
        raise TranslationError("plugin-cli does not write wma", remedy="Use mp3, ogg or m4a.")
    if codec in _LOSSLESS:
        return ["--codec", codec, "--bit-depth", "16" if codec == Codec.WAV else "24"]
    return ["--codec", codec, "--bitrate", values.get("bitrate", "128k")]


def _flags(values: dict[str, Any]) -> list[str]:
    return ["--mwf"] if values.get("mwf") else []
