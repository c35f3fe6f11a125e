"""Separates all files with sound in some folders, and compares the lengths of their stems with ffmpeg's.

Without a folder, the source packages of `field.packages` are fetched with pip, by their SHA-256.

Runs `separate`, and then `separate --resume`, which must find every song complete unless its end is missing,
and refuse the others again. Prints a table of the files that differ or are reported (--all: of all files),
and the counts. The exit status is 1 if a length differs without a word, if Stemdock refuses what ffmpeg
reads, or if `--resume` does not agree.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from field.collection import collected
from field.packages import PACKAGES, fetched
from field.separation import separate
from support.verdicts import Verdict, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from field.collection import FieldFile
    from field.separation import Ending

_COLUMNS: Final = (
    ("equal", {Verdict.SAME}),
    ("reported", {Verdict.SAME_REPORTED, Verdict.OTHER_REPORTED}),
    ("only Stemdock", {Verdict.ONLY_STEMDOCK}),
    ("neither", {Verdict.NEITHER}),
    ("refused", {Verdict.REFUSED}),
    ("silent", {Verdict.SILENT}),
)
_RESAMPLING: Final = 2
"""Samples by which the length may differ at another rate than ffmpeg's."""


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="./dev field", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="*", metavar="FOLDER", help="a collection of files")
    parser.add_argument("--all", action="store_true", help="print a row for every file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stemdock-field-packages-") as name:
        folders = options.folders or [fetched(package, Path(name)) for package in PACKAGES]
        return _compare_all(folders, show_all=options.all)


def _compare_all(folders: Sequence[Path], *, show_all: bool) -> int:
    """Prints the tables; returns the exit status."""
    print("| File | ffmpeg (s) | Stems (s) | Verdict | Message |\n| --- | ---: | ---: | --- | --- |")
    counts = {folder: _compared(folder, show_all=show_all) for folder in folders}
    print(f"\n| Collection | Files | {' | '.join(name for name, _ in _COLUMNS)} |")
    print("| --- |" + " ---: |" * (1 + len(_COLUMNS)))
    for folder, found in counts.items():
        numbers = [sum(found[kind] for kind in kinds) for _, kinds in _COLUMNS]
        print(f"| {folder.name} | {found.total()} | {' | '.join(map(str, numbers))} |")
    return int(any(kind.is_find for found in counts.values() for kind in found))


def _compared(folder: Path, *, show_all: bool) -> Counter[Verdict]:
    counts: Counter[Verdict] = Counter()
    for file, ending in _separated(folder):
        kind = _verdict(file, ending)
        counts[kind] += 1
        if show_all or kind is not Verdict.SAME or not file.is_found:
            print(_row(file, ending, kind, folder), flush=True)
    return counts


def _separated(folder: Path) -> Iterator[tuple[FieldFile, Ending]]:
    with tempfile.TemporaryDirectory(prefix="stemdock-field-") as name:
        copies = Path(name) / "songs"
        copies.mkdir()
        files = list(collected(folder, copies))
        songs = [file.copy for file in files]
        first = separate(songs, Path(name) / "stems") if songs else {}
        second = separate(songs, Path(name) / "stems", "--resume") if songs else {}
        for file in files:
            before, after = first[str(file.copy)], second[str(file.copy)]
            if _agree(before, after):
                yield file, before
            else:
                print(f"{file.path}: --resume ends in another way: {after}", file=sys.stderr)
                yield file, replace(after, length=-1, is_damaged=False)


def _agree(before: Ending, after: Ending) -> bool:
    """Whether `--resume` skipped what is complete, and nothing else, and reports the same."""
    is_complete = before.length is not None and not before.is_short
    same = (before.length, before.is_damaged) == (after.length, after.is_damaged)
    return same and after.is_skipped is is_complete


def _verdict(file: FieldFile, ending: Ending) -> Verdict:
    expected, tolerance = file.expected_length, 0
    if ending.length is not None and file.expected_rate not in {0, ending.sample_rate}:
        expected = round(expected * ending.sample_rate / file.expected_rate)
        tolerance = _RESAMPLING
    return verdict(expected, ending.length, is_reported=ending.is_damaged, tolerance=tolerance)


def _row(file: FieldFile, ending: Ending, kind: Verdict, folder: Path) -> str:
    expected = f"{file.expected_length / file.expected_rate:.3f}" if file.expected_rate else "-"
    ours = "-" if ending.length is None else f"{ending.length / (ending.sample_rate or 1):.3f}"
    messages = [message.replace(str(file.copy), "").removeprefix(": ") for message in ending.messages]
    if not file.is_found:
        messages.append("only by its name, not in a folder")
    cells = (str(file.path.relative_to(folder)), expected, ours, kind, "; ".join(messages))
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


if __name__ == "__main__":
    sys.exit(main())
