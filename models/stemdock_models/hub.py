"""From the release to the store: download, check, unpack, convert, install."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from stemdock import ModelDamagedError, parse_json, verify_model
from stemdock_models.archive import unpack_checkpoint
from stemdock_models.download import Download, Line, tag_path
from stemdock_models.errors import DownloadError, store_errors
from stemdock_models.installing import Task, install_checkpoint, stored_sha256
from stemdock_models.store import Store, default_store
from stemdock_models.variants import variants, weights_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from threading import Event

    from stemdock import FetchProgress, ModelEntry
    from stemdock_models.catalogue import Release, ReleasedModel

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_SLACK: Final = 1.2
"""Unpacked floats take a tenth more than packed ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Fetches models of a release into a store."""

    release: Release
    store: Store = field(default_factory=default_store)
    line: Line = field(default_factory=Line)
    sha256: str | None = None
    """Of the archive that is wanted in place of the released one."""

    def fetch(
        self,
        models: Sequence[ReleasedModel],
        *,
        on_progress: Callable[[FetchProgress], None] | None = None,
        cancel: Event | None = None,
    ) -> list[ModelEntry]:
        """Makes models ready to use.

        An archive that several of them need is downloaded once, and not at all if a model with its weights is
        installed.

        Args:
            models: What is wanted.
            on_progress: Told of every step, and now and then during one.
            cancel: Set it from another thread to stop soon.

        Returns:
            Their entries in the same order; those that are installed and whole are left alone.

        Raises:
            DownloadError: An archive cannot be had, or is not the one that was wanted.
            ArchiveError: An archive holds something else than a checkpoint.
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
        archive = models[0].archive
        with self.store.work(
            archive,
            on_wait=lambda: task.step(f"{archive}: waiting for another Stemdock that is fetching it"),
            cancel=task.cancel,
        ) as work:
            # Only now: whoever was waited for may have brought it.
            entries.update(self._installed(models))
            missing = [model for model in models if model.name not in entries]
            if not missing:
                return
            path = self.store.download_path(missing[0].file_name)
            # A model with a file of its own, which is damaged then, gets that file again.
            stored, faults = self.store.scan()
            own = {entry.name for entry in stored} | {fault.model for fault in faults}
            wanted = {m.name: m if m.name in own else weights_of(m, self.release) for m in missing}
            targets = {target.name: target for target in wanted.values()}
            archive_sha256 = self._download(list(targets.values()), path, work, task)
            task.step(f"{archive}: unpacking")
            checkpoint = work / "checkpoint"
            with store_errors(self.store.folder):
                checkpoint.mkdir()
                unpack_checkpoint(path, checkpoint, cancel=task.cancel)
            for model in targets.values():
                install_checkpoint(
                    self.store,
                    checkpoint,
                    model.config,
                    work=work,
                    name=model.name,
                    # Of an archive that somebody else vouches for, nothing else is known either.
                    licence="" if self.sha256 else model.licence,
                    source=self.release.file_url(model.file_name),
                    archive_sha256=archive_sha256,
                    task=task,
                )
            entries.update(self._installed(missing))
            # Not before: whatever stopped the conversion, the archive need not come again.
            forget_download(path)

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

    def _download(self, models: Sequence[ReleasedModel], path: Path, work: Path, task: Task) -> str:
        """Brings the archive, whole and genuine, to `path`; returns its sha256."""
        model = models[0]
        sha256 = self.sha256 or model.sha256 or self._listed_sha256(model, work, task)
        url = self.release.file_url(model.file_name)
        begun = path.exists()
        if begun and stored_sha256(path) == sha256:
            return sha256
        step = f"{model.archive}: downloading {url}"
        download = self._line_to(
            model, url, path, sha256, task, on_size=lambda *sizes: self._require_space(models, *sizes)
        )
        task.step(step)
        download.run()
        found = stored_sha256(path)
        if found != sha256 and begun:
            forget_download(path)
            task.step(f"{model.archive}: what an earlier download left does not fit; downloading all of it")
            download.run()
            found = stored_sha256(path)
        if found != sha256:
            forget_download(path)
            raise DownloadError(
                model.name,
                url,
                f"its sha256 is {found} instead of {sha256}",
                remedy="Nothing was installed. Try again; if it stays so, that server does not have the "
                "genuine file.",
            )
        return sha256

    def _listed_sha256(self, model: ReleasedModel, work: Path, task: Task) -> str:
        """The hash of an archive by the release's own list."""
        url = self.release.file_url(self.release.checksums)
        task.step(f"{model.archive}: no sha256 is pinned in Stemdock; taking the one in {url}")
        path = work / self.release.checksums
        self._line_to(model, url, path, None, task).run()
        try:
            sha256 = str(parse_json(path.read_text("utf-8"))[model.archive]).lower()
        except (ValueError, KeyError, TypeError):
            sha256 = ""
        if not _SHA256.fullmatch(sha256):
            raise DownloadError(
                model.name,
                url,
                f"has no sha256 of {model.archive}",
                remedy="Without it the archive cannot be checked. Look at the address of the release.",
            )
        return sha256

    def _line_to(
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
            line=self.line,
            on_bytes=task.count,
            on_size=on_size,
            on_retry=lambda reason: task.step(f"{model.archive}: {reason}"),
            cancel=task.cancel,
            remedy=f"Look at the connection and try again, or download {archive_url}"
            f"{f' (sha256 {sha256})' if sha256 else ''} by hand, anywhere, and run: "
            f"plugin-cli models add {model.file_name}{name}",
        )

    def _require_space(self, models: Sequence[ReleasedModel], n_coming: int, n_archive: int) -> None:
        n_unpacked = int(_SLACK * max(n_archive, models[0].n_bytes))
        self.store.require_space(n_coming + n_unpacked + sum(model.n_bytes for model in models))


def forget_download(path: Path) -> None:
    """Removes an archive, whole or begun."""
    with store_errors(path):
        path.unlink(missing_ok=True)
        tag_path(path).unlink(missing_ok=True)
