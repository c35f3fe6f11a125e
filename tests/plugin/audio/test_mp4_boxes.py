from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from stemdock.audio.mp4_boxes import add_user_data
from support.mp4_tree import file_tree

if TYPE_CHECKING:
    from pathlib import Path


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


FTYP = box(b"ftyp", b"M4A ")
MVHD = box(b"mvhd", bytes(100))
LONG = struct.pack(">I4sQ", 1, b"mdat", 16 + 5) + b"sound"


@pytest.mark.parametrize(
    ("before", "inside", "others"),
    [
        (FTYP + box(b"mdat", b"sound"), MVHD, []),
        (FTYP + LONG, MVHD + box(b"udta"), []),
        (FTYP, box(b"udta", box(b"meta", b"abc")) + MVHD, [b"meta"]),
        (b"", b"", []),
    ],
)
def test_the_box_is_added_to_the_only_user_data(
    tmp_path: Path, before: bytes, inside: bytes, others: list[bytes]
) -> None:
    path = tmp_path / "file.m4a"
    path.write_bytes(before + box(b"moov", inside))
    add_user_data(path, b"stem", b"content")
    data = path.read_bytes()
    assert data.startswith(before)
    tree = file_tree(data)
    user_data = tree.only(b"moov", b"udta")
    assert [child.kind for child in user_data.children] == [*others, b"stem"]
    assert user_data.children[-1].content == b"content"
    assert len(list(tree.all(b"moov", b"mvhd"))) == inside.count(b"mvhd")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        FTYP,
        box(b"moov") + box(b"mdat"),
        FTYP + box(b"moov")[:6],
        FTYP + struct.pack(">I4s", 100, b"moov") + MVHD[:20],
        struct.pack(">I4s", 0, b"mdat") + bytes(20),
        struct.pack(">I4sQ", 1, b"mdat", 3) + bytes(20),
        FTYP + box(b"moov", struct.pack(">I4s", 2, b"trak")),
    ],
)
def test_other_files_stay_as_they_are(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file.m4a"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"moov|box"):
        add_user_data(path, b"stem", b"content")
    assert path.read_bytes() == data
