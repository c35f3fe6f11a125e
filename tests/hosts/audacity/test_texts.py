"""What is written for Audacity and read from it, without Audacity."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemdock import AudacityTrack
from stemdock_audacity.capture.preference import escape_setting, noted_value, unescape_setting
from stemdock_audacity.capture.request import (
    CapturedTrack,
    Request,
    nearest_sample,
    parse_track,
)
from stemdock_audacity.delivery.project import write_project
from stemdock_audacity.errors import ReplyError
from stemdock_audacity.link.protocol import LINE_LIMIT, command_line, is_complete, parse_reply, parse_tracks
from stemdock_audacity.profile.settings import get_value, set_value

if TYPE_CHECKING:
    from pathlib import Path

line_text = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60)


def read_as_audacity_does(line: str) -> dict[str, str]:
    """Its own reading of a command: quotes, and backslashes inside them."""
    values = {}
    for key, quoted in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', line.partition(":")[2]):
        values[key] = re.sub(r"\\(.)", r"\1", quoted)
    return values


@given(line_text, line_text)
def test_values_survive_quoting(first: str, second: str) -> None:
    line = command_line("SetTrackStatus", Name=first, Other=second)
    assert read_as_audacity_does(line) == {"Name": first, "Other": second}
    assert "\n" not in line


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b"])
def test_line_breaks_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        command_line("Message", Text=value)


def test_long_lines_are_refused_by_their_bytes() -> None:
    room = LINE_LIMIT - len('Message: Text=""')
    assert len(command_line("Message", Text="x" * room)) == LINE_LIMIT
    for text in ("x" * (room + 1), "ä" * (room // 2 + 1)):
        with pytest.raises(ValueError, match="bytes"):
            command_line("Message", Text=text)


def test_numbers_keep_their_precision() -> None:
    assert command_line("SelectTime", Start=0.1 + 0.2, End=3) == "SelectTime: Start=0.30000000000000004 End=3"


@given(line_text, st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_replies_are_complete_at_their_end_only(text: str, ok: bool, end: str) -> None:
    whole = f"\n{text}\nBatchCommand finished: {'OK' if ok else 'Failed!'}{end}{end}".encode()
    assert is_complete(whole)
    for cut in range(len(whole) - 2 * len(end)):
        assert not is_complete(whole[:cut])
    reply = parse_reply(whole)
    assert reply.ok == ok
    assert reply.text == text


def test_reply_without_end() -> None:
    with pytest.raises(ReplyError):
        parse_reply(b"\n")


def track_line(name: str) -> str:
    escaped = name.replace('"', '\\"')  # as Audacity does: quotes and nothing else
    return (
        f'  {{ "name":"{escaped}", "focused":0, "selected":1, "kind":"wave", "start":1.5, "end":10.8805, '
        '"pan":0, "gain":1, "channels":2, "solo":0, "mute":1, "VZoomMin":-1, "VZoomMax":1 }'
    )


@given(st.lists(line_text, max_size=4))
def test_track_names_survive(names: list[str]) -> None:
    # A backslash before a quote cannot be told from an escape.
    names = [name.replace('\\"', '"').rstrip("\\") for name in names]
    text = "[ \n" + ",\n".join(map(track_line, names)) + " ]"
    tracks = parse_tracks(text)
    assert [track.name for track in tracks] == [name.replace('\\"', '"') for name in names]
    assert all(
        (t.start, t.end, t.n_channels, t.mute, t.solo) == (1.5, 10.8805, 2, True, False) for t in tracks
    )


def test_other_kinds_of_tracks() -> None:
    (track,) = parse_tracks('[ \n  { "name":"Label Track", "focused":0, "selected":0, "kind":"label" } ]')
    assert (track.kind, track.selected, track.end) == ("label", False, 0)
    assert parse_tracks("[  ]") == ()


@pytest.mark.parametrize(
    "text", ["", "{}", '[\n { "names":1 }\n]', '[\n { "name":"x", "focused":0, "selected":1 }\n]']
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ReplyError):
        parse_tracks(text)


NOTES = """index 3
rate 48000
channels 1
length 300000
selection-start 3.25
selection-end 9.5
track-start 0
track-end 9.9964999999999993
name Größe "q" a/b\\c 日本
"""


def test_notes_on_a_track() -> None:
    track = parse_track(NOTES)
    assert track == CapturedTrack(
        index=2, name='Größe "q" a/b\\c 日本', sample_rate=48000, n_channels=1, start_sample=156000,
        length=300000, audio_start=0, audio_end=479832,
    )  # fmt: skip
    assert (track.first_sample, track.separable_length, track.start) == (156000, 300000, 3.25)
    request = Request(
        model="2stems",
        stems=("vocals",),
        remainder=True,
        mute_original=False,
        tracks=(track,),
        project_rate=44100,
    )
    assert request.remainder_name == "everything but vocals"


@pytest.mark.parametrize("key", ["rate", "length", "track-end", "name"])
def test_incomplete_notes(key: str) -> None:
    with pytest.raises(ReplyError):
        parse_track(re.sub(f"(?m)^{key} .*\n", "", NOTES))


@given(
    st.integers(0, 10**7), st.integers(1, 10**7), st.integers(0, 10**7), st.integers(0, 10**7),
)  # fmt: skip
def test_only_audio_of_the_track_is_separated(
    start: int, length: int, audio_start: int, audio_length: int
) -> None:
    track = CapturedTrack(
        index=0, name="", sample_rate=44100, n_channels=1, start_sample=start, length=length,
        audio_start=audio_start, audio_end=audio_start + audio_length,
    )  # fmt: skip
    # Sets of samples tell the same without arithmetic on both ends.
    wanted = range(max(start, audio_start), min(start + length, audio_start + audio_length))
    assert track.separable_length == len(wanted)
    if wanted:
        assert track.first_sample == wanted[0]
        assert nearest_sample(track.start, 44100) == wanted[0]


def test_project_for_import(tmp_path: Path) -> None:
    track = AudacityTrack(
        name='<a> & "b"',
        audio=(tmp_path / "ä&.wav").as_posix(),
        sample_rate=48000,
        n_channels=2,
        length=600000,
        start=1 / 3,
    )
    write_project(tmp_path / "stems.aup", [track], 44100.0)
    root = ET.parse(tmp_path / "stems.aup").getroot()  # noqa: S314  our own
    spaces = {"": "http://audacity.sourceforge.net/xml/"}
    assert (tmp_path / root.attrib["projname"]).is_dir()
    channels = root.findall("wavetrack", spaces)
    assert [(c.attrib["name"], c.attrib["channel"], c.attrib["linked"]) for c in channels] == [
        ('<a> & "b"', "0", "1"), ('<a> & "b"', "1", "0"),
    ]  # fmt: skip
    summaries = []
    for n_channel, channel in enumerate(channels):
        clip = channel.find("waveclip", spaces)
        assert clip is not None
        assert float(clip.attrib["offset"]) == 1 / 3
        position = 0
        for block in clip.findall("sequence/waveblock", spaces):
            alias = block[0].attrib
            assert int(block.attrib["start"]) == int(alias["aliasstart"]) == position
            assert alias["aliaschannel"] == str(n_channel)
            assert alias["aliasfile"] == track.audio
            position += int(alias["aliaslen"])
            summaries.append(alias["summaryfile"])
        assert position == track.length
    assert len(set(summaries)) == len(summaries) == 6


SETTINGS = "PrefsVersion=1.1.1r1\n[Module]\nmod-ogg=1\n[GUI]\nShow=1\n[Empty/Sub]\n"


@given(
    st.sampled_from(["Module", "ModulePath", "GUI"]), st.sampled_from(["mod-script-pipe", "mod-ogg", "Show"]),
    st.text('abc=[]\\"ü', max_size=8),
)  # fmt: skip
def test_setting_and_putting_back_changes_nothing(section: str, key: str, value: str) -> None:
    former = get_value(SETTINGS, section, key)
    changed = set_value(SETTINGS, section, key, value)
    assert get_value(changed, section, key) == value
    assert set_value(changed, section, key, former) == SETTINGS


def test_settings_keep_their_line_ends() -> None:
    text = SETTINGS.replace("\n", "\r\n")
    assert set_value(text, "GUI", "New", "1").count("\r\n") == text.count("\r\n") + 1


@pytest.mark.parametrize(
    ("memory", "disk", "value"),
    [
        ("lame %f", "lame %f", "lame %f"),
        ('C:\\J_rgen\\"x" %f', 'C:\\\\Jürgen\\\\"x" %f', 'C:\\Jürgen\\"x" %f'),
        ("newer", "older!", "newer"),
        ("newer", "", "newer"),
        (" two ", '" two "', " two "),
    ],
)
def test_the_users_preference(memory: str, disk: str, value: str) -> None:
    assert noted_value(f"memory {memory}\ndisk {disk}\n".encode()) == value


@given(line_text)
def test_settings_survive_escaping(value: str) -> None:
    assert unescape_setting(escape_setting(value)) == value


def test_settings_escapes() -> None:
    assert unescape_setting('"a\\"b\\\\n"') == 'a"b\\n'
