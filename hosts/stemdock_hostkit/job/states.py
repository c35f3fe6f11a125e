"""How far a job has come, and what came of it: the contents of `progress.jsonl` and `result.json`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from stemdock import StemdockError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

State = Literal["waiting", "asking", "fetching", "loading", "separating"]
"""waiting: other jobs come first. asking: the text is a question, whether the model may be downloaded.
fetching: it is downloaded. loading: it is loaded."""
Status = Literal["ok", "cancelled", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """How far a job has come: one line of `progress.jsonl`."""

    state: State
    fraction: float = 0.0
    """Finished share of this state, 0 to 1."""
    text: str = ""
    """The current step, for the user."""
    remaining: float | None = None
    """Seconds that this state will still take; None if unknown."""

    def to_values(self) -> dict[str, Any]:
        """The content of the line."""
        remaining = None if self.remaining is None else round(self.remaining, 1)
        fraction = round(min(1.0, max(0.0, self.fraction)), 4)
        return {"state": self.state, "fraction": fraction, "text": self.text, "remaining": remaining}


def progress_from_values(content: Any) -> JobProgress | None:
    """Reads a line; None if it is damaged or unknown, which harms nobody: the next line follows soon."""
    try:
        state, fraction, text = content["state"], float(content["fraction"]), content["text"]
        remaining = None if content["remaining"] is None else float(content["remaining"])
    except (TypeError, ValueError, LookupError, OverflowError):
        return None
    is_valid = state in get_args(State) and 0 <= fraction <= 1 and isinstance(text, str)
    if not is_valid or not (remaining is None or 0 <= remaining < float("inf")):
        return None
    return JobProgress(state=state, fraction=fraction, text=text, remaining=remaining)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why something failed."""

    code: str
    """Name of the error's class."""
    message: str
    remedy: str

    @classmethod
    def of(cls, error: BaseException) -> Fault:
        """Describes an error."""
        code = type(error).__name__
        if isinstance(error, StemdockError):
            # Editors show both in a message box.
            return cls(code=code, message=printable(str(error), "\n"), remedy=printable(error.remedy, "\n"))
        message = f"Stemdock failed unexpectedly ({error!r})"
        return cls(code=code, message=message, remedy="Please report this with the log file.")

    def to_values(self) -> dict[str, str]:
        """As in `result.json`."""
        return {"code": self.code, "message": self.message, "hint": self.remedy}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stem:
    """A file that was written: a stem or a mix."""

    name: str
    title: str
    """Name for the user."""
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceResult:
    """What came of one source."""

    id: str
    error: Fault | None = None
    """None if the stems were written. The fields below are then those of the stems."""
    start: float = 0.0
    """Seconds into the source's file: the requested start, rounded down to a whole sample."""
    sample_rate: int = 0
    """Hz."""
    length: int = 0
    """Samples per channel."""
    n_channels: int = 0
    stems: tuple[Stem, ...] = ()
    damage: tuple[str, ...] = ()
    """Damaged places of the source, as the end of a sentence that starts with its name."""

    def to_values(self) -> dict[str, Any]:
        """As in `result.json`."""
        if self.error:
            return {"id": self.id, "status": "error", "error": self.error.to_values()}
        return {
            "id": self.id,
            "status": "ok",
            "start": self.start,
            "duration": self.length / self.sample_rate,
            "sample_rate": self.sample_rate,
            "length": self.length,
            "n_channels": self.n_channels,
            "stems": [
                {"name": stem.name, "title": stem.title, "path": str(stem.path)} for stem in self.stems
            ],
            "damage": list(self.damage),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """What came of a job: the content of `result.json`."""

    status: Status
    error: Fault | None = None
    """With the status "error" only."""
    output_folder: Path | None = None
    """Where the stems are; with the status "ok" only."""
    sources: tuple[SourceResult, ...] = ()
    """With the status "ok", every source, in the order of the request; some may have failed."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Why the job or some of its sources failed; empty if all is well, and if it was cancelled."""
        return tuple(filter(None, (self.error, *(source.error for source in self.sources))))

    def to_values(self) -> dict[str, Any]:
        """The content, without the version."""
        values: dict[str, Any] = {"status": self.status}
        if self.error:
            values["error"] = self.error.to_values()
        if self.output_folder:
            values["output_dir"] = str(self.output_folder)
        if self.status != "cancelled":
            values["sources"] = [source.to_values() for source in self.sources]
        return values


def result_from_values(content: Any) -> JobResult:
    """Reads a result.

    Raises:
        TypeError: A value is missing or has the wrong type.
        ValueError: A value is out of its range.
        LookupError: A value is missing.
    """
    status = content["status"]
    if status not in get_args(Status):
        raise ValueError(f"status {status!r}")
    return JobResult(
        status=status,
        error=_fault(content["error"]) if status == "error" else None,
        output_folder=Path(content["output_dir"]) if status == "ok" else None,
        sources=tuple(_source(source) for source in content.get("sources", ())),
    )


def _fault(content: Mapping[str, Any]) -> Fault:
    return Fault(code=str(content["code"]), message=str(content["message"]), remedy=str(content["hint"]))


def _source(content: Mapping[str, Any]) -> SourceResult:
    if content["status"] == "error":
        return SourceResult(id=content["id"], error=_fault(content["error"]))
    return SourceResult(
        id=content["id"],
        start=float(content["start"]),
        sample_rate=int(content["sample_rate"]),
        length=int(content["length"]),
        n_channels=int(content["n_channels"]),
        stems=tuple(
            Stem(name=stem["name"], title=stem["title"], path=Path(stem["path"])) for stem in content["stems"]
        ),
        damage=tuple(content["damage"]),
    )
