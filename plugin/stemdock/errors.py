"""Every error that Stemdock raises on purpose.

Conventions:
    `str(error)` is one sentence that says what happened and to what. `error.remedy` is one sentence that
    says what to do now. Facts are fields, so that a host can show them in its own way. Only the command
    line turns an error into text and an exit status.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from stemdock.lib.locations import Location
from stemdock.lib.os_errors import write_remedy

if TYPE_CHECKING:
    from collections.abc import Callable

    from stemdock.lib.arguments import StrPath
    from stemdock.lib.locations import Place

_LONGEST_VALUE: Final = 80
"""Characters of a wrong value that a message repeats."""


class StemdockError(Exception):
    """Base of all errors. Plug-ins raise it themselves if no subclass fits.

    Attributes:
        remedy: What to do now, one sentence.
    """

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        """How it passes to another process: the constructors of most errors make the message themselves."""
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(kind: type[StemdockError], arguments: tuple[Any, ...], fields: dict[str, Any]) -> StemdockError:
    make = OSError.__new__ if issubclass(kind, OSError) else Exception.__new__
    error = make(kind, *arguments)
    error.args = arguments
    error.__dict__.update(fields)
    return error


class CancelledError(StemdockError):
    """The caller stopped the separation. No output was kept."""

    def __init__(self) -> None:
        super().__init__("cancelled", remedy="Start again when you are ready.")


class ArgumentError(StemdockError, ValueError):
    """An argument of a function or a field of a value has the wrong type or is out of its range.

    Attributes:
        argument: Its name.
    """

    def __init__(self, argument: str, value: object, expected: str, *, remedy: str = "") -> None:
        given = repr(value)
        if len(given) > _LONGEST_VALUE:
            given = f"a {type(value).__name__}"
        super().__init__(f"{argument}: {given} is not {expected}", remedy=remedy or f"Change {argument}.")
        self.argument = argument


class ForkedError(StemdockError, RuntimeError):
    """A model was loaded before `os.fork`, and its threads do not exist in the child."""

    def __init__(self) -> None:
        super().__init__(
            "the model was loaded in another process, before a fork",
            remedy="Open the Separator in the process that uses it, or start processes by the method spawn.",
        )


class MemoryShortageError(StemdockError, MemoryError):
    """There is too little memory.

    Attributes:
        needed: Bytes that suffice; 0 if that is unknown.
        limit: Bytes that this process may use; 0 if the limit is unknown, or is not the reason.
    """

    def __init__(self, subject: str, *, needed: int = 0, limit: int = 0, limit_name: str = "") -> None:
        """The message.

        Args:
            subject: The model, the song or the program.
            needed: Bytes that suffice; 0 if that is unknown.
            limit: Bytes that this process may use; 0 if the limit is unknown, or is not the reason.
            limit_name: What the limit is, after the word "limit".
        """
        message = f"{subject}: there is too little memory"
        if limit:
            message += f": the limit {limit_name} is {limit / 1e9:.2f} GB"
        if needed:
            message += f", and about {needed / 1e9:.1f} GB are needed"
        super().__init__(
            message,
            remedy="Raise the limit. Models with fewer stems need less."
            if needed
            else "Close other programs, or raise the memory limit: a song needs about 0.5 GB with a model "
            "of two stems (1 GB if ulimit -v sets the limit), and 0.1 GB for each further stem.",
        )
        self.needed = needed
        self.limit = limit


class ThreadShortageError(StemdockError, RuntimeError):
    """The system grants this process no further threads or processes."""

    def __init__(self, subject: str) -> None:
        super().__init__(
            f"{subject}: the system allows no further threads or processes",
            remedy="Close other programs of this user, or raise the limit of processes (ulimit -u; in a "
            "container, its limit of pids).",
        )


class AudioError(StemdockError, ValueError):
    """The samples cannot be separated."""


class NonFiniteSampleError(AudioError):
    """The mixture contains NaN or infinity.

    Attributes:
        position: Index of the first such sample, counted per channel from the start.
    """

    def __init__(self, position: int) -> None:
        super().__init__(
            f"sample {position} is not a finite number",
            remedy="Repair the audio in the program that made it, and export it again.",
        )
        self.position = position


class AudioFileError(StemdockError):
    """An audio file cannot be read.

    Attributes:
        path: The file.
        reason: What is wrong with it, without its path.
    """

    def __init__(self, path: StrPath | Location, reason: str, *, remedy: str) -> None:
        self.path: Place = path if isinstance(path, Location) else Path(path)
        super().__init__(f"{self.path}: {reason}", remedy=remedy)
        self.reason = reason


class AudioFileNotFoundError(AudioFileError, FileNotFoundError):
    """The audio file does not exist."""

    def __init__(self, path: StrPath | Location) -> None:
        super().__init__(path, "no such file", remedy="Check the path.")


class OutputError(StemdockError, OSError):
    """A stem cannot be written.

    Attributes:
        path: The file or folder.
        reason: What is wrong with it, without its path.
    """

    def __init__(self, path: StrPath | Location, reason: str, *, remedy: str) -> None:
        self.path: Place = path if isinstance(path, Location) else Path(path)
        super().__init__(f"{self.path}: {reason}", remedy=remedy)
        self.reason = reason


def unwritable(path: StrPath, otherwise: str) -> Callable[[str], OutputError]:
    """Makes the error for a file that cannot be written, from the reason; for `os_errors_as`.

    Args:
        path: The file.
        otherwise: The remedy unless the disk is full.
    """

    def error(reason: str) -> OutputError:
        return OutputError(path, f"cannot be written ({reason})", remedy=write_remedy(reason, otherwise))

    return error


class OutputExistsError(OutputError, FileExistsError):
    """The output file already exists."""

    def __init__(self, path: StrPath | Location, *, choice: str = "output folder") -> None:
        """The message.

        Args:
            path: The file.
            choice: What else the user can choose, after the word "another".
        """
        super().__init__(
            path,
            "already exists",
            remedy=f"Choose another {choice}, or replace the file with --overwrite.",
        )


class OutputTakenError(OutputExistsError):
    """The output file is a stem of another song, or of another version of this one.

    Attributes:
        song: The song that was not separated.
    """

    def __init__(self, path: StrPath | Location, song: StrPath | Location) -> None:
        self.song: Place = song if isinstance(song, Location) else Path(song)
        OutputError.__init__(
            self,
            path,
            f"is a stem of another song than {self.song}, or of another version of it",
            remedy="Give each song a name of its own, with another template or output folder. If this is "
            "the same song, separate it with --overwrite; in Python, with replace_others=True.",
        )


class OutputConflictError(OutputError):
    """Two stems of one mixture have the same output path.

    Attributes:
        source: The mixture.
    """

    def __init__(self, path: StrPath, source: StrPath) -> None:
        super().__init__(
            path,
            f"is the output of two stems of {Path(source)}",
            remedy="Put {instrument} into the template, so that each stem gets a file of its own.",
        )
        self.source = Path(source)


class OutputOptionError(StemdockError, ValueError):
    """An output option is invalid or unsupported: a codec, a stem, a mix, a template.

    Attributes:
        option: The option, for people.
    """

    def __init__(self, option: str, reason: str, *, remedy: str) -> None:
        super().__init__(f"{option}: {reason}", remedy=remedy)
        self.option = option


class ModelError(StemdockError):
    """A model cannot be used.

    Attributes:
        model: Its name, or its path if the name is unknown.
    """

    def __init__(self, model: str, reason: str, *, remedy: str) -> None:
        super().__init__(f"{model}: {reason}", remedy=remedy)
        self.model = model


class ModelNotFoundError(ModelError, LookupError):
    """The name or path belongs to no model.

    Attributes:
        known: Names of installed models and of those that can be fetched.
    """

    def __init__(self, model: str, known: tuple[str, ...]) -> None:
        super().__init__(
            model,
            "no such model",
            remedy=f"Choose one of {', '.join(known)}, or give the path of an .onnx file."
            if known
            else "Check the path of the .onnx file.",
        )
        self.known = known


class Download(Protocol):
    """The part of `stemdock.ModelDownload` that an error needs."""

    @property
    def name(self) -> str:
        """Name of the model."""
        ...

    @property
    def source(self) -> str:
        """Address of the download."""
        ...

    @property
    def fetch(self) -> Any:
        """Downloads and installs the model: see `stemdock.entries.FetchModel`."""
        ...


class ModelNotInstalledError(ModelError, LookupError):
    """The model can be fetched, but is not installed yet.

    Attributes:
        download: Fetches it.
    """

    def __init__(self, download: Download) -> None:
        super().__init__(
            download.name,
            "is not installed",
            remedy=f"Install it with: plugin-cli models pull {download.name}",
        )
        self.download = download


class ModelDamagedError(ModelError):
    """The file of a model is missing, truncated, altered or not an ONNX model."""


class ModelContractError(ModelError):
    """A model contradicts its own description, or the description is unusable."""


class SeparationOptionError(ModelError, ValueError):
    """The model's engine does not support an option of the separation.

    Attributes:
        option: Name of the field of `stemdock.Separation`.
    """

    def __init__(self, model: str, option: str) -> None:
        super().__init__(
            model,
            f"this model does not support --{option}",
            remedy=f"Leave --{option} out, or choose another model.",
        )
        self.option = option


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
    """The editor is not running, does not answer, or has scripting switched off."""


class NothingSelectedError(HostError, LookupError):
    """The selection in the editor contains no audio."""

    def __init__(self, host: str) -> None:
        super().__init__(host, "no audio is selected", remedy="Select some audio and try again.")
