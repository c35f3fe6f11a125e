from __future__ import annotations

from pathlib import Path

import pytest

from stemdock.lib.locations import Location, place_of


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("s3://bucket/a/song.mp3", "s3://bucket/a/song.mp3"),
        ("S3://bucket/song.mp3", "s3://bucket/song.mp3"),
        ("s3://bucket/What's up?.mp3", "s3://bucket/What's up?.mp3"),
        ("s3://bucket/song #1?.mp3?versionId=secret", "s3://bucket/song #1?.mp3"),
        ("s3://bucket/Who?R=you.mp3", "s3://bucket/Who?R=you.mp3"),
        ("s3://bucket/song.mp3?X-Amz-Signature=secret", "s3://bucket/song.mp3"),
        ("s3://key:secret@bucket/song.mp3", "s3://bucket/song.mp3"),
        ("s3://key:sec/ret@bucket/song.mp3", "s3://bucket/song.mp3"),
        ("https://host:80/a@b.mp3", "https://host:80/a@b.mp3"),
        ("https://me:secret@host:80/a.mp3?X-Amz-Signature=secret&b=c#secret", "https://host:80/a.mp3"),
        ("https://[::1]:8080/a/b@c.mp3", "https://[::1]:8080/a/b@c.mp3"),
        ("https://me:secret@[fe80::1]/a.mp3", "https://[fe80::1]/a.mp3"),
        ("https://host/a@b.mp3?secret", "https://host/a@b.mp3"),
        ("https://me:secret#1@host/x.mp3", "https://host/x.mp3"),
        ("https://me:sec?ret@host/x.mp3?secret", "https://host/x.mp3"),
        ("https://me:secret@host?secret", "https://host"),
        ("https://me:p@ss/secret@host/x.mp3", "https://host/x.mp3"),
        ("https://me:p@ss/sec@ret#@host:80/x.mp3", "https://host:80/x.mp3"),
        ("https://me:secret@host/live@home.mp3", "https://host/live@home.mp3"),
        ("https://me:secret@host/@home/a.mp3", "https://home/a.mp3"),  # rather too much than too little
        ("https://[::1]:secret@host/a.mp3", "https://host/a.mp3"),
        ("s3://key:secret?versionId=1@bucket/song.mp3", "s3://bucket/song.mp3"),
        ("https://host/@me/a.mp3?b=c@d/e", "https://host/@me/a.mp3"),
    ],
)
def test_a_text_has_no_secrets(address: str, text: str) -> None:
    location = Location(address)
    assert str(location) == text
    assert "secret" not in repr(location)
    assert location.address == address


def test_names_and_folders() -> None:
    assert Location("https://host/a%20b/c%3F.mp3?x=y").name == "c?.mp3"
    assert Location("s3://bucket/a%20b.mp3").name == "a%20b.mp3"
    assert [Location(f"s3://bucket{rest}").name for rest in ("", "/", "/a/", "/a")] == ["", "", "", "a"]
    assert str(Location("s3://bucket/a/") / "b/c.wav") == "s3://bucket/a/b/c.wav"


def test_addresses_of_this_machine_are_paths() -> None:
    assert place_of("file:///a/b%20c.mp3") == Path("/a/b c.mp3")
    assert place_of("file://localhost/a/b%23c.mp3") == Path("/a/b#c.mp3")
    assert place_of("a/b.mp3") == Path("a/b.mp3")
    assert place_of("C://a") == Path("C://a")
    assert place_of("S3://Bucket/A.mp3") == Location("s3://Bucket/A.mp3")
    with pytest.raises(ValueError, match="another machine"):
        place_of("file://host/a.mp3")
