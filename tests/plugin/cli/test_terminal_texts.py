"""No text from elsewhere controls a terminal: whatever is printed passes one boundary."""

from __future__ import annotations

import io
import os
import pty
import select
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemdock.batch.events import Advanced, SongPlan, Started
from stemdock.batch.songs import Song
from stemdock.cli.streams import OutputStream
from stemdock.cli.text_reporter import TextReporter
from stemdock.lib.printing import printable
from stemdock.types import Progress
from support.small_model import small_card, write_identity, write_noise

if TYPE_CHECKING:
    from collections.abc import Mapping

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\u2066\r"
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
CONTROLS = {chr(code) for code in (*range(32), *range(127, 160))}
TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\u200e\u200f\u061c")


@given(ANY_TEXT)
def test_a_printable_text_has_no_controls_and_says_the_same(text: str) -> None:
    shown = printable(text)
    assert not set(shown) & (CONTROLS | TURNING)
    shown.encode()  # no unpaired surrogates
    if "\\" not in text and shown.isascii():
        assert shown.encode().decode("unicode_escape") == text


@pytest.mark.parametrize("text", ["Chanson d'été\xa0!", "曲\u3000名", "مى\u200cرود", "👩\u200d🎤", "plain"])
def test_texts_of_any_language_stay(text: str) -> None:
    assert printable(text) == text


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="\n")

    def isatty(self) -> bool:
        return True

    @property
    def content(self) -> bytes:
        self.flush()
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
@given(text=ANY_TEXT)
def test_a_terminal_gets_no_controls_but_ends_of_lines_and_tabs(encoding: str, text: str) -> None:
    terminal = Terminal(encoding)
    stream = OutputStream(terminal)
    stream.write(text)
    stream.flush()
    stream.buffer.write(text.encode("utf-8", "surrogatepass"))
    stream.buffer.flush()
    written = set(terminal.content.decode("utf-8" if encoding == "ascii" else encoding, "replace"))
    assert not written & (CONTROLS - {"\n", "\t"}) or encoding == "latin-1"
    assert stream.error is None


def test_click_cannot_pass_the_boundary_by_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """There, it writes to a console by the number of its descriptor, if a stream has one."""
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(io.UnsupportedOperation):
        OutputStream(Terminal()).fileno()
    monkeypatch.setattr("sys.platform", "linux")
    with Path(os.devnull).open() as file:
        assert OutputStream(file).fileno() == file.fileno()


def test_another_program_gets_every_byte() -> None:
    pipe = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    stream = OutputStream(pipe)
    stream.write(EVIL)
    stream.buffer.flush()
    pipe.flush()
    stream.buffer.write(b"\x00\x1b\xff")
    buffer = pipe.buffer
    assert isinstance(buffer, io.BytesIO)
    assert buffer.getvalue() == EVIL.encode() + b"\x00\x1b\xff"


def test_a_name_that_is_not_utf8_can_be_printed_in_a_sentence() -> None:
    pipe = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    stream = OutputStream(pipe)
    stream.write(os.fsdecode(b"caf\xe9"))
    assert stream.error is None


def test_many_long_names_make_one_short_status_line() -> None:
    terminal = Terminal()
    plans = [
        SongPlan(number=n, song=Song(path=Path(f"{'曲' * 80}\x1b{n}")), targets={}) for n in range(1, 400)
    ]
    reporter = TextReporter(terminal, live=True)
    reporter.start(plans, "m", "cpu")
    for plan in plans:
        reporter.show(Started(plan=plan))
        reporter.show(Advanced(plan=plan, progress=Progress(done_length=1, total_length=2)))
    assert b"\x1b" not in terminal.content
    assert max(map(len, terminal.content.decode().split("\r"))) <= 80


def run_on_terminal(*arguments: str, folder: Path, variables: Mapping[str, str]) -> str:
    """Runs plugin-cli with all streams on a terminal; returns what the terminal got."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "stemdock", *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env={**os.environ, **variables},
    )  # fmt: skip
    os.close(theirs)
    content = b""
    while True:
        ready, _, _ = select.select([ours], [], [], 60)
        try:
            part = os.read(ours, 65536) if ready else b""
        except OSError:  # Linux reports the end so
            part = b""
        if not part:
            break
        content += part
    process.wait(60)
    os.close(ours)
    return content.decode("utf-8", "replace")


@pytest.mark.slow
def test_no_command_passes_controls_on(tmp_path: Path) -> None:
    """Paths, licences, exporters, playlists, addresses and titles of requests, all on one terminal."""
    song = tmp_path / f"so{EVIL}ng.wav"
    write_noise(song)
    (tmp_path / "list.m3u").write_text(f"http://x/{EVIL}\nabsent{EVIL}.wav\n".replace("\r", ""))
    model = tmp_path / "m.onnx"
    write_identity(model, small_card(licence=f"MIT{EVIL}\nroot  fake row", exporter=f"x{EVIL}"))
    state = tmp_path / "state" / "stemdock" / "audacity"
    (state / "jobs" / "0101-1").mkdir(parents=True)
    (state / "recent.txt").write_text(f"12:00 {EVIL}: done in 1 s\n")
    variables = {
        "HOME": str(tmp_path), "STEMDOCK_MODELS": str(tmp_path / "store"), "TERM": "xterm",
        "XDG_STATE_HOME": str(tmp_path / "state"), "STEMDOCK_CACHE": str(tmp_path / "cache"),
    }  # fmt: skip
    evil = f"x{EVIL}"
    for arguments in (
        ("separate", str(song), "-m", str(model), "-o", "out"),
        ("separate", str(song), "-m", str(model), "-o", "out"),
        ("separate", evil, "-m", evil),
        ("separate", "list.m3u", "-m", str(model)),
        ("separate", str(song), "-f", f"{{{evil}}}"),
        ("spectrogram", str(song), "-o", f"{evil}.png"),
        ("models", "add", str(model), "--name", "evil"),
        ("models", "list"),
        ("models", "list", "--json"),
        ("models", "add", evil),
        ("models", "pull", evil),
        ("models", "path", evil),
        ("doctor",),
        ("audacity", "status"),
        ("preview", evil),
        (evil,),
    ):
        shown = run_on_terminal(*arguments, folder=tmp_path, variables=variables)
        assert shown
        assert "Traceback" not in shown
        # Our own status line begins with a carriage return; a terminal adds one to each line end.
        assert not set(shown) & ((CONTROLS | TURNING) - {"\n", "\t", "\r"}), (arguments, shown)
        assert "\nroot  fake row" not in shown
