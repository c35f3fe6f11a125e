r"""Encodes commands for Audacity's scripting pipe and decodes replies. Reads and writes no pipe.

Conventions:
    A command is one line of UTF-8. Audacity cuts lines at 1022 bytes. Inside double quotes, a backslash
    starts an escape.
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
_TRACK: Final = re.compile(r'\{ "name":"(?P<name>.*)", (?P<rest>"focused":[01], "selected":.*)')
_FIELD: Final = re.compile(r'"(\w+)":("[^"]*"|[-+.\w]+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Audacity's answer to one command."""

    text: str
    """The text before the closing line, without surrounding line breaks."""
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackInfo:
    """One row of `GetInfo: Type=Tracks`."""

    name: str
    kind: str
    """"wave", "label", "time" or "note"."""
    selected: bool
    focused: bool
    """Whether the keyboard acts on it."""
    start: float
    """Seconds, six significant digits; 0 for tracks without audio."""
    end: float
    """Seconds, six significant digits."""
    n_channels: int
    mute: bool
    solo: bool


def command_line(name: str, **values: str | float) -> str:
    """Encodes a command.

    Args:
        name: The command's identifier, such as "Import2".
        values: Parameters; texts are quoted, numbers are written with full precision.

    Raises:
        ValueError: The line is too long, or a value contains a line break.
    """
    line = " ".join([f"{name}:", *(f"{key}={_written(value)}" for key, value in values.items())])
    if len(line.encode()) > LINE_LIMIT:
        raise ValueError(f"the command has {len(line.encode())} bytes: {line[:60]}…")
    return line


def _written(value: str | float) -> str:
    if not isinstance(value, str):
        return repr(value)
    if any(character in value for character in "\r\n\0"):
        raise ValueError(f"{value!r} contains a line break")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def is_complete(received: bytes) -> bool:
    """Whether a whole reply has arrived."""
    return bool(_REPLY_END.search(received)) or _SYNTAX_END in received


def parse_reply(received: bytes) -> Reply:
    """Decodes a complete reply.

    Raises:
        ReplyError: The reply is incomplete.
    """
    text = received.decode("utf-8", errors="replace")
    end = _REPLY_END.search(received)
    if end is None:
        raise ReplyError("Audacity's reply is incomplete", text)
    body = received[: end.start()].decode("utf-8", errors="replace")
    return Reply(text=body.strip("\r\n"), ok=end.group(1) == b"OK")


def parse_tracks(text: str) -> tuple[TrackInfo, ...]:
    """Decodes the answer to `GetInfo: Type=Tracks Format=JSON`.

    The answer is not valid JSON: in names, only quotes are escaped, not backslashes. So each track is
    read from its line, and the name is the text around which the known fields match.

    Raises:
        ReplyError: A line does not describe a track.
    """
    body = text.strip()
    if not (body.startswith("[") and body.endswith("]")):
        raise ReplyError("Audacity's track list could not be read", text)
    lines = [line.strip() for line in body[1:-1].split("\n")]
    return tuple(_parse_track(line) for line in lines if line)


def _parse_track(line: str) -> TrackInfo:
    match = _TRACK.match(line)
    if match is None:
        raise ReplyError("a line in Audacity's track list could not be read", line)
    fields = {key: value.strip('"') for key, value in _FIELD.findall(match["rest"])}
    try:
        return TrackInfo(
            name=match["name"].replace('\\"', '"'),
            kind=fields["kind"],
            selected=fields["selected"] == "1",
            focused=fields["focused"] == "1",
            start=float(fields.get("start", 0)),
            end=float(fields.get("end", 0)),
            n_channels=int(fields.get("channels", 1)),
            mute=fields.get("mute") == "1",
            solo=fields.get("solo") == "1",
        )
    except (KeyError, ValueError) as error:
        raise ReplyError("a track in Audacity's track list is incomplete", line) from error
