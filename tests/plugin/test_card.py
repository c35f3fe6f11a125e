"""Cards come from files that anybody can write: nothing in one may lead elsewhere or grow without end."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from small_model import small_card
from stemdock.card import card_from_metadata, card_to_metadata
from stemdock.errors import ModelContractError


@pytest.mark.parametrize(
    "stem",
    [
        "",
        " ",
        ".",
        "..",
        ".hidden",
        "../up",
        "/etc/x",
        "a/b",
        "a\\b",
        "C:x",
        "a\0",
        "a\n",
        "\x1b[2J",
        "a ",
        "a.",
        "x" * 65,
    ],
)
def test_a_stem_that_could_not_name_a_file_is_refused(stem: str) -> None:
    with pytest.raises(ModelContractError, match="illegal for files"):
        small_card(stems=(stem, "rest"))


@pytest.mark.parametrize("stem", ["vocals", "Gesang (weiblich)", "ボーカル", "drums+bass", "a.b"])
def test_any_language_can_name_a_stem(stem: str) -> None:
    assert small_card(stems=(stem, "rest")).stems[0] == stem


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"frame_length": 1 << 40, "hop_length": 1 << 38}, "too large"),
        ({"n_frames": 1 << 40}, "too large"),
        ({"n_channels": 1 << 40}, "too large"),
        ({"sample_rate": 1 << 40}, "sample rate"),
        ({"separation_exponent": float("nan")}, "exponent"),
        ({"separation_exponent": 1e308}, "exponent"),
        ({"name": "a\nb"}, "name"),
    ],
)  # fmt: skip
def test_sizes_and_numbers_have_limits(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(ModelContractError, match=reason):
        small_card(**changes)


def test_a_card_that_is_nested_too_deeply_is_refused() -> None:
    metadata = {**card_to_metadata(small_card()), "stemdock.stems": "[" * 100_000 + "]" * 100_000}
    with pytest.raises(ModelContractError, match="nested too deeply"):
        card_from_metadata(metadata, "m")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    key=st.sampled_from([field.name for field in dataclasses.fields(small_card())]),
    value=JSON | st.just(2) | st.just(["a", "b"]),
)
def test_any_value_makes_a_card_or_is_refused(key: str, value: object) -> None:
    metadata = {**card_to_metadata(small_card()), f"stemdock.{key}": json.dumps(value)}
    try:
        card = card_from_metadata(metadata, "m")
    except ModelContractError:
        return
    assert card_from_metadata(card_to_metadata(card), "m") == card
