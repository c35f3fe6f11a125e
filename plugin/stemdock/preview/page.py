"""Writing the page: stems, pictures and audio in the template.

Text that comes with the song (names, tags, options) enters the page only as JSON with escaped `<`; the
player's script shows it as text. The page's Content Security Policy forbids requests, and all scripts
except the page's own.
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
from stemdock.preview.modules import MODULES, STYLE
from stemdock.preview.palette import MAGMA
from stemdock.preview.png import indexed_png

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from stemdock.preview.reading import DrawnStem
    from stemdock.preview.sound import Sound

_LINKS: Final = re.compile(r"^(import .*;\n|export (?=class|const|function))", re.MULTILINE)
"""What connects modules. A page that is opened from the disk cannot load any, so it has all in one."""
_CHUNK_SIZE: Final = 3 << 16
"""Bytes encoded at a time: a multiple of 3, so that the base64 of the chunks can be joined."""
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
    """Writes the page, the audio in chunks.

    Args:
        page: An open text file.
        stems: In the order of the page.
        title: Name of the song.
        facts: What the page shows about the separation.
        duration: Seconds of the longest stem.
        sound: Sample rate and bit rate of the stems.
    """
    library = _resource("vendor/wavesurfer.min.js")
    modules = "\n".join(_LINKS.sub("", _resource(name)) for name in (*MODULES, "page.js"))
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
        "policy": html.escape(_policy([library, modules])),
        "style": _resource(STYLE) + _resource("page.css"),
        "song": _json(song),
        "licence": _resource("vendor/wavesurfer.LICENSE"),
        "scripts": f'<script>{library}</script>\n<script type="module">{modules}</script>',
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
    """The template with its placeholders replaced in one pass, so that placeholders in values stay."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], template)


def _json(value: object) -> str:
    """JSON for a script element, where `<` could begin a comment or the end of the element."""
    return json.dumps(value).replace("<", "\\u003c")


def _policy(scripts: Sequence[str]) -> str:
    """The Content Security Policy: no requests, only these scripts, only embedded pictures."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    sources = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; img-src data:"


def _write_base64(page: IO[str], path: Path) -> None:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_SIZE):
            page.write(base64.b64encode(chunk).decode())


def _described(stems: Sequence[DrawnStem]) -> list[dict[str, object]]:
    """What the player shows of each stem; all stems share the same level scale."""
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
    """Extremes, scaled so that `highest` becomes 127."""
    if highest <= 0:
        return [0] * len(extremes)
    scaled: list[int] = np.rint(np.maximum(extremes, 0) / highest * _FULL_SCALE).astype(int).tolist()
    return scaled


def _spectrogram(stem: DrawnStem, loudest: float) -> str:
    """A picture as a data URL, with the highest band at the top."""
    pixels = shades(stem.powers, loudest, len(MAGMA) // 3).T[::-1]
    return "data:image/png;base64," + base64.b64encode(indexed_png(pixels, MAGMA)).decode()
