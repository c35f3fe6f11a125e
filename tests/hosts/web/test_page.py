"""The page in a browser, with the real worker: a real drop, real clicks, and what comes out of them."""

from __future__ import annotations

import shutil
import time
from itertools import pairwise
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from selenium.webdriver.common.keys import Keys

from stemdock import CancelledError, Progress
from stemdock_hostkit.errors import InterruptedJobError
from stemdock_hostkit.job.states import Fault, JobResult
from support.page_desk import PICTURES, Desk
from support.web_server import PuppetWorker, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock_hostkit.job.folder import Job
    from support.browser import Browser
    from support.web_server import Server

pytestmark = pytest.mark.slow

VOCALS, ACCOMPANIMENT = range(2)


@pytest.fixture
def songs(example: Path, tmp_path: Path) -> list[Path]:
    """Two songs of half a minute, one with a name that a page could take for its own code."""
    samples, sample_rate = soundfile.read(example, dtype="float32")
    folder = tmp_path / "songs"
    folder.mkdir()
    paths = [folder / "First song.flac", folder / "Second & <b>song.wav"]
    for path in paths:
        soundfile.write(path, np.tile(samples, (3, 1)), sample_rate)
    return paths


@pytest.fixture
def desk(browser: Browser, server: Server) -> Desk:
    return Desk(browser, server.link)


def test_dropped_songs_sound_while_they_are_separated_and_are_mixed_and_exported(
    desk: Desk, songs: list[Path], tmp_path: Path
) -> None:
    browser = desk.browser
    browser.drop("#drop", songs)
    wait_for(lambda: max(browser.levels(), default=0) > 0)
    assert desk.titles() == [path.name for path in songs]
    browser.find_all(".solo")[VOCALS].click()
    wait_for(lambda: browser.levels()[ACCOMPANIMENT] == 0)
    browser.find_all(".solo")[VOCALS].click()
    assert not desk.states()[1].startswith("Ready")
    browser.picture(PICTURES / "separating.png")
    desk.wait_until_ready(0)
    browser.find("#play").click()
    desk.set(".gain", -6, VOCALS)
    desk.set(".pan", 0.5, ACCOMPANIMENT)
    exports = tmp_path / "exports"
    exports.mkdir()
    mix, vocals, accompaniment = (
        soundfile.read(desk.export(what, "wav", exports))[0]
        for what in ("mix", "stem vocals", "stem accompaniment")
    )
    angle = 0.5 * np.pi / 2
    panned = np.stack(
        [accompaniment[:, 0] * np.cos(angle), accompaniment[:, 1] + accompaniment[:, 0] * np.sin(angle)],
        axis=1,
    )
    assert len(mix) == soundfile.info(songs[0]).frames
    assert np.abs(mix - (vocals * 10 ** (-6 / 20) + panned)).max() < 1e-6
    desk.wait_until_ready(1)
    assert browser.messages() == []


def test_position_loop_and_speed(desk: Desk, example: Path) -> None:
    browser = desk.browser
    browser.find("#at-once").click()
    browser.drop("#drop", [example])
    desk.wait_until_ready(0)
    wait_for(lambda: browser.find("#play").is_enabled())
    desk.set("#position", 4)
    assert browser.position() == 4
    browser.find("#loop-start").click()
    desk.set("#position", 5)
    browser.find("#loop-end").click()
    assert browser.find("#loop-text").text == "0:04.0 \N{EN DASH} 0:05.0"
    browser.find("#play").click()
    seen: list[float] = []

    def has_come_around() -> bool:
        seen.append(browser.position())
        return any(later < earlier for earlier, later in pairwise(seen))

    wait_for(has_come_around)
    assert all(4 <= position <= 5.01 for position in seen)
    browser.find("#loop-clear").click()
    desk.set("#speed", 50)
    assert browser.find("#speed-text").text == "50 %"
    start = browser.position()
    wait_for(lambda: browser.position() > start + 0.2)
    wait_for(lambda: max(browser.levels()) > 0)
    assert browser.messages() == []


