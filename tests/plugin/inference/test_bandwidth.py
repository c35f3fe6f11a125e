from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from stemdock import (
    ModelCard,
    ModelEntry,
    OnnxSession,
    Plugins,
    Separation,
    Separator,
    hookimpl,
    load_plugins,
    with_bins,
)
from stemdock.card import card_to_metadata
from stemdock.errors import ModelContractError, ModelDamagedError, ModelError
from stemdock.inference import runtime
from stemdock.inference.bandwidth import model_with_bins
from stemdock.inference.onnx_file import read_model
from stemdock.inference.protobuf import field_header
from stemdock.lib.hashing import file_sha256
from support.mixtures import DATA, generated_mixture, recorded_case, snr
from support.small_model import small_card

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock.types import Bandwidth

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wide_separator() -> Separator:
    return Separator(separation=Separation(bandwidth="16k"))


def spleeter_card(**changes: object) -> ModelCard:
    shape = {"sample_rate": 44100, "frame_length": 4096, "hop_length": 1024, "n_bins": 1024}
    return small_card(**{**shape, **changes})


class Offers:
    """Offers models."""

    def __init__(self, *entries: ModelEntry) -> None:
        self.entries = entries

    @hookimpl
    def stemdock_models(self) -> list[ModelEntry]:
        return list(self.entries)


def plugins_with(*entries: ModelEntry) -> Plugins:
    plugins = Plugins()
    plugins.register(Offers(*entries), "offers")
    return plugins


def entry_of(path: Path) -> ModelEntry:
    return ModelEntry.from_card(OnnxSession(path).card, path=path, sha256=file_sha256(path))


def write_model(path: Path, *, fixed_shape: bool = False, **changes: object) -> Path:
    """A network that answers with its input, whose shape it may insist on."""
    card = spleeter_card(**{"mask_extension": "zeros", **changes})
    shape = ["n", card.n_frames, card.n_bins, card.n_channels]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name in ("mixture_magnitude", *card.stems)
    ]
    wanted = numpy_helper.from_array(np.array([-1, *shape[1:]]), "shape")
    nodes = [helper.make_node("Abs", ["mixture_magnitude"], ["inside"])]
    nodes += [
        helper.make_node("Reshape", ["inside", "shape"], [stem])
        if fixed_shape
        else helper.make_node("Relu", ["inside"], [stem])
        for stem in card.stems
    ]
    graph = helper.make_graph(nodes, "network", values[:1], values[1:], [wanted] if fixed_shape else [])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model = onnx.shape_inference.infer_shapes(model)
    helper.set_model_props(model, card_to_metadata(card))
    onnx.save(model, path)
    return path


