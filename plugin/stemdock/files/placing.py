"""The files that the separation of one song writes, and their way from a hidden folder to their places."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock.errors import ArgumentError, OutputError, OutputExistsError, OutputOptionError
from stemdock.files.staging import staging
from stemdock.lib.arguments import is_path
from stemdock.lib.atomic import move_all_to_place
from stemdock.lib.durable import flush_files
from stemdock.lib.paths import exists, is_folder
from stemdock.output.codecs import codec_of
from stemdock.output.formats import check_ending, format_of
from stemdock.output.mixes import mix_levels, selected
from stemdock.output.naming import Destination, companions_of
from stemdock.output.packages import package_of, result_names, sound_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stemdock.lib.arguments import StrPath
    from stemdock.output.formats import Format
    from stemdock.output.mixes import Levels
    from stemdock.output.options import FormatName, Output
    from stemdock.output.packages import Package
    from stemdock.separator import Separator

_N_STEREO: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The files to write."""

    source: Path
    """The mixture, which is never replaced."""
    indices: Mapping[str, tuple[int, ...]]
    """Indices of the stems whose sum is written, by the name of the stem, mix or other sound."""
    levels: Mapping[str, Levels]
    """The levels in mixes that set any, by the name of the mix."""
    places: Mapping[str, Path]
    """Where the complete files go: one for each of the sounds, or a single one for all of them, or both."""
    format: FormatName | None = None
    """The name among the places of the file that holds all sounds or refers to them; None without one."""
    package: Package | None = None
    """The content of that file."""
    extension: str
    """Of encoded sounds."""
    overwrite: bool
    """Whether existing files are replaced."""

    def place_of(self, sound: str) -> Path:
        """Where the complete file with a sound goes."""
        return self.places[sound] if self.format is None or sound in self.places else self.places[self.format]

    def check(self) -> None:
        """Checks that nothing is in the way.

        Raises:
            OutputExistsError: A file exists and must not be replaced.
            OutputError: A place is the mixture itself, or a folder.
        """
        for path in self.places.values():
            if os.path.lexists(path):
                if exists(path) and path.samefile(self.source):
                    raise OutputError(path, "is the mixture itself", remedy="Choose another output folder.")
                if not self.overwrite:
                    raise OutputExistsError(path)
                if is_folder(path):
                    raise folder_in_the_way(path)

    @contextmanager
    def staged(self) -> Iterator[Mapping[str, Path]]:
        """Gives a temporary path for each file, in the file system of its place.

        An `OutputError` about a temporary file or its hidden folder names the place instead.

        Raises:
            OutputError: A folder cannot be created or written to.
        """
        with ExitStack() as folders:
            hidden: dict[Path, Path] = {}
            for path in self.places.values():
                if path.parent not in hidden:
                    hidden[path.parent] = folders.enter_context(staging(path.parent))
            staged = {name: hidden[path.parent] / path.name for name, path in self.places.items()}
            finished = {staged[name]: path for name, path in self.places.items()}
            finished |= {folder: path for path, folder in hidden.items()}
            finished |= {path: self.place_of(name) for name, path in self.sounds(staged).items()}
            try:
                yield staged
            except OutputError as error:
                if error.path not in finished:
                    raise
                raise OutputError(finished[error.path], error.reason, remedy=error.remedy) from error

    def sounds(self, staged: Mapping[str, Path]) -> Mapping[str, Path]:
        """The temporary file of each sound: that of its own place, or one that is only a part of another.

        Args:
            staged: From `staged`.
        """
        if self.format is None:
            return staged
        if len(staged) > 1:
            return {name: staged[name] for name in self.indices}
        path = staged[self.format]
        return {
            name: path.with_name(f"{number}.{self.extension}") for number, name in enumerate(self.indices)
        }

    @contextmanager
    def flushing(self, staged: Mapping[str, Path]) -> Iterator[None]:
        """The disk takes the files while the context lasts, so that `place` does not wait for it.

        Args:
            staged: From `staged`; the files must be complete.

        Raises:
            OutputError: A file cannot be written; raised at the end.
        """
        with ThreadPoolExecutor(1) as background:
            flushed = background.submit(flush_files, staged.values())
            yield
            with self._errors_of_placing():
                flushed.result()

    def place(self, staged: Mapping[str, Path]) -> None:
        """Moves all files from their temporary paths to their places, or none if one cannot be moved.

        When this returns, the files survive a power failure.

        Raises:
            OutputExistsError: A file appeared in a place and must not be replaced.
            OutputError: A file cannot be moved.
        """
        with self._errors_of_placing():
            move_all_to_place(
                {staged[name]: path for name, path in self.places.items()},
                overwrite=self.overwrite,
                durable=True,
            )

    @contextmanager
    def _errors_of_placing(self) -> Iterator[None]:
        try:
            yield
        except FileExistsError as error:
            raise OutputExistsError(Path(error.filename2 or error.filename)) from error
        except OSError as error:
            place = Path(error.filename2 or error.filename or next(iter(self.places.values())))
            raise OutputError(
                place,
                f"cannot be written ({error.strerror})",
                remedy="Close the programs that use the file, and try again.",
            ) from error