def test_half_the_speed_keeps_the_pitch(desk: Desk, tmp_path: Path) -> None:
    """A tone of 440 Hz stays one: measured behind the pitch corrector, in the sound that leaves the page."""
    time_axis = np.arange(20 * 44100) / 44100
    tone = (0.4 * np.sin(2 * np.pi * 440 * time_axis)).astype(np.float32)
    path = tmp_path / "tone.wav"
    soundfile.write(path, np.stack([tone, tone], axis=1), 44100)
    browser = desk.browser
    browser.run(LISTEN)
    browser.drop("#drop", [path])
    desk.wait_until_ready(0)
    for percent in (100, 50, 150):
        desk.set("#position", 2)
        desk.set("#speed", percent)
        wait_for(lambda: browser.run("return loudest()") == pytest.approx(440, abs=6), 60)


LISTEN = """
    const connect = AudioNode.prototype.connect;
    let analyser;
    AudioNode.prototype.connect = function (target, ...rest) {
      if (target instanceof AudioDestinationNode) {
        analyser = new AnalyserNode(target.context, { fftSize: 32768, smoothingTimeConstant: 0 });
        connect.call(this, analyser);
      }
      return connect.call(this, target, ...rest);
    };
    window.loudest = () => {
      const levels = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(levels);
      const bin = levels.indexOf(Math.max(...levels));
      return levels[bin] > -40 ? (bin * analyser.context.sampleRate) / analyser.fftSize : 0;
    };
"""


def test_all_stems_leave_the_page_at_the_same_sample(desk: Desk, tmp_path: Path) -> None:
    """Stems add up to the mixture in the browser as they do in the files: what is left is their sum."""
    noise = np.random.default_rng(5).uniform(-0.3, 0.3, (15 * 44100, 2)).astype(np.float32)
    path = tmp_path / "noise.wav"
    soundfile.write(path, noise, 44100, subtype="FLOAT")
    browser = desk.browser
    browser.find("#at-once").click()
    browser.driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})  # for the recorder only
    browser.driver.refresh()
    browser.wait(browser.find("#work").is_displayed)
    browser.find("#at-once").click()
    browser.run(RECORD)
    browser.drop("#drop", [path])
    desk.wait_until_ready(0)
    folder = tmp_path / "exports"
    folder.mkdir()
    mix, _ = soundfile.read(desk.export("mix", "wav", folder))
    browser.find("#play").click()
    wait_for(lambda: browser.find("#play").get_attribute("aria-label") == "Play")  # at the end of the song
    recorded = np.array(browser.run("return recorded.flatMap((block) => [...block])"))
    browser.driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": False})
    start, first = (int(np.flatnonzero(np.abs(samples) > 1e-3)[0]) for samples in (recorded, mix[:, 0]))
    assert np.abs(recorded[start:][: len(mix) - first] - mix[first:, 0]).max() < 1e-6


RECORD = """
    window.recorded = [];
    const code = `registerProcessor("recorder", class extends AudioWorkletProcessor {
      process([input]) {
        if (input.length) this.port.postMessage(input[0].slice());
        return true;
      }
    })`;
    const connect = AudioNode.prototype.connect;
    AudioNode.prototype.connect = function (target, ...rest) {
      if (target instanceof AudioDestinationNode) {
        const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
        target.context.audioWorklet.addModule(address).then(() => {
          const recorder = new AudioWorkletNode(target.context, "recorder");
          recorder.port.onmessage = (event) => recorded.push(event.data);
          connect.call(this, recorder);
        });
      }
      return connect.call(this, target, ...rest);
    };
"""


