"""What people name on a command line, as the songs that they mean.

A song is named by itself, by a folder that holds it, by a pattern or in a playlist. What cannot be
used becomes a song with a fault, so that it is told in its place among the others.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO, Final

from stemdock.batch.playlists import SUFFIXES as PLAYLISTS
from stemdock.batch.playlists import is_address, playlist_entries
from stemdock.errors import AudioFileError
from stemdock.lib.os_errors import os_errors_as, reason_for

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

STANDARD_INPUT: Final = "-"
"""What people write for standard input."""

_SPOOL_SIZE: Final = 1 << 20
AUDIO_SUFFIXES: Final = frozenset({
    ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".alac", ".ape", ".au", ".caf", ".flac",
    ".m4a", ".m4b", ".mka", ".mp2", ".mp3", ".mpc", ".oga", ".ogg", ".opus", ".rf64",
    ".snd", ".spx", ".tta", ".w64", ".wav", ".wave", ".wma", ".wv",
})  # fmt: skip
_STARTS: Final = (b"fLaC", b"OggS", b"ID3", b"caff", b".snd", b"wvPk", b"MAC ")
"""First bytes of audio files; the containers that hold other things, too, are told below."""
_CONTAINERS: Final = {b"RIFF": (b"WAVE",), b"RF64": (b"WAVE",), b"FORM": (b"AIFF", b"AIFC")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """One mixture to separate, or what was named in vain."""

    path: Path
    folder: PurePath = field(default_factory=PurePath)
    """Where its results go below the output folder: its place in the folder that was named."""
    fault: AudioFileError | None = None
    """Why there is nothing to separate."""

    @property
    def is_standard_input(self) -> bool:
        """Whether its bytes come from standard input."""
        return str(self.path) == STANDARD_INPUT


def find_songs(
    arguments: Sequence[str], *, output: Path | None = None, made: Collection[Path] = ()
) -> list[Song]:
    """The songs that arguments mean, each once, in the order of the arguments.

    Args:
        arguments: Paths of audio files, playlists (`.m3u`, `.m3u8`) and folders, patterns, and "-".
            Folders are searched at any depth, in the order of names, for what ends like audio or begins
            like it; what is hidden (begins with a dot) is left out. A pattern (`*`, `?`, `[…]`, `**` for
            any depth) counts as one if no file bears its name.
        output: Folder for the results, left out wherever it is inside a folder that is searched.
        made: Results of former runs, resolved, left out of folders and patterns.
    """
    search = _Search(output.resolve() if output else None, frozenset(made))
    songs: list[Song] = []
    known: set[Path] = set()
    for argument in arguments:
        for song in search.songs(argument):
            key = song.path if song.is_standard_input else song.path.resolve()
            if song.fault or key not in known:
                songs.append(song)
            if not song.fault:
                known.add(key)
    return songs


@contextmanager
def spooled(stream: BinaryIO) -> Iterator[Path]:
    """A temporary file with all the bytes of a stream, for audio is read from files.

    Args:
        stream: Read to its end first.

    Yields:
        A file called "stdin" without an extension, for nobody knows what it is.

    Raises:
        AudioFileError: It is empty, or there is no room for it.
    """
    with TemporaryDirectory(prefix="stemdock-") as folder:
        path = Path(folder) / "stdin"
        with os_errors_as(_unstorable), path.open("wb") as file:
            shutil.copyfileobj(stream, file, _SPOOL_SIZE)
            size = file.tell()
        if not size:
            raise AudioFileError(Path(STANDARD_INPUT), "is empty", remedy="Send an audio file to it.")
        yield path


def _unstorable(reason: str) -> AudioFileError:
    return AudioFileError(
        Path(STANDARD_INPUT),
        f"cannot be stored in a temporary file ({reason})",
        remedy="Free some disk space, or set TMPDIR to a folder on another disk.",
    )


@dataclass(frozen=True, slots=True)
class _Search:
    output: Path | None
    made: frozenset[Path]

    def songs(self, argument: str) -> Iterator[Song]:
        path = Path(argument)
        if not argument.strip():
            yield _fault(Path(), "an empty path", "Name an audio file.")
        elif argument == STANDARD_INPUT:
            yield Song(path=path)
        elif reason := _unusable(path):
            yield _fault(path, f"cannot be opened ({reason})", "Name an audio file that you may read.")
        elif path.is_dir():
            yield from self._in_folder(path)
        elif path.suffix.lower() in PLAYLISTS and path.is_file():
            yield from _in_playlist(path)
        elif has_magic(argument) and not path.exists():
            yield from self._matching(argument)
        else:
            yield Song(path=path)

    def _in_folder(self, root: Path) -> Iterator[Song]:
        n_found = 0
        for song in self._walk(root):
            n_found += 1
            yield song
        if not n_found:
            yield _fault(root, "has no audio files in it", "Name a folder with songs.")

    def _walk(self, root: Path) -> Iterator[Song]:
        faults: list[OSError] = []
        # Folders that are links are followed, once each, for libraries are put together in this way.
        seen = {root.resolve()}
        for folder, folders, names in os.walk(root, onerror=faults.append, followlinks=True):
            here = Path(folder)
            folders[:] = sorted(name for name in folders if self._is_wanted_folder(here / name, seen))
            for name in sorted(names):
                path = here / name
                if not name.startswith(".") and _is_audio(path) and path.resolve() not in self.made:
                    yield Song(path=path, folder=PurePath(here.relative_to(root)))
        for fault in faults:
            yield _fault(
                Path(fault.filename), f"cannot be searched ({fault.strerror})", "Check its permissions."
            )

    def _is_wanted_folder(self, path: Path, seen: set[Path]) -> bool:
        if path.name.startswith("."):
            return False
        resolved = path.resolve()
        if resolved in seen or resolved == self.output:
            return False
        seen.add(resolved)
        return True

    def _matching(self, pattern: str) -> Iterator[Song]:
        suffix = PurePath(pattern).suffix.lower()
        n_found = 0
        for match in sorted(glob(pattern, recursive=True)):  # noqa: PTH207  a Path has no absolute patterns
            path = Path(match)
            # Who writes *.dat wants these; who writes * wants the songs and not their covers.
            if not path.is_file() or not (_is_audio(path) or path.suffix.lower() == suffix):
                continue
            if path.resolve() not in self.made:
                n_found += 1
                yield Song(path=path)
        if not n_found:
            yield _fault(Path(pattern), "no audio file matches", "Check the pattern.")


def _in_playlist(path: Path) -> Iterator[Song]:
    try:
        entries = playlist_entries(path.read_bytes())
    except OSError as error:
        yield _fault(path, f"cannot be read ({error.strerror})", "Check its permissions.")
        return
    if not entries:
        yield _fault(path, "is an empty playlist", "Name a playlist with songs.")
    for entry in entries:
        if is_address(entry):
            yield _fault(
                # A Path would fold the slashes.
                path,
                f"has an address in it that cannot be read: {entry}",
                "Put the path of a file in its place.",
            )
        else:
            yield _entry(path, entry)


def _entry(playlist: Path, entry: str) -> Song:
    if reason := _unusable(playlist.parent / entry):
        return _fault(
            playlist,
            f"has an entry that is no path ({reason}): {entry[:80]}",
            "Put the path of a file in its place.",
        )
    return Song(path=_entry_path(playlist.parent, entry))


def _unusable(path: Path) -> str:
    """Why nobody can say what is at a path; empty if that can be said, be it that nothing is there."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        return reason_for(error)
    return ""


def _entry_path(folder: Path, entry: str) -> Path:
    """Where an entry points, backslashes of Windows included."""
    path = folder / entry
    if "\\" in entry and not path.exists():
        return folder / entry.replace("\\", "/")
    return path


def _is_audio(path: Path) -> bool:
    """Whether a file's name ends like audio, or else its content begins like it."""
    if path.suffix.lower() in AUDIO_SUFFIXES:
        return path.is_file()
    try:
        # A pipe or a device would keep its reader waiting.
        if not path.is_file():
            return False
        with path.open("rb") as file:
            start = file.read(12)
    except OSError:
        return False
    return start.startswith(_STARTS) or start[8:12] in _CONTAINERS.get(start[:4], ())


def _fault(path: Path, reason: str, remedy: str) -> Song:
    return Song(path=path, fault=AudioFileError(path, reason, remedy=remedy))
