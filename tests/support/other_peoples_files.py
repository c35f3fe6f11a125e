"""Files as they are out there, made from the example song: joined, cut, damaged, with wrong lengths."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from support.mixtures import SONG

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES: Final = 479_832
"""Of the example song, at 44.1 kHz."""
_CHUNK_HEADER: Final = 8
"""Bytes of the name and size of a chunk of WAV."""


def ffmpeg(*arguments: str | Path) -> None:
    """Runs ffmpeg."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True)


def ffmpeg_length(path: Path) -> int:
    """Samples per channel of the first audio stream that ffmpeg decodes."""
    return decoded_by_ffmpeg(path)[0]


def decoded_by_ffmpeg(path: Path) -> tuple[int, int]:
    """The samples per channel that ffmpeg decodes, and their rate in Hz; both 0 if it decodes nothing."""
    command = ["ffmpeg", "-v", "quiet", "-i", f"file:{path}", "-map", "0:a:0", "-ac", "1"]
    command += ["-c:a", "pcm_s16le", "-map_metadata", "-1", "-bitexact", "-f", "wav", "-"]
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    # The size is not known yet when ffmpeg writes it to a pipe. Rates above 48 kHz have a longer header.
    start = done.stdout.find(b"data") + _CHUNK_HEADER
    length = max(0, len(done.stdout) - start) // 2
    return length, int.from_bytes(done.stdout[24:28], "little") if length else 0


def song_as(folder: Path, name: str, *options: str) -> Path:
    """The song in another format, by the extension of the name."""
    path = folder / name
    ffmpeg("-i", SONG, *options, path)
    return path


def piped(folder: Path, name: str, *options: str) -> Path:
    """The song as ffmpeg writes it to a pipe, where it cannot write the length afterwards."""
    path = folder / name
    with path.open("wb") as file:
        command: list[str | Path] = ["ffmpeg", "-v", "error", "-i", SONG, *options, "-"]
        subprocess.run(command, check=True, stdout=file)
    return path


def low_rate(folder: Path) -> Path:
    """A recording without a Xing header at 8 kHz."""
    wav = song_as(folder, "low.wav", "-ar", "8000", "-ac", "1")
    path = folder / "low.mp3"
    if shutil.which("lame"):
        subprocess.run(["lame", "--quiet", "-V9", "--resample", "8", "-t", wav, path], check=True)
    else:
        ffmpeg("-i", wav, "-q:a", "9", "-write_xing", "0", path)
    return path


def joined(folder: Path, name: str, *parts: Path) -> Path:
    """Files one behind the other."""
    path = folder / name
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def mono_then_stereo(folder: Path) -> Path:
    """Five seconds in mono, then the whole song in stereo."""
    mono = song_as(folder, "mono.mp3", "-t", "5", "-ac", "1", "-write_xing", "0")
    return joined(folder, "both.mp3", mono, song_as(folder, "stereo.mp3", "-write_xing", "0"))


def chained(folder: Path, name: str) -> Path:
    """Two links of an Ogg file, which have different serial numbers."""
    first, second = (song_as(folder, f"{number}-{name}", "-serial_offset", f"{number}") for number in (1, 2))
    return joined(folder, name, first, second)


def with_hole(path: Path, size: int = 500, *, fraction: float = 0.5) -> Path:
    """Overwrites some bytes with zeros."""
    data = bytearray(path.read_bytes())
    start = int(len(data) * fraction)
    data[start : start + size] = bytes(size)
    path.write_bytes(data)
    return path


def with_impossible_frame(path: Path, number: int) -> Path:
    """Gives an mp3 frame a number of values that its granule has no room for; its header stays intact."""
    data = bytearray(path.read_bytes())
    position = 0
    for _ in range(number + 1):
        position = data.index(b"\xff\xfb", position + 4)
    # In stereo, the side information of 32 bytes ends with the granules, of 59 bits for each channel.
    side_info = int.from_bytes(data[position + 4 : position + 36], "big") | 0x1FF << 59 - 12 - 9
    data[position + 4 : position + 36] = side_info.to_bytes(32, "big")
    path.write_bytes(data)
    return path


def with_tail(path: Path, tail: bytes) -> Path:
    """Appends bytes."""
    path.write_bytes(path.read_bytes() + tail)
    return path


def cut(path: Path, fraction: float = 0.5) -> Path:
    """Keeps the first part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * fraction)])
    return path


def with_fewer_samples(path: Path) -> Path:
    """Halves the number of samples that a FLAC file announces."""
    data = bytearray(path.read_bytes())
    fields = int.from_bytes(data[18:26], "big")
    n_samples = fields & (1 << 36) - 1
    data[18:26] = (fields - n_samples + n_samples // 2).to_bytes(8, "big")
    path.write_bytes(data)
    return path


def crashed(path: Path) -> Path:
    """Sets the sizes of a WAV file to 0, as a recorder leaves them that did not stop properly."""
    data = bytearray(path.read_bytes())
    start = data.index(b"data") + 4
    data[4:8] = data[start : start + 4] = bytes(4)
    path.write_bytes(data)
    return path


def video(folder: Path, name: str, *, delay: float = 0.0) -> Path:
    """A picture, with the song after a delay in seconds."""
    path = folder / name
    picture = ("-f", "lavfi", "-i", "testsrc=d=13:s=64x64:r=10")
    ffmpeg(*picture, "-itsoffset", f"{delay}", "-i", SONG, "-c:v", "mpeg4", "-c:a", "aac", path)
    return path


def two_tracks(folder: Path, *, default: int) -> Path:
    """A tone of three seconds as the first track, and the song as the second."""
    path = folder / "two.mkv"
    dispositions = [f"-disposition:a:{1 - default}", "0", f"-disposition:a:{default}", "default"]
    tone = ("-f", "lavfi", "-i", "sine=d=3")
    ffmpeg(*tone, "-i", SONG, "-map", "0:a", "-map", "1:a", *dispositions, "-c:a", "flac", path)
    return path


def dsd(folder: Path, seconds: float = 1.0) -> Path:
    """A DSF file of silence at 2.8224 MHz, stereo."""
    block, rate = 4096, 2_822_400
    n_blocks = -(-int(rate * seconds) // 8 // block)
    data = b"\x69" * (2 * block * n_blocks)
    form = b"fmt " + (52).to_bytes(8, "little")
    form += b"".join(n.to_bytes(4, "little") for n in (1, 0, 2, 2, rate, 1))
    form += int(rate * seconds).to_bytes(8, "little") + block.to_bytes(4, "little") + bytes(4)
    total = 28 + len(form) + 12 + len(data)
    head = b"DSD " + (28).to_bytes(8, "little") + total.to_bytes(8, "little") + bytes(8)
    path = folder / "song.dsf"
    path.write_bytes(head + form + b"data" + (12 + len(data)).to_bytes(8, "little") + data)
    return path
