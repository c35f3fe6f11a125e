"""The plug-ins' texts in other languages than English: one file for each language."""

from __future__ import annotations

import os
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

from stemdock_audacity.profile.folders import read_setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stemdock_audacity.profile.folders import Profile


def language_of(profile: Profile) -> str:
    """The language of Audacity, such as "de", or "" if nothing says it.

    Audacity uses that of the system unless its user has chosen one.
    """
    chosen = read_setting(profile, "Locale", "Language")
    if chosen in {"", "System"}:
        variables = ("LC_ALL", "LC_MESSAGES", "LANG")
        chosen = next((value for name in variables if (value := os.environ.get(name))), "")
    return chosen.partition("_")[0].partition(".")[0].partition("-")[0].lower()


def translations(language: str) -> Mapping[str, str]:
    """Texts by their English ones; empty if there are none in this language."""
    path = files("stemdock_audacity") / "nyquist" / "languages" / f"{language}.toml"
    return tomllib.loads(path.read_text("utf-8")) if language.isalpha() and path.is_file() else {}
