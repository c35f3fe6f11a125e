from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stemdock.errors import OutputConflictError, OutputOptionError
from stemdock.output.naming import DEFAULT_TEMPLATE, FIELDS, Destination, path_key
from stemdock.output.tags import Tags
from support.windows_names import is_reserved

FOLDER = Path("out")
SOURCE = Path("/music/Album/01 song.flac")
TAGS = Tags(title="Title", artist="Artist", album="Album", tracknumber="3/12")


def name(template: str, *, source: Path = SOURCE, stem: str = "vocals", tags: Tags | None = None) -> str:
    """The path of one stem below the output folder."""
    destination = Destination(folder=FOLDER, template=template)
    (path,) = destination.targets(source, [stem], codec="wav", model="2stems", tags=tags).values()
    return path.relative_to(FOLDER).as_posix()


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (DEFAULT_TEMPLATE, "01 song/vocals.wav"),
        ("{filename}_{instrument}.{codec}", "01 song_vocals.wav"),
        ("{foldername}/{filename}/{instrument}.{codec}", "Album/01 song/vocals.wav"),
        ("{extension}/{model}/{instrument}", "flac/2stems/vocals"),
        (
            "{artist}/{album}/{tracknumber} {title} ({instrument}).{codec}",
            "Artist/Album/03 Title (vocals).wav",
        ),
        ("a\\{instrument}.{codec}", "a/vocals.wav"),
        ("./a//{instrument}.{codec}", "a/vocals.wav"),
        ("{{{instrument}}}.{codec}", "{vocals}.wav"),
    ],
)
def test_templates(template: str, expected: str) -> None:
    assert name(template, tags=TAGS) == expected


def test_what_tags_do_not_say() -> None:
    assert name("{artist}/{album}/{tracknumber} {title}") == "unknown artist/unknown album/00 01 song"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{song}/{instrument}", "unknown field {song}"),
        ("{}/{instrument}", "unknown field {}"),
        ("{instrument!r}", "unknown field {instrument!r}"),
        ("{instrument:>9}", "unknown field {instrument:>9}"),
        ("{instrument.__class__}", "unknown field"),
        ("{instrument", "'{instrument' has an incomplete field or a single brace"),
        ("../{instrument}", "leads out"),
        ("a/../../{instrument}", "leads out"),
        ("..\\{instrument}", "leads out"),
        ("/a/{instrument}", "leads out"),
        ("\\{instrument}", "leads out"),
        ("", "does not end with a file name"),
        ("{instrument}/", "does not end with a file name"),
        ("{instrument}/..", "does not end with a file name"),
    ],
)  # fmt: skip
def test_templates_that_cannot_work(template: str, reason: str) -> None:
    with pytest.raises(OutputOptionError, match=reason.replace("{", r"\{")) as caught:
        Destination(folder=FOLDER, template=template)
    if "unknown field" in reason:
        assert all(f"{{{field}}}" in caught.value.remedy for field in FIELDS)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ('AC/DC: "Who?" <1>|*\\', "AC_DC_ _Who__ _1____"),
        ("..", "_"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("con", "con_"),
        ("COM1.live", "COM1_.live"),
        ("console", "console"),
        ("what now. . .", "what now"),
        (" \t", "01 song"),
        ("\0a\nb", "_a_b"),
    ],
)
def test_unsafe_titles(title: str, expected: str) -> None:
    assert name("{title}", tags=Tags(title=title.strip(" \t"))) == expected


def test_long_names_keep_what_tells_stems_apart() -> None:
    source = Path("/m") / ("\N{HIRAGANA LETTER A}" * 80 + ".mp3")
    destination = Destination(folder=FOLDER, template="{filename}-{instrument}.{codec}")
    targets = destination.targets(source, ["vocals", "drums"], codec="flac", model="m")
    assert [path.name.lstrip("\N{HIRAGANA LETTER A}") for path in targets.values()] == [
        "-vocals.flac", "-drums.flac",
    ]  # fmt: skip
    assert all(200 < len(path.name.encode()) <= 255 for path in targets.values())


def test_stems_that_would_share_a_file_are_refused() -> None:
    with pytest.raises(OutputConflictError, match="is the output of two stems") as caught:
        Destination(folder=FOLDER, template="{filename}.{codec}").targets(
            SOURCE, ["vocals", "drums"], codec="wav", model="m"
        )
    assert "{instrument}" in caught.value.remedy
    assert caught.value.source == SOURCE


def test_case_does_not_tell_stems_apart() -> None:
    with pytest.raises(OutputConflictError):
        Destination(folder=FOLDER).targets(SOURCE, ["mix", "Mix"], codec="wav", model="m")


def test_keys_of_paths() -> None:
    composed, decomposed = (unicodedata.normalize(form, "Ü/é") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert path_key(Path(composed)) == path_key(Path(decomposed.lower()))
    assert path_key(Path("a")) != path_key(Path("b"))


@pytest.mark.parametrize(("template", "needed"), [(DEFAULT_TEMPLATE, False), ("{title}{instrument}", True)])
def test_tags_are_needed_by_their_fields_only(template: str, needed: bool) -> None:
    assert Destination(folder=FOLDER, template=template).needs_tags is needed


@given(
    template=st.lists(
        st.one_of(st.sampled_from([f"{{{field}}}" for field in FIELDS]), st.text(), st.just("/")), max_size=8
    ).map("".join),
    text=st.text(),
    stem=st.text(min_size=1),
)
def test_any_result_is_a_safe_path_below_the_folder(template: str, text: str, stem: str) -> None:
    try:
        destination = Destination(folder=FOLDER, template=template)
    except OutputOptionError:
        assume(False)
    source = Path("/music") / (text.replace("/", "").replace("\0", "") + "x.mp3")
    tags = Tags(title=text, artist=text, album=text, tracknumber=text)
    (path,) = destination.targets(source, [stem], codec="wav", model=text, tags=tags).values()
    parts = path.relative_to(FOLDER).parts
    assert parts
    for part in parts:
        assert part == part.rstrip(" .")
        assert part not in {"", ".", ".."}
        assert len(part.encode("utf-8", "surrogatepass")) <= 255
        assert not set(part) & set('<>:"/\\|?*\0\n')
        assert not is_reserved(part)
        assert PurePosixPath(part).name == part


@pytest.mark.parametrize("title", ["x" * (8 << 20), "\N{HIRAGANA LETTER A}" * (4 << 20), "/" * (8 << 20)])
def test_a_tag_of_megabytes_becomes_a_short_name(title: str) -> None:
    """Work that grew with the square of the length would take hours."""
    tags = Tags(title=title, artist=title, album=title, tracknumber=title)
    parts = name("{artist}/{album}/{tracknumber}{title}.{codec}", tags=tags).split("/")
    assert all(0 < len(part.encode()) <= 240 for part in parts)
