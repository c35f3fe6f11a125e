"""Where results go: a template and a mixture become the path of each stem.

Names come out the same on every system, so that results can be carried from one to another: what
Windows does not allow in a name is replaced or left out everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Final

from stemdock.errors import OutputConflictError, OutputOptionError
from stemdock.lib.legal_names import cut_to_bytes, legal_name, n_bytes, replace_illegal
from stemdock.output.tags import Tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DEFAULT_TEMPLATE: Final = "{filename}/{instrument}.{codec}"
_TAG_FIELDS: Final = ("title", "artist", "album", "tracknumber")
FIELDS: Final = ("filename", "foldername", "extension", "instrument", "codec", "model", *_TAG_FIELDS)
"""What a template may have in braces. The first two, instrument and codec are Spleeter's."""

_MAX_BYTES: Final = 240
"""Longest name in bytes of UTF-8. File systems allow 255; other programs may append a suffix."""

_Part = tuple[str, str | None]
"""Text, and the field that stands behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A folder, and how files in it are named."""

    folder: Path
    template: str = DEFAULT_TEMPLATE
    """A relative path with fields in braces; / and \\ both separate folders, {{ and }} are braces."""

    def __post_init__(self) -> None:
        """Refuses a template that cannot work.

        Raises:
            OutputOptionError: It has an unknown field, names no file, or leads out of the folder.
        """
        _components(self.template)

    @property
    def needs_tags(self) -> bool:
        """Whether names depend on the mixture's tags."""
        parts = (part for component in _components(self.template) for part in component)
        return any(field in _TAG_FIELDS for _, field in parts)

    def targets(
        self, source: Path, names: Sequence[str], *, codec: str, model: str, tags: Tags | None = None
    ) -> dict[str, Path]:
        """The file for each result of one mixture.

        Args:
            source: The mixture.
            names: Stems and mixes.
            codec: For the field of that name.
            model: Name of the model.
            tags: Those of the mixture; what it lacks gets a name that says so.

        Raises:
            OutputConflictError: Two of them would have the same file.
        """
        values = _values(source, codec, model, tags or Tags())
        components = _components(self.template)
        targets = {}
        for name in names:
            values["instrument"] = name
            targets[name] = self.folder.joinpath(*(_named(component, values) for component in components))
        known = set()
        for path in targets.values():
            if path_key(path) in known:
                raise OutputConflictError(path, source)
            known.add(path_key(path))
        return targets


def path_key(path: Path) -> str:
    """What is equal for paths that are the same file where case or composed accents do not count."""
    return unicodedata.normalize("NFC", str(path.absolute())).casefold()


def _components(template: str) -> list[list[_Part]]:
    """The folders and the file of a template, each as text and fields in turn."""
    try:
        parsed = list(Formatter().parse(template))
    except ValueError as error:
        raise OutputOptionError(
            "template", f"{error}: {template}", remedy="Write {{ and }} for braces that are meant as such."
        ) from error
    components: list[list[_Part]] = [[]]
    for text, field, spec, conversion in parsed:
        if spec or conversion or (field is not None and field not in FIELDS):
            written = f"{field}{'!' if conversion else ''}{conversion or ''}{':' if spec else ''}{spec}"
            raise OutputOptionError(
                "template",
                f"unknown field {{{written}}}",
                remedy=f"Known fields: {', '.join(f'{{{known}}}' for known in FIELDS)}.",
            )
        first, *following = re.split(r"[/\\]", text)
        components[-1].append((first, None))
        components += [[(piece, None)] for piece in following]
        components[-1].append(("", field))
    texts = ["".join(text if field is None else "x" for text, field in parts) for parts in components]
    if not texts[-1].strip(". "):
        raise OutputOptionError(
            "template", f"it names no file: {template}", remedy=f"An example: {DEFAULT_TEMPLATE}"
        )
    if not texts[0] or ".." in texts:
        raise OutputOptionError(
            "template",
            f"it leads out of the output folder: {template}",
            remedy="Name the folder by --output, and use neither .. nor a leading / in the template.",
        )
    return [parts for parts, text in zip(components, texts, strict=True) if text not in {"", "."}]


def _values(source: Path, codec: str, model: str, tags: Tags) -> dict[str, str]:
    """What each field but the instrument stands for."""
    filename = source.stem.rstrip(" .") or "song"
    number = tags.tracknumber.split("/")[0].strip()
    return {
        "filename": filename,
        "foldername": source.absolute().parent.name,
        "extension": source.suffix[1:],
        "codec": codec,
        "model": Path(model).stem if model.endswith(".onnx") else model,
        "title": tags.title or filename,
        "artist": tags.artist or "unknown artist",
        "album": tags.album or "unknown album",
        "tracknumber": (number or "0").zfill(2),
    }


def _named(parts: Iterable[_Part], values: Mapping[str, str]) -> str:
    """A legal name of a file or folder."""
    pieces = [replace_illegal(text if field is None else values[field]) for text, field in parts]
    # The longest value is shortened, because the others distinguish the stems.
    while (surplus := n_bytes("".join(pieces)) - _MAX_BYTES) > 0:
        longest = max(range(len(pieces)), key=lambda index: n_bytes(pieces[index]))
        pieces[longest] = cut_to_bytes(pieces[longest], max(n_bytes(pieces[longest]) - surplus, 0))
    return legal_name("".join(pieces))
