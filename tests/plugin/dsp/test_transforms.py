from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.fft

from stemdock.dsp import transforms


@pytest.fixture
def frames() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((64, 4096)).astype(np.float32)


@pytest.fixture(params=["compiled module", "scipy.fft"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "scipy.fft":
        monkeypatch.setattr(transforms, "_pocketfft", lambda: None)
    elif transforms._pocketfft() is None:
        pytest.skip("this scipy has other transforms")


@pytest.mark.usefixtures("way")
def test_spectra_are_scipys_to_the_bit(frames: np.ndarray) -> None:
    found = transforms.rfft(frames)
    assert found.dtype == np.complex64
    np.testing.assert_array_equal(found, scipy.fft.rfft(frames))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("n_bins", [1024, 1536, 2049])
def test_samples_are_scipys_to_the_bit(frames: np.ndarray, n_bins: int) -> None:
    """Bins above the model's are missing."""
    spectrum = scipy.fft.rfft(frames)[:, :n_bins]
    found = transforms.irfft(spectrum, 4096)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, scipy.fft.irfft(spectrum, n=4096))


@pytest.mark.parametrize("change", ["missing", "of another form", "wrong"])
def test_a_scipy_with_other_transforms(
    monkeypatch: pytest.MonkeyPatch, frames: np.ndarray, change: str
) -> None:
    if change == "missing":
        monkeypatch.setattr(transforms, "_MODULE", "scipy.fft._ducc.transforms")
    elif change == "of another form":
        monkeypatch.setattr(transforms, "_load", lambda: np.fft)
    else:
        monkeypatch.setattr(transforms, "_UNSCALED", 2)
    transforms._tried.cache_clear()
    try:
        assert transforms._pocketfft() is None
        if change == "missing":
            np.testing.assert_array_equal(transforms.rfft(frames), scipy.fft.rfft(frames))
    finally:
        transforms._tried.cache_clear()


@pytest.mark.parametrize("order", ["transforms first", "scipy first"])
def test_a_program_may_use_scipy_as_well(order: str) -> None:
    """A second copy of the module would crash some versions when Python ends."""
    ours, theirs = "from stemdock.dsp import transforms; transforms.load_transforms()", "import scipy.fft"
    first, second = (ours, theirs) if order == "transforms first" else (theirs, ours)
    code = f"{first}; {second}; import numpy as np; x = np.ones((1, 8), 'f'); "
    code += "assert np.array_equal(transforms.rfft(x), scipy.fft.rfft(x)); "
    code += "module = transforms._pocketfft(); "
    code += "assert module is None or module is scipy.fft._pocketfft.basic.pfft"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_transforms_are_loaded_without_the_rest_of_scipy() -> None:
    """It would take as long as the network for ten seconds of song."""
    if transforms._pocketfft() is None:
        pytest.skip("this scipy has other transforms")
    code = "import sys, numpy; from stemdock.dsp.stft import stft; stft(numpy.ones((1, 4096), 'f'), 4096); "
    code += "print(*(name for name in sys.modules if name.startswith(('scipy', 'numpy.f2py'))))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() in ([], [transforms._MODULE])


def test_threads_that_transform_for_the_first_time_at_once() -> None:
    code = """
import sys
import threading
import numpy as np
from stemdock.dsp import transforms

sys.setswitchinterval(1e-6)
loading = transforms._load
together = threading.Barrier(4)
found = []

def load():
    module = loading()
    del sys.modules[transforms._MODULE]  # as while it is being loaded
    threading.Event().wait(0.05)
    sys.modules[transforms._MODULE] = module
    return module

transforms._load = load

def transform():
    together.wait()
    found.append(transforms._pocketfft())

threads = [threading.Thread(target=transform) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(set(map(id, found))), "scipy.fft" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("1 False\n", "")
