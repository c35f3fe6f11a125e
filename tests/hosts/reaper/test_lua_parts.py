"""Parts of the script against oracles: Python's JSON, libsndfile, and the systems' command-line rules."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from support.reaper_model.commandline import split_command_line
from support.reaper_model.stage import SHIPPED

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


class Parts:
    """The script's parts in a bare Lua."""

    def __init__(self, lua: str) -> None:
        self.lua = import_module(f"lupa.{lua}").LuaRuntime(unpack_returned_tuples=True)
        self.system = "Other"
        self.lua.globals()["system"] = lambda: self.system
        self.lua.execute("reaper = { GetOS = function() return system() end }")
        self.part = self.lua.eval("function(path, folder) return assert(loadfile(path))(folder) end")(
            str(SHIPPED / "stemdock" / "start.lua"), f"{SHIPPED}/"
        )

    def to_lua(self, value: Any) -> Any:
        if isinstance(value, dict):
            return self.lua.table_from({key: self.to_lua(element) for key, element in value.items()})
        if isinstance(value, list):
            return self.lua.table_from([self.to_lua(element) for element in value])
        return value

    def from_lua(self, value: Any) -> Any:
        if not hasattr(value, "items"):
            return value
        content = {key: self.from_lua(element) for key, element in value.items()}
        if content and set(content) == set(range(1, len(content) + 1)):
            return [content[key] for key in sorted(content)]
        return content


@pytest.fixture(scope="module", params=["lua53", "lua54"])
def parts(request: pytest.FixtureRequest) -> Parts:
    return Parts(request.param)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**52), 2**52)
# Lua knows no difference between an empty array and an empty object, and no null in a table.
values = st.recursive(
    texts | numbers | st.booleans(),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4)
        | st.dictionaries(texts.filter(bool), inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


@given(value=values)
@settings(max_examples=200)
def test_json_written_by_lua_is_read_by_python(parts: Parts, value: Any) -> None:
    assert json.loads(parts.part("json").encode(parts.to_lua(value))) == value


@given(value=values, ascii_only=st.booleans(), indent=st.none() | st.integers(0, 2))
@settings(max_examples=200)
def test_json_written_by_python_is_read_by_lua(
    parts: Parts, value: Any, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert parts.from_lua(parts.part("json").decode(text)) == value


@given(text=st.text(alphabet='{}[]",:\\ntrue0123.eE-+u ', max_size=15))
@settings(max_examples=300)
def test_json_that_is_damaged_is_refused(parts: Parts, text: str) -> None:
    decoded = parts.part("json").decode(text)
    try:
        expected = json.loads(text)
    except ValueError:
        # Lua's own idea of numbers is wider; what matters is that no structure is taken for another.
        if isinstance(decoded, tuple):
            assert decoded[0] is None
        else:
            assert not isinstance(decoded, str)
    else:
        if not isinstance(decoded, tuple) and not isinstance(expected, list | dict):
            assert decoded == expected


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "nul", "{'a': 1}", '{"a" 1}', "[1,]", "[1 2]"]
)
def test_json_dialects_are_refused(parts: Parts, text: str) -> None:
    assert parts.part("json").decode(text)[0] is None


def test_numbers_that_json_lacks_are_refused(parts: Parts) -> None:
    for number in (float("nan"), float("inf"), float("-inf")):
        with pytest.raises(Exception, match="finite"):
            parts.part("json").encode(number)


@given(
    words=st.lists(st.text(st.characters(exclude_characters='"\0', exclude_categories=["Cs"])), min_size=1)
)
def test_windows_gets_the_words_back(parts: Parts, words: list[str]) -> None:
    parts.system = "Win64"
    line = parts.part("job").command_line(parts.to_lua(words))
    assert split_command_line(line, "Win64") == words


@given(words=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1))
def test_other_systems_get_the_words_back_or_an_error(parts: Parts, words: list[str]) -> None:
    parts.system = "Other"
    impossible = any({'"', "'", "`"} <= set(word) for word in words)
    if impossible:
        with pytest.raises(Exception):  # noqa: B017, PT011  Lua's errors have no class of their own
            parts.part("job").command_line(parts.to_lua(words))
    else:
        assert split_command_line(parts.part("job").command_line(parts.to_lua(words)), "Other") == words


@given(
    length=st.integers(0, 1000),
    channels=st.integers(1, 2),
    block=st.integers(1, 300),
    seed=st.integers(0, 99),
)
@settings(max_examples=40)
def test_wav_files_are_read_by_libsndfile(
    parts: Parts, tmp_path_factory: pytest.TempPathFactory, length: int, channels: int, block: int, seed: int
) -> None:
    samples = np.random.default_rng(seed).normal(0, 2, (length, channels)).astype(np.float32)
    path = tmp_path_factory.getbasetemp() / "written by Lua.wav"
    wav = parts.part("wav").create(str(path), 44100, channels)
    for start in range(0, length, block):
        wav.append(wav, parts.to_lua(samples[start : start + block].ravel().tolist()))
    wav.close(wav)
    read, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == 44100
    np.testing.assert_array_equal(read, samples)
    assert soundfile.info(path).subtype == "FLOAT"


def test_a_file_too_long_for_wav_is_refused(parts: Parts, tmp_path: Path) -> None:
    wav = parts.part("wav").create(str(tmp_path / "x.wav"), 44100, 2)
    wav.n_values = 2**30 - 20
    with pytest.raises(Exception):  # noqa: B017, PT011  a table in Lua
        wav.append(wav, parts.to_lua([0.0] * 100))
    wav.discard(wav)
    assert not (tmp_path / "x.wav").exists()
