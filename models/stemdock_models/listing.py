"""What `models list` tells of every model, installed or not."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

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
    """Hz; None for that of the mixture, or if it is unknown."""
    n_bytes: int | None
    """Size of its file, if it has one; approximate if it is not installed."""
    source: str
    licence: str
    installed: bool
    path: str | None
    """Its file, if it is installed and has one."""
    fault: str | None = None
    """What is wrong with it, and the remedy."""

    def values(self) -> dict[str, Any]:
        """The row as a JSON object."""
        return asdict(self)

    def cells(self) -> tuple[str, ...]:
        """The row for people."""
        return (
            self.name,
            ", ".join(self.stems),
            f"{self.bandwidth / 1000:.1f} kHz" if self.bandwidth is not None else "",
            f"{self.n_bytes / 1e6:.0f} MB" if self.n_bytes is not None else "",
            "damaged" if self.fault else "yes" if self.installed else "no",
            self.licence,
            self.source,
        )


HEADER = ("name", "stems", "up to", "size", "installed", "licence", "source")


def list_rows(plugins: Plugins, faults: Iterable[ModelError]) -> list[Row]:
    """Every model: those that can be fetched in their order, then all others."""
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
        there = entry.path is None or entry.path.is_file()
        rows[entry.name] = Row(
            name=entry.name,
            stems=entry.stems,
            bandwidth=entry.bandwidth,
            n_bytes=entry.path.stat().st_size if entry.path and there else None,
            source=entry.source,
            licence=entry.licence,
            installed=there,
            path=str(entry.path) if entry.path and there else None,
            fault=None if there else f"{entry.path} is gone. {entry.remedy}",
        )
    for fault in faults:
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
    """Rows of cells as lines, columns in line."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
