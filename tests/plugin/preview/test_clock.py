"""When the player starts its stems, with a stand-in for the browser's clock."""

from __future__ import annotations

import pytest

from stemdock.preview.modules import player_files
from support.page_script import PageScript

RATE = 44100
BROWSER = """
const setInterval = () => 1, clearInterval = () => {};
const dial = { time: 0, cost: 0, most: 200000 };
const started = [], stopped = [];
const parameter = { value: 0, setTargetAtTime() {}, cancelScheduledValues: () => ({ value: 0 }) };
class AudioNode {
  constructor(context, options = {}) { Object.assign(this, options); this.gain = this.pan = parameter; }
  connect(node) { return node; }
  disconnect() {}
  stop(when) { if (when) stopped.push(when); }
  start(when, offset) { started.push({ when, offset, now: dial.time }); dial.time += dial.cost; }
}
class GainNode extends AudioNode {}
class StereoPannerNode extends AudioNode {}
class AnalyserNode extends AudioNode {}
class AudioBufferSourceNode extends AudioNode {}
class AudioContext {
  constructor({ sampleRate = 48000 } = {}) {
    if (sampleRate > dial.most) throw new Error("NotSupportedError");
    this.sampleRate = sampleRate;
  }
  get currentTime() { return dial.time; }
  async resume() {}
  async suspend() {}
}
class Reel extends EventTarget {
  constructor(sampleRate) {
    super();
    Object.assign(this, { sampleRate, length: 8 * sampleRate, chunkLength: 4 * sampleRate });
  }
  isComplete = false;
  nChunks = 1;
  nMore = 0;
  chunk(index) {
    const length = this.chunkLength + this.nMore;
    return index < this.nChunks ? [0, 1, 2].map(() => ({ length })) : null;
  }
}
"""


class Tab(PageScript):
    """The player's modules, and what they need of a browser."""

    def __init__(self) -> None:
        files = player_files()
        super().__init__(BROWSER, [files[name] for name in ("mixing.js", "player.js")])

    def play(self, rate: int = RATE) -> None:
        self.run(f"const reel = new Reel({rate}), player = new Player(reel);")
        self.run("for (let i = 0; i < 3; i++) player.addStem();")
        self.run("player.play();")


@pytest.fixture
def tab() -> Tab:
    return Tab()


def in_time(starts: list[dict[str, float]]) -> bool:
    """Whether all stems start together, and none of them late."""
    together = len({start["when"] for start in starts}) == len({start["offset"] for start in starts}) == 1
    return together and all(start["now"] < start["when"] for start in starts)


def test_the_first_stems_start_together_though_each_takes_time(tab: Tab) -> None:
    tab.run("dial.cost = 0.003")
    tab.play()
    starts = tab.value("started")
    assert len(starts) == 3
    assert in_time(starts)


@pytest.mark.parametrize("early", [0.02, 0.001, 0, -0.5])
def test_stems_that_arrive_at_the_last_moment_start_together(tab: Tab, early: float) -> None:
    tab.play()
    end = tab.value("started[0].when") + 4
    tab.run(f"started.length = 0; dial.time = {end - early}; dial.cost = 0.0008; reel.nChunks = 2;")
    tab.run("reel.dispatchEvent(new Event('loaded'));")
    starts = tab.value("started")
    assert len(starts) == 3
    assert in_time(starts)


def test_stems_that_arrive_in_time_follow_without_a_gap(tab: Tab) -> None:
    tab.play()
    first = tab.value("started[0].when")
    tab.run(f"started.length = 0; dial.time = {first + 2}; reel.nChunks = 2;")
    tab.run("reel.dispatchEvent(new Event('loaded'));")
    assert [start["when"] for start in tab.value("started")] == pytest.approx([first + 4] * 3, abs=1e-9)


def test_the_samples_of_the_next_chunk_are_not_played_twice(tab: Tab) -> None:
    tab.play()
    tab.run("reel.nMore = 1; reel.nChunks = 2; started.length = 0; player.currentTime = 2;")
    starts, stops = tab.value("started"), tab.value("stopped")
    assert stops[:3] == pytest.approx([starts[0]["when"] + 2] * 3, abs=1e-9)
    assert [start["when"] for start in starts[3:]] == pytest.approx(stops[:3], abs=1e-9)


def test_a_rate_that_the_browser_refuses_is_played_at_another(tab: Tab) -> None:
    tab.play(352_800)
    assert tab.value("player.context.sampleRate") == 48000
    assert in_time(tab.value("started"))
