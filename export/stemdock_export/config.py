"""Spleeter's JSON configurations, read as they are.

Only the keys that inference uses are read; those of training (learning rate, data paths, steps...)
say nothing about the network and are passed over. Spleeter itself falls back silently on a misspelt
activation and then separates into noise; here every value that is read must be a known one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from stemdock import INPUT_NAME, MaskExtension, parse_json
from stemdock_export.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

Activation = Literal["ReLU", "LeakyReLU", "ELU"]
"""LeakyReLU has slope 0.2 below zero, ELU has alpha 1."""
MaskFunction = Literal["unet.unet", "unet.softmax_unet"]
"""How logits become masks: a sigmoid per stem, or a softmax across stems."""

PREDEFINED: Final = ("2stems", "2stems-16kHz", "4stems", "4stems-16kHz", "5stems", "5stems-16kHz")
"""Names of the configurations that come with Stemdock."""

DEFAULT_FILTERS: Final = (16, 32, 64, 128, 256, 512)
_PARAMETERS: Final = frozenset({"conv_activation", "deconv_activation", "conv_n_filters"})
"""All that `model.params` can say of a U-Net: deezer/spleeter, model/functions/unet.py."""
_N_CHANNELS: Final = 2
"""The head of the U-Net always has two channels, so the mixture must have as many."""
_POOLING: Final = 64
"""Six levels of stride 2."""
_OVERLAP: Final = 4
"""`frame_length / frame_step` that the runtime's inverse transform holds for."""
_PREFIX: Final = "spleeter:"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpleeterConfig:
    """What a configuration says about the network and its masks."""

    source: str
    """The file or name it came from."""
    stems: tuple[str, ...]
    """`instrument_list`; the order decides which variables belong to which stem."""
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
    """Of the encoder; LeakyReLU where the configuration is silent."""
    deconv_activation: Activation
    """Of the decoder; ReLU where the configuration is silent."""
    filters: tuple[int, ...]
    """Channels after each of the six levels of the encoder (`conv_n_filters`)."""


def load_config(descriptor: str) -> SpleeterConfig:
    """The configuration of a name or file.

    Args:
        descriptor: `spleeter:4stems`, `4stems`, or the path of a JSON file. A name wins over a
            file that is called the same; write `./4stems` for the file.

    Raises:
        ConfigError: No such name or file, or a value that cannot be used.
    """
    name = descriptor.removeprefix(_PREFIX)
    if name in PREDEFINED:
        text = files("stemdock_export").joinpath("configs", f"{name}.json").read_text(encoding="utf-8")
        return parse_config(text, name)
    if descriptor.startswith(_PREFIX):
        raise ConfigError(descriptor, "", "no such configuration", remedy=_known())
    try:
        text = Path(descriptor).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(descriptor, "", "no such configuration or file", remedy=_known()) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(descriptor, "", f"cannot be read: {error}", remedy=_known()) from error
    return parse_config(text, descriptor)


