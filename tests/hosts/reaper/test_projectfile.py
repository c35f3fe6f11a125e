"""Project files, read back by two parsers that are not ours; a splice adds tracks and keeps the rest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rpp
import rppxml
import soundfile
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st
from rppxml import RPPXML

from stemdock import AudioFileError
from stemdock_reaper.commands import command
from stemdock_reaper.delivery.projectfile import StemFile, tracks_text
from stemdock_reaper.delivery.splicing import folder_depths, splice
from stemdock_reaper.errors import ProjectFileError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TRACK = """  <TRACK {{{number:08X}-0000-0000-0000-000000000000}}
    NAME "Track {number}"
    PEAKCOL 16576
    ISBUS {bus}
{receives}    <FXCHAIN
      SHOW 0
      <VST "VST: ReaEQ (Cockos)" reaeq.dll 0 "" 1919247729
        cWVlcu5e7f4CAAAAAQAAAAAAAAACAAAAAAAAAAIAAAABAAAAAAAAAAIAAAAAAAAA
        AAAQAAAA
      >
      <JS "not a send" ""
        AUXRECV 1 0 1
      >
      <JS "utility/volume" ""
        0.000000 - - -
      >
    >
    <ITEM
      POSITION 1.5
      NAME 'it is "said"'
      <SOURCE SECTION
        LENGTH 4
        MODE 3
        <SOURCE WAVE
          FILE "däta/x.wav"
        >
      >
    >
  >
"""


RECEIVE = """    AUXRECV {source} 0 0.5 0 0 0 0 0 0 -1:U 0 -1 ''
    <AUXVOLENV
      EGUID {{{source:08X}-0000-0000-0000-{target:012X}}}
      PT 0 1 0
    >
"""


def mix(
    *buses: str,
    sends: Sequence[tuple[int, int]] = (),
    end: str = "\n",
    tail: str = "  <EXTENSIONS\n    <SWS X\n      AUXRECV 2 1\n    >\n  >\n>\n",
) -> bytes:
    """A project; sends go from one track to another, counted from 0."""
    head = (
        '<REAPER_PROJECT 0.1 "7.20/linux-x86_64" 1700000000\n'
        "  <NOTES 0 2\n    |<TRACK in a note\n    |>\n  >\n"
        "  RIPPLE 0\n  TEMPO 120 4 4\n  <METRONOME 6 2\n    VOL 0.25 0.125\n  >\n"
    )
    tracks = ""
    for target, bus in enumerate(buses):
        receives = "".join(RECEIVE.format(source=a, target=b) for a, b in sends if b == target)
        tracks += TRACK.format(number=target + 1, bus=bus, receives=receives)
    return (head + tracks + tail).replace("\n", end).encode()


@pytest.fixture
def stems(tmp_path: Path) -> list[Path]:
    paths = []
    for name, length in (("vocals", 4000), ('it\'s "accompaniment"', 4001)):
        path = tmp_path / "Stems of Ü" / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, np.zeros((length, 2)), 8000)
        paths.append(path)
    return paths


def run(*words: Any) -> str:
    result = CliRunner().invoke(command, ["project", *map(str, words)], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.stdout


def rpp_tracks(content: bytes) -> list[tuple[str, list[str], list[tuple[str, str]]]]:
    """Name, ISBUS and items (length, file) of each track by PyPI's rpp."""
    tracks = []
    for track in rpp.loads(content.decode()).findall("TRACK"):
        name, bus = (next(line for line in track if line[0] == key) for key in ("NAME", "ISBUS"))
        items = []
        for item in track.findall("ITEM"):
            source = item.find("SOURCE")
            file = next((line[1] for line in source if line[0] == "FILE"), "")
            length = next((line[1] for line in item if line[0] == "LENGTH"), "")
            items.append((length, file))
        tracks.append((name[1], list(bus[1:]), items))
    return tracks


def rppxml_tracks(content: bytes) -> list[tuple[str, list[str], list[tuple[str, str]]]]:
    """The same by PyPI's rppxml, which wraps Cockos' own parser."""

    def value(node: Any, key: str) -> list[str]:
        found = [child for child in node.children if not hasattr(child, "children") and child[0] == key]
        return [str(word) for word in found[0][1:]] if found else [""]

    def children(node: Any, name: str) -> list[RPPXML]:
        assert isinstance(node, RPPXML)
        return [child for child in node.children if isinstance(child, RPPXML) and child.name == name]

    tracks = []
    for track in children(rppxml.loads(content.decode()), "TRACK"):
        items = []
        for item in children(track, "ITEM"):
            (source,) = children(item, "SOURCE")
            items.append((value(item, "LENGTH")[0], value(source, "FILE")[0]))
        tracks.append((value(track, "NAME")[0], value(track, "ISBUS"), items))
    return tracks


