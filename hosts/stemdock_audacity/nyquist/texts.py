"""The Nyquist sources in the package, filled in for one installation. Writes no files."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import stemdock
from stemdock_audacity.profile.folders import PLUGIN_FILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stemdock import ModelEntry

ALL_STEMS: Final = "all"
_UNSAFE: Final = re.compile(r'["\\()\x00-\x1f]')
_PLACE: Final = re.compile(r"(?:;;)?@([a-z-]+)@")
_TEXT: Final = re.compile(r'\(_ "([^"]*)"\)')


def capture_text() -> str:
    """The Nyquist code that captures tracks."""
    return _source("capture.lsp")


def plugin_texts(
    models: Sequence[ModelEntry],
    *,
    folder: str,
    settings: str,
    program: str,
    marker: str,
    translated: Mapping[str, str],
) -> dict[str, str]:
    """The plug-ins by file name.

    Args:
        models: The models in the dialog, without those whose names Nyquist cannot represent. The default
            model comes first, because a dialog starts with its first choice.
        folder: The queue's folder, with forward slashes and one at the end.
        settings: audacity.cfg, with forward slashes.
        program: The launcher, with forward slashes.
        marker: The part of `program` that identifies it.
        translated: Texts by their English ones; empty for English. Audacity's own translations are not
            used, because they have only some of these texts.
    """
    models = sorted(models, key=lambda entry: entry.name != stemdock.DEFAULT_MODEL)
    names = [entry.name for entry in models if not _UNSAFE.search(entry.name)]
    every = dict.fromkeys(stem for entry in models for stem in entry.stems)
    stems = [stem for stem in every if not _UNSAFE.search(stem)]

    def say(text: str) -> str:
        return translated.get(text, text)

    only = say("Only {stem}").format
    values = {
        "folder": folder,
        "settings": settings,
        "marker": marker,
        "command": f'\\"{program}\\"',
        "models": _quoted(names),
        "stems": " ".join(
            [_choice("All", say("All stems")), *(_choice(_id(stem), only(stem=stem)) for stem in stems)]
        ),
        "stem-values": _quoted([ALL_STEMS, *stems]),
        "capture": capture_text(),
    }
    sources = {name: _source(name.removeprefix("stemdock-")) for name in PLUGIN_FILES}
    spoken = {name: _TEXT.sub(lambda match: f'"{say(match[1])}"', source) for name, source in sources.items()}
    return {name: _filled(source, values) for name, source in spoken.items()}


def _source(name: str) -> str:
    return (files("stemdock_audacity") / "nyquist" / name).read_text("utf-8")


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda match: values[match[1]], text)


def _quoted(names: Iterable[str]) -> str:
    return " ".join(f'"{name}"' for name in names)


def _choice(identifier: str, label: str) -> str:
    return f'("{identifier}" "{label}")'


def _id(stem: str) -> str:
    """An identifier for macros, which must work in every language."""
    return "Only" + "".join(character for character in stem.title() if character.isalnum())
