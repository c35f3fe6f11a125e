"""The index from which ReaPack, REAPER's package manager, installs the scripts.

    python -m stemdock_reaper.reapack https://example.org/stemdock/v0.1.0/lua > index.xml

ReaPack installs the files in `Scripts/<index>/<category>`, and adds those marked as main to the Actions list.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from stemdock_reaper.install.shipped import SHIPPED
from stemdock_reaper.profile.places import ACTION_SCRIPT, REAPACK_CATEGORY

if TYPE_CHECKING:
    from pathlib import Path

_TAG: Final = re.compile(r"^-- @(\w+)\s+(.+)$", re.MULTILINE)


def index(base_url: str, time: datetime, folder: Path = SHIPPED) -> str:
    """The index as XML.

    Args:
        base_url: The address of the files in `folder`.
        time: Date of the release.
        folder: The folder of the scripts.
    """
    main = folder / ACTION_SCRIPT
    tags = dict(_TAG.findall(main.read_text(encoding="utf-8")))
    root = ET.Element("index", version="1", name="Stemdock")
    category = ET.SubElement(root, "category", name=REAPACK_CATEGORY)
    package = ET.SubElement(category, "reapack", name=ACTION_SCRIPT, type="script", desc=tags["description"])
    stamp = time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    version = ET.SubElement(package, "version", name=tags["version"], author=tags["author"], time=stamp)
    for path in [main, *(path for path in sorted(folder.rglob("*.lua")) if path != main)]:
        name = path.relative_to(folder).as_posix()
        source = ET.SubElement(version, "source")
        if path != main:
            source.set("file", name)
        if path.parent == folder:
            source.set("main", "main")
        source.text = f"{base_url.rstrip('/')}/{quote(name)}"
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(index(sys.argv[1], datetime.now(UTC)))