def test_a_new_project_holds_the_stems(tmp_path: Path, stems: list[Path]) -> None:
    out = tmp_path / "Söng.rpp"
    assert run(*stems, "--out", out, "--name", "Söng") == f"{out}\n"
    content = out.read_bytes()
    expected = [
        ("Söng", ["1", "1"], []),
        ("Vocals", ["0", "0"], [("0.5", "Stems of Ü/vocals.wav")]),
        ('It\'s "accompaniment"', ["2", "-1"], [("0.500125", 'Stems of Ü/it\'s "accompaniment".wav')]),
    ]
    assert rpp_tracks(content) == expected
    assert rppxml_tracks(content) == expected
    assert folder_depths(content, out) == [1, 0, -1]


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("a.wav", "WAVE", {}),
        ("a.FLAC", "FLAC", {}),
        ("a.aif", "AIFF", {"format": "AIFF"}),
        ("a.mp3", "MP3", {}),
        ("a.ogg", "VORBIS", {}),
        ("a.opus", "OPUS", {"format": "OGG", "subtype": "OPUS"}),
        ("opus in.ogg", "OPUS", {"format": "OGG", "subtype": "OPUS"}),
        ("really a flac.wav", "FLAC", {"format": "FLAC"}),
    ],
)
def test_each_format_is_named_as_reaper_names_it(
    tmp_path: Path, name: str, kind: str, options: dict[str, str]
) -> None:
    soundfile.write(tmp_path / name, np.zeros((4800, 1)), 48000, **options)
    run(tmp_path / name, "--out", tmp_path / "new.rpp")
    content = (tmp_path / "new.rpp").read_text()
    assert f"<SOURCE {kind}\n" in content
    assert "  LENGTH 0.1\n" in content


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
@pytest.mark.parametrize(("name", "kind"), [("a.m4a", "VIDEO"), ("a.mka", "VIDEO"), ("a.wv", "WAVPACK")])
def test_every_file_that_stemdock_reads_is_a_stem(tmp_path: Path, name: str, kind: str) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((48000, 2)), 48000)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", tmp_path / name], check=True, timeout=60
    )
    run(tmp_path / name, "--out", tmp_path / "new.rpp")
    ((length, file),) = rpp_tracks((tmp_path / "new.rpp").read_bytes())[1][2]
    assert file == name
    assert float(length) == pytest.approx(1, abs=0.05)
    assert f"<SOURCE {kind}\n" in (tmp_path / "new.rpp").read_text()


def test_a_file_with_six_channels_is_a_stem_too(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "surround.wav", np.zeros((8000, 6)), 8000)
    run(tmp_path / "surround.wav", "--out", tmp_path / "new.rpp")
    assert rpp_tracks((tmp_path / "new.rpp").read_bytes())[1][2] == [("1", "surround.wav")]


def test_a_file_without_audio_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("vocals")
    with pytest.raises(AudioFileError, match=r"notes\.txt"):
        run(tmp_path / "notes.txt", "--out", tmp_path / "new.rpp")
    assert not (tmp_path / "new.rpp").exists()


def test_an_audio_file_without_samples_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.zeros((0, 2)), 8000)
    with pytest.raises(AudioFileError, match="contains no samples"):
        run(tmp_path / "empty.wav", "--out", tmp_path / "new.rpp")
    assert not (tmp_path / "new.rpp").exists()


LAYOUTS = [
    (), ("0 0",), ("1 1", "2 -1", "0 0"), ("1 1", "1 1", "2 -2"), ("0 0", "1 1", "0 0", "2 -1"),
]  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("buses", LAYOUTS)
def test_without_sends_a_splice_adds_the_tracks_and_changes_no_other_byte(
    tmp_path: Path, stems: list[Path], buses: tuple[str, ...], end: str
) -> None:
    base = mix(*buses, end=end)
    into = tmp_path / "mix.rpp"
    into.write_bytes(base)
    for after in (None, *range(len(buses) + 1)):
        out = tmp_path / f"out {after}.rpp"
        words = [] if after is None else ["--after-track", after]
        run(*stems, "--into", into, "--out", out, *words)
        content = out.read_bytes()
        place = len(buses) if after is None else after
        # The byte diff: a prefix and a suffix of the old file, and whole tracks between them.
        start = next(i for i in range(len(content)) if content[: i + 1] != base[: i + 1])
        start = content.rfind(b"  <TRACK", 0, start + len("  <TRACK {"))
        added = content[start : start + len(content) - len(base)]
        assert content == base[:start] + added + base[start:]
        assert added.startswith(b"  <TRACK")
        assert added.endswith(b"  >" + end.encode())
        assert added.count(b"\n") == added.count(end.encode())
        for read in (rpp_tracks, rppxml_tracks):
            old, new = read(base), read(content)
            assert new[:place] + new[place + 3 :] == old
            assert [name for name, _, _ in new[place : place + 3]] == [
                "Stems", "Vocals", "It's \"accompaniment\"",
            ]  # fmt: skip
        depths = folder_depths(content, out)
        assert depths[place : place + 3] == [1, 0, -1]
        assert depths[:place] + depths[place + 3 :] == folder_depths(base, into)
    assert into.read_bytes() == base


