"""Unpacks damaged archives of checkpoints."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fuzz.case import Target
from fuzz.mutation import any_text, mutated, with_integer
from fuzz.targets.networks import write_checkpoint
from stemdock_models.archive import unpack_checkpoint
from support.packing import pack

if TYPE_CHECKING:
    from random import Random

    from fuzz.case import Place

_ARCHIVE: Final = "tiny.tar.gz"
_MOST: Final = 8 << 20
"""Limit in bytes, so that an archive bomb does not fill the disk during the tests."""
_BLOCK: Final = 512
_HEADER_FIELDS: Final = ((100, 8), (124, 12), (136, 12), (148, 8), (156, 1), (257, 6), (263, 2))
"""Position and size of mode, size, time, checksum, kind, magic and version in a tar header."""
_KINDS: Final = (
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.CHRTYPE,
    tarfile.FIFOTYPE,
    tarfile.DIRTYPE,
    tarfile.GNUTYPE_SPARSE,
)
_FORMATS: Final = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def build(folder: Path) -> None:
    """Packs a checkpoint."""
    with tempfile.TemporaryDirectory() as checkpoint:
        write_checkpoint(Path(checkpoint))
        (folder / _ARCHIVE).write_bytes(pack(Path(checkpoint)))


def damage(rng: Random, corpus: Path, folder: Path) -> None:
    """Damages the compressed or the unpacked bytes, or adds malicious members."""
    content = (corpus / _ARCHIVE).read_bytes()
    way = rng.random()
    if way < 0.3:
        content = mutated(rng, content)
    else:
        inner = gzip.decompress(content)
        inner = _with_changed_header(rng, inner) if way < 0.65 else _with_malicious_members(rng, inner)
        content = gzip.compress(mutated(rng, inner) if rng.random() < 0.3 else inner, 1)
    (folder / _ARCHIVE).write_bytes(content)


def _with_changed_header(rng: Random, inner: bytes) -> bytes:
    """Changes one header and corrects its checksum."""
    starts = [at for at in range(0, len(inner), _BLOCK) if inner[at + 257 : at + 262] == b"ustar"]
    start = rng.choice(starts)
    header = inner[start : start + _BLOCK]
    position, size = rng.choice(_HEADER_FIELDS)
    if rng.random() < 0.5:
        header = with_integer(rng, header, position, min(size, 8))
    else:
        text = rng.choice((b"7" * size, b"-1", b"\x80" + b"\xff" * (size - 1), b"\0" * size, b"8", b" "))
        header = header[:position] + text[:size].ljust(size, b"\0") + header[position + size :]
    header = header[:148] + b" " * 8 + header[156:]
    header = header[:148] + f"{sum(header):06o}\0 ".encode() + header[156:]
    return inner[:start] + header + inner[start + _BLOCK :]


def _with_malicious_members(rng: Random, inner: bytes) -> bytes:
    """Prepends members with a malicious name, type or size."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=rng.choice(_FORMATS)) as tar:
        for _ in range(1200 if rng.random() < 0.02 else rng.choice((1, 1, 1, 3))):
            name = rng.choice(
                (
                    any_text(rng),
                    "../../escaped.index",
                    "/escaped/x.index",
                    "model.index",
                    "deep/" * 90 + "checkpoint",
                )
            )
            member = tarfile.TarInfo(name.encode("utf-8", "replace").decode() or "x")
            if rng.random() < 0.5:
                member.type, member.linkname = (
                    rng.choice(_KINDS),
                    rng.choice(("../../escaped", "/etc/passwd", "model.index")),
                )
            member.size = rng.choice((0, 1, 600)) if member.isreg() else 0
            if tar.format == tarfile.PAX_FORMAT and rng.random() < 0.3:
                member.pax_headers = {
                    rng.choice(("path", "size", "GNU.sparse.map", "x" * 900)): rng.choice(
                        ("../escaped", "9" * 30, "-1", "1,2,3")
                    )
                }
            try:
                tar.addfile(member, io.BytesIO(bytes(member.size)))
            except ValueError:
                continue  # a name that this format cannot hold
    return (
        stream.getvalue()
        .rstrip(b"\0")
        .ljust(-(-len(stream.getvalue().rstrip(b"\0")) // _BLOCK) * _BLOCK, b"\0")
        + inner
    )


def run(place: Place) -> None:
    """Unpacks it."""
    folder = place.output / "checkpoint"
    folder.mkdir(parents=True)
    try:
        unpack_checkpoint(place.input / _ARCHIVE, folder, max_bytes=_MOST)
    except Exception:
        # Callers unpack into a scratch folder, which they remove.
        for path in folder.iterdir():
            assert path.is_file()
            assert not path.is_symlink()
            path.unlink()
        raise
    assert all(path.is_file() and not path.is_symlink() for path in folder.iterdir())


TARGET: Final = Target(build=build, damage=damage, run=run)
