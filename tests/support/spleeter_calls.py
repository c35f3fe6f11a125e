"""Calls of Spleeter's Python API; they run unchanged with the original and with Stemdock.

The original runs this file as a program: `python spleeter_calls.py RESULT`, in the folder of
`spleeter_cases.make_inputs`; it writes RESULT.json and RESULT.npz. Stemdock's tests call `outcomes`.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

CUT_LENGTH = 100
"""Samples of each array that are kept."""


def _separator(config: str = "four.json", **options: Any) -> Any:
    from spleeter.separator import Separator  # noqa: PLC0415  whichever is installed

    return Separator(config, multiprocess=False, **options)


def _adapter() -> Any:
    from spleeter.audio.adapter import AudioAdapter  # noqa: PLC0415

    return AudioAdapter.default()


def _codec() -> Any:
    from spleeter.audio import Codec  # noqa: PLC0415

    return Codec


def _song() -> Any:
    return _adapter().load("song.wav", sample_rate=44100)[0][:30000]


def _files(*arguments: Any, **options: Any) -> list[str]:
    """Separates to files and lists them."""
    shutil.rmtree("calls", ignore_errors=True)
    separator = _separator()
    result = separator.separate_to_file("song.wav", "calls", *arguments, **options)
    separator.join()
    assert result is None
    return sorted(path.as_posix() for path in Path("calls").rglob("*") if path.is_file())


def _saved(name: str, *arguments: Any) -> Any:
    """Saves samples and loads the file again."""
    Path("calls").mkdir(exist_ok=True)
    _adapter().save(f"calls/{name}", *arguments)
    return _adapter().load(f"calls/{name}", sample_rate=44100)


def _own_adapter() -> Any:
    sys.path.insert(0, str(Path.cwd()))
    from quiet import QuietAdapter  # type: ignore[import-not-found]  # noqa: PLC0415  written by make_inputs

    return QuietAdapter()


def _save_to_file(**options: Any) -> list[str]:
    shutil.rmtree("calls", ignore_errors=True)
    stems = {"left": _song(), "right": _song()[::-1]}
    _separator().save_to_file(stems, "album/song.wav", "calls", **options)
    return sorted(path.as_posix() for path in Path("calls").rglob("*") if path.is_file())


def _get(name: str) -> str:
    from spleeter.audio.adapter import AudioAdapter  # noqa: PLC0415

    return type(AudioAdapter.get(name)).__name__


def _default_is_kept() -> bool:
    from spleeter.audio.adapter import AudioAdapter  # noqa: PLC0415

    return AudioAdapter.default() is AudioAdapter.default()


def _catch() -> str:
    from spleeter import SpleeterError  # noqa: PLC0415

    try:
        _adapter().load("missing.wav")
    except SpleeterError:
        return "SpleeterError"
    return ""


def _is_subclass() -> bool:
    from spleeter.audio.adapter import AudioAdapter  # noqa: PLC0415
    from spleeter.audio.ffmpeg import FFMPEGProcessAudioAdapter  # noqa: PLC0415

    return issubclass(FFMPEGProcessAudioAdapter, AudioAdapter)


def _mwf_by_position() -> Any:
    from spleeter.separator import Separator  # noqa: PLC0415

    return Separator("four.json", True, False).separate(_song())


CALLS = {
    "load": lambda: _adapter().load("song.wav", sample_rate=44100),
    "load at the song's rate": lambda: _adapter().load("48k.wav")[0],
    "load mono": lambda: _adapter().load("mono.wav", sample_rate=44100),
    "load a part": lambda: _adapter().load("song.wav", 0.25, 0.5, 44100),
    "load a part by name": lambda: _adapter().load("song.wav", offset=1.0001, duration=1, sample_rate=44100),
    "load a path": lambda: _adapter().load(Path("song.wav"), sample_rate=44100),
    "load bytes": lambda: _adapter().load(b"song.wav", sample_rate=44100),
    "load as float64": lambda: _adapter().load("song.wav", sample_rate=44100, dtype="float64"),
    "load with the type in bytes": lambda: _adapter().load("song.wav", sample_rate=44100, dtype=b"float32"),
    "load an mp3": lambda: _adapter().load("song.mp3", sample_rate=44100),
    "load at another rate": lambda: _adapter().load("song.wav", sample_rate=22050),
    "load a missing file": lambda: _adapter().load("missing.wav"),
    "load a text": lambda: _adapter().load("text.txt"),
    "catch SpleeterError": _catch,
    "save wav": lambda: _saved("a.wav", _song(), 44100),
    "save wav with a codec": lambda: _saved("a.wav", _song(), 44100, _codec().WAV, "128k"),
    "save a mono wav": lambda: _saved("a.wav", _song()[:, :1], 44100),
    "save float64": lambda: _saved("a.wav", _song().astype(np.float64), 44100),
    "save mp3": lambda: _saved("a.mp3", _song(), 44100, _codec().MP3, "192k"),
    "save flac": lambda: _saved("a.flac", _song(), 44100, "flac"),
    "save by the suffix": lambda: _saved("a.ogg", _song(), 44100),
    "save to a missing folder": lambda: _adapter().save("nowhere/a.wav", _song(), 44100),
    "get an adapter": lambda: _get("spleeter.audio.ffmpeg.FFMPEGProcessAudioAdapter"),
    "get the default adapter": lambda: _get(""),
    "get what is no adapter": lambda: _get("spleeter.audio.Codec"),
    "get an adapter of no module": lambda: _get("nowhere.Adapter"),
    "the default adapter is one object": _default_is_kept,
    "the file adapter is an AudioAdapter": _is_subclass,
    "codecs": lambda: [str(codec) for codec in _codec()],
    "codec by value": lambda: _codec()("mp3").name,
    "unknown codec": lambda: _codec()("aiff"),
    "separate": lambda: _separator().separate(_song()),
    "separate with a descriptor": lambda: _separator().separate(_song(), "a song"),
    "separate five stems": lambda: _separator("five.json").separate(_song()),
    "separate mono": lambda: _separator().separate(_song()[:, :1]),
    "separate six channels": lambda: _separator().separate(np.tile(_song(), (1, 3))),
    "separate float64": lambda: _separator().separate(_song().astype(np.float64)),
    "separate loud samples": lambda: _separator().separate(_song() * 20),
    "separate silence": lambda: _separator().separate(np.zeros((5000, 2), np.float32)),
    "separate one sample": lambda: _separator().separate(_song()[:1]),
    "separate nothing": lambda: _separator().separate(_song()[:0]),
    "separate an array with one axis": lambda: _separator().separate(_song()[:, 0]),
    "separate with a Wiener filter": lambda: _separator(MWF=True).separate(_song()),
    "separator by position": _mwf_by_position,
    "unknown model": lambda: _separator("spleeter:3stems"),
    "missing configuration": lambda: _separator("missing.json"),
    "separate to files": _files,
    "separate to files by position": lambda: _files(None, 0.5, 1.0, _codec().WAV, "128k"),
    "separate to mp3": lambda: _files(codec=_codec().MP3, bitrate="192k", duration=1),
    "separate to files of one's own": lambda: _files(filename_format="{instrument}-{filename}.{codec}"),
    "separate to files later": lambda: _files(synchronous=False),
    "separate with an adapter": lambda: _files(audio_adapter=_own_adapter()),
    "separate with a conflict": lambda: _files(filename_format="same.{codec}"),
    "separate with an unknown field": lambda: _files(filename_format="{artist}.{codec}"),
    "save stems": _save_to_file,
    "save stems by folder": lambda: _save_to_file(filename_format="{foldername}/{instrument}.{codec}"),
    "save stems as ogg": lambda: _save_to_file(codec=_codec().OGG, bitrate="96k"),
    "join": lambda: _separator().join(),
    "join with a time-out": lambda: _separator().join(10),
}


def outcomes(calls: dict[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Makes calls; returns a description of each result or error, and cuts of the arrays."""
    described: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for name, call in calls.items():
        try:
            described[name] = _described(name, call(), arrays)
        except Exception as error:  # noqa: BLE001  which error it is, is what is recorded
            described[name] = {"raises": [each.__name__ for each in type(error).__mro__[:-2]]}
    return described, arrays


def _described(name: str, value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, np.ndarray):
        start = max(0, (len(value) - CUT_LENGTH) // 2)
        arrays[name] = value[start : start + CUT_LENGTH].astype(np.float32)
        return {"shape": list(value.shape), "dtype": str(value.dtype)}
    if isinstance(value, dict):
        return {key: _described(f"{name}/{key}", each, arrays) for key, each in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [_described(f"{name}/{i}", each, arrays) for i, each in enumerate(value)]
    return value


if __name__ == "__main__":
    found, cuts = outcomes(CALLS)
    Path(f"{sys.argv[1]}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    np.savez_compressed(sys.argv[1], **cuts)  # type: ignore[arg-type]
