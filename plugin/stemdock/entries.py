"""What a plug-in describes to Stemdock: models, downloads, commands, checks, hosts, engines for batches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from stemdock.errors import ModelContractError
from stemdock.model_fields import check_model_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from threading import Event

    from stemdock.card import ModelCard
    from stemdock.lib.arguments import StrPath
    from stemdock.types import SeparationOption


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """A model that a plug-in offers.

    Raises:
        ModelContractError: A name or a number is out of its range, or neither `sha256` nor `version` is
            given.
    """

    name: str
    """What people type after --model."""
    stems: tuple[str, ...]
    """Names in the order of the engine's arrays."""
    sample_rate: int
    """Hz at which the model works."""
    bandwidth: float | None = None
    """Highest frequency of the stems, in Hz; None for that of the mixture."""
    options: frozenset[SeparationOption] = frozenset()
    """Options of the separation that the model's engine supports. Stemdock refuses the others."""
    licence: str = ""
    """Licence of the model and its holder."""
    path: Path | None = None
    """File with the weights; None if the model is code alone."""
    sha256: str = ""
    """Of that file, hex; checked whenever the model is opened."""
    version: str = ""
    """Changes whenever the same mixture gives other stems although `sha256` stays."""
    card: ModelCard | None = None
    """For Spleeter's models: what the network in the file must be."""
    source: str = ""
    """Origin of the model, for people: an address, a file, a package."""
    remedy: str = "Install the model again."
    """How to repair a missing or damaged model, one sentence."""

    def __post_init__(self) -> None:
        if self.path is not None:
            object.__setattr__(self, "path", Path(self.path))
        check_model_fields(self.name, self.stems, self.sample_rate, min_stems=1)
        if not (self.sha256 if self.path else self.version):
            raise ModelContractError(
                self.name,
                "its entry has neither the sha256 of a file nor a version",
                remedy="Update the plug-in that offers this model.",
            )

    @classmethod
    def from_card(
        cls,
        card: ModelCard,
        *,
        path: StrPath,
        sha256: str,
        version: str = "",
        source: str = "",
        remedy: str = "",
    ) -> Self:
        """The entry of a model of Spleeter's kind: an ONNX file that has the card inside.

        Args:
            card: What the file's network is.
            path: The ONNX file.
            sha256: Of the file, hex.
            version: As in the class.
            source: As in the class.
            remedy: As in the class; the class's own if empty.
        """
        return cls(
            name=card.name,
            stems=card.stems,
            sample_rate=card.sample_rate,
            bandwidth=card.bandwidth,
            options=frozenset({"mwf", "bandwidth"}),
            licence=card.licence,
            path=Path(path),
            sha256=sha256,
            version=version,
            card=card,
            source=source,
            **({"remedy": remedy} if remedy else {}),
        )

    @property
    def identity(self) -> str:
        """Text that differs between models whose stems differ."""
        return " ".join(part for part in (self.sha256 or self.name, self.version) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchProgress:
    """How far the download of a model has come."""

    step: str
    """Current step, for people; the same text for as long as the step lasts."""
    n_done_bytes: int = 0
    n_total_bytes: int | None = None
    """None if the step is not measured in bytes, or its size is unknown."""


class FetchModel(Protocol):
    """Makes a model ready to use."""

    def __call__(
        self,
        *,
        on_progress: Callable[[FetchProgress], None] | None = None,
        cancel: Event | None = None,
    ) -> ModelEntry:
        """Downloads and installs the model, unless it is installed already.

        Args:
            on_progress: Called at every step, and repeatedly during long ones.
            cancel: Set it from another thread to stop soon.

        Raises:
            ModelError: The model is unavailable. Installed models are unchanged.
            CancelledError: `cancel` was set.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDownload:
    """A model that a plug-in can fetch, installed or not."""

    name: str
    """What people type after --model."""
    stems: tuple[str, ...]
    """In the order of the model's outputs."""
    bandwidth: float
    """Highest frequency of the stems, in Hz."""
    n_bytes: int
    """Approximate size of the installed model."""
    source: str
    """Address of the download."""
    licence: str
    """Licence of the weights and its holder."""
    fetch: FetchModel


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEntry:
    """A subcommand of plugin-cli, loaded only when it is used."""

    name: str
    summary: str
    """One line for the list of commands."""
    load: Callable[[], Any]
    """Imports and returns the `click.Command`; `Any`, since only the command line loads click."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of `plugin-cli doctor`."""

    subject: str
    status: Literal["ok", "warning", "failure"]
    """With a warning, songs can still be separated; with a failure they cannot."""
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEntry:
    """An audio editor that Stemdock can work in."""

    name: str
    summary: str
    diagnose: Callable[[], Sequence[Check]]
    """Examines the installation; must neither start nor disturb the editor."""


class Worker(Protocol):
    """A process with a model, as the one that started it sees it."""

    def send(self, plan: Any) -> None:
        """Gives it a song; None tells it to give up its songs and to end. Does nothing if it has ended."""

    def end(self) -> str:
        """Releases what is left of one that has ended; returns how it ended, for people."""


class Workforce(Protocol):
    """Starts workers, and hears from them. Used by one thread, and entered as a context once.

    Which worker gets which song, and what happens if one is lost, is decided elsewhere, for every engine. On
    the other side, `stemdock.serve_songs` does the work.
    """

    def __enter__(self) -> Self:
        """Gets ready to start workers.

        Raises:
            StemdockError: It cannot.
        """

    def __exit__(self, *exception: object) -> None:
        """Ends all that is left."""

    def start(self, recipe: Any, n_songs: int) -> Worker:
        """Starts a worker, and does not wait for it.

        Args:
            recipe: For `stemdock.serve_songs`. Can be pickled.
            n_songs: The same.

        Raises:
            StemdockError: No further worker is possible.
        """

    def receive(self, workers: Sequence[Worker], timeout: float | None) -> Iterable[tuple[Worker, Any]]:
        """Messages of workers; None in place of a message if a worker has ended.

        Args:
            workers: Those that have not ended.
            timeout: Seconds to wait for the first message; None to wait until there is one.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerNeeds:
    """What the workers of a batch need."""

    n_workers: int
    """At most so many at the same time."""
    n_cores: float
    """Cores of each, perhaps a fraction."""
    n_gpus: float = 0
    """Graphics processors of each, perhaps a fraction."""
    address: str | None = None
    """Of the machines, as the engine names them; None for this machine alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEngine:
    """A way to start workers for batches."""

    name: str
    """What people type after --engine."""
    summary: str
    """One line for people."""
    open: Callable[[WorkerNeeds], Workforce]
    """Starts nothing yet. Raises StemdockError if the engine is not installed or cannot meet the needs."""
