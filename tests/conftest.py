from __future__ import annotations

import pytest

from stemdock import Separator


@pytest.fixture(scope="session")
def separator() -> Separator:
    """The embedded model, loaded once."""
    return Separator()
