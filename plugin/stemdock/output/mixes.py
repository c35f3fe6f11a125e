"""The stems of a model to write, and the sums of stems (mixes)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock.errors import OutputOptionError
from stemdock.lib.legal_names import legal_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock.output.options import Output
    from stemdock.types import FloatArray

_ALL = "all"
_MIXTURE = "mixture"


def parse_mix(text: str) -> tuple[str, tuple[str, ...]]:
    """Reads the name and the terms of a mix, as in `Output.mixes`.

    Args:
        text: `NAME=STEM+STEM...`, or `NAME=all-STEM-STEM...` for all stems except those.

    Raises:
        OutputOptionError: The text has neither form.
    """
    name, _, terms = text.partition("=")
    head, *omitted = terms.split("-")
    if head.strip() == _ALL and omitted:
        stems = [f"-{stem.strip()}" for stem in omitted]
    else:
        stems = [stem.strip() for stem in terms.split("+")]
    if not name.strip() or not all(stem.strip("-") for stem in stems):
        raise OutputOptionError(
            "mix",
            f"{text!r} is not a valid mix",
            remedy="Write NAME=STEM+STEM or NAME=all-STEM, for example karaoke=all-vocals.",
        )
    return name.strip(), tuple(stems)


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
            raise OutputOptionError(
                "mix",
                f"the name {name} is already used",
                remedy="Choose a name that no other file has: neither a stem that is written nor a mix.",
            )
        if legal_name(name) != name:
            raise OutputOptionError(
                "mix",
                f"the name {name!r} cannot be a file name on every system",
                remedy=f"Choose another name, for example {legal_name(name)}.",
            )
        taken.add(name.casefold())
        chosen[name] = _indices(name, terms, stems)
    if not chosen:
        raise OutputOptionError("stems", "there is nothing to write", remedy="Choose a stem or a mix.")
    return chosen


def _indices(name: str, terms: Sequence[str], stems: Sequence[str]) -> tuple[int, ...]:
    whole = _MIXTURE in terms and _MIXTURE not in stems
    if whole:
        terms = [term for term in terms if term != _MIXTURE]
    omitted = [term[1:] for term in terms if term.startswith("-")]
    added = [term for term in terms if not term.startswith("-")]
    check_known([*omitted, *added], stems)
    twice = sorted({term for term in terms if list(terms).count(term) > 1})
    if twice:
        # A sum of a stem with itself would be 6 dB louder, which no mix wants.
        raise OutputOptionError(
            "mix",
            f"{name} names {', '.join(term.lstrip('-') for term in twice)} more than once",
            remedy="Name each stem once.",
        )
    summands = added or [stem for stem in stems if stem not in omitted]
    if whole and not added:
        # What the stems leave of the mixture is one more stem.
        kept = tuple(index for index, stem in enumerate(stems) if stem not in omitted)
        return (*kept, len(stems))
    if whole or (added and omitted) or not summands:
        raise OutputOptionError(
            "mix",
            f"{name} contains no stem" if not summands else f"{name} both adds and omits stems",
            remedy="Write NAME=STEM+STEM or NAME=all-STEM, for example karaoke=all-vocals.",
        )
    return tuple(index for index, stem in enumerate(stems) if stem in summands)


def check_known(names: Sequence[str], stems: Sequence[str]) -> None:
    """Checks that a model has these stems.

    Raises:
        OutputOptionError: It lacks one.
    """
    for stem in names:
        if stem not in stems:
            raise OutputOptionError(
                "stems",
                f"the model has no stem {stem!r}",
                remedy=f"Choose from its stems: {', '.join(stems)}.",
            )


def summed(stems: FloatArray, indices: Sequence[int]) -> FloatArray:
    """The sum of some stems.

    Args:
        stems: `(n_stems, n_samples, n_channels)`.
        indices: Indices of the stems to add, at least one.

    Returns:
        `(n_samples, n_channels)`; a view of `stems` if there is one index.
    """
    if len(indices) == 1:
        stem: FloatArray = stems[indices[0]]
        return stem
    total: FloatArray = stems[list(indices)].sum(axis=0, dtype=stems.dtype)
    return total
