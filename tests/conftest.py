from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from stemdock import Separator

if TYPE_CHECKING:
    from collections.abc import Iterator


# A busy machine is not an error.
settings.register_profile("stemdock", deadline=None)
settings.load_profile("stemdock")

_NOT_FAST = "desktop or browser or export or slow"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help=f"leave out tests marked {_NOT_FAST}")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.fast:
        wanted = f"({config.option.markexpr}) and " if config.option.markexpr else ""
        config.option.markexpr = f"{wanted}not ({_NOT_FAST})"


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


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prepared models stay out of the person's cache, and the person's models out of the tests.

    The programs that tests start inherit this.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEMDOCK_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("STEMDOCK_MODELS", str(tmp_path_factory.mktemp("models")))
        yield
