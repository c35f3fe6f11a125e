"""The library of the extension, called as Audacity calls it: its function `extension_dispatch_v0`."""

from __future__ import annotations

import ctypes
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ROOM: Final = Path(__file__).parents[3] / "hosts/stemdock_audacity/audacity4"
SOURCES: Final = ("dispatch.c", "audio.c", "system_posix.c")
STRICT: Final = (
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Wno-sign-conversion",
    "-Werror",
    "-fvisibility=hidden",
)
SANITIZERS: Final = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
ARCH: Final = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), "unknown")

NONE, BOOL, NUMBER, STRING, OBJECT, BUFFER = range(6)
OK, FAILED, UNKNOWN_CALL, INVALID_ARGUMENT = range(4)


class _Buffer(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_uint64))


class _Union(ctypes.Union):
    _fields_ = (
        ("as_bool", ctypes.c_bool),
        ("as_number", ctypes.c_double),
        ("as_string", ctypes.c_char_p),
        ("as_object", ctypes.c_void_p),
        ("as_buffer", _Buffer),
    )


class _Value(ctypes.Structure):
    _anonymous_ = ("union",)
    _fields_ = (("type", ctypes.c_uint32), ("union", _Union))


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    value: Any = None


class Library:
    """The library in this process."""

    def __init__(self, path: Path) -> None:
        self._function = ctypes.CDLL(str(path)).extension_dispatch_v0
        self._function.restype = ctypes.c_int32
        self._function.argtypes = [
            ctypes.c_char_p, ctypes.POINTER(_Value), ctypes.c_uint32, ctypes.POINTER(_Value),
        ]  # fmt: skip

    def call(self, name: str, *arguments: object) -> Answer:
        """Calls with None, booleans, numbers, texts, and arrays as buffers, which it may change."""
        values = (_Value * max(1, len(arguments)))()
        for value, argument in zip(values, arguments, strict=False):
            _set(value, argument)
        result = _Value()
        status = self._function(
            name.encode(), values if arguments else None, len(arguments), ctypes.byref(result)
        )
        if result.type == NUMBER:
            return Answer(status, result.as_number)
        if result.type == STRING:
            return Answer(status, result.as_string.decode())
        assert result.type == NONE
        return Answer(status)

    def get(self, name: str, *arguments: object) -> Any:
        """The value of a call that must succeed."""
        answer = self.call(name, *arguments)
        assert answer.status == OK, (name, answer)
        return answer.value


def _set(value: _Value, argument: object) -> None:
    if isinstance(argument, bool):
        value.type, value.as_bool = BOOL, argument
    elif isinstance(argument, (int, float)):
        value.type, value.as_number = NUMBER, argument
    elif isinstance(argument, str):
        value.type, value.as_string = STRING, argument.encode()
    elif isinstance(argument, np.ndarray):
        value.type, value.as_buffer = BUFFER, _Buffer(argument.ctypes.data, argument.nbytes)
    else:
        assert argument is None
        value.type = NONE


def channels_of(samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The channels of samples, (length, channels), each in memory of its own."""
    return [np.ascontiguousarray(channel) for channel in samples.T]


def compile_library(path: Path, *flags: str) -> Path:
    """Compiles the library for this system."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    path.parent.mkdir(parents=True, exist_ok=True)
    compile_c(["gcc", "-shared", "-fPIC", *STRICT, *flags], SOURCES, path)
    return path


def compile_c(compiler: Sequence[str], sources: Sequence[str], path: Path) -> None:
    """Compiles C sources; a warning is an error."""
    command = [*compiler, *sources, "-o", str(path)]
    done = subprocess.run(command, cwd=ROOM / "library", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
