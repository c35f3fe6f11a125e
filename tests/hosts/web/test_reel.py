"""Which samples the page asks for, without a browser."""

from __future__ import annotations

from importlib.resources import files

import pytest

from support.page_script import PageScript

BROWSER = """
const asked = [];
let answer = async (start, end) => new Float32Array((end - start) * 2);
const samples = (id, start, end) => { asked.push([id, start, end]); return answer(start, end); };
class AudioBuffer {
  constructor(options) { Object.assign(this, options); this.data = new Float32Array(options.length); }
  getChannelData() { return this.data; }
}
const facts = { id: "s", stems: ["a", "b"], nChannels: 1, sampleRate: 44100 };
const song = (state, length) => ({ ...facts, state, length });
"""


@pytest.fixture
def page() -> PageScript:
    reel = files("stemdock_web").joinpath("page", "reel.js").read_text(encoding="utf-8")
    return PageScript(BROWSER, [reel])


def test_a_chunk_is_asked_for_when_it_is_complete(page: PageScript) -> None:
    page.run("const reel = new SongReel(song('separating', 131072)); reel.chunk(0);")
    assert page.value("asked") == []
    page.run("reel.update(song('separating', 140000)); reel.chunk(0);")
    assert page.value("asked") == [["s", 0, 131073]]
    assert page.value("reel.chunk(0).map((buffer) => buffer.length)") == [131073, 131073]
    assert not page.value("reel.isComplete")


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_what_there_is_of_a_song_ends(page: PageScript, state: str) -> None:
    page.run(f"const reel = new SongReel(song('{state}', 140000)); reel.chunk(1);")
    assert page.value("asked") == [["s", 131072, 140000]]
    assert page.value("reel.isComplete")
    assert page.value("reel.chunk(1)[0].length") == 140000 - 131072


def test_a_fault_is_said(page: PageScript) -> None:
    page.run("answer = async () => { throw new Error('away'); };")
    page.run("const reel = new SongReel(song('done', 140000)); const said = [];")
    page.run("reel.addEventListener('failed', (event) => said.push(event.detail.message)); reel.chunk(1);")
    assert page.value("said") == ["away"]
