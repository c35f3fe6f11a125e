"""The Dockerfile, as far as it can be tried without an engine: what it is given suffices to build the wheel.

`./dev image` builds the image itself and runs it; that takes two minutes, so it is done by hand.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import metadata
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def stages() -> list[list[str]]:
    """The Dockerfile's instructions, a list for each stage."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    instructions = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    starts = [i for i, line in enumerate(instructions) if line.startswith("FROM ")]
    return [instructions[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What .dockerignore lets through to the builder."""
    rules = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in rules
    admitted = [rule[1:] for rule in rules if rule.startswith("!")]
    folder = tmp_path_factory.mktemp("context")
    for rule in admitted:
        source, target = ROOT / rule, folder / rule
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return folder


@pytest.mark.slow
def test_the_context_builds_the_wheel_with_the_model(context: Path, tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, context], check=True)
    (wheel,) = tmp_path.glob("stemdock-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert "stemdock_models/data/2stems.onnx" in archive.namelist()


def test_the_context_is_what_is_built_from_and_nothing_of_the_person(context: Path) -> None:
    found = {path.relative_to(context).parts[0] for path in context.rglob("*") if path.is_file()}
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    folders = {package.partition("/")[0] for package in packages} | {"docs", "distribution"}
    assert found == {"pyproject.toml", "README.md", "LICENSE", "NOTICE"} | folders


def test_it_runs_the_program_as_nobody_in_particular(stages: list[list[str]]) -> None:
    last = stages[-1]
    (entry_point,) = (line for line in last if line.startswith("ENTRYPOINT"))
    program = re.fullmatch(r'ENTRYPOINT \["(.+)"\]', entry_point)
    assert program
    assert program[1] in PROJECT["project"]["scripts"]
    (user,) = (line.split()[1] for line in last if line.startswith("USER"))
    assert user not in {"root", "0"}
    assert last.index(f"USER {user}") > max(i for i, line in enumerate(last) if line.startswith("RUN"))


def test_all_that_it_names_inside_the_context_is_there(stages: list[list[str]], context: Path) -> None:
    named = re.findall(r"/source/([\w/.]+)", "\n".join(line for stage in stages for line in stage))
    assert named
    assert not [name for name in named if not (context / PurePosixPath(name)).is_file()]


@pytest.mark.slow
def test_notices_name_every_package_with_its_licence() -> None:
    told = subprocess.run(
        [sys.executable, ROOT / "distribution" / "notices.py"], capture_output=True, text=True, check=True
    )
    for package, licence in (("numpy", "BSD-3-Clause"), ("soxr", "LGPL-2.1-or-later"), ("stemdock", "MIT")):
        # Older versions of packages name no licence by its identifier.
        named = "License-Expression" in metadata(package)
        assert re.search(rf"^{package} [\d.]+: .*{licence if named else ''}", told.stdout, re.MULTILINE)
    # Words of the licences themselves, each from another package.
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in told.stdout
    assert "Microsoft Corporation" in told.stdout
    assert "Deezer" in told.stdout