def folder_in_the_way(path: Path) -> OutputError:
    """The error for a folder in the place of a file."""
    return OutputError(
        path,
        "cannot be written (there is a folder of this name)",
        remedy="Rename that folder, or choose another output folder.",
    )


def placement(
    separator: Separator,
    source: Path,
    targets: StrPath | Mapping[str, StrPath],
    output: Output,
    *,
    overwrite: bool,
) -> Placement:
    """Decides which files are written.

    Args:
        separator: Names the stems and the model.
        source: The mixture.
        targets: A folder, or the file for each stem and mix, or for the format.
        output: Which stems and mixes are written.
        overwrite: Whether existing files are replaced.

    Raises:
        ArgumentError: A target is not a path, or the mapping lacks one.
        OutputOptionError: The model or the format does not have what `output` asks for.
    """
    form = format_of(output)
    package = package_of(output, separator.stems)
    extension = codec_of(output).extension
    template = form.template if form else "{instrument}.{codec}"
    names = result_names(output, separator.stems)
    own_folder = form.endings[0] if form and form.has_own_folder else ""
    places = _places(targets, names, source, template, own_folder, codec=extension, model=separator.model)
    if form:
        _check_form(form, separator, places)
        beside = companions_of(next(iter(places.values())), sound_files(output, separator.stems))
        places |= {name: _given(targets, name) or path for name, path in beside.items()}
    return Placement(
        source=source,
        indices=package.sounds if package else selected(output, separator.stems),
        levels=_levels(output, separator),
        places=places,
        overwrite=overwrite,
        format=output.format,
        package=package,
        extension=extension,
    )


def _given(targets: StrPath | Mapping[str, StrPath], name: str) -> Path | None:
    """The file that a caller gave for a name."""
    given = targets.get(name) if isinstance(targets, Mapping) else None
    return Path(given) if is_path(given) else None


def _levels(output: Output, separator: Separator) -> Mapping[str, Levels]:
    found = mix_levels(output, separator.stems)
    for name, levels in found.items():
        if separator.n_channels != _N_STEREO and any(level.pan for level in levels.values()):
            raise OutputOptionError(
                "mix",
                f"{name} has a pan, and the stems of {separator.model} are not stereo",
                remedy="Leave the pan out, or use another model.",
            )
    return found


def _check_form(form: Format, separator: Separator, places: Mapping[str, Path]) -> None:
    for path in places.values():
        check_ending(
            form, path.name, "format", f"Choose the names with --template '{{filename}}{form.endings[-1]}'."
        )
    if form.n_channels not in {None, separator.n_channels}:
        raise OutputOptionError(
            "format",
            f"{form.title} needs stereo stems, and {separator.model} makes others",
            remedy="Use another model, or write a file for each stem.",
        )


def _places(
    targets: StrPath | Mapping[str, StrPath],
    names: Sequence[str],
    source: Path,
    template: str,
    own_folder: str,
    *,
    codec: str,
    model: str,
) -> dict[str, Path]:
    if not isinstance(targets, Mapping):
        if not is_path(targets):
            raise ArgumentError("targets", targets, "a folder, or a mapping of stems to files")
        in_folder = Destination(folder=Path(targets), template=template, own_folder=own_folder)
        return in_folder.targets(source, names, codec=codec, model=model)
    for name in names:
        if not is_path(targets.get(name)):
            raise ArgumentError(f"targets[{name!r}]", targets.get(name), f"the path of a file for {name}")
    return {name: Path(targets[name]) for name in names}
