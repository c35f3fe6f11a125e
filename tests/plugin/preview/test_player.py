"""The page in a browser: what is heard, what is seen, and that it asks nobody for anything."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from stemdock.preview import find_stems, write_preview
from support.tones import N_SECONDS, SAMPLE_RATE, write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from support.browser import Browser

PICTURES = Path(__file__).resolve().parents[3] / "test-artefacts" / "preview"
HIGH, LOW, SILENCE = range(3)
"""Alphabetical."""
SLASH = "\N{DIVISION SLASH}"
"""Looks like the character that no file name has."""
QUIET, LOUD = 0.57, 0.9
"""Meters at peaks of 0.05 and 0.5, -26 dB and -6 dB on a scale of 60 dB."""


@pytest.fixture
def player(browser: Browser, page: Path) -> Browser:
    browser.open(page)
    return browser


def play(player: Browser) -> None:
    player.find("#play").click()
    player.wait(lambda: player.position() > 0.2)


def press(player: Browser, *keys: str) -> None:
    ActionChains(player.driver).send_keys(*keys).perform()


def becomes(player: Browser, *levels: float) -> None:
    player.wait(lambda: player.levels() == pytest.approx(levels, abs=0.05))


def test_it_plays_all_stems_at_the_loudness_they_have(player: Browser) -> None:
    assert player.levels() == [0, 0, 0]
    play(player)
    becomes(player, QUIET, LOUD, 0)
    player.find("#play").click()
    becomes(player, 0, 0, 0)
    position = player.position()
    assert player.find("#play").get_attribute("aria-label") == "Play"
    assert player.position() == position < 5


def test_solo_mute_and_gain_change_what_is_heard(player: Browser) -> None:
    play(player)
    mute, solo = player.find_all(".mute"), player.find_all(".solo")
    solo[HIGH].click()
    becomes(player, QUIET, 0, 0)
    assert solo[HIGH].get_attribute("aria-pressed") == "true"
    solo[LOW].click()
    becomes(player, QUIET, LOUD, 0)
    mute[HIGH].click()
    becomes(player, 0, LOUD, 0)
    for button in (solo[LOW], solo[HIGH], mute[HIGH]):
        button.click()
    becomes(player, QUIET, LOUD, 0)
    set_to(player, ".gain", LOW, -20)
    becomes(player, QUIET, QUIET, 0)
    assert player.find_all(".gain-text")[LOW].text == "\N{MINUS SIGN}20.0 dB"
    set_to(player, ".gain", LOW, -60)
    becomes(player, QUIET, 0, 0)
    assert player.find_all(".gain-text")[LOW].text == "off"


def set_to(player: Browser, selector: str, stem: int, value: float) -> None:
    script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))"
    player.run(script, player.find_all(selector)[stem], value)


def test_the_mix_is_saved_as_it_is_set(player: Browser, tmp_path: Path) -> None:
    player.saves_to(tmp_path)
    set_to(player, ".gain", LOW, -12)
    set_to(player, ".pan", LOW, -1)
    set_to(player, ".pan", HIGH, 0.5)
    player.find("#export button").click()
    path = tmp_path / "Two tones (mix).wav"
    player.wait(path.exists)
    mix, sample_rate = soundfile.read(path)
    assert (len(mix), sample_rate) == (N_SECONDS * SAMPLE_RATE, SAMPLE_RATE)
    assert soundfile.info(path).subtype == "FLOAT"
    low, high = (tone(mix[SAMPLE_RATE : 2 * SAMPLE_RATE], frequency) for frequency in (220, 3000))
    # Both tones are in both channels: on the way to one side, the panner adds the other channel to it.
    assert low == pytest.approx([2 * 0.5 * 10 ** (-12 / 20), 0], rel=0.1, abs=1e-6)
    assert high == pytest.approx([0.05 * np.cos(np.pi / 4), 0.05 * (1 + np.sin(np.pi / 4))], rel=0.1)


def tone(samples: NDArray[np.float64], frequency: int) -> NDArray[np.float64]:
    """Amplitudes of a frequency in each channel of one second."""
    amplitudes: NDArray[np.float64] = 2 * np.abs(np.fft.rfft(samples, axis=0)[frequency]) / len(samples)
    return amplitudes


def test_a_stem_is_saved_as_it_is(player: Browser, tmp_path: Path) -> None:
    player.saves_to(tmp_path)
    player.find_all(".mute")[LOW].click()
    player.find_all(".controls > button")[LOW].click()
    path = tmp_path / "Two tones (low).wav"
    player.wait(path.exists)
    samples, _ = soundfile.read(path)
    assert tone(samples[SAMPLE_RATE : 2 * SAMPLE_RATE], 220) == pytest.approx([0.5, 0.5], rel=0.1)


def test_what_is_not_heard_looks_so(player: Browser) -> None:
    player.find_all(".solo")[LOW].click()
    unheard = [row.get_attribute("aria-label") for row in player.find_all(".stem.unheard")]
    assert unheard == ["high", "silence"]


@pytest.mark.parametrize("selector", [".waveform", ".spectrogram"])
def test_a_click_on_a_picture_seeks_in_all_stems(player: Browser, selector: str) -> None:
    play(player)
    becomes(player, QUIET, LOUD, 0)
    picture = player.find_all(selector)[LOW]
    width = picture.size["width"]
    ActionChains(player.driver).move_to_element_with_offset(picture, width // 4, 0).click().perform()
    becomes(player, LOUD, QUIET, 0)
    assert 0.75 * N_SECONDS - 0.1 < player.position() <= N_SECONDS
    # On a busy machine, it may have come to its end.
    player.run("const [play] = arguments; if (play.ariaLabel === 'Pause') play.click()", player.find("#play"))
    assert player.run("return [...document.querySelectorAll('.playhead')].map(p => p.offsetLeft)") == (
        pytest.approx([width * player.position() / N_SECONDS] * 3, abs=3)
    )


def test_at_its_end_it_stops_and_plays_again_from_the_start(player: Browser) -> None:
    script = "const p = arguments[0]; p.value = arguments[1]; p.dispatchEvent(new Event('input'))"
    player.run(script, player.find("#position"), N_SECONDS - 0.3)
    player.find("#play").click()
    player.wait(lambda: player.find("#play").get_attribute("aria-label") == "Play")
    assert player.position() == N_SECONDS
    assert player.find("#time").text == "0:12 / 0:12"
    play(player)
    assert player.position() < 5


def test_keys_do_it_all(player: Browser) -> None:
    press(player, Keys.SPACE)
    becomes(player, QUIET, LOUD, 0)
    press(player, "1")
    becomes(player, QUIET, 0, 0)
    press(player, "1")
    ActionChains(player.driver).key_down(Keys.SHIFT).send_keys("2").key_up(Keys.SHIFT).perform()
    becomes(player, QUIET, 0, 0)
    press(player, Keys.SPACE)
    press(player, Keys.HOME)
    assert player.position() == 0
    press(player, Keys.ARROW_RIGHT)
    assert player.position() == 5
    press(player, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert player.position() == 0


def test_keys_belong_to_the_control_in_focus(player: Browser) -> None:
    player.find_all(".mute")[LOW].send_keys(Keys.SPACE)
    assert player.find_all(".mute")[LOW].get_attribute("aria-pressed") == "true"
    assert player.find("#play").get_attribute("aria-label") == "Play"
    player.find_all(".gain")[LOW].send_keys(Keys.ARROW_LEFT)
    assert player.find_all(".gain-text")[LOW].text == "\N{MINUS SIGN}0.5 dB"
    assert player.position() == 0


def test_every_control_has_a_name(player: Browser) -> None:
    names = [control.accessible_name for control in player.find_all("button, input")]
    assert all(names)
    assert len(set(names)) == len(names) == 2 + 3 * 5 + 2
    assert player.find("img").accessible_name == "Spectrogram of high"


def test_it_asks_nobody_and_complains_of_nothing(player: Browser, page: Path) -> None:
    play(player)
    player.find_all(".solo")[LOW].click()
    player.find_all(".waveform")[LOW].click()
    player.find("#play").click()
    assert player.messages() == []
    requests = [address for address in player.requests() if not address.startswith("data:image/png")]
    assert requests == [page.as_uri()]


def test_its_policy_keeps_it_from_asking(player: Browser) -> None:
    script = "fetch('https://example.org/').then(() => arguments[0]('sent'), () => arguments[0]('kept'))"
    assert player.driver.execute_async_script(script) == "kept"
    assert any("Content Security Policy" in message for message in player.messages())


def test_all_stems_start_at_the_same_sample(browser: Browser, tmp_path: Path) -> None:
    clicks = np.zeros((2 * SAMPLE_RATE, 2))
    clicks[SAMPLE_RATE] = 0.9
    quiet = clicks * 0.1
    quiet[: SAMPLE_RATE // 2] = np.random.default_rng(1).uniform(-0.5, 0.5, (SAMPLE_RATE // 2, 2))
    write(tmp_path / "a.wav", clicks)
    write(tmp_path / "b.wav", quiet[:, :1])
    path = tmp_path / "preview.html"
    write_preview(find_stems(tmp_path), path, title="clicks")
    sounds = re.findall(r'id="sound-\d+">([^<]+)<', path.read_text())
    browser.open(path)
    script = """
        const [sounds, rate, done] = arguments;
        const context = new OfflineAudioContext(2, 1, rate);
        Promise.all(sounds.map(async (sound) => {
          const bytes = Uint8Array.from(atob(sound), (letter) => letter.charCodeAt(0));
          const samples = (await context.decodeAudioData(bytes.buffer)).getChannelData(0);
          const late = samples.slice(rate * 0.75).map(Math.abs);
          return [samples.length, late.indexOf(late.reduce((a, b) => Math.max(a, b)))];
        })).then(done);
    """
    decoded = browser.driver.execute_async_script(script, sounds, SAMPLE_RATE)
    assert decoded == [[2 * SAMPLE_RATE, SAMPLE_RATE // 4]] * 2
    assert [len(base64.b64decode(sound)) > 1000 for sound in sounds] == [True, True]


def test_awkward_stems_are_told_and_shown(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / f"""<script>alert(1)<{SLASH}script>"&' 🎤"""
    folder.mkdir()
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 440 * time)
    write(folder / f"<b>loud<{SLASH}b>.wav", 2 * tone)
    write(folder / "broken.wav", np.where(time < 0.5, np.nan, tone))
    write(folder / "short ♪.wav", tone[: SAMPLE_RATE // 4], 22050)
    write(folder / "zero.wav", 0 * tone[:8000], 8000)
    write_preview(find_stems(folder), tmp_path / "preview.html", title=folder.name, facts={"<i>": "<u>&amp;"})
    browser.open(tmp_path / "preview.html")
    assert browser.find("h1").text == folder.name
    assert browser.find("#facts").text.split("\n") == ["<i>:", "<u>&amp;"]
    assert [name.text for name in browser.find_all(".name")] == [
        f"<b>loud<{SLASH}b>",
        "broken",
        "short ♪",
        "zero",
    ]
    assert [warning.text for warning in browser.find_all(".warning")] == [
        "Exceeds full scale.",
        f"{SAMPLE_RATE // 2} invalid samples, played as silence.",
        "Ends after 0.5 s.",
        "Silent from start to end.",
    ]
    assert browser.messages() == []
    browser.screenshot(PICTURES / "awkward.png")


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")]
)
def test_it_fits_the_window_and_is_accessible(
    browser: Browser, page: Path, axe: str, width: int, scheme: str
) -> None:
    browser.open(page, width=width, height=900, scheme=scheme)
    play(browser)
    browser.find_all(".solo")[LOW].click()
    becomes(browser, 0, LOUD, 0)
    browser.screenshot(PICTURES / f"{scheme}-{width}.png")
    inner = browser.run("return document.documentElement.clientWidth")  # without the scroll bar
    assert browser.run("return document.documentElement.scrollWidth") == inner
    boxes = [control.rect for control in browser.find_all("button, input")]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    assert browser.violations(axe) == []
