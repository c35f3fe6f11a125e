from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from stemdock import ModelCard, ModelEntry, Plugins, Separation, Separator, hookimpl
from stemdock.card import card_to_metadata
from stemdock.errors import ModelContractError, ModelError
from support.mixtures import DATA, generated_mixture, recorded_case, snr
from support.small_model import SmallSession, small_card

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def wide_separator() -> Separator:
    return Separator(separation=Separation(bandwidth="16k"))


def spleeter_card(**changes: object) -> ModelCard:
    shape = {"sample_rate": 44100, "frame_length": 4096, "hop_length": 1024, "n_bins": 1024}
    return small_card(**{**shape, **changes})


class TwoVariants:
    """A model and its 16 kHz variant, installed side by side."""

    def __init__(self, folder: Path, *cards: ModelCard) -> None:
        self.cards = {folder / f"{card.name}.onnx": card for card in cards}
        for path in self.cards:
            path.write_bytes(b"model")

    @hookimpl
    def stemdock_models(self) -> list[ModelEntry]:
        digest = sha256(b"model").hexdigest()
        return [ModelEntry(card=card, path=path, sha256=digest) for path, card in self.cards.items()]

    @hookimpl
    def stemdock_session(self, path: Path) -> SmallSession | None:
        return SmallSession(self.cards[path]) if path in self.cards else None


def write_model(path: Path, *, fixed_shape: bool) -> Path:
    """A network that answers with its input, whose shape it may insist on."""
    card = spleeter_card(mask_extension="zeros")
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


@pytest.mark.slow
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
    assert wide_separator.card.name == "2stems-16kHz"
    assert wide_separator.card.bandwidth == 16537.5


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_filter_leaves_nothing_above_the_network(separator: Separator) -> None:
    mixture = generated_mixture(60000)
    plain = Separator(separation=Separation(mwf=True)).separate(mixture)
    full = Separator(separation=Separation(mwf=True, bandwidth="full")).separate(mixture)
    for stem in separator.card.stems:
        assert np.array_equal(plain[stem], full[stem])


def test_an_installed_variant_is_taken(tmp_path: Path) -> None:
    wide = spleeter_card(name="two-16kHz", n_bins=1536)
    other = spleeter_card(name="three-16kHz", n_bins=1536, stems=("a", "b", "c"))
    plugins = Plugins()
    variants = TwoVariants(tmp_path, other, wide, spleeter_card(name="two"))
    plugins.register(variants, "variants")
    found = {}
    for bandwidth in ("11k", "16k", "full"):
        for model in ("two", "two-16kHz"):
            separator = Separator(model, separation=Separation(bandwidth=bandwidth), plugins=plugins)
            found[model, bandwidth] = (separator.card.name, separator.card.mask_extension)
    assert found == {
        ("two", "11k"): ("two", "zeros"),
        ("two", "16k"): ("two-16kHz", "zeros"),
        ("two", "full"): ("two", "average"),
        ("two-16kHz", "11k"): ("two", "zeros"),
        ("two-16kHz", "16k"): ("two-16kHz", "zeros"),
        ("two-16kHz", "full"): ("two-16kHz", "average"),
    }


def test_a_variant_is_made_once_and_again_if_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("STEMDOCK_CACHE", str(cache))
    model = write_model(tmp_path / "own.onnx", fixed_shape=False)

    def made() -> dict[str, bytes]:
        assert Separator(model, separation=Separation(bandwidth="16k"), plugins=Plugins()).card.n_bins == 1536
        return {path.name: path.read_bytes() for path in cache.iterdir()}

    first = made()
    assert len(first) == 2  # the variant and what onnxruntime makes of it
    assert made() == first
    for name, content in first.items():
        (cache / name).write_bytes(content[:-1])
    again = made()
    # What onnxruntime makes of the variant goes by its age, too, so that stays as it is.
    assert [again[name] == content for name, content in first.items()].count(True) == 1


def test_a_network_for_its_own_bins_alone_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path / "own.onnx", fixed_shape=True)
    with pytest.raises(ModelContractError, match="cannot look at 1536 bins"):
        Separator(model, separation=Separation(bandwidth="16k"), plugins=Plugins())


def test_a_model_of_another_rate_has_no_such_bandwidth(plugins: Plugins) -> None:
    for bandwidth in ("11k", "16k"):
        with pytest.raises(ModelError, match=f"no bandwidth {bandwidth}"):
            Separator("small", separation=Separation(bandwidth=bandwidth), plugins=plugins)
    Separator("small", separation=Separation(bandwidth="full"), plugins=plugins)


def test_without_a_place_for_the_variant_the_error_names_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_model(tmp_path / "own.onnx", fixed_shape=False)
    (tmp_path / "file").touch()
    monkeypatch.setenv("STEMDOCK_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="cannot be kept") as caught:
        Separator(model, separation=Separation(bandwidth="16k"), plugins=Plugins())
    assert "STEMDOCK_CACHE" in caught.value.remedy
