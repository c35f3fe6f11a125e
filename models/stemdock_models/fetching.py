"""Install models of Spleeter's release: download, check, unpack, convert, install."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from stemdock import ModelDamagedError, parse_json, verify_model
from stemdock_models.archive import unpack_checkpoint
from stemdock_models.download import Download, RetryPolicy
from stemdock_models.downloaded import remove_download
from stemdock_models.errors import DownloadError, store_errors
from stemdock_models.installing import Task, install_checkpoint, stored_sha256
from stemdock_models.scratch import make_hidden_folder
from stemdock_models.store import Store, default_store
from stemdock_models.variants import variants, weights_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from threading import Event

    from stemdock import FetchProgress, ModelEntry
    from stemdock_models.catalogue import Release, ReleasedModel

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_UNPACKED_RATIO: Final = 1.2
"""An upper bound: an unpacked checkpoint is about 1.1 times the size of its archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Installs models of a release in a store."""

    release: Release
    store: Store = field(default_factory=default_store)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    sha256: str | None = None
    """Hash of the archive, hex, if it is not the released one."""

    def fetch(
        self,
        models: Sequence[ReleasedModel],
        *,
        on_progress: Callable[[FetchProgress], None] | None = None,
        cancel: Event | None = None,
    ) -> list[ModelEntry]:
        """Install models, unless they are installed and undamaged.

        An archive that several models need is downloaded once. It is not downloaded at all if a model with
        its weights is installed.

        Args:
            models: The models to install.
            on_progress: Called at every step, and again and again during a long one.
            cancel: Set it from another thread to stop soon.

        Returns:
            The entries of the models in the same order.

        Raises:
            DownloadError: An archive cannot be downloaded, or its sha256 is wrong.
            ArchiveError: An archive does not contain a checkpoint, or is unsafe.
            StoreError: The store cannot be written.
            StemdockError: The checkpoint cannot be converted.
            CancelledError: `cancel` was set.
        """
        task = Task(on_progress, cancel)
        entries: dict[str, ModelEntry] = {}
        for archive in dict.fromkeys(model.archive for model in models):
            self._fetch_archive([model for model in models if model.archive == archive], entries, task)
        return [entries[model.name] for model in models]

    def _fetch_archive(
        self, models: Sequence[ReleasedModel], entries: dict[str, ModelEntry], task: Task
    ) -> None:
        with self.store.scratch(models[0].archive, on_wait=task.wait) as scratch:
            # Only now: the other process may have installed them.
            entries.update(self._installed(models))
            missing = [model for model in models if model.name not in entries]
            path = self.store.download_path(models[0].file_name)
            if missing:
                self._install_from_archive(self._files_of(missing), path, scratch, task)
                entries.update(self._installed(missing))
            # Not earlier: if the conversion fails, the next run needs the archive. And also if all models
            # were installed: a run that was killed just here left the archive behind.
            remove_download(path)

    def _files_of(self, models: Sequence[ReleasedModel]) -> Sequence[ReleasedModel]:
        """The models whose files have the weights of `models`, each once."""
        stored, faults = self.store.scan()
        # A model with a file of its own, which is damaged then, gets that file again.
        own = {entry.name for entry in stored} | {fault.model for fault in faults}
        found = (model if model.name in own else weights_of(model, self.release) for model in models)
        return list({model.name: model for model in found}.values())

    def _installed(self, models: Sequence[ReleasedModel]) -> dict[str, ModelEntry]:
        """Those of the models that are installed and intact, by name."""
        stored = self.store.scan()[0]
        entries = {entry.name: entry for entry in [*stored, *variants(stored, self.release)]}
        found = {}
        for model in models:
            with suppress(KeyError, ModelDamagedError):
                entry = entries[model.name]
                verify_model(entry)
                found[model.name] = entry
        return found

    def _install_from_archive(
        self, models: Sequence[ReleasedModel], path: Path, scratch: Path, task: Task
    ) -> None:
        """Download an archive to `path` and install models from it."""
        archive_sha256 = self._download(models, path, scratch, task)
        task.step(f"{models[0].archive}: unpacking")
        checkpoint = scratch / "checkpoint"
        with store_errors(self.store.folder):
            checkpoint.mkdir()
            unpack_checkpoint(path, checkpoint, cancel=task.cancel)
        for model in models:
            install_checkpoint(
                self.store,
                checkpoint,
                model.config,
                scratch=scratch,
                name=model.name,
                # The licence of another archive is not known.
                licence="" if self.sha256 else model.licence,
                source=self.release.file_url(model.file_name),
                archive_sha256=archive_sha256,
                task=task,
            )

    def _download(self, models: Sequence[ReleasedModel], path: Path, scratch: Path, task: Task) -> str:
        """Download the archive to `path` and check it; returns its sha256."""
        model = models[0]
        sha256 = self.sha256 or model.sha256 or self._listed_sha256(model, scratch, task)
        url = self.release.file_url(model.file_name)
        resumed = path.exists()
        if resumed and stored_sha256(path) == sha256:
            return sha256
        with store_errors(path):
            make_hidden_folder(path.parent)
        download = self._prepare_download(
            model, url, path, sha256, task, on_size=lambda *sizes: self._require_space(models, *sizes)
        )
        task.step(f"{model.archive}: downloading {url}")
        download.run()
        found = stored_sha256(path)
        if found != sha256 and resumed:
            remove_download(path)
            task.step(
                f"{model.archive}: the partial download does not match the server's file; starting again"
            )
            download.run()
            found = stored_sha256(path)
        if found != sha256:
            remove_download(path)
            raise DownloadError(
                model.name,
                url,
                f"has the wrong sha256: {found}, expected {sha256}",
                remedy="Nothing was installed. Try again. If the error comes back, the file on that server "
                "is not the released one.",
            )
        return sha256

    def _listed_sha256(self, model: ReleasedModel, scratch: Path, task: Task) -> str:
        """Read the hash of an archive from the release's own list."""
        url = self.release.file_url(self.release.checksums)
        task.step(f"{model.archive}: no sha256 is pinned in Stemdock; using the one in {url}")
        path = scratch / self.release.checksums
        self._prepare_download(model, url, path, None, task).run()
        sha256 = ""
        with suppress(OSError, ValueError):
            listed = parse_json(path.read_bytes())
            sha256 = str(listed.get(model.archive, "")).lower() if isinstance(listed, dict) else ""
        if not _SHA256.fullmatch(sha256):
            raise DownloadError(
                model.name,
                url,
                f"contains no valid sha256 for {model.archive}",
                remedy="The archive cannot be checked without it. Check the address of the release, or "
                "give the hash yourself (--sha256).",
            )
        return sha256

    def _prepare_download(
        self,
        model: ReleasedModel,
        url: str,
        path: Path,
        sha256: str | None,
        task: Task,
        on_size: Callable[[int, int], None] = lambda *_: None,
    ) -> Download:
        archive_url = self.release.file_url(model.file_name)
        name = "" if model.name == model.archive else f" --name {model.name}"
        return Download(
            model=model.name,
            url=url,
            path=path,
            retry=self.retry,
            on_bytes=task.count,
            on_size=on_size,
            on_retry=lambda reason: task.step(f"{model.archive}: {reason}"),
            cancel=task.cancel,
            remedy="Check the network connection and try again. Or download "
            f"{archive_url}{f' (sha256 {sha256})' if sha256 else ''} by hand and run: "
            f"plugin-cli models add {model.file_name}{name}",
        )

    def _require_space(self, models: Sequence[ReleasedModel], n_coming: int, n_archive: int) -> None:
        n_unpacked = int(_UNPACKED_RATIO * max(n_archive, models[0].n_bytes))
        self.store.require_space(n_coming + n_unpacked + sum(model.n_bytes for model in models))
