"""Every error that Stemdock raises on purpose.

Conventions:
    `str(error)` is one sentence that says what happened and names the thing it happened to;
    `error.remedy` is one sentence that says what to do about it. Facts are fields, so that a
    host can show them in its own way. Only the command line turns an error into text and an
    exit status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class StemdockError(Exception):
    """Base of all errors; also raised by plug-ins for what fits no other class.

    Attributes:
        remedy: What the person can do, one sentence.
    """

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class CancelledError(StemdockError):
    """The caller asked the separation to stop; nothing was kept."""

    def __init__(self) -> None:
        super().__init__("cancelled", remedy="Start again when you are ready.")


class AudioError(StemdockError, ValueError):
    """The samples cannot be separated."""


class NonFiniteSampleError(AudioError):
    """The mixture has a NaN or an infinity.

    Attributes:
        position: Index of the first offending sample, counted per channel from the start.
    """

    def __init__(self, position: int) -> None:
        super().__init__(
            f"sample {position} is not a finite number",
            remedy="Export the audio again from the program that made it, or repair it there.",
        )
        self.position = position


class AudioFileError(StemdockError):
    """An audio file cannot be read.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        super().__init__(f"{path}: {reason}", remedy=remedy)
        self.path = path


class AudioFileNotFoundError(AudioFileError, FileNotFoundError):
    """There is no such audio file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "no such file", remedy="Check the path.")


class OutputError(StemdockError, OSError):
    """A stem cannot be written.

    Attributes:
        path: The file or folder.
    """

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        super().__init__(f"{path}: {reason}", remedy=remedy)
        self.path = path


class OutputExistsError(OutputError, FileExistsError):
    """A stem would replace a file that is already there."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            "exists already",
            remedy="Choose another output folder, or allow overwriting (--overwrite).",
        )


class OutputConflictError(OutputError):
    """Two stems of one mixture would have the same file.

    Attributes:
        source: The mixture.
    """

    def __init__(self, path: Path, source: Path) -> None:
        super().__init__(
            path,
            f"would be written twice for {source}",
            remedy="Put {instrument} into the template, so that stems differ by name.",
        )
        self.source = source


class OutputOptionError(StemdockError, ValueError):
    """What is asked for cannot be written: a codec, a stem, a mix, a template.

    Attributes:
        option: Which wish it is about, for people.
    """

    def __init__(self, option: str, reason: str, *, remedy: str) -> None:
        super().__init__(f"{option}: {reason}", remedy=remedy)
        self.option = option


class ModelError(StemdockError):
    """A model cannot be used.

    Attributes:
        model: Its name or path, as far as it is known.
    """

    def __init__(self, model: str, reason: str, *, remedy: str) -> None:
        super().__init__(f"{model}: {reason}", remedy=remedy)
        self.model = model


class ModelNotFoundError(ModelError, LookupError):
    """No model of that name or path.

    Attributes:
        known: Names of the models that there are, or can be fetched.
    """

    def __init__(self, model: str, known: tuple[str, ...]) -> None:
        super().__init__(
            model,
            "no such model",
            remedy=f"Known models: {', '.join(known) or 'none'}; or give the path of an .onnx file.",
        )
        self.known = known


class Download(Protocol):
    """As much of `stemdock.ModelDownload` as an error has to know."""

    @property
    def name(self) -> str:
        """What people type after --model."""
        ...

    @property
    def source(self) -> str:
        """Address that the model is downloaded from."""
        ...

    @property
    def fetch(self) -> Any:
        """Downloads and installs the model: see `stemdock.types.FetchModel`."""
        ...


class ModelNotInstalledError(ModelError, LookupError):
    """The model is known and can be fetched, but is not here.

    Attributes:
        download: What fetches it.
    """

    def __init__(self, download: Download) -> None:
        super().__init__(
            download.name,
            "is not installed",
            remedy=f"Fetch it with: plugin-cli models pull {download.name}",
        )
        self.download = download


class ModelDamagedError(ModelError):
    """The file is not the model that it should be: truncated, altered, or no model at all."""


class ModelContractError(ModelError):
    """The graph and its card contradict each other, or the card is unusable."""


class ProviderUnavailableError(StemdockError):
    """An execution provider is missing, or does not work on this machine.

    Attributes:
        provider: Its name.
    """

    def __init__(self, provider: str, reason: str, *, remedy: str) -> None:
        super().__init__(f"provider {provider}: {reason}", remedy=remedy)
        self.provider = provider


class HostError(StemdockError):
    """An audio editor cannot be used.

    Attributes:
        host: Name of the host.
    """

    def __init__(self, host: str, reason: str, *, remedy: str) -> None:
        super().__init__(f"{host}: {reason}", remedy=remedy)
        self.host = host


class HostUnreachableError(HostError, ConnectionError):
    """The editor does not run, does not answer, or its scripting is off."""


class NothingSelectedError(HostError, LookupError):
    """The editor has no audio selected."""

    def __init__(self, host: str) -> None:
        super().__init__(host, "no audio is selected", remedy="Select some audio in it and try again.")