def test_the_keyboard_is_enough(desk: Desk, example: Path) -> None:
    browser = desk.browser
    browser.find("#at-once").click()
    browser.find("#songs-input").send_keys(str(example))
    desk.wait_until_ready(0)
    seen = set()
    for _ in range(40):
        browser.press(Keys.TAB)
        element = browser.driver.switch_to.active_element
        seen.add(element.accessible_name or element.tag_name)
    assert {
        "Choose songs…", "Choose a folder…", "Model", "vocals", "accompaniment", "Play at once",
        "Play", "Position",
        f"Open {example.name}", f"Remove {example.name}", "Start here", "End here", "Speed, per cent",
        "What to export", "Format", "Export", "Mute vocals", "Solo vocals", "Gain of vocals", "Pan of vocals",
        "Use number keys",
    } <= seen  # fmt: skip
    browser.run("document.activeElement.blur()")
    browser.press(Keys.SPACE)
    wait_for(lambda: browser.position() > 0)
    browser.press("1")
    assert browser.find_all(".solo")[VOCALS].get_attribute("aria-pressed") == "true"
    browser.find("#number-keys").click()
    browser.run("document.activeElement.blur()")
    browser.press("1")
    assert browser.find_all(".solo")[VOCALS].get_attribute("aria-pressed") == "true"
    browser.press(Keys.SPACE)
    browser.press(Keys.HOME)
    assert browser.position() == 0


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")]
)
def test_it_fits_the_window_and_is_accessible(
    browser: Browser, start: Callable[..., Server], example: Path, axe: str, width: int, scheme: str
) -> None:
    desk = Desk(browser, start().link)
    browser.size(width, 900, scheme)
    browser.drop("#drop", [example])
    desk.wait_until_ready(0)
    browser.find_all(".solo")[VOCALS].click()
    browser.picture(PICTURES / f"{scheme}-{width}.png")
    inner = browser.run("return document.documentElement.clientWidth")
    assert browser.run("return document.documentElement.scrollWidth") == inner
    assert browser.violations(axe) == []


def test_a_folder_is_taken_with_its_songs_only(desk: Desk, example: Path, tmp_path: Path) -> None:
    folder = tmp_path / "album"
    (folder / "disc 1").mkdir(parents=True)
    shutil.copy(example, folder / "disc 1" / "a.mp3")
    (folder / "cover.jpg").write_bytes(b"picture")
    (folder / ".hidden.mp3").write_bytes(b"hidden")
    desk.browser.drop("#drop", [folder])
    desk.wait_until_ready(0)
    assert desk.titles() == ["a.mp3"]


def test_the_token_does_not_stay_in_the_address(desk: Desk, server: Server) -> None:
    browser = desk.browser
    assert browser.driver.current_url == server.address
    browser.driver.refresh()
    browser.wait(browser.find("#work").is_displayed)
    browser.driver.switch_to.new_window("tab")
    browser.driver.get(server.address)
    browser.wait(lambda: "plugin-cli web" in browser.find("#notice").text)
    browser.driver.close()
    browser.driver.switch_to.window(browser.driver.window_handles[0])


