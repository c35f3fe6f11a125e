"""The folder of installed models. A process that is killed while it writes leaves every model whole.

NAME/model.json     the description of a model: card, sha256, source; replaced in one step
NAME/HASH.onnx      the model file that the description names; any other HASH.onnx is a leftover
.downloads/         archives, whole or in part, kept until their models are installed
.work/KEY           the scratch folder of one task, with its lock beside it
.lock               held while a model is put in its place or removed
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock import (
    ModelDamagedError,
    atomic_file,
    card_to_values,
    deny_others_writing,
    flush_folder,
    locked,
    make_own_folder,
    move_all_to_place,
    verify_model,
)
from stemdock_models.description import (
    DESCRIPTION,
    INVALID,
    installed_archives,
    model_file_name,
    read_entry,
    remove_leftovers,
)
from stemdock_models.downloaded import remove_used_archives
from stemdock_models.errors import DiskFullError, StoreError, store_errors
from stemdock_models.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stemdock import ModelCard, ModelEntry, ModelError

FOLDER_VARIABLE: Final = "STEMDOCK_MODELS"
"""Environment variable: the folder of models, instead of the one in the user's data folder."""


_MODE: Final = 0o644
"""Only this user may change a description, whatever the umask is."""


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of models. It is made when the first model is installed."""

    folder: Path

    def scan(self) -> tuple[list[ModelEntry], list[ModelError]]:
        """Read the descriptions of all models; returns the models, and an error for each damaged one."""
        entries: list[ModelEntry] = []
        faults: list[ModelError] = []
        try:
            names = sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))
        except FileNotFoundError:
            return [], []
        except OSError as error:
            remedy = f"Check its permissions, or set {FOLDER_VARIABLE} to another folder."
            return [], [StoreError(self.folder, f"cannot be read ({error.strerror})", remedy=remedy)]
        for name in names:
            try:
                entries.append(read_entry(self.folder / name))
            except (FileNotFoundError, NotADirectoryError):
                pass  # removed a moment ago, never finished, or no folder of ours
            except INVALID as error:
                reason = f"{self.folder / name / DESCRIPTION} is damaged ({error!r})"
                remedy = f"Remove it with plugin-cli models remove {name}, then pull or add it again."
                faults.append(ModelDamagedError(name, reason, remedy=remedy))
        return entries, faults

    def find(self, name: str) -> ModelEntry | None:
        """The installed model of this name, or None if it is missing or its file is damaged."""
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
        on_wait: Callable[[], None],
    ) -> ModelEntry:
        """Move a finished model file to its place; it replaces a model of the same name.

        Other processes find the old model until, in one step, they find the new one.

        Args:
            model: The file, in a scratch folder of this store.
            card: The card in the file.
            sha256: Hash of the file, hex.
            source: Where the model came from, shown to the user.
            archive_sha256: Hash of the archive that the weights came in, hex; empty if it is not known.
            on_wait: Called again and again while another process writes. May raise.

        Raises:
            StoreError: The store cannot be written.
        """
        name = card.name
        file_name = model_file_name(sha256)
        description = {
            "sha256": sha256,
            "file": file_name,
            "source": source,
            "archive_sha256": archive_sha256,
            "installed": datetime.now(UTC).isoformat(timespec="seconds"),
            "card": card_to_values(card),
        }
        folder = self.folder / name
        with store_errors(folder), locked(self._lock, on_wait=on_wait) as held:
            _require_no_link(folder)
            make_own_folder(folder)
            flush_folder(self.folder)
            deny_others_writing(model)
            part = model.with_suffix(".json")
            with atomic_file(folder / DESCRIPTION, durable=True, part=part, mode=_MODE) as staged:
                staged.write_bytes(json.dumps(description, indent=2).encode())
                # The disk has the model before a description names it.
                move_all_to_place({model: folder / file_name}, durable=True)
            if held:  # otherwise they may be another process's, which is not ready yet
                remove_leftovers(self.folder)
        return read_entry(folder)

    def remove(self, name: str, *, on_wait: Callable[[], None]) -> bool:
        """Remove a model, damaged or not; returns whether there was one.

        Args:
            name: The model.
            on_wait: Called again and again while another process writes. May raise.

        Raises:
            StoreError: The store cannot be written.
        """
        folder = self.folder / name
        with store_errors(folder), locked(self._lock, on_wait=on_wait) as held:
            existed = (folder / DESCRIPTION).exists()
            if existed:
                _require_no_link(folder)
                # From here on the model is gone. What cannot be removed now is removed by a later task.
                (folder / DESCRIPTION).unlink()
                flush_folder(folder)
                shutil.rmtree(folder, ignore_errors=True)
            if held:
                remove_leftovers(self.folder)
        return existed

    @contextmanager
    def scratch(self, key: str, *, on_wait: Callable[[], None]) -> Iterator[Path]:
        """Make a scratch folder for one task, after removing everything that killed tasks left behind.

        Args:
            key: What the task works on. Tasks with the same key run one after the other.
            on_wait: Called again and again while another process is in the way. May raise.

        Raises:
            StoreError: The store cannot be written.
        """
        with store_errors(self.folder), scratch_folder(self.folder / ".work", key, on_wait) as folder:
            with locked(self._lock, on_wait=on_wait) as held:
                if held:
                    remove_leftovers(self.folder)
                    remove_used_archives(
                        self.folder / ".downloads", folder.parent, installed_archives(self.folder)
                    )
            yield folder

    def download_path(self, file_name: str) -> Path:
        """Where an archive is downloaded to. The folder may be missing."""
        return self.folder / ".downloads" / file_name

    def require_space(self, n_bytes: int) -> None:
        """Check that the disk has enough free space.

        Raises:
            DiskFullError: It has not.
        """
        with store_errors(self.folder):
            make_own_folder(self.folder)
            n_free = shutil.disk_usage(self.folder).free
        if n_free < n_bytes:
            raise DiskFullError(
                self.folder,
                f"installing needs {n_bytes / 1e6:.0f} MB of free space, the disk has {n_free / 1e6:.0f} MB",
            )

    @property
    def _lock(self) -> Path:
        return self.folder / ".lock"


def _require_no_link(folder: Path) -> None:
    """Refuses to change what lies behind a link.

    Raises:
        StoreError: The model's folder is a link.
    """
    if folder.is_symlink():
        raise StoreError(folder, "is a link", remedy="Remove the link, or put the folder in its place.")


def default_store() -> Store:
    """The store in the folder `STEMDOCK_MODELS`, or else in the user's data folder.

    Raises:
        StoreError: The user has no home folder, as in some containers, and the variable is not set.
    """
    store = find_store()
    if store is None:
        raise StoreError(
            Path("~"),
            "this user has no home folder to install models in",
            remedy=f"Set {FOLDER_VARIABLE} to a folder that you can write to, or set HOME.",
        )
    return store


def find_store() -> Store | None:
    """The default store; None if the user has no home folder."""
    folder = os.environ.get(FOLDER_VARIABLE)
    try:
        if folder:
            return Store(Path(folder).expanduser().absolute())
        from platformdirs import user_data_path  # noqa: PLC0415

        path = user_data_path("stemdock", appauthor=False)
    except RuntimeError:
        return None
    # Some versions of platformdirs give "~/..." back, which would be a folder in the working directory.
    return Store(path / "models") if path.is_absolute() else None


def store_faults() -> list[ModelError]:
    """An error for each damaged model in the default store; none if there is no store."""
    store = find_store()
    return store.scan()[1] if store else []