def send_graph(content: bytes) -> list[tuple[str, str, str]]:
    """Each send as GUIDs of its source and target, and of its envelope; numbers by Cockos' own parser."""
    project = rppxml.loads(content.decode())
    assert isinstance(project, RPPXML)
    tracks = [child for child in project.children if isinstance(child, RPPXML) and child.name == "TRACK"]
    graph = []
    for target in tracks:
        for place, child in enumerate(target.children):
            if isinstance(child, list) and child[0] == "AUXRECV":
                envelope = target.children[place + 1]
                assert isinstance(envelope, RPPXML)
                (guid, *_) = (line[1] for line in envelope.children if isinstance(line, list))
                source = tracks[int(child[1])]
                graph.append((str(source.params[0]), str(target.params[0]), str(guid)))
    return graph


@given(
    n_tracks=st.integers(1, 12),
    sends=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=12, unique=True),
    after=st.none() | st.integers(0, 12),
    n_stems=st.integers(1, 5),
    end=st.sampled_from(["\n", "\r\n"]),
)
@example(n_tracks=12, sends=[(8, 0), (9, 1), (0, 11)], after=3, n_stems=2, end="\n")
def test_sends_still_connect_the_same_tracks(
    tmp_path_factory: pytest.TempPathFactory, n_tracks: int, sends: list[tuple[int, int]], after: int | None,
    n_stems: int, end: str,
) -> None:  # fmt: skip
    folder = tmp_path_factory.getbasetemp()
    sends = [(source % n_tracks, target % n_tracks) for source, target in sends]
    after = None if after is None else min(after, n_tracks)
    base = mix(*["0 0"] * n_tracks, sends=sends, end=end)
    stems = [
        StemFile(path=folder / f"{i}.wav", title=str(i), duration=1.0, source_type="WAVE")
        for i in range(n_stems)
    ]
    added = tracks_text(stems, "Stems", folder / "a.rpp", end.encode())
    content = splice(base, folder / "mix.rpp", added, after)
    assert send_graph(content) == send_graph(base)
    assert len(send_graph(base)) == len(sends)
    # Nothing else changes: without the new tracks, only the first numbers of sends differ.
    rest = content.replace(added, b"", 1).split(b"\n")
    for old, new in zip(base.split(b"\n"), rest, strict=True):
        assert new == old or (old.startswith(b"    AUXRECV ") and new.split(b" ")[6:] == old.split(b" ")[6:])


def test_files_elsewhere_get_whole_paths(tmp_path: Path, stems: list[Path]) -> None:
    out = tmp_path / "elsewhere" / "new.rpp"
    out.parent.mkdir()
    run(stems[0], "--out", out)
    assert rppxml_tracks(out.read_bytes())[1][2] == [("0.5", str(stems[0]))]


def test_nothing_is_ever_replaced(tmp_path: Path, stems: list[Path]) -> None:
    out = tmp_path / "mix.rpp"
    out.write_bytes(mix("0 0"))
    with pytest.raises(ProjectFileError, match="already exists"):
        run(*stems, "--into", out, "--out", out)
    assert out.read_bytes() == mix("0 0")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Stems of Ü", "mix.rpp"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a REAPER project"),
        (b"RIFF", "not a REAPER project"),
        (b"<TRACK\n>\n", "not a REAPER project"),
        (b"<REAPER_PROJECT 0.1\n  <TRACK\n>\n", "is not closed"),
    ],
)
def test_what_is_no_project_is_refused(
    tmp_path: Path, stems: list[Path], content: bytes, reason: str
) -> None:
    into = tmp_path / "mix.rpp"
    into.write_bytes(content)
    with pytest.raises(ProjectFileError, match=reason):
        run(*stems, "--into", into, "--out", tmp_path / "out.rpp")
    assert not (tmp_path / "out.rpp").exists()


def test_a_track_that_is_not_there_is_told(tmp_path: Path, stems: list[Path]) -> None:
    into = tmp_path / "mix.rpp"
    into.write_bytes(mix("0 0", "0 0"))
    with pytest.raises(ProjectFileError, match="has no track 3") as caught:
        run(*stems, "--into", into, "--out", tmp_path / "out.rpp", "--after-track", 3)
    assert "from 0 to 2" in caught.value.remedy


@given(
    name=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=20),
    after=st.integers(0, 3),
)
def test_any_name_is_read_back(tmp_path_factory: pytest.TempPathFactory, name: str, after: int) -> None:
    folder = tmp_path_factory.getbasetemp()
    stem = StemFile(path=folder / "x.wav", title=name, duration=1.0, source_type="WAVE")
    added = tracks_text([stem], "Stems", folder / "a.rpp", b"\n")
    content = splice(mix("1 1", "0 0", "2 -1"), folder / "mix.rpp", added, after)
    written = name.replace("`", "'") if {'"', "'", "`"} <= set(name) else name
    assert rppxml_tracks(content)[after + 1][0] == written


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_not_utf8_is_referred_to_byte_for_byte(stems: list[Path]) -> None:
    name = b"caf\xe9 vocals.wav"
    stem = stems[0].rename(stems[0].with_name(os.fsdecode(name)))
    out = stem.with_name("new.rpp")
    run(stem, "--out", out)
    assert name in out.read_bytes()