def parse_config(text: str, source: str) -> SpleeterConfig:
    """The configuration in a JSON text.

    Args:
        text: JSON as Spleeter reads it.
        source: File or name for error messages.

    Raises:
        ConfigError: Not JSON, a key is missing, or a value cannot be used.
    """
    try:
        content = parse_json(text)
    except ValueError as error:
        raise ConfigError(source, "", f"not JSON: {error}", remedy="Correct the file.") from error
    if not isinstance(content, dict):
        raise ConfigError(source, "", "not a JSON object", remedy="Give Spleeter's configuration file.")
    return _Reader(source).config(content)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes values out of the parsed JSON and refuses those that cannot be used."""

    source: str

    def config(self, content: Mapping[str, Any]) -> SpleeterConfig:
        model = self._section(content, "model", known=frozenset({"type", "params"}))
        params = self._section(model, "model.params", known=_PARAMETERS)
        frame_length = self._natural(content, "frame_length")
        return SpleeterConfig(
            source=self.source,
            stems=self._stems(content),
            sample_rate=self._natural(content, "sample_rate"),
            frame_length=frame_length,
            hop_length=self._hop_length(content, frame_length),
            n_frames=self._pooled(content, "T", most=None),
            n_bins=self._pooled(content, "F", most=frame_length // 2 + 1),
            n_channels=self._one_of(content, "n_channels", (_N_CHANNELS,)),
            separation_exponent=self._exponent(content),
            mask_extension=self._one_of(content, "mask_extension", get_args(MaskExtension)),
            mask_function=self._one_of(model, "model.type", get_args(MaskFunction)),
            conv_activation=self._one_of(
                params, "model.params.conv_activation", get_args(Activation), default="LeakyReLU"
            ),
            deconv_activation=self._one_of(
                params, "model.params.deconv_activation", get_args(Activation), default="ReLU"
            ),
            filters=self._filters(params),
        )

    def _value(self, section: Mapping[str, Any], key: str) -> Any:
        try:
            return section[key.rpartition(".")[2]]
        except KeyError:
            raise self._fault(key, "missing") from None

    def _section(self, section: Mapping[str, Any], key: str, *, known: frozenset[str]) -> Mapping[str, Any]:
        # Here, unlike at the top, every key has a default: a misspelt one would go unnoticed.
        value = self._value(section, key)
        if not isinstance(value, dict):
            raise self._fault(key, f"{value!r} is not an object")
        for unknown in sorted(value.keys() - known):
            raise self._fault(f"{key}.{unknown}", f"unknown; known are {', '.join(sorted(known))}")
        return value

    def _natural(self, section: Mapping[str, Any], key: str) -> int:
        value = self._value(section, key)
        if not _is_natural(value):
            raise self._fault(key, f"{value!r} is not a positive whole number")
        return int(value)

    def _pooled(self, section: Mapping[str, Any], key: str, *, most: int | None) -> int:
        value = self._natural(section, key)
        if value % _POOLING != 0:
            raise self._fault(key, f"{value} is not a multiple of {_POOLING}")
        if most is not None and value > most:
            raise self._fault(key, f"{value} is more than the {most} bins of the spectrum")
        return value

    def _hop_length(self, section: Mapping[str, Any], frame_length: int) -> int:
        value = self._natural(section, "frame_step")
        if value * _OVERLAP != frame_length:
            raise self._fault("frame_step", f"{value} is not a quarter of frame_length {frame_length}")
        return value

    def _exponent(self, section: Mapping[str, Any]) -> float:
        value = self._value(section, "separation_exponent")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._fault("separation_exponent", f"{value!r} is not a number")
        if not (value > 0 and math.isfinite(value)):
            raise self._fault("separation_exponent", f"{value!r} is not a positive number")
        return float(value)

    def _one_of(
        self, section: Mapping[str, Any], key: str, legal: tuple[Any, ...], default: Any = None
    ) -> Any:
        if default is not None and key.rpartition(".")[2] not in section:
            return default
        value = self._value(section, key)
        if (type(value), value) not in [(type(each), each) for each in legal]:
            raise self._fault(key, f"{value!r} is none of {', '.join(str(each) for each in legal)}")
        return value

    def _stems(self, section: Mapping[str, Any]) -> tuple[str, ...]:
        key = "instrument_list"
        value = self._value(section, key)
        if not isinstance(value, list) or len(value) < 2:  # noqa: PLR2004  a ratio mask needs two
            raise self._fault(key, f"{value!r} is not a list of two or more names")
        for name in value:
            # Stems become names of files and of graph outputs.
            if (
                not isinstance(name, str)
                or not name.strip()
                or set(name) & set("/\\\0")
                or name == INPUT_NAME
            ):
                raise self._fault(key, f"{name!r} cannot name a stem")
        if len(set(value)) != len(value):
            raise self._fault(key, "names a stem twice")
        return tuple(value)

    def _filters(self, section: Mapping[str, Any]) -> tuple[int, ...]:
        key = "model.params.conv_n_filters"
        if "conv_n_filters" not in section:
            return DEFAULT_FILTERS
        value = self._value(section, key)
        n_levels = len(DEFAULT_FILTERS)
        if not isinstance(value, list) or len(value) != n_levels or not all(map(_is_natural, value)):
            raise self._fault(key, f"{value!r} is not a list of {n_levels} positive whole numbers")
        return tuple(value)

    def _fault(self, key: str, reason: str) -> ConfigError:
        return ConfigError(self.source, key, reason, remedy=f"Correct {key} in the configuration.")


def _is_natural(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _known() -> str:
    return f"Known configurations: {', '.join(_PREFIX + name for name in PREDEFINED)}; or give a JSON file."
