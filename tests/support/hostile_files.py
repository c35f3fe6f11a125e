"""Files that are called like songs and make ffmpeg read other files, or never come to an end."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from support.mixtures import SONG
from support.other_peoples_files import ffmpeg, song_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

_DASH: Final = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT3S"
 minBufferTime="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet
 mimeType="audio/mp4" contentType="audio"><Representation id="1" bandwidth="128000" mimeType="audio/mp4"
 codecs="mp4a.40.2"><BaseURL>secret.m4a</BaseURL></Representation></AdaptationSet></Period></MPD>
"""
_SDP: Final = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"


def secret(folder: Path, name: str) -> Path:
    """The file that must not be read."""
    return song_as(folder, name, "-t", "3")


def _text(name: str, content: str, secret_name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        secret(folder, secret_name)
        path = folder / name
        path.write_text(content)
        return path

    return make


def hls_to_itself(folder: Path) -> Path:
    """A live list that names itself: reading it never ends."""
    path = folder / "live.mp3"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nlive.mp3\n")
    return path


_HLS: Final = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:3,\nsecret.ts\n"
_CONCAT: Final = "ffconcat version 1.0\n"

PLAYLISTS: Final[dict[str, Callable[[Path], Path]]] = {
    "hls": _text("a.mp3", _HLS + "#EXT-X-ENDLIST\n", "secret.ts"),
    "hls, called m3u8": _text("a.m3u8", _HLS, "secret.ts"),
    "live hls": hls_to_itself,
    "concat": _text("a.mp3", _CONCAT + "file secret.m4a\n", "secret.m4a"),
    "concat without end": _text("a.flac", _CONCAT + "file secret.m4a\n" * 5000, "secret.m4a"),
    "dash": _text("a.wav", _DASH, "secret.m4a"),
    "sdp": _text("a.mp3", _SDP, "secret.m4a"),
}


def _tone() -> NDArray[np.float64]:
    """Four seconds of a tone with noise at 44.1 kHz."""
    noise = np.random.default_rng(5).normal(0, 0.02, 4 * 44100)
    return np.asarray(np.sin(np.arange(len(noise)) * 0.03) * 0.3 + noise, np.float64)


def _npy() -> bytes:
    file = io.BytesIO()
    np.save(file, _tone())
    return file.getvalue()


def _mat4() -> bytes:
    """A matrix as MATLAB 4 kept it: five numbers, a name, the values."""
    samples = _tone()
    return struct.pack("<5i", 0, len(samples), 1, 0, 2) + b"x\0" + samples.tobytes()


NUMBERS: Final[dict[str, Callable[[], bytes]]] = {
    "doubles": lambda: _tone().astype("<f8").tobytes(),
    "doubles, big-endian": lambda: _tone().astype(">f8").tobytes(),
    "complex": lambda: (_tone() + 1j * _tone()[::-1]).astype("<c16").tobytes(),
    "npy": _npy,
    "MAT4": _mat4,
}
"""Contents of files that contain numbers and no header of an audio file."""


def with_reference(folder: Path, other: Path) -> Path:
    """An m4a whose samples are said to be in another file, by a Macintosh alias in QuickTime's `dref`."""
    data = song_as(folder, "plain.m4a", "-t", "5").read_bytes()
    target = str(other).encode()
    alias = (
        bytes(10)
        + bytes([0])
        + bytes(27 + 12)
        + bytes([len(other.name)])
        + other.name.encode().ljust(63, b"\0")
    )
    alias += bytes(16) + struct.pack(">HH", 1, 1) + bytes(16)
    alias += struct.pack(">HH", 2, len(target)) + target + bytes(len(target) % 2) + struct.pack(">hH", -1, 0)
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    dref = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    path = folder / "reference.m4a"
    path.write_bytes(_replaced(data, (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"), dref))
    return path


def with_gap(folder: Path, seconds: int) -> Path:
    """Six seconds of the song, with times that jump, and the length that follows from them."""
    path = folder / "gap.mkv"
    gap = f"asetpts=PTS+if(gt(N\\,100)\\,{seconds}*SR\\,0)"
    ffmpeg("-t", "6", "-i", SONG, "-af", gap, "-c:a", "libmp3lame", path)
    return path


def with_key(folder: Path, key: str) -> Path:
    """An AAC file with a tag that has this name, which ffmpeg prints as it is."""
    song = song_as(folder, "plain.aac", "-t", "5")
    content = b"\x03" + key.encode() + b"\0value"
    frame = b"TXXX" + struct.pack(">IH", len(content), 0) + content
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    path = folder / "key.aac"
    path.write_bytes(b"ID3" + bytes([3, 0, 0]) + size + frame + song.read_bytes())
    return path


def _replaced(data: bytes, names: tuple[bytes, ...], atom: bytes) -> bytes:
    """An MP4 file, or the content of an atom, with another atom in the place of the one with this path."""
    result = b""
    while data:
        size = int.from_bytes(data[:4], "big")
        content = data[8:size]
        if data[4:8] != names[0]:
            result += data[:size]
        elif len(names) == 1:
            result += atom
        else:
            content = _replaced(content, names[1:], atom)
            result += struct.pack(">I4s", 8 + len(content), names[0]) + content
        data = data[size:]
    return result


def flac_bomb(path: Path, n_frames: int, sample_rate: int = 44100) -> Path:
    """A FLAC file of digital silence in frames of 65535 samples, which have 16 bytes each."""
    info = struct.pack(">HH", 65535, 65535) + bytes(6)
    info += (sample_rate << 44 | 0 << 41 | 15 << 36 | n_frames * 65535).to_bytes(8, "big") + bytes(16)
    with path.open("wb") as file:
        file.write(b"fLaC" + bytes([0x80]) + len(info).to_bytes(3, "big") + info)
        for number in range(n_frames):
            # 16-bit block size, rate and depth of the header, one channel; RFC 9639, section 9.
            head = b"\xff\xf8\x70\x08" + _coded(number) + (65534).to_bytes(2, "big")
            head += bytes([_crc(head, 8, 0x07)]) + bytes([0, 0, 0])
            file.write(head + _crc(head, 16, 0x8005).to_bytes(2, "big"))
    return path


def _coded(number: int) -> bytes:
    """A number as UTF-8 would code it; here at most 16 bits."""
    return chr(number).encode("utf-8", "surrogatepass")


def _crc(data: bytes, bits: int, polynomial: int) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << bits - 8
        for _ in range(8):
            crc = (crc << 1 ^ (polynomial if crc >> bits - 1 else 0)) & (1 << bits) - 1
    return crc
