"""Records the system calls by which this process changes a folder, and what its files contain then."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Call:
    """Something that was done.

    The names are those of system calls, and "wrote" for content that appeared since the last one.
    """

    name: str
    path: str
    to: str = ""
    content: bytes = b""
    """For "wrote" and "fsync": what the file contains."""


class _Recorder:
    """Records what happens below one folder."""

    def __init__(self) -> None:
        self.root = ""
        self.calls: list[Call] = []
        self.on_call: Callable[[int], None] | None = None
        self.lock = RLock()
        self._seen: dict[str, tuple[int, int, int]] = {}

    def start(self, root: Path, on_call: Callable[[int], None] | None) -> None:
        """Takes what the folder contains as known."""
        self.root, self.calls, self.on_call = "", [], on_call
        self._seen = dict(_files(str(root)))
        self.root = str(root)

    def is_below(self, *paths: str) -> bool:
        """Whether one of the paths lies in the folder."""
        return bool(self.root) and any(path.startswith(self.root) for path in paths)

    def add(self, call: Call) -> None:
        """Adds a call."""
        self.calls.append(call)
        if self.on_call:
            self.on_call(len(self.calls))

    def look(self) -> None:
        """Adds what was written since the last call, by Python and by C libraries."""
        found = dict(_files(self.root))
        for path, state in found.items():
            if self._seen.get(path) != state:
                self._seen[path] = state
                self.add(Call("wrote", path, content=content_of(path)))
        self._seen = found

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Notices files that Python creates or empties, in the right order with the other calls."""
        if event != "open" or not self.root or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        path, flags = _absolute(arguments[0]), arguments[2]
        # A folder is opened so for a file without a name.
        if not self.is_below(path) or os.path.isdir(path):  # noqa: PTH112
            return
        if not flags & (os.O_CREAT | os.O_TRUNC):
            return
        with self.lock:
            self.look()
            if flags & os.O_TRUNC or not os.path.lexists(path):
                self.add(Call("wrote", path))


_RECORDER: Final = _Recorder()
sys.addaudithook(_RECORDER.audit)


@contextmanager
def recorded_calls(root: Path, on_call: Callable[[int], None] | None = None) -> Iterator[list[Call]]:
    """Records what the block does below a folder.

    Args:
        root: The folder.
        on_call: Called after each call with the number of calls so far.

    Yields:
        The calls, which the block adds to.
    """
    with ExitStack() as stack:
        for name, function in (("fsync", _recorded_fsync(os.fsync)), *_recorded()):
            stack.enter_context(mock.patch.object(os, name, function))
        _RECORDER.start(root, on_call)
        try:
            yield _RECORDER.calls
            with _RECORDER.lock:
                _RECORDER.look()
        finally:
            _RECORDER.root = ""


def content_of(path: str) -> bytes:
    """The content of a file, or nothing if it is gone."""
    with suppress(OSError):
        return Path(path).read_bytes()
    return b""


def _recorded() -> Iterator[tuple[str, Callable[..., None]]]:
    for name, call, n_paths in (
        ("mkdir", "mkdir", 1),
        ("rmdir", "rmdir", 1),
        ("unlink", "unlink", 1),
        ("remove", "unlink", 1),
        ("rename", "rename", 2),
        ("replace", "rename", 2),
        ("link", "link", 2),
    ):
        yield name, _recorded_call(call, getattr(os, name), n_paths)


def _recorded_call(name: str, function: Callable[..., None], n_paths: int) -> Callable[..., None]:
    def call(*arguments: Any, **options: Any) -> None:
        folders = (options.get("dir_fd", options.get("src_dir_fd")), options.get("dst_dir_fd"))
        paths = [_absolute(path, at) for path, at in zip(arguments[:n_paths], folders, strict=False)]
        if not _RECORDER.is_below(*paths):
            function(*arguments, **options)
            return
        with _RECORDER.lock:
            _RECORDER.look()
            function(*arguments, **options)
            _RECORDER.add(Call(name, paths[0], "".join(paths[1:])))

    return call


def _recorded_fsync(function: Callable[[int], None]) -> Callable[[int], None]:
    def fsync(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115
        if not _RECORDER.is_below(path):
            function(descriptor)
            return
        with _RECORDER.lock:
            _RECORDER.look()
            function(descriptor)
            is_folder = os.path.isdir(path)  # noqa: PTH112
            content = b"" if is_folder else content_of(path)
            _RECORDER.add(Call("fsync folder" if is_folder else "fsync", path, content=content))

    return fsync


def _files(root: str) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Files with what changes when they are written."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = f"{folder}/{name}"
            with suppress(OSError):
                state = os.lstat(path)
                yield path, (state.st_ino, state.st_size, state.st_mtime_ns)


def _absolute(path: str | bytes | os.PathLike[Any], at: int | None = None) -> str:
    text = os.fsdecode(path)
    if at is not None and not text.startswith("/"):
        text = f"{os.readlink(f'/proc/self/fd/{at}')}/{text}"  # noqa: PTH115
    return os.path.abspath(text)  # noqa: PTH100  must not follow links
