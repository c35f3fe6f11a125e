from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stemdock import Separator

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def separator() -> Separator:
    """The embedded model, loaded once."""
    return Separator()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prepared models stay out of the person's cache; the programs that tests start inherit this."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEMDOCK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
