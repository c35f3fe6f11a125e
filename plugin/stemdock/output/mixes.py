"""The stems of a model to write, and the sums of stems (mixes)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from stemdock.errors import OutputOptionError
from stemdock.lib.legal_names import legal_name
from stemdock.output.mix_terms import Level, parse_term, split_terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stemdock.output.options import Output

Levels: TypeAlias = "Mapping[int, Level]"
"""The level of each stem in a mix, by its index."""

_AS_IT_IS: Final = Level()
_ALL: Final = "all"
_MIXTURE: Final = "mixture"
_SPLEETER: Final = {
    "accompaniment": "2stems", "drums": "4stems", "bass": "4stems", "other": "4stems", "piano": "5stems",
}  # fmt: skip
"""The smallest of Spleeter's models with a stem, except for vocals, which all have."""


def parse_mix(text: str, option: str = "mix") -> tuple[str, tuple[str, ...]]:
    """Reads the name and the terms of a mix, as in `Output.mixes`.

    Args:
        text: `NAME=TERM+TERM...`, or `NAME=all-STEM-STEM...` for all stems except those, or
            `NAME=mixture-STEM-STEM...` for the mixture without them; terms can follow with a plus.
            A term is a stem with an optional gain and pan, see `stemdock.output.mix_terms`.
        option: Where the text comes from, for errors.

    Raises:
        OutputOptionError: The text has none of these forms, or a gain or pan is invalid.
    """
    name, _, terms = text.partition("=")
    name = name.strip()
    head, *rest = split_terms(terms)
    whole, *omitted = (part.strip() for part in head.split("-"))
    if whole in {_ALL, _MIXTURE} and omitted:
        rest = [*((whole,) if whole == _MIXTURE else ()), *(f"-{stem}" for stem in omitted), *rest]
    else:
        rest = [head, *rest]
    if not name or not all(parse_term(term, name, option)[0].strip("-") for term in rest):
        raise OutputOptionError(
            option,
            f"{text!r} is not a valid mix",
            remedy="Write NAME=STEM+STEM or NAME=all-STEM, for example karaoke=all-vocals.",
        )
    return name, tuple(rest)


