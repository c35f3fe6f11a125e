"""The folder of installed models, which survives whatever happens to those who write to it.

NAME/model.json     what the model is: card, sha256, source; replaced in one step
NAME/HASH.onnx      the file that it names; any other file here is a remainder
.downloads/         archives on their way, kept until they are models
.work/KEY           scratch of one task, owned by whoever holds the lock beside it
.lock               held for the moments in which a model is put in its place or removed
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stemdock import (
    ModelDamagedError,
    ModelEntry,
    ModelError,
    card_from_values,
    card_to_values,
    parse_json,
    verify_model,
)
from stemdock_models.errors import DiskFullError, StoreError, store_errors
from stemdock_models.locking import locked, work_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

    from stemdock import ModelCard

FOLDER_VARIABLE: Final = "STEMDOCK_MODELS"
"""Environment variable: the folder of models, in place of the platform's."""

_DESCRIPTION: Final = "model.json"


@dataclass(frozen=True, slots=True)
class Store:
    """One folder of models; it need not exist yet."""

    folder: Path

    def scan(self) -> tuple[list[ModelEntry], list[ModelError]]:
        """The models in the folder, and what is wrong with those that cannot be read."""
        entries: list[ModelEntry] = []
        faults: list[ModelError] = []
        try:
            names = sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))
        except FileNotFoundError:
            return [], []
        except OSError as error:
            remedy = f"Look at its rights, or set {FOLDER_VARIABLE} to another folder."
            return [], [StoreError(self.folder, f"cannot be read ({error.strerror})", remedy=remedy)]
        for name in names:
            try:
                entries.append(self._read(name))
            except FileNotFoundError:
                # Removed a moment ago, or never finished: there is no model of that name.
                continue
            except (ModelError, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
                reason = f"{self.folder / name / _DESCRIPTION} cannot be used ({error!r})"
                remedy = f"Remove it with plugin-cli models remove {name}, then pull or add it again."
                faults.append(ModelDamagedError(name, reason, remedy=remedy))
        return entries, faults

    def find(self, name: str) -> ModelEntry | None:
        """The model of that name, if it is there and whole."""
        for entry in self.scan()[0]:
            if entry.name == name:
                with suppress(ModelDamagedError):
                    verify_model(entry)
                    return entry
        return None

    def publish(
        self,
        model: Path,
        card: ModelCard,
        sha256: str,
        source: str,
        *,
        archive_sha256: str = "",
        cancel: Event | None = None,
    ) -> ModelEntry:
        """Moves a finished model file of this file system into its place, over one of the same name.

        A reader finds the old model until, in one step, it finds the new one.

        Args:
            model: The file.
            card: The card in it.
            sha256: Of the file, hex.
            source: Where it came from, for people.
            archive_sha256: Of the archive that the weights came in, hex, if they came in one.
            cancel: Set it from another thread to stop waiting.
        """
        name = card.name
        description = {
            "sha256": sha256,
            "file": f"{sha256[:16]}.onnx",
            "source": source,
            "archive_sha256": archive_sha256,
            "installed": datetime.now(UTC).isoformat(timespec="seconds"),
            "card": card_to_values(card),
        }
        folder = self.folder / name
        with store_errors(folder), locked(self.folder / ".lock", cancel=cancel):
            folder.mkdir(parents=True, exist_ok=True)
            staged = model.with_suffix(".json")
            staged.write_text(json.dumps(description, indent=2), encoding="utf-8")
            model.replace(folder / f"{sha256[:16]}.onnx")
            staged.replace(folder / _DESCRIPTION)
            for path in folder.iterdir():
                if path.name not in {_DESCRIPTION, description["file"]}:
                    # Where open files cannot be removed, the next one to publish removes it.
                    with suppress(OSError):
                        path.unlink()
        return self._read(name)

    def remove(self, name: str) -> bool:
        """Removes a model, damaged or not; returns whether there was one."""
        folder = self.folder / name
        if not folder.is_dir():
            return False
        with store_errors(folder), locked(self.folder / ".lock"):
            # Without its description a model is none, whatever of it is left.
            (folder / _DESCRIPTION).unlink(missing_ok=True)
            shutil.rmtree(folder)
        return True

    @contextmanager
    def work(self, key: str, *, on_wait: Callable[[], None], cancel: Event | None = None) -> Iterator[Path]:
        """An empty folder for one task, of which there is one at a time for each key.

        Args:
            key: What the task works on.
            on_wait: Called once if somebody else has this task in hand.
            cancel: Set it from another thread to stop waiting.

        Raises:
            StoreError: The folder cannot be made.
            CancelledError: `cancel` was set.
        """
        with store_errors(self.folder), work_folder(self.folder / ".work", key, on_wait, cancel) as folder:
            yield folder

    def download_path(self, file_name: str) -> Path:
        """Where an archive is downloaded to."""
        path = self.folder / ".downloads" / file_name
        with store_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def require_space(self, n_bytes: int) -> None:
        """Looks whether the disk has room.

        Raises:
            DiskFullError: It has not.
        """
        with store_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            n_free = shutil.disk_usage(self.folder).free
        if n_free < n_bytes:
            raise DiskFullError(
                self.folder,
                f"{n_bytes / 1e6:.0f} MB are needed there for a while, its disk has {n_free / 1e6:.0f} MB",
            )

    def _description(self, name: str) -> dict[str, Any]:
        description: dict[str, Any] = parse_json((self.folder / name / _DESCRIPTION).read_text("utf-8"))
        return description

    def _read(self, name: str) -> ModelEntry:
        folder = self.folder / name
        values = self._description(name)
        card = card_from_values(values["card"], name)
        if card.name != name or Path(values["file"]).name != values["file"]:
            raise ValueError(f"it describes {card.name} in {values['file']}")
        return ModelEntry.from_card(
            card,
            path=folder / values["file"],
            sha256=values["sha256"],
            source=values["source"],
            remedy=_remedy(name, values["source"]),
        )


def _remedy(name: str, source: str) -> str:
    if source.startswith(("http:", "https:")):
        return f"Fetch it again with: plugin-cli models pull {name}"
    return f"Add it again from {source} with plugin-cli models add --overwrite --name {name}"


def default_store() -> Store:
    """The store of the environment variable `STEMDOCK_MODELS`, or else of the platform's data folder."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        return Store(Path(folder).expanduser().absolute())
    from platformdirs import user_data_path  # noqa: PLC0415

    return Store(user_data_path("stemdock", appauthor=False) / "models")
