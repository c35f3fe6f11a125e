"""The files by which processes, perhaps on several machines, agree who separates a song.

`NAME.claim`, beside the manifest's entry NAME, says who holds the song. Its holder writes a new number into
it again and again. Who takes over from a holder that is dead makes a file that is named after its token,
`NAME.TOKEN.claim`. So the holder is the last of a chain, and there is never more than one:

- Every token is used once, and only one process can create the file of its successor.
- A file is changed only by its own process. The first of a chain is removed only by the chain's holder,
  after it has made a successor of its own, so that others would have to wait for that one to die, too. In the
  same way, a holder that leaves the files of the dead removes its own.
- Who has made a file looks whether the chain still leads to it. If not, the chain was given up meanwhile.

This needs only that a file can be created if and only if it is missing, on network drives too.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from stemdock.lib.processes import is_gone, process_space, start_of
from stemdock.lib.regular_files import read_regular_file
from stemdock.lib.untrusted_json import parse_json_as

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MAX_SIZE: Final = 1000
"""Bytes."""
_MAX_LENGTH: Final = 1000
"""Files of a chain: a thousand processes died of the same song before anybody removed its files."""
_TOKEN: Final = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """The content of a claim's file."""

    token: str
    machine: str
    """A hash; equal for processes that see one another."""
    process: int
    start: str
    """When the process started; a later process may have its number."""
    n_beats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a song, as any process sees it."""

    chain: Mapping[str, Path]
    """Files by their tokens, up to that of the holder."""
    content: bytes
    """Of the holder's file; changes as long as the holder lives."""
    is_gone: bool
    """Whether the holder is known to be dead. It may be dead, too, if this is false."""

    @property
    def token(self) -> str:
        """The holder's token."""
        return list(self.chain)[-1]


def holder_of(path: Path) -> Holder | None:
    """Who holds a song; None if nobody does.

    Args:
        path: The first file of the chain.

    Raises:
        OSError: A file cannot be read, or something else has its name.
    """
    chain: dict[str, Path] = {}
    holder = None
    here = path
    while len(chain) < _MAX_LENGTH:
        try:
            content = read_regular_file(here, max_size=_MAX_SIZE)
            token, is_gone = _said(content) or (_stand_in(here), False)
            if token in chain:  # somebody has copied a file
                token, is_gone = _stand_in(here), False
        except FileNotFoundError:
            break
        if token in chain:
            break
        chain[token] = here
        holder = Holder(chain=chain, content=content, is_gone=is_gone)
        here = _successor(path, token)
    return holder


class ClaimFile:
    """This process's file in the chain of a song. Not for several threads at once."""

    def __init__(self, path: Path, dead: Holder | None) -> None:
        """Makes the file, which does not yet mean that this process holds the song: ask `holds`.

        Args:
            path: The first file of the chain.
            dead: Whom it takes over from; None if nobody holds the song.

        Raises:
            FileExistsError: Another process was faster.
            OSError: The file cannot be made.
        """
        self.dead: Mapping[str, Path] = dead.chain if dead else {}
        """Files of processes that held the song and died, one after another."""
        self._first = path
        self._path = _successor(path, dead.token) if dead else path
        self._token = token_hex(16)
        self._n_beats = 0
        self._file = _created(self._path, _content(self._token, 0))

    def beat(self) -> None:
        """Shows that this process lives.

        Raises:
            OSError: The file cannot be written, for example because another process has removed it.
        """
        self._n_beats += 1
        # Through the open file, not by its name, under which there may be another process's file by now.
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, _content(self._token, self._n_beats))
        os.fsync(self._file)  # for other machines

    def holds(self) -> bool:
        """Whether this process holds the song.

        Raises:
            OSError: A file of the chain cannot be read.
        """
        holder = holder_of(self._first)
        return holder is not None and holder.token == self._token

    def release(self, *, keep_dead: bool = False) -> None:
        """Removes the chain, or only this file if the chain does not lead to it.

        If another process has taken over, that removes all.

        Args:
            keep_dead: Whether the files of the dead stay, so that the next holder knows of them.
        """
        last = _successor(self._first, self._token)
        with suppress(OSError):  # a network drive may tell an earlier error only when a file is closed
            os.close(self._file)
        with suppress(OSError):
            os.close(_created(last, _content(token_hex(16), 0)))
            holder = holder_of(self._first)
            if holder and self._token in holder.chain and not (keep_dead and self.dead):
                for path in holder.chain.values():
                    _remove(path)
            else:
                if self._path != self._first:
                    _remove(self._path)
                _remove(last)


def _content(token: str, n_beats: int) -> bytes:
    process = os.getpid()
    said = _Content(token=token, machine=_machine(), process=process, start=_start(process), n_beats=n_beats)
    return json.dumps(asdict(said)).encode()


def _said(content: bytes) -> tuple[str, bool] | None:
    """The token in a file, and whether its process is known to be dead; None if the file is not whole."""
    try:
        said = parse_json_as(_Content, content)
    except ValueError:
        return None
    if not _TOKEN.fullmatch(said.token):
        return None
    return said.token, said.machine == _machine() and is_gone(said.process, said.start)


def _stand_in(path: Path) -> str:
    """The token of a file that is empty or damaged: its process is just writing it, or the power failed."""
    status = path.lstat()
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}"


def _successor(first: Path, token: str) -> Path:
    return first.with_name(f"{first.stem}.{token}{first.suffix}")


def _created(path: Path, content: bytes) -> int:
    """Makes a file, and returns its descriptor.

    Raises:
        FileExistsError: There is one.
        OSError: It cannot be made.
    """
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0), 0o666)
    try:
        os.write(file, content)
    except OSError:
        os.close(file)
        _remove(path)
        raise
    return file


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


@cache
def _machine() -> str:
    # A hash: the name of the machine is nobody's business.
    return sha256(process_space().encode()).hexdigest()[:32]


@cache
def _start(process: int) -> str:
    # By its number: after a fork, the child has what is cached here, but not the start.
    return start_of(process)
