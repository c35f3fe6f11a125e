"""Jobs as an editor writes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def make_job(tmp_path: Path, *sources: dict[str, Any], name: str = "{0F}", **changes: Any) -> Path:
    """A complete job in a folder of its own."""
    folder = tmp_path / "jobs" / name
    folder.mkdir(parents=True)
    content = {
        "protocol": 2,
        "output_dir": str(tmp_path / "Média"),
        "model": "2stems",
        "sources": list(sources),
        **changes,
    }
    (folder / "job.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def source(path: Path, identifier: str = "s1", **changes: Any) -> dict[str, Any]:
    """Two seconds of a file."""
    return {"id": identifier, "name": "Song", "path": str(path), "start": 1.0, "duration": 2.0, **changes}


def left(media: Path) -> list[str]:
    """Names of all files in the media folder, which may be missing."""
    return sorted(path.name for path in media.iterdir()) if media.exists() else []
