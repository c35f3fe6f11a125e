"""Values of the wrong type or range, as callers of the Python API pass them by mistake."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from stemdock import (
    AudioWriter,
    Excerpt,
    Execution,
    Output,
    Separation,
    Separator,
    audio_info,
    open_audio,
    separate_file,
)
from stemdock.errors import ArgumentError, AudioError, ForkedError, OutputOptionError, StemdockError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock import Plugins

MIXTURE = np.random.default_rng(0).uniform(-0.5, 0.5, (2000, 2)).astype(np.float32)


class FolderLike:
    """A path of another library."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __fspath__(self) -> str:
        return str(self._path)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        ((MIXTURE * 32767).astype(np.int16), "int16 instead of floating point"),
        (((MIXTURE + 1) * 127).astype(np.uint8), "uint8 instead of floating point"),
        (MIXTURE > 0, "bool instead of floating point"),
        (MIXTURE.astype(np.complex64), "complex64 instead of floating point"),
        (MIXTURE.astype(object), "object instead of floating point"),
        (MIXTURE.tolist(), "a list instead of a NumPy array"),
        (None, "a NoneType instead of a NumPy array"),
        (np.ma.masked_less(MIXTURE, 0), "a masked array"),
        (MIXTURE[:, 0], r"unsupported shape \(2000,\)"),
        (np.array(1.0), r"unsupported shape \(\)"),
        (MIXTURE.T, r"unsupported shape \(2, 2000\)"),
    ],
)
def test_samples_that_are_none_are_refused(small_separator: Separator, samples: Any, reason: str) -> None:
    with pytest.raises(AudioError, match=reason) as caught:
        small_separator.separate(samples, 8000)
    assert caught.value.remedy
    with pytest.raises(AudioError, match=reason):
        list(small_separator.stream([samples], 8000))


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_other_floating_point_numbers_are_samples(small_separator: Separator, dtype: type) -> None:
    samples: Any = MIXTURE.astype(dtype)
    expected = small_separator.separate(samples.astype(np.float32))
    for stem, found in small_separator.separate(samples).items():
        assert np.array_equal(found, expected[stem])


@pytest.mark.parametrize("rate", [44100.0, "44100", 0, -1, 999, 768_001, True, [8000]])
def test_rates_that_are_none_are_refused_at_the_call(small_separator: Separator, rate: Any) -> None:
    with pytest.raises(ArgumentError, match=r"sample_rate: .* is not a whole number of Hz"):
        small_separator.separate(MIXTURE, rate)
    with pytest.raises(ArgumentError) as caught:
        small_separator.stream([MIXTURE], 8000, output_rate=rate)
    assert caught.value.argument == "output_rate"


def test_a_rate_of_numpy_is_a_rate(small_separator: Separator) -> None:
    expected = small_separator.separate(MIXTURE, 16000)
    for stem, found in small_separator.separate(MIXTURE, np.int64(16000)).items():  # type: ignore[arg-type]
        assert np.array_equal(found, expected[stem])


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: Execution(n_threads=-3), "n_threads"),
        (lambda: Execution(n_threads=100_000), "n_threads"),
        (lambda: Execution(n_threads=2.0), "n_threads"),  # type: ignore[arg-type]
        (lambda: Execution(precision="float64"), "precision"),  # type: ignore[arg-type]
        (lambda: Execution(provider=None), "provider"),  # type: ignore[arg-type]
        (lambda: Separation(bandwidth="22k"), "bandwidth"),  # type: ignore[arg-type]
        (lambda: Separation(bandwidth=16000), "bandwidth"),  # type: ignore[arg-type]
        (lambda: Separation(mwf="yes"), "mwf"),  # type: ignore[arg-type]
        (lambda: Separation(mwf=True, bandwidth="full"), "bandwidth"),
        (lambda: Excerpt(start=-1.0), "start"),
        (lambda: Excerpt(start=float("nan")), "start"),
        (lambda: Excerpt(start="1:30"), "start"),  # type: ignore[arg-type]
        (lambda: Excerpt(duration=-0.5), "duration"),
        (lambda: Excerpt(duration=float("inf")), "duration"),
    ],
)
def test_fields_out_of_range_are_refused(make: Callable[[], object], argument: str) -> None:
    with pytest.raises(ArgumentError, match=f"{argument}: .* is not ") as caught:
        make()
    assert caught.value.argument == argument
    assert isinstance(caught.value, ValueError)
    assert caught.value.remedy.startswith(("Change ", "Choose "))
    expected = str(caught.value).partition(" is not ")[2]
    assert expected not in caught.value.remedy  # it is said once


