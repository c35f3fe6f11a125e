"""The public names: what `stemdock` and `stemdock.cli` offer is pinned in face.txt, signatures included.

After a change on purpose, write the file again and review the difference: python tests/plugin/test_face.py
"""

from __future__ import annotations

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_origin

import pytest

import stemdock
import stemdock.cli
from stemdock import errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_PINNED: Final = Path(__file__).with_name("face.txt")
_FACES: Final = (stemdock, stemdock.cli)
_PLUGINS: Final = (
    "stemdock_audacity",
    "stemdock_evaluation",
    "stemdock_export",
    "stemdock_hostkit",
    "stemdock_models",
    "stemdock_ray",
    "stemdock_reaper",
    "stemdock_web",
    "stemdock_spleeter",
    "stemdock_training",
)


def face_lines() -> list[str]:
    """A line for each public name and for each public method and property of a class."""
    return [
        line
        for face in _FACES
        for name in face.__all__
        # The default of a parameter can be a function, whose text has an address.
        for line in (
            re.sub(r" at 0x[0-9a-f]+", "", each)
            for each in _described(f"{face.__name__}.{name}", getattr(face, name))
        )
    ]


def _described(name: str, value: object) -> Iterator[str]:
    if inspect.isclass(value) and value.__module__.startswith("stemdock"):
        yield f"{name}{_constructor(value)}"
        for member, definition in sorted(_own_members(value).items()):
            if not member.startswith("_"):
                yield from _member(f"{name}.{member}", definition)
    elif inspect.isfunction(value):
        # Defaults that are functions show where they are in memory, which changes with each run.
        yield f"{name}{re.sub(' at 0x[0-9a-f]+', '', str(inspect.signature(value)))}"
    elif isinstance(value, str | int | float | tuple):
        yield f"{name} = {value!r}"
    elif get_origin(value) is not None:
        yield f"{name}, a type alias"
    else:
        yield f"{name}: {type(value).__name__}"


def _own_members(value: type) -> dict[str, object]:
    """What a class and its bases in Stemdock define."""
    own: dict[str, object] = {}
    for base in reversed(value.__mro__):
        if base.__module__.startswith("stemdock"):
            own |= vars(base)
    return own


def _constructor(value: type) -> str:
    # The signature of a class that does not define its constructor depends on the version of Python.
    if getattr(value, "_is_protocol", False) or "__init__" not in _own_members(value):
        return ""
    return str(inspect.signature(value))


def _member(name: str, definition: object) -> Iterator[str]:
    if isinstance(definition, property):
        assert definition.fget
        yield f"{name} -> {inspect.signature(definition.fget).return_annotation}"
    elif isinstance(definition, classmethod | staticmethod):
        yield f"{name}{inspect.signature(definition.__func__)}"
    elif inspect.isfunction(definition):
        yield f"{name}{inspect.signature(definition)}"


def _imports(path: Path) -> Iterator[tuple[str, str]]:
    """Module and name of every import of stemdock in a file; the name is "" in `import stemdock`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "stemdock":
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.split(".")[0] == "stemdock")


def test_the_public_names_and_signatures_are_those_on_record() -> None:
    lines = face_lines()
    pinned = _PINNED.read_text(encoding="utf-8").splitlines()
    changes = [
        *(f"gone or changed: {line}" for line in pinned if line not in lines),
        *(f"new or changed:  {line}" for line in lines if line not in pinned),
    ]
    assert lines == pinned, "\n".join(
        [
            "The public names of stemdock changed; plug-ins outside this repository may depend on them.",
            *changes,
            "If that is on purpose, run: python tests/plugin/test_face.py",
        ]
    )


def test_paths_are_taken_in_every_form() -> None:
    """The exceptions are values, whose fields are paths."""
    exceptions = ("ModelEntry(", "SeparatedFile(", "Observer(")
    narrow = [
        line
        for line in face_lines()
        if re.search(r"(?<!Str)Path\b", line.rpartition(" -> ")[0])
        and not line.removeprefix("stemdock.").startswith(exceptions)
    ]
    assert narrow == []


@pytest.mark.parametrize("face", _FACES, ids=lambda face: face.__name__)
def test_type_checkers_see_the_names_that_programs_get(face: ModuleType) -> None:
    assert face.__file__
    tree = ast.parse(Path(face.__file__).read_text(encoding="utf-8"))
    (block,) = [
        node
        for node in tree.body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    ]
    seen = [
        (alias.asname, node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    loaded = [
        (name, f"{face.__name__}.{home}") for home, names in face._NAMES.items() for name in names.split()
    ]
    assert sorted(seen, key=str) == sorted(loaded)
    assert [name for name, _ in sorted(loaded)] == face.__all__


def test_every_error_is_public() -> None:
    defined = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception) and value.__module__ == errors.__name__
    }
    assert defined
    assert defined <= set(stemdock.__all__)


@pytest.mark.parametrize("package", _PLUGINS)
def test_plugins_import_public_names_only(package: str) -> None:
    public = {"stemdock": {*stemdock.__all__, "__version__"}, "stemdock.cli": set(stemdock.cli.__all__)}
    folder = Path(str(import_module(package).__file__)).parent
    found = [(path, *pair) for path in folder.rglob("*.py") for pair in _imports(path)]
    assert found
    hidden = [
        f"{path.relative_to(folder)}: {module} {name}".rstrip()
        for path, module, name in found
        if module not in public or (name and name not in public[module])
    ]
    assert hidden == []


if __name__ == "__main__":
    _PINNED.write_text("".join(f"{line}\n" for line in face_lines()), encoding="utf-8", newline="\n")
