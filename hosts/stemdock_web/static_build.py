"""The page without a server: files for any web host, with the network in the browser."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from stemdock import (
    DEFAULT_MODEL,
    INPUT_NAME,
    GrowingPicture,
    ModelEntry,
    OutputError,
    StemdockError,
    find_entry,
    os_errors_as,
    parse_json,
    player_files,
    spectrogram_colours,
    staging,
    verify_model,
)
from stemdock_web.errors import RuntimePackageError

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import ModelCard, Plugins

RUNTIME: Final = "onnxruntime-web"
_RUNTIME_FILES: Final = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)
"""What the page needs of the package: the smallest variant, for processors."""
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'"
)
"""No request leaves for another host, so no song does."""
_ABOUT: Final = re.compile(r"<!-- about -->.*?<!-- /about -->", re.DOTALL)
_CHARSET: Final = '<meta charset="utf-8">'


def write_static(folder: Path, runtime: Path, plugins: Plugins) -> None:
    """Writes the page with the default model.

    Args:
        folder: The new folder, complete as soon as it exists.
        runtime: The npm package onnxruntime-web, as `npm pack` writes it.
        plugins: Where the model is from.

    Raises:
        OutputError: There is something in the folder's place, or it cannot be written.
        RuntimePackageError: The package is another one, or damaged.
        ModelError: The model is missing or damaged.
    """
    if folder.exists():
        raise OutputError(
            folder, "already exists", remedy="Delete it to write the page again, or name another folder."
        )
    entry = find_entry(DEFAULT_MODEL, plugins)
    verify_model(entry)

    def unwritable(reason: str) -> OutputError:
        return OutputError(folder, f"cannot be written ({reason})", remedy="Choose another folder.")

    with os_errors_as(unwritable, keep=StemdockError), staging(folder.absolute().parent) as hidden:
        page = hidden / "page"
        _write_page(page)
        _write_model(page / "static", entry)
        _copy_runtime(runtime, page / "static")
        page.rename(folder)


def _write_page(page: Path) -> None:
    static = page / "static"
    static.mkdir(parents=True)
    source = files("stemdock_web").joinpath("page")
    html = source.joinpath("index.html").read_text(encoding="utf-8")
    about = source.joinpath("local", "about.html").read_text(encoding="utf-8")
    policy = f'{_CHARSET}\n<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    html = _ABOUT.sub(lambda _: about.strip(), html.replace(_CHARSET, policy))
    (page / "index.html").write_text(html, encoding="utf-8", newline="\n")
    # The files in `local` take the place of those with the same name.
    for part in (source, source.joinpath("vendor"), source.joinpath("local")):
        for entry in part.iterdir():
            if entry.is_file() and not entry.name.endswith(".html"):
                (static / entry.name).write_bytes(entry.read_bytes())
    for name, text in player_files().items():
        (static / name).write_text(text, encoding="utf-8", newline="\n")


def _write_model(static: Path, entry: ModelEntry) -> None:
    assert entry.card is not None  # noqa: S101  the default model is one of Spleeter's
    assert entry.path is not None  # noqa: S101  as above
    (static / "card.json").write_text(json.dumps(_described(entry.card)), encoding="ascii")
    (static / "colours.json").write_text(json.dumps(spectrogram_colours().hex()), encoding="ascii")
    shutil.copyfile(entry.path, static / "model.onnx")


def _described(card: ModelCard) -> dict[str, Any]:
    """What the page knows of the model."""
    picture = GrowingPicture(card.sample_rate)
    return {
        "name": card.name,
        "stems": list(card.stems),
        "sampleRate": card.sample_rate,
        "bandwidth": card.bandwidth,
        "licence": card.licence,
        "input": INPUT_NAME,
        "frameLength": card.frame_length,
        "nFrames": card.n_frames,
        "nBins": card.n_bins,
        "extension": card.mask_extension,
        "columnLength": picture.column_length,
        "edges": list(picture.edges),
    }


def _copy_runtime(runtime: Path, static: Path) -> None:
    with os_errors_as(lambda reason: RuntimePackageError(runtime, f"cannot be read ({reason})")):
        opened = runtime.open("rb")
    try:
        with opened, tarfile.open(fileobj=opened) as package:
            described = package.extractfile("package/package.json")
            if described is None or parse_json(described.read(1 << 16)).get("name") != RUNTIME:
                raise RuntimePackageError(runtime, f"is not the package {RUNTIME}")
            for name in _RUNTIME_FILES:
                found = package.extractfile(f"package/dist/{name}")
                if found is None:
                    raise RuntimePackageError(runtime, f"lacks dist/{name}")
                with (static / name).open("xb") as target:
                    shutil.copyfileobj(found, target)
    except (tarfile.TarError, KeyError, ValueError, AttributeError) as error:
        raise RuntimePackageError(runtime, f"is not a complete npm package ({error})") from error