@pytest.mark.parametrize(
    "fields",
    [
        {"codec": None},
        {"format": 1},
        {"bit_depth": 16},
        {"bitrate": "192k"},
        {"sample_rate": 44100.0},
        {"stems": "vocals"},
        {"stems": (0,)},
        {"mixes": ("karaoke",)},
        {"mixes": {"karaoke": "-vocals"}},
    ],
)
def test_fields_of_the_output_have_their_types(fields: dict[str, Any]) -> None:
    with pytest.raises(OutputOptionError, match=" is not a "):
        Output(**fields)


def test_paths_may_be_texts_or_of_another_library(
    small_separator: Separator, song: Path, tmp_path: Path
) -> None:
    by_text = separate_file(small_separator, str(song), str(tmp_path / "text"))
    by_other = separate_file(small_separator, FolderLike(song), FolderLike(tmp_path / "other"))
    separate_file(
        small_separator, song, {"low": str(tmp_path / "l.wav"), "high": FolderLike(tmp_path / "h.wav")}
    )
    assert by_text.source == by_other.source == song
    assert by_text.stems["low"] == tmp_path / "text" / "low.wav"
    assert soundfile.info(by_other.stems["high"]).frames == 16000
    assert (tmp_path / "l.wav").exists()
    assert (tmp_path / "h.wav").exists()


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"source": None}, "source"),
        ({"source": b"song.wav"}, "source"),
        ({"targets": None}, "targets"),
        ({"targets": {"low": "l.wav"}}, "targets['high']"),
        ({"targets": {"low": "l.wav", "high": None}}, "targets['high']"),
        ({"downmix": "stereo"}, "downmix"),
        ({"downmix": None}, "downmix"),
    ],
)
def test_arguments_for_a_file_are_checked_before_any_work(
    small_separator: Separator, song: Path, tmp_path: Path, arguments: dict[str, Any], argument: str
) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ArgumentError) as caught:
        separate_file(small_separator, **{"source": song, "targets": tmp_path / "out", **arguments})
    assert caught.value.argument == argument
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("model", [None, 2, b"2stems"])
def test_a_model_is_a_name_or_a_path(plugins: Plugins, model: Any) -> None:
    with pytest.raises(ArgumentError, match=r"model: .* is not the name of a model or the path"):
        Separator(model, plugins=plugins)


def test_a_path_of_another_library_is_the_path_of_a_model(plugins: Plugins, tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("no model")
    with pytest.raises(StemdockError, match="not a usable ONNX model"):
        Separator(FolderLike(path), plugins=plugins)


def test_a_long_value_is_not_repeated() -> None:
    with pytest.raises(ArgumentError, match="start: a list is not"):
        Excerpt(start=[0.0] * 1000)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # newer Pythons warn of forks beside threads
def test_a_separator_of_before_a_fork_reports_it(separator: Separator) -> None:
    separator.separate(MIXTURE)
    child = os.fork()
    if not child:
        # The old code waits forever: the alarm ends the child with a signal.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(60)
        status = 1
        try:
            separator.separate(MIXTURE)
        except ForkedError:
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    separator.separate(MIXTURE)


def test_audio_is_read_and_written_by_paths_of_any_form(song: Path, tmp_path: Path) -> None:
    for kind, make in (("text", str), ("other", FolderLike)):
        target = tmp_path / f"{kind}.wav"
        with (
            open_audio(make(song)) as stream,
            AudioWriter(
                make(target),
                sample_rate=stream.sample_rate,
                n_channels=stream.n_channels,
                total_length=stream.total_length,
            ) as writer,
        ):
            for block in stream.blocks:
                writer.write(block)
        assert audio_info(make(target)).total_length == audio_info(song).total_length


@pytest.mark.parametrize("path", [None, 3, b"song.wav"])
def test_audio_has_a_path(path: Any) -> None:
    with pytest.raises(ArgumentError, match=r"path: .* is not a path"):
        audio_info(path)
    with pytest.raises(ArgumentError, match=r"path: .* is not a path"), open_audio(path):
        pass
    with pytest.raises(ArgumentError, match=r"path: .* is not a path"):
        AudioWriter(path, sample_rate=8000, n_channels=1, total_length=None)