def test_each_song_keeps_its_settings(desk: Desk, songs: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    PuppetWorker(monkeypatch, n_blocks=30).go_on.set()
    browser = desk.browser
    browser.find("#at-once").click()
    browser.drop("#drop", songs)
    desk.wait_until_ready(1)
    browser.find_all(".song button[aria-label^=Open]")[0].click()
    desk.set(".gain", -6, VOCALS)
    browser.find_all(".solo")[ACCOMPANIMENT].click()
    desk.set("#position", 4)
    browser.find("#loop-start").click()
    desk.set("#position", 7)
    browser.find_all(".song button[aria-label^=Open]")[1].click()
    assert browser.find("#desk-title").text == songs[1].name
    assert desk.position() == 0
    assert [text.text for text in browser.find_all(".gain-text")] == ["0.0 dB", "0.0 dB"]
    assert browser.find("#loop-text").text == "off"
    browser.driver.refresh()
    browser.wait(browser.find("#work").is_displayed)
    desk.wait_until_ready(1)
    browser.find_all(".song button[aria-label^=Open]")[0].click()
    wait_for(lambda: browser.find_all(".gain-text")[VOCALS].text == "\N{MINUS SIGN}6.0 dB")
    assert browser.find_all(".solo")[ACCOMPANIMENT].get_attribute("aria-pressed") == "true"
    assert browser.find("#loop-text").text.startswith("0:04.0")
    assert desk.position() == pytest.approx(7, abs=0.1)
    desk.set("#position", 9)
    browser.driver.refresh()
    browser.wait(browser.find("#work").is_displayed)
    wait_for(lambda: abs(desk.position() - 9) < 0.1)
    assert browser.messages() == []


def test_a_song_that_arrives_does_not_interrupt_another_one(
    desk: Desk, songs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = PuppetWorker(monkeypatch, n_blocks=30)
    worker.go_on.set()
    browser, may_begin = desk.browser, Event()
    may_begin.set()

    def run(job: Job, **arguments: Any) -> JobResult:
        assert may_begin.wait(60)
        return worker.run(job, **arguments)

    monkeypatch.setattr("stemdock_web.songs.client.run", run)
    browser.find("#at-once").click()
    browser.drop("#drop", songs[:1])
    desk.wait_until_ready(0)
    may_begin.clear()
    browser.find("#at-once").click()
    browser.drop("#drop", songs[1:])
    wait_for(lambda: len(desk.states()) == 2 and desk.states()[1] != "Sending")
    browser.find("#play").click()
    wait_for(lambda: max(browser.levels(), default=0) > 0)
    may_begin.set()
    desk.wait_until_ready(1)
    assert browser.find("#desk-title").text == songs[0].name
    assert browser.find("#play").get_attribute("aria-label") == "Pause"
    assert browser.messages() == []


def test_songs_that_cannot_be_sent_stay_with_their_reason(
    browser: Browser, start: Callable[..., Server], songs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    PuppetWorker(monkeypatch).go_on.set()
    desk = Desk(browser, start(n_songs=1).link)
    third = songs[0].with_name("Third song.flac")
    shutil.copy(songs[0], third)
    browser.drop("#drop", [*songs, third])
    desk.wait_until_ready(0)
    wait_for(lambda: desk.states()[2:] == ["Not sent."])
    assert desk.states()[1].startswith("There are already 1 songs on this page")
    browser.find_all(".song button[aria-label^=Remove]")[1].click()
    wait_for(lambda: desk.titles() == [songs[0].name, third.name])


def test_a_song_that_failed_is_tried_again(
    desk: Desk, songs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(job: Job, **_: Any) -> JobResult:
        return JobResult(status="error", error=Fault.of(InterruptedJobError(job.folder)))

    monkeypatch.setattr("stemdock_web.songs.client.run", run)
    browser = desk.browser
    browser.drop("#drop", songs[:1])
    wait_for(lambda: [state for state in desk.states() if "was interrupted" in state])
    PuppetWorker(monkeypatch).go_on.set()
    browser.find(".song button[aria-label^=Try]").click()
    desk.wait_until_ready(0)


def test_a_sixth_tab_says_why_it_does_not_open(browser: Browser, server: Server) -> None:
    first = browser.driver.current_window_handle
    Desk(browser, server.link)
    for _ in range(4):
        browser.driver.switch_to.new_window("tab")
        Desk(browser, server.link)
    browser.driver.switch_to.new_window("tab")
    browser.driver.get(f"{server.address}#{server.tokens.token}")
    browser.wait(lambda: "already 5 tabs" in browser.find("#notice").text)
    browser.driver.close()
    browser.driver.switch_to.window(browser.driver.window_handles[-1])
    browser.driver.close()
    browser.driver.switch_to.window(browser.driver.window_handles[-1])
    browser.driver.switch_to.new_window("tab")
    Desk(browser, server.link)
    for handle in browser.driver.window_handles:
        if handle != first:
            browser.driver.switch_to.window(handle)
            browser.driver.close()
    browser.driver.switch_to.window(first)


def test_an_export_can_be_cancelled(desk: Desk, songs: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    PuppetWorker(monkeypatch, n_blocks=30).go_on.set()
    browser = desk.browser
    browser.drop("#drop", songs[:1])
    desk.wait_until_ready(0)

    def half(*arguments: Any) -> None:
        on_progress, cancel = arguments[-2:]
        on_progress(Progress(done_length=1, total_length=2))
        assert cancel.wait(60)
        raise CancelledError

    monkeypatch.setattr("stemdock_web.running_exports.export", half)
    browser.find("#export").click()
    wait_for(lambda: browser.run("return document.getElementById('export-progress').value") == 0.5)
    browser.find("#export-cancel").click()
    wait_for(lambda: browser.find("#export-message").text == "Cancelled.")
    assert browser.find("#export").is_enabled()
    assert not browser.find("#export-cancel").is_displayed()


def test_a_closed_tab_leaves_nothing(browser: Browser, start: Callable[..., Server], example: Path) -> None:
    server = start(closed_time=1.0)
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    desk = Desk(browser, server.link)
    browser.drop("#drop", [example])
    wait_for(desk.states)
    wait_for(server.files)
    browser.driver.close()
    browser.driver.switch_to.window(first)
    began = time.monotonic()
    wait_for(lambda: all("warming" in str(path) for path in server.files()))
    assert time.monotonic() - began < 60
