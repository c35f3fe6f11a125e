"""What an editor asks for: the content of `job.json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from stemdock import printable
from stemdock_hostkit.errors import JobError, JobVersionError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROTOCOL: Final = 2
"""Version of the job folder. Worker and editor must have the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where one channel of a source is, for editors that keep a file for each."""

    path: Path
    number: int = 0
    """In the file, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A part of a file, or of files with a channel each, to separate."""

    id: str
    """Names the source in the result."""
    name: str
    """Name for the user."""
    path: Path | None = None
    """None if `channels` say where they are."""
    channels: tuple[Channel, ...] = ()
    """One, or left and right."""
    start: float = 0.0
    """Seconds into the file. A time that means a whole sample starts exactly there."""
    duration: float | None = None
    """Seconds; None for the rest of the file. Stems have exactly this length."""
    file_name: str = ""
    """What the names of the stems' files start with; the name for the user if empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A job: which stems of which sources, and where they go."""

    host: str
    """Name of the editor, for the user."""
    output_folder: Path
    """Where the stems go, under names that are free."""
    model: str
    sources: tuple[Source, ...]
    stems: tuple[str, ...] | None = None
    """Stems to write; None for all. No other stem is written."""
    mixes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Sums of stems to write, as in `stemdock.Output`."""
    downmix: Literal["auto", "front", "refuse"] = "refuse"
    """What to do with a source that has more than two channels, as for `stemdock.separate_file`."""
    live: bool = False
    """Whether the host can read the stems while they are made: see `job.live`."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What the editor's part keeps with the job for itself, in values that JSON can represent."""

    @property
    def title(self) -> str:
        """The names of the sources."""
        return printable(", ".join(source.name for source in self.sources))


def request_to_values(request: Request) -> dict[str, Any]:
    """The content of `job.json`."""
    sources: list[dict[str, Any]] = []
    for source in request.sources:
        values: dict[str, Any] = {"id": source.id, "name": source.name, "start": source.start}
        if source.path is not None:
            values["path"] = str(source.path)
        else:
            values["channels"] = [{"path": str(each.path), "number": each.number} for each in source.channels]
        if source.duration is not None:
            values["duration"] = source.duration
        if source.file_name:
            values["file_name"] = source.file_name
        sources.append(values)
    return {
        "protocol": PROTOCOL,
        "host": {"name": request.host},
        "output_dir": str(request.output_folder),
        "model": request.model,
        **({} if request.stems is None else {"stems": list(request.stems)}),
        "mixes": {name: list(terms) for name, terms in request.mixes.items()},
        "sources": sources,
        **({} if request.downmix == "refuse" else {"downmix": request.downmix}),
        **({"live": True} if request.live else {}),
        "details": dict(request.details),
    }


def request_from_values(folder: Path, content: Any) -> Request:
    """Reads the content of `job.json`.

    Args:
        folder: The job folder, for messages.
        content: The value in the file, which may be anything.

    Raises:
        JobVersionError: The job has another version.
        JobError: The content is invalid.
    """
    try:
        version = content["protocol"]
        if type(version) is not int:
            raise TypeError(f"protocol {version!r}")  # noqa: TRY301  one handler for all damage
        host = _host(content)
        if version != PROTOCOL:
            raise JobVersionError(folder, version, PROTOCOL, host)
        return _request(content, host)
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError) as error:
        raise JobError(folder, f"job.json is invalid ({error!r})") from error


def _host(content: Mapping[str, Any]) -> str:
    host = content.get("host")
    name = host.get("name") if isinstance(host, dict) else None
    return name if isinstance(name, str) else ""


def _request(content: Mapping[str, Any], host: str) -> Request:
    sources = tuple(_source(source) for source in content["sources"])
    if not sources or len({source.id for source in sources}) != len(sources):
        raise ValueError("no sources, or two with the same id")
    stems = content.get("stems")
    return Request(
        host=host,
        output_folder=Path(_text(content["output_dir"])),
        model=_text(content["model"]),
        sources=sources,
        stems=None if stems is None else _texts(stems),
        mixes={_text(name): _texts(terms) for name, terms in content.get("mixes", {}).items()},
        downmix=content.get("downmix", "refuse"),
        live=content.get("live") is True,
        details=dict(content.get("details", {})),
    )


def _source(content: Mapping[str, Any]) -> Source:
    duration = content.get("duration")
    start = float(content["start"])
    if not (0 <= start < float("inf") and (duration is None or 0 < float(duration) < float("inf"))):
        raise ValueError("start or duration out of range")
    file_name = content.get("file_name", "")
    channels = tuple(_channel(channel) for channel in content.get("channels", ()))
    return Source(
        id=_text(content["id"]),
        name=_text(content["name"]),
        path=None if channels else Path(_text(content["path"])),
        channels=channels,
        start=start,
        duration=None if duration is None else float(duration),
        file_name=_text(file_name) if file_name != "" else "",
    )


def _channel(content: Mapping[str, Any]) -> Channel:
    number = content["number"]
    if type(number) is not int or number < 0:
        raise ValueError("a channel's number is out of range")
    return Channel(path=Path(_text(content["path"])), number=number)


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError(f"{values!r} is not a list")
    return tuple(_text(value) for value in values)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{value!r} is not a text")
    return value
