"""Another user of the machine prepares the folders that a command uses."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
import soundfile

from support.mixtures import DATA, SONG
from support.other_users import ATTACKER, VICTIM, two_users

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.other_users import Machine

pytestmark = pytest.mark.slow

CHECKPOINT = DATA / "checkpoints" / "4stems-narrow"
EXCERPT = ("separate", SONG, "-d", "0.5")


@pytest.fixture
def machine() -> Iterator[Machine]:
    with two_users() as machine:
        yield machine


def separate(machine: Machine, out: Path, *options: str, **environment: str) -> list[bytes]:
    """The stems of half a second."""
    done = machine.cli(*EXCERPT, "-o", out, *options, timeout=60, **environment)
    assert done.returncode == 0, done.stderr
    return [path.read_bytes() for path in sorted(out.glob("*/*.wav"))]


def poison(cache: Path) -> None:
    """Puts another model in the place of each prepared one, under its own hash."""
    for path in list(cache.glob("*/model.onnx")):
        model = onnx.load(path)  # with its weights
        for tensor in model.graph.initializer:
            if tensor.data_type == onnx.TensorProto.FLOAT and tensor.raw_data:
                tensor.raw_data = bytes(len(tensor.raw_data))
        content = model.SerializeToString()
        key = path.parent.name.partition("-")[0]
        shutil.rmtree(path.parent)
        other = cache / f"{key}-{hashlib.sha256(content).hexdigest()}"
        other.mkdir(mode=0o755)
        (other / "model.onnx").write_bytes(content)
        for changed in (other, other / "model.onnx"):
            os.chown(changed, ATTACKER, ATTACKER)


@pytest.mark.parametrize("kind", ["foreign folder", "folder that others write", "foreign files", "link"])
def test_prepared_models_of_others_are_not_used(machine: Machine, kind: str) -> None:
    cache = machine.give(machine.folder / "shared", VICTIM, 0o755) / "cache"
    expected = separate(machine, machine.home / "a", STEMDOCK_CACHE=str(cache))
    poison(cache)
    if kind == "foreign folder":
        os.chown(cache, ATTACKER, ATTACKER)
    elif kind == "folder that others write":
        cache.chmod(0o777)
    elif kind == "link":
        theirs = cache.rename(machine.temporary / "theirs")
        os.chown(theirs, ATTACKER, ATTACKER)
        cache.symlink_to(theirs)
    found = separate(machine, machine.home / "b", STEMDOCK_CACHE=str(cache))
    # Without a prepared model, normalizations are rounded in another way.
    for one, other in zip(expected, found, strict=True):
        samples, _ = soundfile.read(BytesIO(one))
        error = soundfile.read(BytesIO(other))[0] - samples
        assert np.abs(samples).max() > 0
        assert np.abs(error).max() < 1e-4 * np.abs(samples).max()


def test_what_others_put_into_an_output_folder_does_no_harm(machine: Machine) -> None:
    out = machine.give(machine.folder / "out", VICTIM, 0o755)
    expected = separate(machine, out)
    (entry,) = (out / ".stemdock").glob("*.json")
    shutil.rmtree(out)
    precious = machine.home / "precious"
    precious.write_text("mine")
    os.chown(precious, VICTIM, VICTIM)
    machine.folder.chmod(0o777)
    machine.attack(
        f"mkdir {out} {out}/.stemdock {out}/{SONG.stem} && cd {out}"
        f" && ln -s {precious} .stemdock/{entry.stem}.part && ln -s {precious} .stemdock/{entry.name}"
        " && mkfifo .stemdock/0123.json"
        f" && mkdir {SONG.stem}/.stemdock-0123456789abcdef"
        f" && ln -s {precious} {SONG.stem}/.stemdock-0123456789abcdef/.lock"
    )
    assert separate(machine, out) == expected
    assert precious.read_text() == "mine"
    assert (out / SONG.stem / ".stemdock-0123456789abcdef").is_dir()
    # A link or a pipe in the place of a stem is replaced itself.
    stems = sorted((out / SONG.stem).glob("*.wav"))
    machine.attack(f"cd {out}/{SONG.stem} && rm -f *.wav && ln -s {precious} {stems[0].name}")
    machine.attack(f"mkfifo {stems[1]}")
    assert machine.cli(*EXCERPT, "-o", out).returncode == 1
    assert separate(machine, out, "--overwrite") == expected
    assert precious.read_text() == "mine"
    assert {path.stat().st_uid for path in stems} == {VICTIM}


def test_installed_models_can_be_neither_changed_nor_locked(machine: Machine) -> None:
    machine.home.chmod(0o755)
    add = (
        f"{sys.executable} -m stemdock models add {CHECKPOINT} --name four --config {CHECKPOINT}/config.json"
    )
    done = machine.run(VICTIM, "sh", "-c", f"umask 000; {add}")
    assert done.returncode == 0, done.stderr
    store = machine.home / ".local/share/stemdock/models"
    assert (store / "four/model.json").exists()
    assert machine.written_by_others(machine.home / ".local") == []
    machine.try_attack(f"cd {store} && chmod -R 777 .; rm -rf four; touch x; echo >> four/model.json")
    assert not (store / "x").exists()
    for path in store.rglob("*"):
        assert path.lstat().st_uid == VICTIM
    locks = list(store.rglob("*lock"))
    assert locks
    for lock in locks:
        assert "Permission denied" in machine.try_attack(f"cat {lock}").stderr
    done = machine.cli("models", "remove", "four")
    assert done.returncode == 0, done.stderr
