"""The page as text: stems, pictures and sounds put into the template, and nothing else let in.

What came with the song (names, tags, options) only ever enters as JSON, whose `<` is escaped, and the
player's script puts it on the page as text. The page's own policy forbids every request and every script
but the ones it was written with.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from importlib.resources import files
from typing import IO, TYPE_CHECKING, Final

import numpy as np

from stemdock.preview.drawing import band_edges, shades
from stemdock.preview.palette import MAGMA
from stemdock.preview.png import indexed_png

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from stemdock.preview.stems import DrawnStem, Sound

_SCRIPTS: Final = ("vendor/wavesurfer.min.js", "transport.js", "page.js")
_CHUNK_SIZE: Final = 3 << 16
"""Bytes encoded at a time: a multiple of 3, so that the pieces of base64 join."""
_FULL_SCALE: Final = 127


def write_page(
    page: IO[str],
    stems: Sequence[DrawnStem],
    *,
    title: str,
    facts: Mapping[str, str],
    duration: float,
    sound: Sound,
) -> None:
    """Writes the page, a chunk of sound at a time.

    Args:
        page: An open text file.
        stems: In the order in which they are shown.
        title: Name of the song.
        facts: What is known about the separation, for people.
        duration: Seconds of the longest stem.
        sound: How the stems are stored.
    """
    scripts = [_resource(name) for name in _SCRIPTS]
    head, tail = _resource("page.html").split("{{sounds}}")
    song = {
        "title": title,
        "facts": dict(facts),
        "duration": duration,
        "sampleRate": sound.sample_rate,
        "isReduced": sound.is_reduced,
        "stems": _described(stems),
    }
    values = {
        "title": html.escape(title),
        "policy": html.escape(_policy(scripts)),
        "style": _resource("page.css"),
        "song": _json(song),
        "licence": _resource("vendor/wavesurfer.LICENSE"),
        "scripts": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    page.write(_filled(head, values))
    for index, stem in enumerate(stems):
        page.write(f'<script type="text/plain" id="sound-{index}">')
        _write_base64(page, stem.mp3)
        page.write("</script>\n")
    page.write(_filled(tail, values))


def _resource(name: str) -> str:
    return files("stemdock.preview").joinpath(name).read_text(encoding="utf-8")


def _filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its places filled in one go, so that no value is searched for places."""
    return re.sub(r"\{\{(\w+)\}\}", lambda place: values[place[1]], template)


def _json(value: object) -> str:
    """JSON for the inside of a script element, where `<` could begin its end or a comment."""
    return json.dumps(value).replace("<", "\\u003c")


def _policy(scripts: Sequence[str]) -> str:
    """The Content Security Policy: no requests, these scripts, pictures that are in the page."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    sources = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; img-src data:"


def _write_base64(page: IO[str], path: Path) -> None:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_SIZE):
            page.write(base64.b64encode(chunk).decode())


def _described(stems: Sequence[DrawnStem]) -> list[dict[str, object]]:
    """What the player needs of each stem; loudness is on one scale for all of them."""
    highest = max(stem.peak for stem in stems)
    loudest = max(float(stem.powers.max()) for stem in stems)
    return [
        {
            "name": stem.source.name,
            "file": stem.source.path.name,
            "duration": stem.source.duration,
            "sampleRate": stem.source.sample_rate,
            "nChannels": stem.n_channels,
            "peak": stem.peak,
            "nBadSamples": stem.n_bad_samples,
            "up": _scaled(stem.extremes[:, 0], highest),
            "down": _scaled(stem.extremes[:, 1], highest),
            "edges": [float(band_edges(stem.source.sample_rate)[end]) for end in (0, -1)],
            "spectrogram": _spectrogram(stem, loudest),
        }
        for stem in stems
    ]


def _scaled(extremes: np.ndarray[tuple[int], np.dtype[np.float32]], highest: float) -> list[int]:
    """Excursions, of which the highest becomes 127."""
    if highest <= 0:
        return [0] * len(extremes)
    scaled: list[int] = np.rint(np.maximum(extremes, 0) / highest * _FULL_SCALE).astype(int).tolist()
    return scaled


def _spectrogram(stem: DrawnStem, loudest: float) -> str:
    """A picture as an address, its highest band at the top."""
    pixels = shades(stem.powers, loudest, len(MAGMA) // 3).T[::-1]
    return "data:image/png;base64," + base64.b64encode(indexed_png(pixels, MAGMA)).decode()
