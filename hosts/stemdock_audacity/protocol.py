r"""What is said over Audacity's scripting pipe: commands to write, replies to read. Pure.

Conventions:
    A command is one line of UTF-8. Audacity cuts lines at 1022 bytes, and inside double quotes takes
    a backslash for an escape, so that `\n` is a line break wherever it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from stemdock_audacity.errors import ReplyError

LINE_LIMIT: Final = 1022
"""Bytes of a command without its line end."""

_REPLY_END: Final = re.compile(rb"BatchCommand finished: (OK|Failed!)\r?\n\r?\n?\Z")
_SYNTAX_END: Final = b"Command is missing ':'"
_TRACK: Final = re.compile(r'\{ "name":"(?P<name>.*)", "focused":[01], (?P<rest>"selected":.*)')
_FIELD: Final = re.compile(r'"(\w+)":("[^"]*"|[-+.\w]+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Audacity's answer to one command."""

    text: str
    """What came before the closing line, without surrounding blanks."""
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackInfo:
    """One row of `GetInfo: Type=Tracks`."""

    name: str
    kind: str
    """"wave", "label", "time" or "note"."""
    selected: bool
    start: float
    """Seconds, six significant digits; 0 for tracks without audio."""
    end: float
    """Seconds, six significant digits."""
    n_channels: int
    mute: bool
    solo: bool


def command_line(name: str, **values: str | float) -> str:
    """Writes a command.

    Args:
        name: The command's identifier, such as "Import2".
        values: Parameters; texts are quoted, numbers are written with full precision.

    Raises:
        ValueError: Audacity could not read the line as it is meant: it is too long, or a value has a
            line break in it.
    """
    line = " ".join([f"{name}:", *(f"{key}={_written(value)}" for key, value in values.items())])
    if len(line.encode()) > LINE_LIMIT:
        raise ValueError(f"a command of {len(line.encode())} bytes: {line[:60]}…")
    return line


def _written(value: str | float) -> str:
    if not isinstance(value, str):
        return repr(value)
    if any(character in value for character in "\r\n\0"):
        raise ValueError(f"a line break in {value!r}")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def is_complete(received: bytes) -> bool:
    """Whether a whole reply has arrived."""
    return bool(_REPLY_END.search(received)) or _SYNTAX_END in received


def parse_reply(received: bytes) -> Reply:
    """Reads a complete reply.

    Raises:
        ReplyError: It is none.
    """
    text = received.decode("utf-8", errors="replace")
    end = _REPLY_END.search(received)
    if end is None:
        raise ReplyError("an answer without an end", text)
    body = received[: end.start()].decode("utf-8", errors="replace")
    return Reply(text=body.strip("\r\n"), ok=end.group(1) == b"OK")


def parse_tracks(text: str) -> tuple[TrackInfo, ...]:
    """Reads the answer to `GetInfo: Type=Tracks Format=JSON`.

    It looks like JSON and is not: backslashes in names stand as they are, and only quotes are
    escaped. So every track is read by its line, and the name is what the known fields leave.

    Raises:
        ReplyError: A line is no track.
    """
    body = text.strip()
    if not (body.startswith("[") and body.endswith("]")):
        raise ReplyError("a list of tracks that is none", text)
    lines = [line.strip() for line in body[1:-1].split("\n")]
    return tuple(_parse_track(line) for line in lines if line)


def _parse_track(line: str) -> TrackInfo:
    match = _TRACK.match(line)
    if match is None:
        raise ReplyError("a track that is none", line)
    fields = {key: value.strip('"') for key, value in _FIELD.findall(match["rest"])}
    try:
        return TrackInfo(
            name=match["name"].replace('\\"', '"'),
            kind=fields["kind"],
            selected=fields["selected"] == "1",
            start=float(fields.get("start", 0)),
            end=float(fields.get("end", 0)),
            n_channels=int(fields.get("channels", 1)),
            mute=fields.get("mute") == "1",
            solo=fields.get("solo") == "1",
        )
    except (KeyError, ValueError) as error:
        raise ReplyError("a track that lacks something", line) from error
