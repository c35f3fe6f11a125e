"""The files that the separation of one song writes, and their way from a hidden folder to their places."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stemdock.errors import OutputError, OutputExistsError
from stemdock.files.staging import staging
from stemdock.lib.atomic import move_all_to_place
from stemdock.output.mixes import selected
from stemdock.output.naming import Destination

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stemdock.output.options import Output
    from stemdock.separator import Separator


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The files to write, by the name of the stem or mix."""

    source: Path
    """The mixture, which is never replaced."""
    indices: Mapping[str, tuple[int, ...]]
    """Indices of the stems whose sum is written."""
    places: Mapping[str, Path]
    """Where the complete files go."""
    overwrite: bool
    """Whether existing files are replaced."""

    def check(self) -> None:
        """Checks that nothing is in the way.

        Raises:
            OutputExistsError: A file exists and must not be replaced.
            OutputError: A place is the mixture itself.
        """
        for path in self.places.values():
            if path.exists():
                if path.samefile(self.source):
                    raise OutputError(path, "is the mixture itself", remedy="Choose another output folder.")
                if not self.overwrite:
                    raise OutputExistsError(path)

    @contextmanager
    def staged(self) -> Iterator[Mapping[str, Path]]:
        """Gives a temporary path for each file, in the file system of its place.

        Raises:
            OutputError: A folder cannot be created or written to.
        """
        with ExitStack() as folders:
            hidden: dict[Path, Path] = {}
            for path in self.places.values():
                if path.parent not in hidden:
                    hidden[path.parent] = folders.enter_context(staging(path.parent))
            yield {name: hidden[path.parent] / path.name for name, path in self.places.items()}

    def place(self, staged: Mapping[str, Path]) -> None:
        """Moves all files from their temporary paths to their places, or none if one cannot be moved.

        Raises:
            OutputExistsError: A file appeared in a place and must not be replaced.
            OutputError: A file cannot be moved.
        """
        try:
            move_all_to_place(
                {staged[name]: path for name, path in self.places.items()}, overwrite=self.overwrite
            )
        except FileExistsError as error:
            raise OutputExistsError(Path(error.filename2 or error.filename)) from error
        except OSError as error:
            place = Path(error.filename2 or error.filename or next(iter(self.places.values())))
            raise OutputError(
                place,
                f"cannot be written ({error.strerror})",
                remedy="Close the programs that use the file, and try again.",
            ) from error


def placement(
    separator: Separator,
    source: Path,
    targets: Path | Mapping[str, Path],
    output: Output,
    *,
    overwrite: bool,
) -> Placement:
    """Decides which files are written.

    Args:
        separator: Names the stems and the model.
        source: The mixture.
        targets: A folder, which gets `<stem>.<codec>`, or the file for each stem and mix.
        output: Which stems and mixes are written.
        overwrite: Whether existing files are replaced.

    Raises:
        OutputOptionError: The model does not have the stems that `output` asks for.
    """
    indices = selected(output, separator.stems)
    if isinstance(targets, Path):
        in_folder = Destination(folder=targets, template="{instrument}.{codec}")
        targets = in_folder.targets(source, list(indices), codec=output.codec, model=separator.model)
    places = {name: targets[name] for name in indices}
    return Placement(source=source, indices=indices, places=places, overwrite=overwrite)
