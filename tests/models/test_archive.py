"""Archives that lie, attack or are broken."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemdock import CancelledError
from stemdock.cli.main import run
from stemdock_models.archive import unpack_checkpoint
from stemdock_models.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock import Plugins

GOOD = ("checkpoint", "model.index", "model.data-00000-of-00001")


def member(
    name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = len(content) if kind == tarfile.REGTYPE else 0
    return info, content


def write(path: Path, *members: tuple[tarfile.TarInfo, bytes], good: bool = True) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
        for name in GOOD if good else ():
            info, content = member(name)
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture
def outside(tmp_path: Path) -> tuple[Path, Path]:
    """An archive's place, and an empty folder to unpack to, with nothing around it."""
    folder = tmp_path / "deep" / "folder"
    folder.mkdir(parents=True)
    return tmp_path / "a.tar.gz", folder


def everything(path: Path) -> list[str]:
    return sorted(str(each.relative_to(path)) for each in path.rglob("*") if each.is_file())


@pytest.mark.parametrize(
    "hostile",
    [
        member("../model.index"),
        member("a/../../model.index"),
        member("/tmp/stemdock-evil.index"),  # noqa: S108  nothing must come to be there
        member("..\\model.index"),
        member("C:\\model.index"),
        member("C:model.index"),
        member("\\\\host\\share\\model.index"),
        member("model.index:hidden.index"),
        member("../../unwanted.txt"),
        member("model.index", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        member("link.index", kind=tarfile.SYMTYPE, link="checkpoint"),
        member("model.index", kind=tarfile.LNKTYPE, link="/etc/passwd"),
        member("model.index", kind=tarfile.CHRTYPE),
        member("model.index", kind=tarfile.BLKTYPE),
        member("model.index", kind=tarfile.FIFOTYPE),
        member("unwanted", kind=tarfile.SYMTYPE, link="."),
    ],
    ids=lambda each: f"{each[0].name}-{each[0].type.decode()}",
)
def test_a_hostile_member_condemns_the_archive(
    outside: tuple[Path, Path], hostile: tuple[tarfile.TarInfo, bytes]
) -> None:
    archive, folder = outside
    write(archive, hostile)
    with pytest.raises(ArchiveError, match="contains '") as caught:
        unpack_checkpoint(archive, folder)
    assert "Do not use this archive" in caught.value.remedy
    assert everything(archive.parent) == ["a.tar.gz"]


def test_only_what_a_checkpoint_needs_is_written(outside: tuple[Path, Path]) -> None:
    archive, folder = outside
    write(
        archive,
        *(
            member(name)
            for name in ("._checkpoint", "._model.index", ".probe", "model.meta", "README", "setup.py")
        ),
    )
    unpack_checkpoint(archive, folder)
    assert everything(folder) == sorted(GOOD)


def test_a_checkpoint_in_a_folder_is_found(outside: tuple[Path, Path]) -> None:
    archive, folder = outside
    write(
        archive, member("mine/", kind=tarfile.DIRTYPE), *(member(f"mine/{name}") for name in GOOD), good=False
    )
    unpack_checkpoint(archive, folder)
    assert everything(folder) == sorted(GOOD)


@pytest.mark.parametrize("names", [("a/checkpoint", "b/model.index"), ("checkpoint", "checkpoint")])
def test_two_checkpoints_are_refused(outside: tuple[Path, Path], names: tuple[str, ...]) -> None:
    archive, folder = outside
    write(archive, *map(member, names), good=False)
    with pytest.raises(ArchiveError, match="more than one checkpoint"):
        unpack_checkpoint(archive, folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["model.index", "unwanted.bin"])
def test_a_bomb_is_refused_before_it_is_unpacked(outside: tuple[Path, Path], name: str) -> None:
    """100 MB of zeros in 100 kB."""
    archive, folder = outside
    write(archive, member(name, bytes(100_000_000)))
    assert archive.stat().st_size < 200_000
    with pytest.raises(ArchiveError, match="unpacks to more than 50 MB"):
        unpack_checkpoint(archive, folder, max_bytes=50_000_000)
    assert everything(folder) == []


def test_exactly_the_limit_is_allowed(outside: tuple[Path, Path]) -> None:
    archive, folder = outside
    write(archive, member("a.txt", bytes(1997)))
    unpack_checkpoint(archive, folder, max_bytes=2000)
    assert everything(folder) == sorted(GOOD)
    with pytest.raises(ArchiveError, match="unpacks to more than"):
        unpack_checkpoint(archive, archive.parent, max_bytes=1999)


def test_what_is_written_is_what_the_archive_contains(outside: tuple[Path, Path]) -> None:
    archive, folder = outside
    content = np.random.default_rng(0).bytes((1 << 21) + 5)
    write(archive, member("a.index", content), good=False)
    unpack_checkpoint(archive, folder)
    assert (folder / "a.index").read_bytes() == content


def test_a_cancelled_unpacking_stops(outside: tuple[Path, Path]) -> None:
    archive, folder = outside
    write(archive)
    cancel = Event()
    unpack_checkpoint(archive, folder, cancel=cancel)
    cancel.set()
    with pytest.raises(CancelledError):
        unpack_checkpoint(archive, folder.parent, cancel=cancel)


def test_no_file_is_replaced(outside: tuple[Path, Path]) -> None:
    archive, folder = outside
    write(archive)
    (folder / "model.index").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        unpack_checkpoint(archive, folder)
    assert (folder / "model.index").read_bytes() == b"mine"


def test_an_archive_compressed_twice_is_refused(outside: tuple[Path, Path]) -> None:
    """It is not unpacked beyond the first layer, whose size is limited."""
    archive, folder = outside
    write(archive)
    archive.write_bytes(gzip.compress(archive.read_bytes()))
    with pytest.raises(ArchiveError, match="is damaged or not"):
        unpack_checkpoint(archive, folder)


@pytest.mark.parametrize("size", [-1, -512, -5000, -(1 << 40)])
def test_a_negative_size_is_refused(outside: tuple[Path, Path], size: int) -> None:
    archive, folder = outside
    info = tarfile.TarInfo("model.index")
    info.size = size
    archive.write_bytes(gzip.compress(3 * info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))
    with pytest.raises(ArchiveError, match="is damaged"):
        unpack_checkpoint(archive, folder)
    assert everything(folder) == []


def headers(n_headers: int, kind: bytes, size: int) -> bytes:
    """A tar file with a member that has many long names."""
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, size
    last, content = member("model.index")
    return (
        (info.tobuf(tarfile.GNU_FORMAT) + b"a" * size) * n_headers + last.tobuf() + content.ljust(1536, b"\0")
    )


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_long_row_of_headers_is_refused(outside: tuple[Path, Path], kind: bytes) -> None:
    archive, folder = outside
    archive.write_bytes(gzip.compress(headers(2000, kind, 512), 1))
    with pytest.raises(ArchiveError, match="is damaged"):
        unpack_checkpoint(archive, folder)


def test_the_size_of_headers_is_limited(outside: tuple[Path, Path]) -> None:
    archive, folder = outside
    archive.write_bytes(gzip.compress(headers(9, tarfile.GNUTYPE_LONGLINK, 1 << 20), 1))
    unpack_checkpoint(archive, folder, max_bytes=1000)
    assert everything(folder) == ["model.index"]
    archive.write_bytes(gzip.compress(headers(10, tarfile.GNUTYPE_LONGLINK, 1 << 20), 1))
    with pytest.raises(ArchiveError, match="unpacks to more than 10 MB"):
        unpack_checkpoint(archive, folder, max_bytes=1000)


def test_a_bomb_of_many_parts_is_refused(outside: tuple[Path, Path]) -> None:
    archive, folder = outside
    write(archive, *(member(f"{i}.index", bytes(10_000_000)) for i in range(8)))
    with pytest.raises(ArchiveError, match="more than 50 MB"):
        unpack_checkpoint(archive, folder, max_bytes=50_000_000)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 50_000_000


def test_too_many_members_are_refused(outside: tuple[Path, Path]) -> None:
    archive, folder = outside
    write(archive, *(member(f"{i}.txt") for i in range(997)))
    unpack_checkpoint(archive, folder)
    write(archive, *(member(f"{i}.txt") for i in range(998)))
    with pytest.raises(ArchiveError, match="more than 1000 files"):
        unpack_checkpoint(archive, archive.parent)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_bomb_in_a_header_does_not_fill_the_memory(outside: tuple[Path, Path], kind: bytes) -> None:
    archive, folder = outside
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, 200_000_000
    with gzip.open(archive, "wb", compresslevel=1) as stream:
        stream.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(200):
            stream.write(bytes(1_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError, match="header of 200 MB"):
            unpack_checkpoint(archive, folder)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_archive_is_refused(outside: tuple[Path, Path], archive: bytes, share: float) -> None:
    path, folder = outside
    path.write_bytes(archive[: int(share * len(archive))])
    with pytest.raises(ArchiveError) as caught:
        unpack_checkpoint(path, folder)
    assert "Download it again" in caught.value.remedy


@pytest.mark.parametrize(
    "content", [b"no archive", gzip.compress(b"no archive", mtime=0), gzip.compress(bytes(5000), mtime=0)]
)
def test_what_is_no_archive_is_refused(outside: tuple[Path, Path], content: bytes) -> None:
    path, folder = outside
    path.write_bytes(content)
    with pytest.raises(ArchiveError):
        unpack_checkpoint(path, folder)


def test_a_flipped_bit_is_noticed(outside: tuple[Path, Path], archive: bytes) -> None:
    path, folder = outside
    path.write_bytes(archive[:200_000] + bytes([archive[200_000] ^ 1]) + archive[200_001:])
    with pytest.raises(ArchiveError):
        unpack_checkpoint(path, folder)


@given(name=st.text(st.sampled_from("./\\:aC~\n é"), min_size=1, max_size=12))
def test_no_name_leaves_the_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    base = tmp_path_factory.mktemp("any")
    folder = base / "deep" / "folder"
    folder.mkdir(parents=True)
    archive = write(base / "a.tar.gz", member(f"{name}.index"), good=False)
    try:
        unpack_checkpoint(archive, folder)
    except ArchiveError:
        assert everything(folder) == []
    else:
        assert len(everything(folder)) == 1
    assert len(everything(base)) == 1 + len(everything(folder))


@pytest.mark.slow
def test_a_hostile_archive_leaves_the_store_as_it_was(
    plugins: Plugins,
    outside: tuple[Path, Path],
    narrow: Path,
    assert_intact: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive, _ = outside
    config = str(narrow / "config.json")
    assert run(["models", "add", str(narrow), "--name", "mine", "--config", config], plugins) == 0
    write(archive, member("../../evil.index"))
    command = ["models", "add", str(archive), "--name", "mine", "--config", config, "--overwrite"]
    assert run(command, plugins) == 1
    assert "Do not use this archive" in capsys.readouterr().err
    assert_intact("mine")
