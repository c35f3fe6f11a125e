"""The limit of memory of the control group of a process, as Linux shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stemdock.lib.memory import group_limit

if TYPE_CHECKING:
    from pathlib import Path

V1_NONE = "9223372036854771712"
"""What version 1 shows if there is no limit."""


@pytest.mark.parametrize(
    ("group", "root", "files", "limit"),
    [
        # Version 2: the whole machine, a service, a container that sees its own group as the root.
        ("0::/", "/ - cgroup2 none rw", {}, None),
        ("0::/a/b", "/ - cgroup2 none rw", {"a/b/memory.max": "500"}, 500),
        ("0::/a/b", "/ - cgroup2 none rw", {"a/b/memory.max": "max", "a/memory.max": "400"}, 400),
        ("0::/a/b", "/ - cgroup2 none rw", {"a/b/memory.max": "300", "a/memory.max": "400"}, 300),
        ("0::/a/b", "/ - cgroup2 none rw", {"a/b/memory.max": "max"}, None),
        ("0::/", "/ - cgroup2 none rw", {"memory.max": "600"}, 600),
        ("0::/../other", "/ - cgroup2 none rw", {"memory.max": "600"}, 600),
        # Version 1: as above; the container's mount shows its own group only.
        ("5:cpu:/x\n4:memory:/a", "/ - cgroup none rw,memory", {"a/memory.limit_in_bytes": "700"}, 700),
        ("4:cpu,memory:/a", "/ - cgroup none rw,cpu,memory", {"a/memory.limit_in_bytes": V1_NONE}, None),
        ("4:memory:/docker/1", "/docker/1 - cgroup none rw,memory", {"memory.limit_in_bytes": "800"}, 800),
        ("4:memory:/a", "/ - cgroup none rw,cpu", {"a/memory.limit_in_bytes": "900"}, None),
        # Both at once, where only version 1 has the memory.
        ("4:memory:/a\n0::/", "/ - cgroup none rw,memory", {"a/memory.limit_in_bytes": "700"}, 700),
        # What no system shows.
        ("nonsense", "/ - cgroup2 none rw", {"memory.max": "1"}, None),
        ("0::/", "nonsense", {"memory.max": "1"}, None),
        ("0::/", "/ - cgroup2 none rw", {"memory.max": "much"}, None),
    ],
)
def test_limits(group: str, root: str, files: dict[str, str], limit: int | None, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    for name, text in files.items():
        path = mount / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    root, _, kind = root.partition(" - ")
    lines = [
        f"30 23 0:28 {root} {mount} rw,relatime shared:9 - {kind}",
        "31 23 0:28 / /proc rw - proc proc rw",
    ]
    (tmp_path / "mountinfo").write_text("\n".join(lines) + "\n")
    (tmp_path / "cgroup").write_text(f"{group}\n")
    assert group_limit(tmp_path / "cgroup", tmp_path / "mountinfo") == limit


def test_other_systems_have_none(tmp_path: Path) -> None:
    assert group_limit(tmp_path / "missing", tmp_path / "missing") is None
