"""The libraries for all systems: the same bytes each time, and in the wheel only if they are right."""

from __future__ import annotations

import importlib.util
import shutil
import struct
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from stemdock_audacity.audacity4.libraries import SYSTEMS, shipped_libraries

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[3]
ROOM = "hosts/stemdock_audacity/audacity4"


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    """distribution/libraries.py, loaded as hatchling does."""
    spec = importlib.util.spec_from_file_location("libraries", ROOT / "distribution/libraries.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with nothing but the sources of the library."""
    shutil.copytree(ROOT / ROOM / "library", tmp_path / ROOM / "library")
    return tmp_path


def run_hook(builder: ModuleType, root: Path, version: str = "standard") -> tuple[list[str], list[str]]:
    """What the hook adds to the wheel, and its warnings."""
    warnings: list[str] = []
    hook = builder.LibrariesHook.__new__(builder.LibrariesHook)
    fields: dict[str, Any] = {"root": str(root), "app": SimpleNamespace(display_warning=warnings.append)}
    for name, value in fields.items():
        setattr(hook, f"_BuildHookInterface__{name}", value)
    data: dict[str, Any] = {"artifacts": []}
    hook.initialize(version, data)
    return data["artifacts"], warnings


def test_without_a_compiler_the_wheel_has_no_library_and_the_build_says_so(
    builder: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "has_compiler", lambda: False)
    artifacts, (warning,) = run_hook(builder, root)
    assert artifacts == []
    assert "STEMDOCK_LIBRARIES=build" in warning


def test_the_variable_makes_the_build_install_the_compiler(
    builder: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = builder.LibrariesHook.__new__(builder.LibrariesHook)
    monkeypatch.delenv("STEMDOCK_LIBRARIES", raising=False)
    assert hook.dependencies() == []
    monkeypatch.setenv("STEMDOCK_LIBRARIES", "build")
    assert hook.dependencies() == ["ziglang==0.15.2"]
    assert hook.dependencies()[0] in (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.timeout(1200)  # the first build compiles the C libraries of Windows
def test_all_systems_get_the_same_bytes_each_time(
    builder: ModuleType, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not builder.has_compiler():
        pytest.skip("needs ziglang")
    artifacts, warnings = run_hook(builder, root)
    assert (artifacts, warnings) == ([f"/{ROOM}/platform/**"], [])
    other = tmp_path / "in another folder"
    shutil.copytree(root / ROOM / "library", other / ROOM / "library")
    builder.build(other)
    first, second = (
        {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in (root / ROOM / "platform", other / ROOM / "platform")
    )
    assert first == second
    assert set(first) == {"built.json", *(target.file for target in builder.TARGETS)}
    for name, content in first.items():
        if name != "built.json":
            assert str(tmp_path).encode() not in content
            assert b"extension_dispatch_v0" in content
            assert len(content) < 200_000
            assert kind_of(content) == "/".join(name.split("/")[:2])

    for system, folder in SYSTEMS.items():
        monkeypatch.setattr(sys, "platform", system)
        shipped = shipped_libraries(root / ROOM)
        assert set(shipped) == {f"platform/{name}" for name in first if name.startswith(f"{folder}/")}

    with (root / ROOM / "library/audio.c").open("a") as file:
        file.write("// changed\n")
    monkeypatch.setattr(builder, "has_compiler", lambda: False)
    artifacts, warnings = run_hook(builder, root)
    assert artifacts == []
    assert warnings


def kind_of(content: bytes) -> str:
    """System and processor of a library, by its header."""
    if content.startswith(b"\x7fELF"):
        return {62: "linux/x86_64", 183: "linux/arm64"}[struct.unpack_from("<H", content, 18)[0]]
    if content.startswith(b"\xcf\xfa\xed\xfe"):
        return {0x01000007: "macos/x86_64", 0x0100000C: "macos/arm64"}[
            struct.unpack_from("<I", content, 4)[0]
        ]
    header = struct.unpack_from("<I", content, 60)[0]
    assert content[header : header + 4] == b"PE\0\0"
    return {0x8664: "windows/x86_64"}[struct.unpack_from("<H", content, header + 4)[0]]


def test_every_exported_name_is_audacitys(room: Path) -> None:
    import subprocess  # noqa: PLC0415  only here

    if shutil.which("nm") is None:
        pytest.skip("needs nm")
    (library,) = room.glob("platform/*/*/stemdock.so")
    listing = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--format=just-symbols", library],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert listing.stdout.split() == ["extension_dispatch_v0"]
