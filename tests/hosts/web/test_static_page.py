"""The page without a server in a browser, from plain file hosting, with the real network."""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from stemdock import Separator, load_plugins
from stemdock_web.static_build import write_static
from support.page_desk import Desk
from support.web_server import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.browser import Browser

pytestmark = pytest.mark.slow

RUNTIME = "onnxruntime-web@1.30.0"


class PlainHost(SimpleHTTPRequestHandler):
    """What any web host does; with the headers that allow threads, if the test wants them."""

    extensions_map = {  # noqa: RUF012  as in the base class
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }
    isolated = False

    def end_headers(self) -> None:
        if self.isolated:
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


class IsolatedHost(PlainHost):
    isolated = True


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("npm, which gives onnxruntime-web, is not installed")
    folder = tmp_path_factory.mktemp("static")
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), RUNTIME]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip(f"npm does not give {RUNTIME}")
    (package,) = folder.glob("*.tgz")
    write_static(folder / "page", package, load_plugins())
    return folder / "page"


@pytest.fixture(params=[PlainHost, IsolatedHost])
def address(page: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(request.param, directory=page)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_stems_are_those_of_the_command(
    browser: Browser, address: str, example: Path, tmp_path: Path
) -> None:
    samples, sample_rate = soundfile.read(example, dtype="float32")
    path = tmp_path / "song.wav"
    soundfile.write(path, np.tile(samples, (2, 1)), sample_rate, subtype="FLOAT")
    desk = Desk(browser, address)
    browser.requests()
    browser.drop("#drop", [path])
    wait_for(lambda: max(browser.levels(), default=0) > 0, 240)
    desk.wait_until_ready(0)
    folder = tmp_path / "exports"
    folder.mkdir()
    mixture, _ = soundfile.read(path, dtype="float32")
    for stem, expected in Separator("2stems").separate(mixture).items():
        found, rate = soundfile.read(desk.export(f"stem {stem}", "wav", folder))
        assert (rate, found.shape) == (sample_rate, expected.shape)
        assert 10 * np.log10(np.sum((found - expected) ** 2) / np.sum(expected.astype(float) ** 2)) < -60
    assert all(request.startswith((address, "blob:", "data:")) for request in browser.requests())
    assert browser.messages() == []
