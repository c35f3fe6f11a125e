"""Archives like those of Spleeter's release."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def pack(folder: Path) -> bytes:
    """A checkpoint's files at the root of an archive, and beside them some that nobody needs."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as tar:
        names = [
            path.name for path in sorted(folder.iterdir()) if path.name.startswith(("model.", "checkpoint"))
        ]
        contents = {name: (folder / name).read_bytes() for name in names}
        for name, content in {"._checkpoint": b"Mac", "model.meta": b"graph", **contents}.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()
