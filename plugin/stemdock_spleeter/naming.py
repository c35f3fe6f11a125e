"""The files of a separation, from Spleeter's filename format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock_spleeter.errors import FilenameFormatError, SpleeterError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stemdock_spleeter.codecs import Codec

_FIELDS: Final = ("filename", "instrument", "foldername", "codec")


def stem_files(
    song: str, destination: str | Path, filename_format: str, codec: Codec, stems: Iterable[str]
) -> dict[str, Path]:
    """The file of each stem.

    Args:
        song: Path of the song.
        destination: Folder of the files.
        filename_format: A template as Python formats it, with the fields filename, instrument, foldername
            and codec.
        codec: How the files are encoded.
        stems: Names of the stems.

    Raises:
        SpleeterError: Two stems would have the same file.
        FilenameFormatError: The template has an unknown field, or cannot be formatted.
    """
    source = Path(song)
    files: dict[str, Path] = {}
    for stem in stems:
        values = {
            "filename": source.stem,
            "instrument": stem,
            "foldername": source.absolute().parent.name,
            "codec": codec,
        }
        try:
            name = filename_format.format(**values)
        except (LookupError, ValueError, AttributeError, TypeError) as error:
            raise FilenameFormatError(
                f"the filename format {filename_format!r} cannot be used ({type(error).__name__}: {error})",
                remedy=f"Use these fields: {', '.join(f'{{{field}}}' for field in _FIELDS)}.",
            ) from error
        path = Path(destination) / name
        if path in files.values():
            raise SpleeterError(
                f"Separated source path conflict : {path},please check your filename format",
                remedy="Put {instrument} into the filename format.",
            )
        files[stem] = path
    return files
