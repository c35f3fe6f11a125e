from __future__ import annotations

import shutil
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from support.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.web_server import Server

if not (find_spec("starlette") and find_spec("uvicorn")):
    # test_command.py says so.
    collect_ignore = ["test_page.py", "test_security.py", "test_songs.py", "test_static_page.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("chromium and its driver are not installed")
    with Browser.started(chromium, driver) as browser:
        yield browser


@pytest.fixture
def start(worker_state: Path) -> Iterator[Callable[..., Server]]:
    """Starts a server in this process; the limits are arguments."""
    # Not installed everywhere.
    from stemdock_web.limits import Limits  # noqa: PLC0415
    from support.web_server import Server  # noqa: PLC0415

    servers = []

    def start(**limits: float) -> Server:
        server = Server(Limits(**limits), worker_state)  # type: ignore[arg-type]
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    return start()
