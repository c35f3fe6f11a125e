from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from stemdock.lib.entry_points import EntryPoint, entry_points

if TYPE_CHECKING:
    from pathlib import Path


def install(site: Path, name: str, points: str, version: str = "1.0", kind: str = "dist-info") -> None:
    information = site / f"{name.replace('-', '_')}-{version}.{kind}"
    information.mkdir(parents=True)
    facts = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nVersion: of nothing\n"
    (information / ("METADATA" if kind == "dist-info" else "PKG-INFO")).write_text(facts, "utf-8")
    if points:
        (information / "entry_points.txt").write_text(points, "utf-8")


def by_the_library(group: str) -> list[tuple[str, str, str]]:
    return [
        (entry.name, entry.value, f"{entry.dist.name} {entry.dist.version}" if entry.dist else "")
        for entry in importlib.metadata.entry_points(group=group)
    ]


def found(group: str) -> list[tuple[str, str, str]]:
    return [(entry.name, entry.value, entry.origin) for entry in entry_points(group)]


@pytest.mark.parametrize("group", ["stemdock", "console_scripts", "pytest11", "nobody has this group"])
def test_they_are_those_that_the_library_finds_here(group: str) -> None:
    assert sorted(found(group)) == sorted(by_the_library(group))


def test_packages_of_all_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = """
# a comment
[other]
one = not.this

[group.of.tests]
one = a.module
two=a.module:attribute.of_it
three = a.module : attribute [extra]
[last]
four = not.this
"""
    install(tmp_path / "first", "some-plugin", points)
    install(tmp_path / "first", "no-points", "")
    install(tmp_path / "second", "Some_Plugin", "[group.of.tests]\nhidden = by.the.first\n", "2.0")
    install(tmp_path / "second", "egg", "[group.of.tests]\nfour = an.egg\n", kind="egg-info")
    for folder in ("missing", "second", "first"):
        monkeypatch.syspath_prepend(tmp_path / folder)
    assert sorted(found("group.of.tests")) == [
        ("four", "an.egg", "egg 1.0"),
        ("one", "a.module", "some-plugin 1.0"),
        ("three", "a.module : attribute [extra]", "some-plugin 1.0"),
        ("two", "a.module:attribute.of_it", "some-plugin 1.0"),
    ]
    assert sorted(found("group.of.tests")) == sorted(by_the_library("group.of.tests"))


def test_packages_in_a_zip_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", "zipped", "[group.of.tests]\none = a.module\n")
    with zipfile.ZipFile(tmp_path / "site.zip", "w") as archive:
        for path in (tmp_path / "site").rglob("*"):
            archive.write(path, path.relative_to(tmp_path / "site"))
    monkeypatch.syspath_prepend(tmp_path / "site.zip")
    assert found("group.of.tests") == [("one", "a.module", "zipped 1.0")]


def test_pythons_own_archive_hides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / f"python{sys.version_info.major}{sys.version_info.minor}.zip"
    zipfile.ZipFile(library, "w").close()
    install(tmp_path, "real", "[group.of.tests]\none = a.module\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(library)
    monkeypatch.setattr(importlib.metadata, "entry_points", None)
    assert found("group.of.tests") == [("one", "a.module", "real 1.0")]


def test_a_damaged_file_is_no_reason_to_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "damaged", "[group.of.tests]")
    (tmp_path / "damaged-1.0.dist-info" / "entry_points.txt").write_bytes(b"[group.of.tests]\n\xff = \xff\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert found("group.of.tests") == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("sys", sys),
        ("sys:version_info", sys.version_info),
        ("sys : version_info.major [extra]", sys.version_info.major),
    ],
)
def test_what_is_loaded(value: str, expected: object) -> None:
    assert EntryPoint("name", value, "origin").load() is expected


def test_help_needs_no_parser_of_mails() -> None:
    """It takes a third of the time."""
    code = "import sys; from stemdock.cli.main import run; run(['--help']); "
    code += "assert not {'email', 'numpy', 'importlib.metadata'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True)
