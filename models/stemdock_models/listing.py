"""The rows of `models list`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from stemdock import printable
from stemdock_models.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stemdock import ModelError, Plugins


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model."""

    name: str
    stems: tuple[str, ...]
    """In the order of the model's outputs."""
    bandwidth: float | None
    """Highest frequency in Hz; None for that of the mixture, or if it is not known."""
    n_bytes: int | None
    """Size of its file. Approximate if the model is not installed; None if there is no file."""
    source: str
    licence: str
    installed: bool
    path: str | None
    """Its file, if it is installed and has one."""
    fault: str | None = None
    """If the model is damaged, what is wrong and what to do."""

    def values(self) -> dict[str, Any]:
        """The row as a JSON object."""
        return asdict(self)

    def cells(self) -> tuple[str, ...]:
        """The row as text for a table, each cell on one line."""
        return (
            printable(self.name),
            ", ".join(self.stems),
            f"{self.bandwidth / 1000:.1f} kHz" if self.bandwidth is not None else "",
            f"{self.n_bytes / 1e6:.0f} MB" if self.n_bytes is not None else "",
            "damaged" if self.fault else "yes" if self.installed else "no",
            printable(self.licence),
            printable(self.source),
        )


HEADER = ("name", "stems", "up to", "size", "installed", "licence", "source")


def list_rows(plugins: Plugins, faults: Iterable[ModelError]) -> list[Row]:
    """Every model: first the ones that can be downloaded, in their order, then all others.

    Args:
        plugins: The source of models.
        faults: The errors of damaged models in the store. An error of the whole store makes no row.
    """
    downloads = [
        Row(
            name=each.name,
            stems=each.stems,
            bandwidth=each.bandwidth,
            n_bytes=each.n_bytes,
            source=each.source,
            licence=each.licence,
            installed=False,
            path=None,
        )
        for each in plugins.downloads()
    ]
    rows = {row.name: row for row in downloads}
    for entry in plugins.models():
        exists = entry.path is None or entry.path.is_file()
        rows[entry.name] = Row(
            name=entry.name,
            stems=entry.stems,
            bandwidth=entry.bandwidth,
            n_bytes=entry.path.stat().st_size if entry.path and exists else None,
            source=entry.source,
            licence=entry.licence,
            installed=exists,
            path=str(entry.path) if entry.path and exists else None,
            fault=None if exists else f"{entry.path} is missing. {entry.remedy}",
        )
    for fault in faults:
        if isinstance(fault, StoreError):  # it concerns the folder, not one model
            continue
        rows[fault.model] = Row(
            name=fault.model,
            stems=(),
            bandwidth=None,
            n_bytes=None,
            source="",
            licence="",
            installed=False,
            path=None,
            fault=f"{fault}. {fault.remedy}",
        )
    return list(rows.values())


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Format rows of cells as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
