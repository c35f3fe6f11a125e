"""Which of a model's stems are written, and which sums of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock.errors import OutputOptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock.output.options import Output
    from stemdock.types import FloatArray

_ALL = "all"


def parse_mix(text: str) -> tuple[str, tuple[str, ...]]:
    """The name and the terms of a mix, as in `Output.mixes`.

    Args:
        text: `NAME=STEM+STEM...`, or `NAME=all-STEM-STEM...` for all but those.

    Raises:
        OutputOptionError: It is neither.
    """
    name, _, terms = text.partition("=")
    head, *left_out = terms.split("-")
    if head.strip() == _ALL and left_out:
        stems = [f"-{stem.strip()}" for stem in left_out]
    else:
        stems = [stem.strip() for stem in terms.split("+")]
    if not name.strip() or not all(stem.strip("-") for stem in stems):
        raise OutputOptionError(
            "mix",
            f"not understood: {text}",
            remedy="Write NAME=STEM+STEM or NAME=all-STEM, for example karaoke=all-vocals.",
        )
    return name.strip(), tuple(stems)


def selected(output: Output, stems: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """What is written, by name: the indices of the stems that are added up for it.

    Args:
        output: What is wanted.
        stems: The model's stems, in its order.

    Returns:
        Stems in the model's order, then the mixes in theirs; at least one.

    Raises:
        OutputOptionError: A stem is unknown, the name of a mix is in use, or nothing is left to write.
    """
    wanted = stems if output.stems is None else output.stems
    _check_known(wanted, stems)
    chosen: dict[str, tuple[int, ...]] = {
        stem: (index,) for index, stem in enumerate(stems) if stem in wanted
    }
    # Names become files, which many file systems do not tell apart by case.
    taken = {stem.casefold() for stem in stems}
    for name, terms in output.mixes.items():
        if name.casefold() in taken:
            raise OutputOptionError(
                "mix", f"the name {name} is in use", remedy="Name it unlike any stem or other mix."
            )
        taken.add(name.casefold())
        chosen[name] = _indices(name, terms, stems)
    if not chosen:
        raise OutputOptionError("stems", "nothing to write", remedy="Choose a stem or a mix.")
    return chosen


def _indices(name: str, terms: Sequence[str], stems: Sequence[str]) -> tuple[int, ...]:
    left_out = [term[1:] for term in terms if term.startswith("-")]
    added = [term for term in terms if not term.startswith("-")]
    _check_known([*left_out, *added], stems)
    wanted = added or [stem for stem in stems if stem not in left_out]
    if (added and left_out) or not wanted:
        raise OutputOptionError(
            "mix",
            f"{name} has no stem" if not wanted else f"{name} both adds stems and leaves some out",
            remedy="Write NAME=STEM+STEM or NAME=all-STEM, for example karaoke=all-vocals.",
        )
    return tuple(index for index, stem in enumerate(stems) if stem in wanted)


def _check_known(wanted: Sequence[str], stems: Sequence[str]) -> None:
    for stem in wanted:
        if stem not in stems:
            raise OutputOptionError(
                "stems", f"the model has no stem {stem!r}", remedy=f"Its stems: {', '.join(stems)}."
            )


def summed(stems: FloatArray, indices: Sequence[int]) -> FloatArray:
    """The sum of some stems.

    Args:
        stems: `(n_stems, n_samples, n_channels)`.
        indices: Which of them, at least one.

    Returns:
        `(n_samples, n_channels)`; a view if it is a single stem.
    """
    if len(indices) == 1:
        stem: FloatArray = stems[indices[0]]
        return stem
    total: FloatArray = stems[list(indices)].sum(axis=0, dtype=stems.dtype)
    return total
