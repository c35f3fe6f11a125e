from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

import pytest

from stemdock.lib.os_errors import os_errors_as, reason_for, write_remedy

if TYPE_CHECKING:
    from pathlib import Path


class OursError(Exception):
    pass


class DetailedError(OursError, OSError):
    """One of ours that is an OSError too."""


def test_an_os_error_becomes_ours_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(OursError) as caught, os_errors_as(OursError):
        (tmp_path / "nothing").read_bytes()
    assert str(caught.value) == os.strerror(errno.ENOENT)
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_errors_that_say_more_are_kept() -> None:
    with pytest.raises(DetailedError, match="say more"), os_errors_as(OursError, keep=DetailedError):
        raise DetailedError("say more")
    with pytest.raises(OursError, match="no number"), os_errors_as(OursError, keep=DetailedError):
        raise OSError("no number")


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), os_errors_as(OursError):
        _ = 1 / 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a\0b", "null character"),
        pytest.param(
            "a\ud800b",
            "characters that this system cannot store",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="Windows stores them"),
        ),
    ],
)
def test_names_that_no_file_can_have(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  Python's own text is not ours to check
        (tmp_path / name).open("rb")
    assert reason in reason_for(caught.value)


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT"])
def test_the_remedy_for_a_full_disk_is_space(name: str) -> None:
    number = getattr(errno, name)
    assert "Free some space" in write_remedy(reason_for(OSError(number, os.strerror(number))), "Else.")
    denied = OSError(errno.EACCES, os.strerror(errno.EACCES))
    assert write_remedy(reason_for(denied), "Else.") == "Else."
