"""Lists of songs: csv and Parquet files."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from stemdock.batch.inputs import find_songs
from stemdock.cli.main import run
from stemdock.lib.locations import Location
from support.small_model import write_noise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from stemdock import Plugins
    from stemdock.batch.songs import Song

parquet = pytest.mark.skipif(
    find_spec("arro3") is None, reason="needs arro3: pip install 'stemdock[parquet]'"
)


def listed(path: Path, content: str | bytes) -> Sequence[Song]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return find_songs([str(path)])


def faults(songs: Sequence[Song]) -> list[str]:
    return [str(song.fault) for song in songs if song.fault]


def test_a_list_names_songs_and_their_outputs(tmp_path: Path) -> None:
    songs = listed(
        tmp_path / "songs.csv",
        "id,location,output\r\n1,a.mp3,Abba/Mamma Mia\r\n"
        f'2,"{tmp_path}/b, c.mp3",\r\n3,s3://bucket/d.mp3,d.1\r\n',
    )
    assert [(song.path, song.folder.as_posix(), song.name, song.fault) for song in songs] == [
        (tmp_path / "a.mp3", "Abba", "Mamma Mia", None),
        (tmp_path / "b, c.mp3", ".", "", None),
        (Location("s3://bucket/d.mp3"), ".", "d.1", None),
    ]


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_spreadsheets_use_several_separators(tmp_path: Path, start: str, separator: str) -> None:
    songs = listed(tmp_path / "songs.csv", f"{start}location{separator}output\na.mp3{separator}x\n")
    assert [(song.path.name, song.name) for song in songs] == [("a.mp3", "x")]


ROWS: list[tuple[str, str]] = [
    (",x", "line 3: has no location"),
    ("-,x", "line 3: has no location"),
    ("b.mp3,A", "line 3: has the same output as line 2: A"),
    ("b.mp3,a", "line 3: has the same output as line 2: a"),
    ("b.mp3,../x", "line 3: output is not a relative path that every system accepts: ../x"),
    ("b.mp3,/x", "line 3: output is not a relative path"),
    ("b.mp3,x/", "line 3: output is not a relative path"),
    ("b.mp3,x//y", "line 3: output is not a relative path"),
    ("b.mp3,.stemdock/x", "line 3: output is not a relative path"),
    ("b.mp3,a:b", "line 3: output is not a relative path"),
    ("b.mp3,aux", "line 3: output is not a relative path"),
    ("b.mp3,x,y,z", "line 3: has 2 more values than there are columns"),
    ("ftp://host/b.mp3,x", "line 3: songs cannot be read from ftp://"),
    ("file://host/b.mp3,x", "line 3: this address names a file on another machine"),
    ("s3://bucket,x", "line 3: this address names no file"),
    ("s3://me:password@bucket/b.mp3,x", "line 3: this address has a user"),
    ('"b\n.mp3",x', "line 3: location contains a control character"),
    ("b\0.mp3,x", "line 3: location contains a control character"),
]


@pytest.mark.parametrize(("row", "said"), ROWS)
def test_every_bad_row_is_named_with_its_line_and_the_others_are_used(
    tmp_path: Path, row: str, said: str
) -> None:
    songs = listed(tmp_path / "songs.csv", f"location,output\na.mp3,A\n{row}\nc.mp3,C\n")
    assert [song.path.name for song in songs] == ["a.mp3", "songs.csv", "c.mp3"]
    (fault,) = faults(songs)
    assert fault.startswith(f"{tmp_path / 'songs.csv'}: {said}")
    assert "password" not in fault


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the list is empty"),
        ("location\n", "the list is empty"),
        ("path,output\na.mp3,x\n", "has no column 'location', but 'path', 'output'"),
        ("location,location\na.mp3,b.mp3\n", "has 2 columns 'location'"),
        (b"location\na.mp3\n\xff.mp3\n", "line 3 is not UTF-8"),
        ('location\na.mp3\n"b.mp3\n', "line 3 is not valid csv"),
    ],
)
def test_a_list_that_cannot_be_read_is_named(tmp_path: Path, content: str | bytes, said: str) -> None:
    (fault,) = faults(listed(tmp_path / "songs.csv", content))
    assert fault.startswith(f"{tmp_path / 'songs.csv'}: {said}")


def test_lines_are_counted_with_rows_of_several_lines(tmp_path: Path) -> None:
    songs = listed(tmp_path / "songs.csv", 'location,note\na.mp3,"one\ntwo"\n\n,x\n')
    assert "line 5: has no location" in faults(songs)[0]


def test_what_else_is_in_a_list_may_be_long_and_have_any_name(tmp_path: Path) -> None:
    songs = listed(tmp_path / "songs.csv", f"location,note,note\na.mp3,x,y\nb.mp3,{'y' * 140_000}\nc.mp3,,\n")
    assert [(song.path.name, song.fault) for song in songs] == [
        ("a.mp3", None),
        ("b.mp3", None),
        ("c.mp3", None),
    ]


def test_excel_may_say_what_separates(tmp_path: Path) -> None:
    songs = listed(tmp_path / "songs.csv", "sep=;\r\nlocation;output\r\na,b.mp3;x\r\n;y\r\n")
    assert (songs[0].path.name, songs[0].name) == ("a,b.mp3", "x")
    assert "line 4: has no location" in faults(songs)[0]


def test_lines_may_end_with_cr(tmp_path: Path) -> None:
    songs = listed(tmp_path / "songs.csv", "location,output\ra.mp3,x\rb.mp3,y\r")
    assert [song.path.name for song in songs] == ["a.mp3", "b.mp3"]


def test_a_song_with_two_outputs_is_separated_twice(tmp_path: Path) -> None:
    songs = listed(tmp_path / "songs.csv", "location,output\na.mp3,x\na.mp3,y\na.mp3,\na.mp3,\n")
    assert [song.name for song in songs] == ["x", "y", ""]


def write_parquet(path: Path, **columns: list[Any]) -> None:
    from arro3.core import Array, DataType, Table  # noqa: PLC0415  an extra
    from arro3.io import write_parquet as write  # noqa: PLC0415

    kinds = {str: DataType.utf8(), int: DataType.int64()}
    arrays = {
        name: Array(values, type=kinds[type(next(value for value in values if value is not None))])
        for name, values in columns.items()
    }
    write(Table.from_pydict(arrays), str(path))


@parquet
def test_parquet_files_are_lists_too(tmp_path: Path) -> None:
    path = tmp_path / "songs.parquet"
    write_parquet(path, location=["a.mp3", None, "s3://b/c.mp3"], output=["x/y", "z", None], n=[1, 2, 3])
    songs = find_songs([str(path)])
    assert [(song.path, song.folder.as_posix(), song.name) for song in songs if not song.fault] == [
        (tmp_path / "a.mp3", "x", "y"),
        (Location("s3://b/c.mp3"), ".", ""),
    ]
    assert faults(songs) == [f"{path}: row 2: has no location"]


@parquet
def test_columns_that_are_no_texts_are_named(tmp_path: Path) -> None:
    write_parquet(tmp_path / "songs.parquet", location=[1])
    assert "row 1: location is not a text" in faults(find_songs([str(tmp_path / "songs.parquet")]))[0]


@parquet
@pytest.mark.parametrize(
    "spoil",
    [lambda _: b"", lambda _: b"location\na.mp3\n", lambda content: b"PAR1" + b"x" * 50 + content[-8:]],
    ids=["empty", "csv", "damaged"],
)
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_parquet_file_is_named(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "songs.parquet"
    write_parquet(path, location=["a.mp3"])
    path.write_bytes(spoil(path.read_bytes()))
    (fault,) = faults(find_songs([str(path)]))
    assert "Parquet file" in fault


def test_stems_get_the_names_of_the_list(
    plugins: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_noise(tmp_path / "track.wav")
    (tmp_path / "songs.csv").write_text("location,output\ntrack.wav,Abba/v1.0\n,\n")
    line = ["separate", str(tmp_path / "songs.csv"), "-m", "small", "-o", str(tmp_path / "out")]
    assert run(line, plugins) == 1
    printed, messages = capsys.readouterr()
    assert printed.splitlines() == [str(tmp_path / f"out/Abba/v1.0/{stem}.wav") for stem in ("low", "high")]
    assert f"error: {tmp_path / 'songs.csv'}: line 3: has no location" in messages
