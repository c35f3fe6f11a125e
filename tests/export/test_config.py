from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemdock_export.config import DEFAULT_FILTERS, PREDEFINED, SpleeterConfig, load_config, parse_config
from stemdock_export.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_CONTENT: dict[str, Any] = {
    "instrument_list": ["vocals", "accompaniment"],
    "sample_rate": 44100,
    "frame_length": 4096,
    "frame_step": 1024,
    "T": 512,
    "F": 1024,
    "n_channels": 2,
    "separation_exponent": 2,
    "mask_extension": "zeros",
    "model": {"type": "unet.unet", "params": {}},
}
_KEYS = [
    *(key for key in _CONTENT if key != "model"),
    "model",
    "model.type",
    "model.params",
    "model.params.conv_activation",
    "model.params.deconv_activation",
    "model.params.conv_n_filters",
]


def _changed(key: str, value: Any) -> str:
    content = copy.deepcopy(_CONTENT)
    section = content
    *path, last = key.split(".")
    for each in path:
        section = section[each]
    section[last] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("name", "stems", "n_bins", "mask_function", "activations"),
    [
        ("2stems", "vocals accompaniment", 1024, "unet.unet", ("LeakyReLU", "ReLU")),
        ("2stems-16kHz", "vocals accompaniment", 1536, "unet.unet", ("LeakyReLU", "ReLU")),
        ("4stems", "vocals drums bass other", 1024, "unet.unet", ("ELU", "ELU")),
        ("4stems-16kHz", "vocals drums bass other", 1536, "unet.unet", ("ELU", "ELU")),
        ("5stems", "vocals piano drums bass other", 1024, "unet.softmax_unet", ("ELU", "ELU")),
        ("5stems-16kHz", "vocals piano drums bass other", 1536, "unet.softmax_unet", ("ELU", "ELU")),
    ],
)
def test_predefined_configurations_are_the_released_ones(
    name: str, stems: str, n_bins: int, mask_function: str, activations: tuple[str, str]
) -> None:
    config = load_config(f"spleeter:{name}")
    assert config == load_config(name)
    assert config.stems == tuple(stems.split())
    assert (config.n_frames, config.n_bins, config.n_channels) == (512, n_bins, 2)
    assert (config.sample_rate, config.frame_length, config.hop_length) == (44100, 4096, 1024)
    assert (config.separation_exponent, config.mask_extension) == (2.0, "zeros")
    assert (config.mask_function, config.filters) == (mask_function, DEFAULT_FILTERS)
    assert (config.conv_activation, config.deconv_activation) == activations


def test_every_predefined_name_has_a_configuration() -> None:
    assert [load_config(name).source for name in PREDEFINED] == list(PREDEFINED)


def test_a_file_of_spleeter_s_own_with_its_training_keys_is_read_as_it_is(data: Path) -> None:
    path = data / "checkpoints" / "5stems-narrow" / "config.json"
    config = load_config(str(path))
    assert config.filters == (4, 6, 8, 8, 10, 12)
    assert config.mask_function == "unet.softmax_unet"
    assert config.source == str(path)


@pytest.mark.parametrize("descriptor", ["spleeter:3stems", "3stems", "no/such/file.json", "spleeter:", "."])
def test_an_unknown_descriptor_is_refused_and_the_known_ones_are_listed(descriptor: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(descriptor)
    assert caught.value.source == descriptor
    assert "spleeter:4stems" in caught.value.remedy


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(str(path))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"2stems"'])
def test_other_text_than_a_json_object_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "mine.json")
    assert "mine.json: invalid JSON: " in str(caught.value) or "mine.json: not a JSON object" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("instrument_list", ["vocals"]),
        ("instrument_list", ["vocals", "vocals"]),
        ("instrument_list", ["vocals", "a/b"]),
        ("instrument_list", ["vocals", "mixture_magnitude"]),
        ("instrument_list", ["vocals", 3]),
        ("instrument_list", "vocals"),
        ("sample_rate", 0),
        ("sample_rate", 44100.0),
        ("sample_rate", True),
        ("frame_length", "4096"),
        ("frame_step", 2048),
        ("T", 500),
        ("F", 1000),
        ("F", 2112),
        ("n_channels", 1),
        ("n_channels", 2.0),
        ("separation_exponent", 0),
        ("separation_exponent", 1e308 * -1),
        ("separation_exponent", "2"),
        ("mask_extension", "zeroes"),
        ("model", "unet.unet"),
        ("model.type", "blstm.blstm"),
        ("model.params", []),
        ("model.params.conv_activation", "elu"),
        ("model.params.deconv_activation", None),
        ("model.params.conv_activaton", "ELU"),
        ("model.params.conv_n_filters", [16, 32, 64]),
        ("model.params.conv_n_filters", [16, 32, 64, 128, 256, -512]),
        ("model.parameters", {}),
    ],
)
def test_an_unusable_value_is_refused_by_its_dotted_key(key: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(_changed(key, value), "mine.json")
    assert caught.value.key == key
    assert str(caught.value).startswith(f"mine.json: {key}: ")
    assert key in caught.value.remedy


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**400, 1 << 63, "a\0", "\ud800"])
def test_a_value_that_json_should_not_have_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match="invalid JSON"):
        parse_config(_changed("separation_exponent", value), "mine.json")


@pytest.mark.parametrize("key", list(_CONTENT))
def test_a_missing_key_is_refused(key: str) -> None:
    content = {name: value for name, value in _CONTENT.items() if name != key}
    with pytest.raises(ConfigError) as caught:
        parse_config(json.dumps(content), "mine.json")
    assert caught.value.key == key
    assert str(caught.value) == f"mine.json: the field '{key}' is missing"
    assert caught.value.remedy == "Use the configuration that the model was trained with."


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0"))
    | st.sampled_from([64, 512, "ELU"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
    max_leaves=8,
)


@given(key=st.sampled_from(_KEYS), value=_JSON)
def test_any_value_at_all_is_either_understood_or_refused_by_name(key: str, value: Any) -> None:
    error = config = None
    try:
        config = parse_config(_changed(key, value), "mine.json")
    except ConfigError as refusal:
        error = refusal
    if error is None:
        assert isinstance(config, SpleeterConfig)
        assert config.n_bins % 64 == 0
        assert len(config.stems) > 1
    else:
        # The step is checked against the frame length.
        assert error.key.startswith(key) or key == "frame_length"
        assert error.remedy