def level_above(samples: np.ndarray, frequency: float) -> float:
    """Share of the power that is above a frequency in Hz, at 44100 Hz, in dB."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))[:, None], axis=0)) ** 2
    first = round(frequency / 44100 * len(samples))
    return float(10 * np.log10(power[first:].sum() / power.sum() + 1e-12))


@pytest.mark.parametrize(("stem", "level"), [("vocals", 80), ("accompaniment", 90)])
def test_16k_is_the_16_khz_variant_of_the_original_spleeter(
    wide_separator: Separator, stem: str, level: float
) -> None:
    samples = wide_separator.separate(recorded_case("a"))[stem]
    with np.load(DATA / "spleeter_2stems-16kHz.npz") as recorded:
        expected = recorded[f"a16.{stem}"]
        cuts = [samples[start : start + expected.shape[1]] for start in recorded["a16.starts"]]
    assert snr(expected, np.stack(cuts)) >= level


def test_16k_has_the_name_and_the_bandwidth_of_that_variant(wide_separator: Separator) -> None:
    assert wide_separator.model == "2stems-16kHz"
    assert wide_separator.entry.bandwidth == 16537.5


def test_what_was_asked_for_is_what_stems_have(separator: Separator, wide_separator: Separator) -> None:
    mixture = np.random.default_rng(0).uniform(-0.3, 0.3, (60000, 2)).astype(np.float32)
    full = Separator(separation=Separation(bandwidth="full"))
    explicit = Separator(separation=Separation(bandwidth="11k"))
    by_default, narrow, wide, whole = (
        each.separate(mixture) for each in (separator, explicit, wide_separator, full)
    )
    for stem, samples in by_default.items():
        assert np.array_equal(narrow[stem], samples)
        assert level_above(samples, 11100) < -50
        assert level_above(wide[stem], 11100) > -10
        assert level_above(wide[stem], 16700) < -50
        assert level_above(whole[stem], 16700) > -30
    np.testing.assert_allclose(np.sum(list(whole.values()), axis=0), mixture, atol=2e-6)


@pytest.mark.parametrize("own_bins", [1024, 1536])
def test_a_model_has_both_bandwidths_whichever_its_file_has(tmp_path: Path, own_bins: int) -> None:
    """So an old file of a -16kHz model still opens, too."""
    name = "two-16kHz" if own_bins == 1536 else "two"
    entry = entry_of(write_model(tmp_path / "m.onnx", name=name, n_bins=own_bins))
    other = with_bins(entry, 2560 - own_bins)
    plugins = plugins_with(entry, other)
    found = {}
    for bandwidth in (None, "11k", "16k", "full"):
        chosen: Bandwidth | None = bandwidth
        for model in ("two", "two-16kHz"):
            separator = Separator(model, separation=Separation(bandwidth=chosen), plugins=plugins)
            assert separator.entry.card
            found[model, bandwidth] = (
                separator.model, separator.entry.card.n_bins, separator.entry.card.mask_extension
            )  # fmt: skip
    narrow, wide = ("two", 1024), ("two-16kHz", 1536)
    assert found == {
        ("two", None): (*narrow, "zeros"),
        ("two", "11k"): (*narrow, "zeros"),
        ("two", "16k"): (*wide, "zeros"),
        ("two", "full"): (*narrow, "average"),
        ("two-16kHz", None): (*wide, "zeros"),
        ("two-16kHz", "11k"): (*narrow, "zeros"),
        ("two-16kHz", "16k"): (*wide, "zeros"),
        ("two-16kHz", "full"): (*wide, "average"),
    }


def test_models_of_one_file_have_different_identities(tmp_path: Path) -> None:
    entry = entry_of(write_model(tmp_path / "m.onnx"))
    assert entry.identity == entry.sha256
    assert with_bins(entry, 1536).identity not in {entry.identity, with_bins(entry, 512).identity}


def test_a_variant_by_name_gives_the_stems_of_the_option() -> None:
    (embedded,) = (entry for entry in load_plugins().models() if entry.name == "2stems")
    plugins = plugins_with(embedded, with_bins(embedded, 1536))
    mixture = generated_mixture(30000)
    by_name = Separator("2stems-16kHz", plugins=plugins).separate(mixture)
    by_option = Separator("2stems", plugins=plugins, separation=Separation(bandwidth="16k")).separate(mixture)
    for stem, samples in by_name.items():
        assert np.array_equal(samples, by_option[stem])


def test_a_file_with_a_bandwidth_is_loaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = write_model(tmp_path / "own.onnx")
    loaded = []
    load_network = runtime.load_network

    def count(*args: Any, **kwargs: Any) -> Any:
        loaded.append(args[0].variant)
        return load_network(*args, **kwargs)

    monkeypatch.setattr("stemdock.inference.session.load_network", count)
    Separator(model, separation=Separation(bandwidth="16k"), plugins=Plugins())
    assert loaded == ["1536 bins"]


def test_a_variant_is_prepared_once_and_again_if_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("STEMDOCK_CACHE", str(cache))
    plugins = plugins_with(entry_of(write_model(tmp_path / "own.onnx", name="own")))

    def made() -> dict[str, int]:
        Separator("own", separation=Separation(bandwidth="16k"), plugins=plugins)
        return {path.name: path.stat().st_ino for path in cache.iterdir()}

    first = made()
    assert len(first) == 1
    assert made() == first
    (path,) = cache.glob("*/model.onnx")
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert made().keys() == first.keys()
    assert path.read_bytes() == content
    Separator("own", plugins=plugins)
    assert len(list(cache.iterdir())) == 2


def test_the_weights_are_kept_once(tmp_path: Path) -> None:
    """The derived model differs from the file in its shapes alone."""
    path = write_model(tmp_path / "m.onnx", fixed_shape=True)
    changed = onnx.load_from_string(b"".join(model_with_bins(read_model(path), 1536).pieces()))
    expected = onnx.load(path)
    del expected.graph.value_info[:]
    for value in (*expected.graph.input, *expected.graph.output):
        value.type.tensor_type.shape.dim[2].dim_value = 1536
    assert changed == expected


@given(st.binary(max_size=60))
def test_any_shape_is_changed_or_refused(tmp_path_factory: pytest.TempPathFactory, shape: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "shape.onnx"
    graph = b"".join([field_header(11, len(shape)), shape])
    path.write_bytes(b"".join([field_header(7, len(graph)), graph]))
    with suppress(ModelDamagedError):
        model_with_bins(read_model(path), 1536)


def test_a_network_for_its_own_bins_alone_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path / "own.onnx", fixed_shape=True)
    with pytest.raises(ModelContractError, match="does not work with 1536 bins"):
        Separator(model, separation=Separation(bandwidth="16k"), plugins=Plugins())


def test_a_model_of_another_rate_has_no_such_bandwidth(plugins: Plugins) -> None:
    for bandwidth in ("11k", "16k"):
        chosen: Bandwidth = bandwidth
        with pytest.raises(ModelError, match=f"does not support the bandwidth {bandwidth}"):
            Separator("small", separation=Separation(bandwidth=chosen), plugins=plugins)
    Separator("small", separation=Separation(bandwidth="full"), plugins=plugins)


def test_without_a_place_for_prepared_models_it_works_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("STEMDOCK_CACHE", str(tmp_path / "file"))
    plugins = plugins_with(entry_of(write_model(tmp_path / "own.onnx", name="own")))
    assert Separator("own", separation=Separation(bandwidth="16k"), plugins=plugins).model == "own-16kHz"
