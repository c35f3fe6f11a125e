"""Paths of results, made from a template and the name and tags of the mixture.

Names are the same on every system, so that results can be copied from one system to another: what
Windows does not allow in a name is replaced or removed everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Final

from stemdock.errors import OutputConflictError, OutputOptionError
from stemdock.lib.legal_names import cut_to_bytes, legal_name, n_bytes, replace_illegal
from stemdock.output.tags import Tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stemdock.lib.locations import Location, Place

DEFAULT_TEMPLATE: Final = "{filename}/{instrument}.{codec}"
_TAG_FIELDS: Final = ("title", "artist", "album", "tracknumber")
FIELDS: Final = ("filename", "foldername", "extension", "instrument", "codec", "model", *_TAG_FIELDS)
"""Fields that a template can contain in braces. Spleeter has the first two, instrument and codec."""

_MAX_BYTES: Final = 240
"""Longest name in bytes of UTF-8. File systems allow 255; other programs may append a suffix."""

_Part = tuple[str, str | None]
"""Literal text with None, or an empty text with the name of a field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A folder, and a template for the names of the files in it."""

    folder: Path
    template: str = DEFAULT_TEMPLATE
    """A relative path with fields in braces. Both / and \\ separate folders; {{ and }} mean braces."""
    location: Location | None = None
    """Where the folder is if it is not on this machine; `folder` is then relative to it."""
    own_folder: str = ""
    """End of the names of results if each has the name of its folder apart from that; else empty."""
    companions: Mapping[str, str] = field(default_factory=dict)
    """Further results by name: their paths from the folder of the first result, with / between folders. In
    these, {project} stands for the name of the first result without its ending."""

    def __post_init__(self) -> None:
        """Checks the template.

        Raises:
            OutputOptionError: It has an unknown field, has no file name, or leads out of the folder.
        """
        _components(self.template)

    @property
    def needs_tags(self) -> bool:
        """Whether the template uses the mixture's tags."""
        parts = (part for component in _components(self.template) for part in component)
        return any(field in _TAG_FIELDS for _, field in parts)

    def targets(
        self,
        source: Path,
        names: Sequence[str],
        *,
        codec: str,
        model: str,
        tags: Tags | None = None,
        filename: str = "",
    ) -> dict[str, Path]:
        """The path of each result of one mixture.

        Args:
            source: The mixture.
            names: Stems and mixes.
            codec: Usual extension of the codec.
            model: Name of the model.
            tags: Tags of the mixture; missing ones are replaced, for example by "unknown artist".
            filename: Takes the place of the mixture's name, without its extension; empty for none.

        Raises:
            OutputConflictError: Two results would have the same path.
        """
        values = _values(source, filename or source.stem, codec, model, tags or Tags())
        components = _components(self.template)
        targets = {}
        for name in names:
            values["instrument"] = name
            targets[name] = self.folder.joinpath(*self._names(components, values))
        targets |= companions_of(next(iter(targets.values())), self.companions)
        known = set()
        for path in targets.values():
            key = path_key(path)
            if key in known:
                raise OutputConflictError(path, source)
            known.add(key)
        return targets

    def _names(self, components: Sequence[Sequence[_Part]], values: Mapping[str, str]) -> list[str]:
        if not self.own_folder:
            return [_named(component, values) for component in components]
        *folders, own, _ = components
        # A name that is too long is shortened alike.
        name = _named(own, values, _MAX_BYTES - n_bytes(self.own_folder))
        return [*(_named(component, values) for component in folders), name, f"{name}{self.own_folder}"]


def companions_of(project: Path, companions: Mapping[str, str]) -> dict[str, Path]:
    """The paths of the results that belong to another one.

    Args:
        project: The path of that one.
        companions: As of `Destination`. In names that would be too long, that of the project is shortened.
    """
    return {
        name: project.parent.joinpath(*(_within(part, project.stem) for part in path.split("/")))
        for name, path in companions.items()
    }


def _within(part: str, project: str) -> str:
    rest = n_bytes(part.replace("{project}", ""))
    return part.replace("{project}", cut_to_bytes(project, max(0, _MAX_BYTES - rest)))


def path_key(place: Place) -> str:
    """A key that is equal for files that differ only in case or in the Unicode form of accents.

    Object stores keep such names apart.
    """
    if not isinstance(place, Path):
        return str(place)
    return unicodedata.normalize("NFC", str(place.absolute())).casefold()


@cache
def _components(template: str) -> list[list[_Part]]:
    """The folders and the file of a template, each as a list of texts and fields."""
    try:
        parsed = list(Formatter().parse(template))
    except ValueError as error:
        raise OutputOptionError(
            "template",
            f"{template!r} has an incomplete field or a single brace",
            remedy="Close each field with }, and write {{ or }} for a brace.",
        ) from error
    components: list[list[_Part]] = [[]]
    for text, name, spec, conversion in parsed:
        if spec or conversion or (name is not None and name not in FIELDS):
            written = f"{name}{'!' if conversion else ''}{conversion or ''}{':' if spec else ''}{spec}"
            raise OutputOptionError(
                "template",
                f"unknown field {{{written}}}",
                remedy=f"Use these fields: {', '.join(f'{{{known}}}' for known in FIELDS)}.",
            )
        first, *following = re.split(r"[/\\]", text)
        components[-1].append((first, None))
        components += [[(piece, None)] for piece in following]
        components[-1].append(("", name))
    texts = ["".join(text if field is None else "x" for text, field in parts) for parts in components]
    if not texts[-1].strip(". "):
        raise OutputOptionError(
            "template",
            f"{template!r} does not end with a file name",
            remedy=f"Write for example {DEFAULT_TEMPLATE}",
        )
    if not texts[0] or ".." in texts:
        raise OutputOptionError(
            "template",
            f"{template!r} leads out of the output folder",
            remedy="Set the folder with --output, and use neither .. nor a leading / in the template.",
        )
    return [parts for parts, text in zip(components, texts, strict=True) if text not in {"", "."}]


def _values(source: Path, filename: str, codec: str, model: str, tags: Tags) -> dict[str, str]:
    """The value of each field except the instrument."""
    filename = filename.rstrip(" .") or "song"
    number = tags.tracknumber[:_MAX_BYTES].split("/")[0].strip()
    values = {
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
    # Tags can be as long as files; a name never gets more of them.
    return {field: cut_to_bytes(value, _MAX_BYTES) for field, value in values.items()}


def _named(parts: Iterable[_Part], values: Mapping[str, str], max_bytes: int = _MAX_BYTES) -> str:
    """A legal name of a file or folder."""
    pieces = [replace_illegal(text if field is None else values[field]) for text, field in parts]
    # The longest value is shortened, because the others distinguish the stems.
    while (surplus := n_bytes("".join(pieces)) - max_bytes) > 0:
        longest = max(range(len(pieces)), key=lambda index: n_bytes(pieces[index]))
        pieces[longest] = cut_to_bytes(pieces[longest], max(n_bytes(pieces[longest]) - surplus, 0))
    return legal_name("".join(pieces))
