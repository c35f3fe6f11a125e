"""Spleeter's configurations: by name, or from a JSON file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock import parse_json, read_regular_file
from stemdock_export.config import PREDEFINED, load_config
from stemdock_export.errors import ConfigError
from stemdock_spleeter.errors import SpleeterError, UncaughtError
from stemdock_spleeter.settings import model_path

if TYPE_CHECKING:
    from stemdock_export.config import SpleeterConfig

PREFIX: Final = "spleeter:"
_WIDE: Final = "-16kHz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A network, and the folder of its checkpoint."""

    descriptor: str
    """A name such as "spleeter:2stems", or the path of a JSON file."""
    network: SpleeterConfig
    model_dir: str
    """The checkpoint's folder, in `MODEL_PATH` unless it is absolute."""

    @property
    def name(self) -> str:
        """The name of an embedded configuration; empty for a file."""
        return self.descriptor.removeprefix(PREFIX) if self.descriptor.startswith(PREFIX) else ""

    @property
    def checkpoint_folder(self) -> Path:
        """The folder of the checkpoint, which may be missing."""
        return model_path() / self.model_dir


def find_configuration(descriptor: str) -> Configuration:
    """Loads a configuration.

    Args:
        descriptor: `spleeter:NAME`, or the path of a JSON file.

    Raises:
        SpleeterError: There is no such name or file.
        UncaughtError: The file is not a configuration that Stemdock can use.
    """
    if descriptor.startswith(PREFIX):
        name = descriptor.removeprefix(PREFIX)
        if name not in PREDEFINED:
            known = ", ".join(PREFIX + each for each in PREDEFINED)
            raise SpleeterError(f"No embedded configuration {name} found", remedy=f"Choose one of {known}.")
        return Configuration(
            descriptor=descriptor, network=load_config(name), model_dir=name.removesuffix(_WIDE)
        )
    path = Path(descriptor)
    if not path.exists():
        raise SpleeterError(
            f"Configuration file {descriptor} not found",
            remedy=f"Check the path, or choose a model by name: {PREFIX}2stems.",
        )
    try:
        # A path with a folder is never taken for a name.
        network = load_config(str(path.absolute()))
        content = parse_json(read_regular_file(path, follow_link=True))
    except ConfigError as error:
        raise UncaughtError(str(error), remedy=error.remedy) from error
    model_dir = content.get("model_dir") if isinstance(content, dict) else None
    if not isinstance(model_dir, str) or not model_dir:
        raise UncaughtError(
            f"{descriptor}: model_dir is missing", remedy="Name the folder of the checkpoint there."
        )
    return Configuration(descriptor=descriptor, network=network, model_dir=model_dir)
