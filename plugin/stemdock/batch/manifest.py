"""What was separated from what, kept beside the results, so that a later run need not do it again.

In the output folder, `.stemdock/` has one JSON file for each song: the content of the mixture, the model
and the options as far as they change the result, and the content of every file written. A record says
nothing about times, names on this machine or how long it took, so equal work leaves equal records.

A record is written twice: `complete` is false just before the files go to their places and true
once they are there. Killed between the two, a run leaves files that the next one can tell for its own by
their content.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from stemdock.errors import AudioFileError, AudioFileNotFoundError, OutputError
from stemdock.lib.hashing import file_sha256
from stemdock.lib.untrusted_json import parse_json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

FOLDER: Final = ".stemdock"
ALGORITHM: Final = 1
"""Raise it whenever the same mixture, model and options come to give other samples."""
_FORMAT: Final = 1
"""Of the JSON files; those of another format are not understood and so count as missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A file's content, in short."""

    size: int
    """Bytes."""
    sha256: str
    """Hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """All that a result depends on."""

    mixture: Content
    model: str
    """For people: `model_sha256` decides."""
    model_sha256: str
    """`ModelEntry.identity`: for Spleeter's models the sha256 of the file, after which the field is named."""
    options: Mapping[str, Any]
    """Options that change the result, as JSON has them."""
    algorithm: int = ALGORITHM


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One song's results."""

    work: Work
    outputs: Mapping[str, Content]
    """By path relative to the output folder, with forward slashes."""
    complete: bool
    """Whether all outputs have been in their places."""


class Records:
    """The records of one output folder; threads may share them."""

    def __init__(self, root: Path) -> None:
        """Reads all records.

        Args:
            root: The output folder, which need not exist.
        """
        self._root = root
        self._lock = Lock()
        self._records: dict[str, Record] = {}
        self._owners: dict[str, str] = {}
        """Name of the record that has an output, by the output's path."""
        for path in sorted((root / FOLDER).glob("*.json")):
            record = _load(path)
            if record:
                self._take(path.stem, record)

    def paths(self) -> frozenset[Path]:
        """All files that are results of former runs, resolved."""
        root = self._root.resolve()
        with self._lock:
            return frozenset(root / output for output in self._owners)

    def owns(self, path: Path) -> bool:
        """Whether a file was written by a former run, and so may be replaced by what is done again."""
        output = self._output(path)
        with self._lock:
            name = self._owners.get(output)
            record = self._records[name] if name else None
        return record is not None and (record.complete or _has_content(path, record.outputs[output]))

    def covers(self, work: Work, targets: Collection[Path]) -> bool:
        """Whether all targets are there, byte for byte as the same work left them."""
        record = self._record_of(targets)
        if record is None or record.work != work or not self._is_intact(record, targets):
            return False
        if not record.complete:
            self._save(replace(record, complete=True))
        return True

    def work_behind(self, paths: Collection[Path]) -> Work | None:
        """What files depend on that are all there, byte for byte as one run left them; None if not known."""
        record = self._record_of(paths)
        return record.work if record and self._is_intact(record, paths) else None

    def announce(self, work: Work, staged: Mapping[Path, Path]) -> Record:
        """Records files that are about to go to their places.

        Args:
            work: What they depend on.
            staged: The complete files by their places.

        Raises:
            OutputError: A file cannot be read again, or the record cannot be written.
        """
        with ThreadPoolExecutor() as pool:
            contents = list(pool.map(_output_content, staged.values()))
        outputs = {self._output(place): content for place, content in zip(staged, contents, strict=True)}
        record = Record(work=work, outputs=dict(sorted(outputs.items())), complete=False)
        self._save(record)
        return record

    def complete(self, record: Record) -> None:
        """Records that announced files have reached their places.

        Raises:
            OutputError: The record cannot be written.
        """
        self._save(replace(record, complete=True))

    def _record_of(self, paths: Collection[Path]) -> Record | None:
        """The one record that all these files are in."""
        with self._lock:
            names = {self._owners.get(self._output(path)) for path in paths}
            name = names.pop() if len(names) == 1 else None
            return self._records[name] if name else None

    def _is_intact(self, record: Record, paths: Collection[Path]) -> bool:
        return all(_has_content(path, record.outputs[self._output(path)]) for path in paths)

    def _output(self, path: Path) -> str:
        return Path(os.path.relpath(path, self._root)).as_posix()

    def _take(self, name: str, record: Record) -> set[str]:
        """Enters a record; returns the names of those that it makes obsolete."""
        obsolete = {self._owners[output] for output in record.outputs if output in self._owners} - {name}
        for old in obsolete:
            for output in self._records.pop(old).outputs:
                del self._owners[output]
        self._records[name] = record
        self._owners.update(dict.fromkeys(record.outputs, name))
        return obsolete

    def _save(self, record: Record) -> None:
        name = hashlib.sha256(os.fsencode("\0".join(record.outputs))).hexdigest()[:32]
        folder = self._root / FOLDER
        path = folder / f"{name}.json"
        unfinished = path.with_suffix(".part")
        text = json.dumps({"format": _FORMAT, **asdict(record)}, indent=1)
        with self._lock:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                with unfinished.open("w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                unfinished.replace(path)
            except OSError as error:
                with suppress(OSError):
                    unfinished.unlink()
                raise OutputError(
                    path,
                    f"the record cannot be written ({error.strerror})",
                    remedy="Check permissions and free disk space.",
                ) from error
            for obsolete in self._take(name, record):
                with suppress(OSError):
                    (folder / f"{obsolete}.json").unlink()


def mixture_content(path: Path) -> Content:
    """The content of a mixture.

    Raises:
        AudioFileError: It cannot be read, or is a pipe, a device or a folder: those have no content to
            come back to, and may have no end.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise AudioFileError(
                path, "is no file", remedy="Name an audio file, or send a stream to standard input (-)."
            )
        return _content(path)
    except FileNotFoundError as error:
        raise AudioFileNotFoundError(path) from error
    except OSError as error:
        raise AudioFileError(
            path, f"cannot be read ({error.strerror})", remedy="Name an audio file that you may read."
        ) from error


def _output_content(path: Path) -> Content:
    try:
        return _content(path)
    except OSError as error:
        raise OutputError(
            path, f"cannot be read again ({error.strerror})", remedy="Check the disk and its free space."
        ) from error


def _content(path: Path) -> Content:
    return Content(size=path.stat().st_size, sha256=file_sha256(path))


def _has_content(path: Path, content: Content) -> bool:
    try:
        # A look at the size spares reading what was cut short.
        return path.stat().st_size == content.size and _content(path) == content
    except OSError:
        return False


def _load(path: Path) -> Record | None:
    """A record; None if it is damaged or not understood."""
    try:
        value = parse_json(path.read_bytes())
        if value["format"] != _FORMAT:
            return None
        work = value["work"]
        outputs = {str(output): Content(**content) for output, content in value["outputs"].items()}
        return Record(
            work=Work(**{**work, "mixture": Content(**work["mixture"])}),
            outputs=outputs,
            complete=value["complete"] is True,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
