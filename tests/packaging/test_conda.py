"""The conda recipe, read by the program that builds from it, says the same as pyproject.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import rattler_build
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
CONDA_NAMES = {"soundfile": "pysoundfile", "soxr": "soxr-python"}
"""What conda-forge calls differently."""


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def recipe() -> dict[str, Any]:
    """As it is rendered for a build; what rattler-build does not understand fails here."""
    (variant,) = rattler_build.Stage0Recipe.from_file(
        ROOT / "distribution" / "conda" / "recipe.yaml"
    ).render()
    return variant.recipe.to_dict()


def conda_requirements(requirements: list[str], python: str) -> dict[str, SpecifierSet]:
    found = {each.name: each.specifier for each in map(Requirement, requirements)}
    return {CONDA_NAMES.get(name, name): versions for name, versions in found.items()} | {
        "python": SpecifierSet(python)
    }


def requirements_of(section: list[str]) -> dict[str, SpecifierSet]:
    split = [spec.partition(" ") for spec in section]
    return {name: SpecifierSet(versions) for name, _, versions in split}


def test_it_needs_at_run_time_what_the_wheel_needs(project: dict[str, Any], recipe: dict[str, Any]) -> None:
    metadata = project["project"]
    wanted = conda_requirements(metadata["dependencies"], metadata["requires-python"])
    assert requirements_of(recipe["requirements"]["run"]) == wanted


def test_it_builds_with_what_the_wheel_is_built_with(project: dict[str, Any], recipe: dict[str, Any]) -> None:
    host = requirements_of([spec for spec in recipe["requirements"]["host"] if "python" not in spec])
    assert host == {
        **{each.name: each.specifier for each in map(Requirement, project["build-system"]["requires"])},
        "pip": SpecifierSet(),
    }


def test_it_describes_the_same_package(project: dict[str, Any], recipe: dict[str, Any]) -> None:
    metadata = project["project"]
    assert recipe["package"] == {"name": metadata["name"], "version": metadata["version"]}
    assert recipe["about"]["summary"] == metadata["description"]
    assert recipe["about"]["license"] == metadata["license"]
    assert recipe["about"]["license_file"] == metadata["license-files"]
    assert recipe["build"]["noarch"] == "python"
    entry_points = dict(entry.split(" = ") for entry in recipe["build"]["python"]["entry_points"])
    assert entry_points == metadata["scripts"]


def test_it_tries_every_package_that_the_wheel_holds(project: dict[str, Any], recipe: dict[str, Any]) -> None:
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    (imports,) = (test["python"]["imports"] for test in recipe["tests"] if "python" in test)
    assert sorted(imports) == sorted(Path(package).name for package in wheel)
