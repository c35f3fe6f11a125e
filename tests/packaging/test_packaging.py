"""What a user gets: the wheel made from the sdist, in an environment of its own, without the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path, PurePosixPath

import pytest
import soundfile

from support.mixtures import SONG

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES = [PurePosixPath(each) for each in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]
"""Folders of the packages, from the root of the checkout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefacts:
    sdist: Path
    wheel: Path
    """Built from the sdist, not from the checkout."""


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Artefacts:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", folder, ROOT], check=True, stdout=subprocess.DEVNULL
    )
    (sdist,) = folder.glob("stemdock-*.tar.gz")
    (wheel,) = folder.glob("stemdock-*.whl")
    return Artefacts(sdist=sdist, wheel=wheel)


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def test_the_wheel_holds_every_file_of_every_package_and_nothing_else(artefacts: Artefacts) -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("no git checkout to compare with")
    tracked = [PurePosixPath(name) for name in listing.stdout.decode().split("\0") if name]
    wanted = {
        str(path.relative_to(package.parent))
        for package in PACKAGES
        for path in tracked
        if path.is_relative_to(package) and (ROOT / path).exists()
    }
    found = {name for name in names_in(artefacts.wheel) if ".dist-info/" not in name}
    assert {name for name in found if ".data/" not in name} == wanted
    assert {name.split(".data/")[1] for name in found if ".data/" in name} == {
        "data/share/man/man1/plugin-cli.1",
        "data/share/man/man1/stemdock.1",
    }


def test_the_wheel_marks_its_packages_as_typed(artefacts: Artefacts) -> None:
    assert {f"{package.name}/py.typed" for package in PACKAGES} <= names_in(artefacts.wheel)


def test_the_wheel_carries_the_model_and_what_hosts_are_given(artefacts: Artefacts) -> None:
    names = names_in(artefacts.wheel)
    assert {"stemdock_models/data/2stems.onnx", "stemdock_audacity/nyquist/separate.ny"} <= names
    assert "stemdock_reaper/lua/Stemdock - Separate selected items into stems.lua" in names


def test_the_wheel_carries_the_licences_word_for_word(artefacts: Artefacts) -> None:
    with zipfile.ZipFile(artefacts.wheel) as archive:
        texts = {
            name.partition("/licenses/")[2]: archive.read(name)
            for name in archive.namelist()
            if "/licenses/" in name
        }
    named = [path for pattern in PROJECT["project"]["license-files"] for path in ROOT.glob(pattern)]
    assert texts == {str(path.relative_to(ROOT)): path.read_bytes() for path in named}
    assert {"LICENSE", "NOTICE"} <= set(texts)


def test_the_page_of_a_preview_has_all_its_parts_and_their_licence(artefacts: Artefacts) -> None:
    folder = "stemdock/preview/"
    with zipfile.ZipFile(artefacts.wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith(folder) and not name.endswith(".py")}
    assert packed == {
        folder + name
        for name in (
            "controls.js", "mixing.js", "page.css", "page.html", "page.js", "player.css", "player.js",
            "vendor/wavesurfer.LICENSE", "vendor/wavesurfer.min.js",
        )
    }  # fmt: skip


def test_the_page_of_the_server_has_all_its_parts_and_their_licence(artefacts: Artefacts) -> None:
    folder = "stemdock_web/page/"
    with zipfile.ZipFile(artefacts.wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith(folder)}
    assert packed == {
        folder + name
        for name in (
            "backend.js", "desk.js", "files.js", "icon.svg", "index.html", "main.js", "pictures.js",
            "queue.js", "reel.js", "web.css", "local/about.html", "local/backend.js",
            "local/engine.js", "local/exporting.js", "local/fft.js", "local/folding.js", "local/growing.js",
            "local/worker.js",
            "vendor/signalsmith-stretch.LICENSE", "vendor/signalsmith-stretch.mjs",
        )
    }  # fmt: skip


def test_the_metadata_says_what_a_registry_needs(artefacts: Artefacts) -> None:
    with zipfile.ZipFile(artefacts.wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    assert metadata["License-Expression"] == "MIT AND BSD-3-Clause"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "# Stemdock" in metadata.get_payload()
    assert metadata.get_all("Provides-Extra") == sorted(PROJECT["project"]["optional-dependencies"])


def test_the_wheel_is_laid_out_as_wheels_are(artefacts: Artefacts) -> None:
    # W009: several packages in one wheel are meant, and the first test names them. W002: the licence of a
    # part stands beside it, too.
    ignored = ["--no-config", "--ignore", "W002,W009"]
    check = [sys.executable, "-m", "check_wheel_contents", *ignored, str(artefacts.wheel)]
    checked = subprocess.run(check, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_sdist_holds_what_building_and_testing_need_and_no_rubbish(artefacts: Artefacts) -> None:
    with tarfile.open(artefacts.sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    assert {"pyproject.toml", "LICENSE", "NOTICE", "README.md", "CHANGELOG.md", "dev"} <= names
    assert {
        "tests/packaging/test_packaging.py",
        "tests/data/audio_example.mp3",
        "tests/data/README.md",
    } <= names
    rubbish = {".ci", ".git", ".venv", "__pycache__", ".hypothesis", ".pytest_cache", "dist", "separated"}
    assert not [name for name in names if rubbish & set(name.split("/"))]


def test_a_runtime_installation_separates_without_tensorflow(artefacts: Artefacts, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", artefacts.wheel], check=True)
    subprocess.run([python, "-m", "pip", "check"], check=True, stdout=subprocess.DEVNULL)
    listing = subprocess.run(
        [python, "-m", "pip", "list", "--format=json"], check=True, capture_output=True, text=True
    )
    installed = {package["name"].lower() for package in json.loads(listing.stdout)}
    assert not installed & {"tensorflow", "tf2onnx", "keras", "matplotlib", "torch"}
    subprocess.run(
        [python.with_name("plugin-cli"), "separate", SONG, "-o", tmp_path],
        check=True,
        cwd=tmp_path,
        capture_output=True,
    )
    assert soundfile.info(tmp_path / "audio_example" / "accompaniment.wav").frames == 479832
