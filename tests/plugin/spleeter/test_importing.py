"""`install()` and `python -m stemdock_spleeter`: programs that import Spleeter get Stemdock."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

import stemdock_spleeter
from stemdock_spleeter import SpleeterError, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    finders = list(sys.meta_path)
    yield
    sys.meta_path[:] = finders
    for name in [name for name in sys.modules if name.partition(".")[0] == "spleeter"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("spleeter", "SpleeterError"),
        ("spleeter.audio", "Codec"),
        ("spleeter.audio", "STFTBackend"),
        ("spleeter.audio.adapter", "AudioAdapter"),
        ("spleeter.audio.adapter", "get_default_audio_adapter"),
        ("spleeter.audio.ffmpeg", "FFMPEGProcessAudioAdapter"),
        ("spleeter.separator", "Separator"),
        ("spleeter.utils.audio.adapter", "get_default_audio_adapter"),
    ],
)
def test_names_of_spleeter_are_those_of_this_package(module: str, name: str) -> None:
    install()
    assert getattr(import_module(module), name) is getattr(stemdock_spleeter, name)


def test_modules_that_stemdock_does_not_have_are_missing() -> None:
    install()
    with pytest.raises(ModuleNotFoundError, match=r"spleeter\.dataset"):
        import_module("spleeter.dataset")


def test_installing_twice_adds_one_finder() -> None:
    install()
    n_finders = len(sys.meta_path)
    import_module("spleeter")
    install()
    assert len(sys.meta_path) == n_finders


def test_the_original_that_is_imported_already_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spleeter", ModuleType("spleeter"))
    with pytest.raises(SpleeterError, match="imported already"):
        install()


def test_without_install_nothing_is_found() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_module("spleeter")


def test_a_program_is_run_with_its_arguments(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, spleeter.separator, beside\n"
        "print(sys.argv[1:], spleeter.separator.Separator.__module__, __name__, beside.VALUE)\n"
    )
    (tmp_path / "beside.py").write_text("VALUE = 7\n")
    done = subprocess.run(
        [sys.executable, "-m", "stemdock_spleeter", program, "a", "-b"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "['a', '-b'] stemdock_spleeter.separator __main__ 7\n"


def test_without_a_program_the_usage_is_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stemdock_spleeter"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "usage:" in done.stderr


def test_names_that_do_not_exist() -> None:
    with pytest.raises(AttributeError):
        _ = stemdock_spleeter.Nothing  # type: ignore[attr-defined]


def test_the_core_has_a_name_for_it() -> None:
    face = import_module("stemdock.spleeter")
    names = stemdock_spleeter.__all__
    assert all(getattr(face, name) is getattr(stemdock_spleeter, name) for name in names)
