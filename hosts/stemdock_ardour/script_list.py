"""Ardour's list of scripts, `ui_scripts`: an XML file with Lua text in base64.

- `<ActionScript>`: assignments to `scripts[1]` and so on, the buttons. `["n"]` is the name, `["s"]` the
  source, `["f"]` what Ardour loads (source or bytecode), `["a"]` arguments.
- `<ActionHooks>`: a `<LuaCallback>` for each script that signals start, with the signals as a string of bits.

Only Stemdock's entries are changed. All other bytes stay, also those of entries that Ardour has written.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EMPTY: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<UIScripts>\n  <ActionScript lua="Lua 5.3"/>\n'
    b"  <ActionHooks/>\n</UIScripts>\n"
)
"""A list without scripts."""
N_BUTTONS: Final = 9
_BUTTONS: Final = re.compile(rb"<ActionScript([^>]*?)(?:/>|>([^<]*)</ActionScript>)")
_HOOKS: Final = re.compile(rb"<ActionHooks\s*(?:/>|>(.*?)</ActionHooks>)", re.DOTALL)
_CALLBACK: Final = re.compile(rb"<LuaCallback\b([^>]*)>([^<]*)</LuaCallback>")
_TEXT: Final = rb'"(?:[^"\\]|\\.)*"'
_VALUE: Final = rb"(?:\{\}|" + _TEXT + rb"|nil|true|false|[-+.\w]+)"
_ASSIGNMENT: Final = re.compile(rb"scripts\[(\d+)\](?:\[" + _TEXT + rb"\])* = " + _VALUE + rb"\s*", re.DOTALL)
_FIELD: Final = re.compile(rb'\["([ns])"\] = (' + _TEXT + rb")", re.DOTALL)
_ID: Final = 5_301_001
"""Of our hook; Ardour gives small numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A script of ours."""

    name: str
    source: str


class UnknownFormError(ValueError):
    """The file is not such a list."""


class NoFreeButtonError(ValueError):
    """All buttons are in use."""


def has_scripts(content: bytes, scripts: Iterable[Script]) -> bool:
    """Whether a list has scripts, by name and source, whichever way Ardour or we have written them.

    Raises:
        UnknownFormError: The content is something else.
    """
    buttons = _buttons(content)
    entries = [_entry(buttons, number) for number in _numbers(buttons)]
    entries += [_decoded(found[2]) for found in _CALLBACK.finditer(_hooks(content) or b"")]
    listed = [{found[1]: _plain(found[2]) for found in _FIELD.finditer(entry)} for entry in entries]
    return all({b"n": script.name.encode(), b"s": script.source.encode()} in listed for script in scripts)


def with_scripts(content: bytes, actions: Sequence[Script], hook: Script, signals: str) -> bytes:
    """Adds scripts to a list that has none of them.

    Args:
        content: The list.
        actions: For buttons.
        hook: Started by signals.
        signals: The bits of those signals.

    Raises:
        UnknownFormError: The content is something else.
        NoFreeButtonError: There are too few free buttons.
    """
    buttons = _buttons(content)
    used = {int(number) for number in re.findall(rb"scripts\[(\d+)\] = \{", buttons)}
    free = [number for number in range(1, N_BUTTONS + 1) if number not in used]
    if len(free) < len(actions):
        raise NoFreeButtonError
    added = b"".join(
        _assignments(f"scripts[{number}]", each) for number, each in zip(free, actions, strict=False)
    )
    content = _with_buttons(content, (buttons or b"scripts = {} ") + added)
    text = base64.b64encode(_assignments("s", hook))
    callback = (
        f'<LuaCallback lua="Lua 5.3" id="{_ID}" name={quoteattr(hook.name)} signals="{signals}">'.encode()
    )
    inside = (_hooks(content) or b"") + callback + text + b"</LuaCallback>"
    return _HOOKS.sub(lambda _: b"<ActionHooks>" + inside + b"</ActionHooks>", content, count=1)


def without_scripts(content: bytes, names: Iterable[str]) -> bytes:
    """Removes scripts from a list, by their names and that of their author.

    Raises:
        UnknownFormError: The content is something else.
    """
    names = set(names)
    buttons = _buttons(content)
    ours = {number for number in _numbers(buttons) if _is_ours(_entry(buttons, number), names)}
    if ours:
        kept = _ASSIGNMENT.sub(lambda found: b"" if found[1] in ours else found[0], buttons)
        content = _with_buttons(content, kept if _numbers(kept) else b"")
    inside = _hooks(content)
    if inside is not None:
        quoted = {quoteattr(name).encode() for name in names}
        kept = _CALLBACK.sub(
            lambda found: b"" if any(b"name=" + name in found[1] for name in quoted) else found[0], inside
        )
        element = b"<ActionHooks>" + kept + b"</ActionHooks>" if kept.strip() else b"<ActionHooks/>"
        if kept != inside:
            content = _HOOKS.sub(lambda _: element, content, count=1)
    return content


def _buttons(content: bytes) -> bytes:
    """The Lua text of the buttons."""
    found = _BUTTONS.search(content)
    if not found or not _HOOKS.search(content):
        raise UnknownFormError
    return _decoded(found[2] or b"")


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text)
    except binascii.Error as error:
        raise UnknownFormError from error


def _hooks(content: bytes) -> bytes | None:
    found = _HOOKS.search(content)
    return found[1] if found else None


def _with_buttons(content: bytes, lua: bytes) -> bytes:
    def element(found: re.Match[bytes]) -> bytes:
        start = b"<ActionScript" + found[1].rstrip()
        return start + (b">" + base64.b64encode(lua) + b"</ActionScript>" if lua else b"/>")

    return _BUTTONS.sub(element, content, count=1)


def _numbers(buttons: bytes) -> set[bytes]:
    return {found[1] for found in _ASSIGNMENT.finditer(buttons)}


def _entry(buttons: bytes, number: bytes) -> bytes:
    return b"".join(found[0] for found in _ASSIGNMENT.finditer(buttons) if found[1] == number)


def _is_ours(entry: bytes, names: set[str]) -> bool:
    return b"Stemdock" in entry and any(f'["n"] = "{name}"'.encode() in entry for name in names)


def _assignments(variable: str, script: Script) -> bytes:
    """An entry as Ardour writes it. What it loads must return the action."""
    loaded = f"local ardour = function () end\n{script.source}\nreturn factory (...)\n"
    parts = [
        f"{variable} = {{}}",
        f'{variable}["n"] = {_lua_text(script.name)}',
        f'{variable}["s"] = {_lua_text(script.source)}',
        f'{variable}["f"] = {_lua_text(loaded)}',
        f'{variable}["a"] = {{}}',
    ]
    return " ".join(parts).encode("ascii") + b" "


def _lua_text(text: str) -> str:
    """A Lua literal in ASCII."""
    escaped = re.sub(rb'[^ -~]|["\\]', lambda found: b"\\%03d" % found[0][0], text.encode())
    return '"' + escaped.decode("ascii") + '"'


def _plain(literal: bytes) -> bytes:
    """The content of a Lua literal."""

    def character(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes([int(code)]) if code.isdigit() else {b"n": b"\n", b"r": b"\r"}.get(code, code)

    return re.sub(rb"\\(\d{1,3}|.)", character, literal[1:-1], flags=re.DOTALL)
