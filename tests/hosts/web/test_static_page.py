"""The page without a server in a browser, from plain file hosting, with the real network."""

from __future__ import annotations

import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from stemdock import Separator, load_plugins
from stemdock.dsp.panning import panned
from stemdock_web.static_build import write_static
from support.npm import packed
from support.page_desk import PICTURES, Desk
from support.web_server import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from support.browser import Browser

pytestmark = pytest.mark.slow

RUNTIME = "onnxruntime-web@1.30.0"
VOCALS, ACCOMPANIMENT = range(2)


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
    folder = tmp_path_factory.mktemp("static")
    package = packed(RUNTIME, folder)
    write_static(folder / "page", package, load_plugins())
    return folder / "page"


@pytest.fixture(params=[PlainHost, IsolatedHost])
def address(page: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    # The page is in a folder of the host, as a project's page is.
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(request.param, directory=page.parent)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{page.name}/"
        server.shutdown()


@pytest.fixture
def song(example: Path, tmp_path: Path) -> Path:
    """A song of two segments."""
    samples, sample_rate = soundfile.read(example, dtype="float32")
    path = tmp_path / "First song.wav"
    soundfile.write(path, np.tile(samples, (2, 1)), sample_rate, subtype="FLOAT")
    return path


@pytest.fixture
def desk(browser: Browser, address: str) -> Desk:
    browser.requests()
    return Desk(browser, address)


def decibels(difference: NDArray[Any], signal: NDArray[Any]) -> float:
    """Level of a difference below the signal's."""
    return float(10 * np.log10(np.sum(difference**2) / np.sum(signal.astype(float) ** 2)))


def test_songs_sound_while_they_are_separated_and_are_mixed_and_exported(
    desk: Desk, address: str, song: Path, tmp_path: Path
) -> None:
    browser = desk.browser
    second = song.with_name("Second & <b>song.wav")
    shutil.copy(song, second)
    browser.drop("#drop", [song, second])
    wait_for(lambda: max(browser.levels(), default=0) > 0, 240)
    assert desk.titles() == [song.name, second.name]
    assert not desk.states()[1].startswith("Ready")
    browser.find_all(".solo")[VOCALS].click()
    wait_for(lambda: browser.levels()[ACCOMPANIMENT] == 0)
    browser.find_all(".solo")[VOCALS].click()
    desk.wait_until_ready(1)
    browser.find("#play").click()
    desk.set(".gain", -6, VOCALS)
    desk.set(".pan", 0.5, ACCOMPANIMENT)
    folder = tmp_path / "exports"
    folder.mkdir()
    whats = ("mix", "stem vocals", "stem accompaniment")
    mix, vocals, accompaniment = (soundfile.read(desk.export(what, "wav", folder))[0] for what in whats)
    mixture, _ = soundfile.read(song, dtype="float32")
    expected = panned(vocals, -6, 0) + panned(accompaniment, 0, 0.5)
    assert np.abs(mix - expected).max() < 1e-6
    assert np.abs(vocals + accompaniment - mixture).max() < 1e-6
    expected = Separator("2stems").separate(mixture)["vocals"]
    assert decibels(vocals - expected, expected) < -60
    # The page's own address, and what it made itself.
    assert all(request.startswith((address, "blob:", "data:")) for request in browser.requests())
    assert browser.messages() == []


def test_a_chosen_stem_is_that_of_the_command(desk: Desk, song: Path, tmp_path: Path) -> None:
    browser = desk.browser
    browser.find("#at-once").click()
    browser.find("#model-stems input[value=vocals]").click()
    browser.drop("#drop", [song])
    desk.wait_until_ready(0)
    folder = tmp_path / "exports"
    folder.mkdir()
    found, rate = soundfile.read(desk.export("stem accompaniment", "wav", folder))
    mixture, sample_rate = soundfile.read(song, dtype="float32")
    expected = Separator("2stems").separate(mixture)["accompaniment"]
    assert (rate, found.shape) == (sample_rate, expected.shape)
    assert decibels(found - expected, expected) < -60


def test_the_speed_changes_and_a_file_that_is_no_song_says_so(desk: Desk, song: Path, tmp_path: Path) -> None:
    browser = desk.browser
    text = tmp_path / "text.wav"
    text.write_text("no song")
    browser.drop("#drop", [text, song])
    wait_for(lambda: "cannot decode" in (desk.states() or [""])[0])
    wait_for(lambda: max(browser.levels(), default=0) > 0 or browser.find("#desk").is_displayed(), 240)
    desk.wait_until_ready(1)
    desk.set("#speed", 50)
    if browser.find("#play").get_attribute("aria-label") == "Play":
        browser.find("#play").click()
    wait_for(lambda: max(browser.levels()) > 0)
    assert browser.find("#message").text == ""


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_it_fits_the_window_and_is_accessible(
    desk: Desk, axe: str, song: Path, width: int, scheme: str
) -> None:
    browser = desk.browser
    browser.size(width, 900, scheme)
    browser.drop("#drop", [song])
    desk.wait_until_ready(0)
    browser.picture(PICTURES / f"static-{scheme}-{width}.png")
    inner = browser.run("return document.documentElement.clientWidth")
    assert browser.run("return document.documentElement.scrollWidth") == inner
    assert browser.violations(axe) == []
