"""Names of files in XML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock.errors import OutputError
from stemdock.lib.xml_text import xml_text

if TYPE_CHECKING:
    from pathlib import Path


def check_xml_name(place: Path, name: str, subject: str, form: str) -> None:
    """Checks that XML can contain a name.

    Args:
        place: Where the file with the XML goes.
        name: Of a file or folder.
        subject: What the name belongs to, for the error.
        form: The format of the file, for the error.

    Raises:
        OutputError: XML has no notation for it.
    """
    if xml_text(name) != name:
        raise OutputError(
            place,
            f"cannot be {form}: {subject} has control characters or is not UTF-8",
            remedy="Choose another name.",
        )