def selected(output: Output, stems: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """The stems and mixes to write: for each name, the indices of the stems that are added up.

    Args:
        output: Which stems and mixes to write.
        stems: The model's stems, in its order.

    Returns:
        An index after the last stem stands for what the stems leave of the mixture. The stems in the model's
        order, then the mixes in the output's; at least one.

    Raises:
        OutputOptionError: A stem is unknown, a mix has the name of another file or a name that
            no file can have, or there is nothing to write.
    """
    requested = stems if output.stems is None else output.stems
    check_known(requested, stems)
    chosen: dict[str, tuple[int, ...]] = {
        stem: (index,) for index, stem in enumerate(stems) if stem in requested
    }
    # Names become file names, and many file systems ignore case.
    taken = {stem.casefold() for stem in chosen}
    for name, terms in output.mixes.items():
        if name.casefold() in taken:
            raise name_used(name)
        if legal_name(name) != name:
            raise OutputOptionError(
                "mix",
                f"the name {name!r} cannot be a file name on every system",
                remedy=f"Choose another name, for example {legal_name(name)}.",
            )
        taken.add(name.casefold())
        chosen[name] = tuple(_parsed(name, terms, stems))
    if not chosen:
        raise OutputOptionError("stems", "there is nothing to write", remedy="Choose a stem or a mix.")
    return chosen


def name_used(name: str) -> OutputOptionError:
    """The error for a mix that has the name of another file."""
    return OutputOptionError(
        "mix",
        f"the name {name} is already used",
        remedy="Choose a name that no other file has: neither a stem that is written nor a mix.",
    )


def check_mixes(output: Output, stems: Sequence[str], places: Mapping[str, str]) -> None:
    """Checks the sums of mixes.

    Args:
        output: Which mixes to write.
        stems: The model's stems, in its order.
        places: Where each mix comes from, for errors.

    Raises:
        OutputOptionError: A mix is invalid.
    """
    for name, terms in output.mixes.items():
        _parsed(name, terms, stems, places[name])


def mix_levels(output: Output, stems: Sequence[str]) -> dict[str, Levels]:
    """The levels in mixes: for each mix that sets any, those of the indices that `selected` gives.

    Args:
        output: Which mixes to write.
        stems: The model's stems, in its order.

    Raises:
        OutputOptionError: A mix is invalid.
    """
    found = {name: _parsed(name, terms, stems) for name, terms in output.mixes.items()}
    return {name: levels for name, levels in found.items() if any(map(_AS_IT_IS.__ne__, levels.values()))}


def _parsed(name: str, terms: Sequence[str], stems: Sequence[str], option: str = "mix") -> Levels:
    """The level of each index in a mix, in ascending order."""
    read = [parse_term(term, name, option) for term in terms]
    # A model may have a stem of that name.
    whole = any(stem == _MIXTURE for stem, _ in read) and _MIXTURE not in stems
    omitted = [stem[1:] for stem, _ in read if stem.startswith("-")]
    added = {
        stem: level for stem, level in read if not stem.startswith("-") and not (whole and stem == _MIXTURE)
    }
    _check_known([*omitted, *added], stems, option, f"{name}: ")
    _check_levels(name, read, added, option)
    named = [stem for stem, _ in read]
    if twice := sorted({stem.lstrip("-") for stem in named if named.count(stem) > 1}):
        # A sum of a stem with itself would be 6 dB louder, which no mix wants.
        raise OutputOptionError(
            option, f"{name} names {', '.join(twice)} more than once", remedy="Name each stem once."
        )
    is_rest = whole or bool(omitted)
    if is_rest and not added.keys() <= set(omitted):
        raise OutputOptionError(
            option,
            f"{name} both adds and omits stems",
            remedy="Write NAME=STEM+STEM or NAME=all-STEM. Only a stem that is left out can be added again, "
            "with a gain or pan: practice=all-vocals+vocals:-12dB.",
        )
    kept = [stem for stem in stems if is_rest and stem not in omitted]
    levels = {stems.index(stem): _AS_IT_IS for stem in kept}
    levels |= {stems.index(stem): level for stem, level in added.items()}
    if whole:
        # What the stems leave of the mixture is one more stem.
        levels[len(stems)] = _AS_IT_IS
    if not levels:
        raise OutputOptionError(
            option,
            f"{name} contains no stem",
            remedy="Write NAME=STEM+STEM or NAME=all-STEM, for example karaoke=all-vocals.",
        )
    return dict(sorted(levels.items()))


def _check_levels(
    name: str, read: Sequence[tuple[str, Level]], added: Mapping[str, Level], option: str
) -> None:
    for stem, level in read:
        if level != _AS_IT_IS and stem not in added:
            kind = "stem that is left out" if stem.startswith("-") else "whole mixture"
            raise OutputOptionError(
                option,
                f"{name} gives a gain or pan to a {kind}",
                remedy="Set it for a stem that is added, for example practice=all-vocals+vocals:-12dB.",
            )


def check_known(names: Sequence[str], stems: Sequence[str]) -> None:
    """Checks that a model has these stems.

    Raises:
        OutputOptionError: It lacks one.
    """
    _check_known(names, stems, "stems")


def _check_known(names: Sequence[str], stems: Sequence[str], option: str, mix: str = "") -> None:
    for stem in names:
        if stem not in stems:
            other = f", or use --model {_SPLEETER[stem]}" if _is_spleeter(stem, stems) else ""
            raise OutputOptionError(
                option,
                f"{mix}the model has no stem {stem!r}",
                remedy=f"Choose from its stems: {', '.join(stems)}{other}.",
            )


def _is_spleeter(stem: str, stems: Sequence[str]) -> bool:
    """Whether a stem is one of another of Spleeter's models, and the others are theirs."""
    return {*stems, stem} <= {"vocals", *_SPLEETER}
