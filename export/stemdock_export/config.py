"""Reads Spleeter's JSON configurations.

Only the keys for inference are read. Keys for training (learning rate, data paths, steps...) do not
affect the network and are ignored. Spleeter silently replaces a misspelt activation by a default and
then produces noise; here every value that is read must be a known one.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal, get_args

from stemdock import INPUT_NAME, MaskExtension, parse_json, read_regular_file
from stemdock_export.config_values import Section, is_natural
from stemdock_export.errors import ConfigError

Activation = Literal["ReLU", "LeakyReLU", "ELU"]
"""LeakyReLU has slope 0.2 below zero, ELU has alpha 1."""
MaskFunction = Literal["unet.unet", "unet.softmax_unet"]
"""How logits become masks: a sigmoid per stem, or a softmax across stems."""

PREDEFINED: Final = ("2stems", "2stems-16kHz", "4stems", "4stems-16kHz", "5stems", "5stems-16kHz")
"""Names of the configurations that come with Stemdock."""

DEFAULT_FILTERS: Final = (16, 32, 64, 128, 256, 512)
_PARAMETERS: Final = frozenset({"conv_activation", "deconv_activation", "conv_n_filters"})
"""Keys of `model.params` for a U-Net: deezer/spleeter, model/functions/unet.py."""
_N_CHANNELS: Final = 2
"""The head of the U-Net always has two channels, so the mixture must have as many."""
_POOLING: Final = 64
"""Six levels of stride 2."""
_OVERLAP: Final = 4
"""`frame_length / frame_step` that the runtime's inverse transform supports."""
_PREFIX: Final = "spleeter:"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpleeterConfig:
    """The network of a configuration, and how its masks are made."""

    source: str
    """The file or name of the configuration."""
    stems: tuple[str, ...]
    """`instrument_list`; the order determines which variables belong to which stem."""
    sample_rate: int
    """Hz."""
    frame_length: int
    """Samples."""
    hop_length: int
    """Samples (`frame_step`)."""
    n_frames: int
    """Frames in a segment (`T`)."""
    n_bins: int
    """Bins that the network sees (`F`)."""
    n_channels: int
    separation_exponent: float
    mask_extension: MaskExtension
    mask_function: MaskFunction
    """`model.type`."""
    conv_activation: Activation
    """Of the encoder; LeakyReLU by default."""
    deconv_activation: Activation
    """Of the decoder; ReLU by default."""
    filters: tuple[int, ...]
    """Channels after each of the six levels of the encoder (`conv_n_filters`)."""


def load_config(descriptor: str) -> SpleeterConfig:
    """Loads a configuration by name or from a file.

    Args:
        descriptor: `spleeter:4stems`, `4stems`, or the path of a JSON file. A name takes precedence
            over a file of the same name; write `./4stems` for the file.

    Raises:
        ConfigError: The name or file does not exist, or a value cannot be used.
    """
    name = descriptor.removeprefix(_PREFIX)
    if name in PREDEFINED:
        text = files("stemdock_export").joinpath("configs", f"{name}.json").read_text(encoding="utf-8")
        return parse_config(text, name)
    if descriptor.startswith(_PREFIX):
        raise ConfigError(descriptor, "", "no such configuration", remedy=_known())
    try:
        text = read_regular_file(Path(descriptor), follow_link=True).decode()
    except FileNotFoundError:
        raise ConfigError(descriptor, "", "no such configuration or file", remedy=_known()) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(descriptor, "", f"cannot be read: {error}", remedy=_known()) from error
    return parse_config(text, descriptor)


def parse_config(text: str, source: str) -> SpleeterConfig:
    """Reads a configuration from JSON text.

    Args:
        text: A configuration file of Spleeter.
        source: File or name for error messages.

    Raises:
        ConfigError: The text is not JSON, a key is missing, or a value cannot be used.
    """
    try:
        content = parse_json(text)
    except ValueError as error:
        raise ConfigError(source, "", f"invalid JSON: {error}", remedy="Correct the file.") from error
    if not isinstance(content, dict):
        raise ConfigError(source, "", "not a JSON object", remedy="Choose a configuration file of Spleeter.")
    return _config(Section(source=source, content=content))


def _config(whole: Section) -> SpleeterConfig:
    model = whole.section("model", known=frozenset({"type", "params"}))
    params = model.section("params", known=_PARAMETERS)
    frame_length = whole.natural("frame_length")
    return SpleeterConfig(
        source=whole.source,
        stems=_stems(whole),
        sample_rate=whole.natural("sample_rate"),
        frame_length=frame_length,
        hop_length=_hop_length(whole, frame_length),
        n_frames=_segment_axis(whole, "T"),
        n_bins=_n_bins(whole, frame_length // 2 + 1),
        n_channels=whole.one_of("n_channels", (_N_CHANNELS,)),
        separation_exponent=whole.positive("separation_exponent"),
        mask_extension=whole.one_of("mask_extension", get_args(MaskExtension)),
        mask_function=model.one_of("type", get_args(MaskFunction)),
        conv_activation=params.one_of("conv_activation", get_args(Activation), default="LeakyReLU"),
        deconv_activation=params.one_of("deconv_activation", get_args(Activation), default="ReLU"),
        filters=_filters(params),
    )


def _segment_axis(section: Section, key: str) -> int:
    value = section.natural(key)
    if value % _POOLING != 0:
        raise section.error(key, f"{value} is not a multiple of {_POOLING}")
    return value


def _n_bins(section: Section, spectrum_length: int) -> int:
    value = _segment_axis(section, "F")
    if value > spectrum_length:
        raise section.error("F", f"{value} exceeds the {spectrum_length} bins of the spectrum")
    return value


def _hop_length(section: Section, frame_length: int) -> int:
    value = section.natural("frame_step")
    if value * _OVERLAP != frame_length:
        raise section.error("frame_step", f"{value} is not a quarter of frame_length {frame_length}")
    return value


def _stems(section: Section) -> tuple[str, ...]:
    key = "instrument_list"
    value = section.value(key)
    if not isinstance(value, list) or len(value) < 2:  # noqa: PLR2004  a ratio mask needs two
        raise section.error(key, f"{value!r} is not a list of two or more names")
    for name in value:
        # Stems become names of files and of graph outputs.
        if not isinstance(name, str) or not name.strip() or set(name) & set("/\\\0") or name == INPUT_NAME:
            raise section.error(key, f"{name!r} is not a valid stem name")
    if len(set(value)) != len(value):
        raise section.error(key, "contains a stem twice")
    return tuple(value)


def _filters(section: Section) -> tuple[int, ...]:
    key = "conv_n_filters"
    if key not in section:
        return DEFAULT_FILTERS
    value = section.value(key)
    n_levels = len(DEFAULT_FILTERS)
    if not isinstance(value, list) or len(value) != n_levels or not all(map(is_natural, value)):
        raise section.error(key, f"{value!r} is not a list of {n_levels} positive whole numbers")
    return tuple(value)


def _known() -> str:
    names = ", ".join(_PREFIX + name for name in PREDEFINED)
    return f"Choose one of {names}, or give a JSON file."
