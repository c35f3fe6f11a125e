from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hosts.ardour.studio import Studio, missing_programs
from support.display import Display

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need a display, and rerun once those that click in windows."""
    for item in items:
        if "studio" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.desktop)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """An Ardour with Stemdock, in which a test starts a session."""
    if missing := missing_programs():
        pytest.skip(f"needs {', '.join(missing)}")
    artefacts = ROOT / "test-artefacts" / "ardour"
    artefacts.mkdir(parents=True, exist_ok=True)
    display = Display(tmp_path_factory.mktemp("display") / "log.txt", "1600x1000")
    studio = Studio(display, tmp_path_factory.mktemp("home"), artefacts)
    yield studio
    studio.stop()
    display.close()
