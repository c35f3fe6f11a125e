"""Spleeter's audio adapters: how songs are loaded and stems are saved."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stemdock import atomic_file
from stemdock_spleeter.codecs import codec_named
from stemdock_spleeter.errors import SpleeterError, UncaughtError, spleeter_errors, write_errors
from stemdock_spleeter.reading import open_song
from stemdock_spleeter.settings import DEFAULT_ADAPTER
from stemdock_spleeter.writing import open_writer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stemdock_spleeter.codecs import Codec


class AudioAdapter(ABC):
    """Loads songs and saves stems. Programs can bring a subclass of their own."""

    _DEFAULT: AudioAdapter | None = None

    @abstractmethod
    def load(
        self,
        audio_descriptor: Any,
        offset: float | None = None,
        duration: float | None = None,
        sample_rate: float | None = None,
        dtype: Any = b"float32",
    ) -> tuple[NDArray[Any], float]:
        """Loads a song.

        Args:
            audio_descriptor: The song, usually a path.
            offset: Seconds into the song.
            duration: Seconds from the offset.
            sample_rate: Hz; None for that of the song.
            dtype: Type of the samples.

        Returns:
            The samples `(n_samples, n_channels)`, full scale 1.0, and their sample rate in Hz.
        """

    @abstractmethod
    def save(
        self,
        path: Path | str,
        data: NDArray[Any],
        sample_rate: float,
        codec: Codec | str | None = None,
        bitrate: str | None = None,
    ) -> None:
        """Saves samples.

        Args:
            path: The file.
            data: `(n_samples, n_channels)`, full scale 1.0.
            sample_rate: Hz.
            codec: How the file is encoded; by its suffix if not given.
            bitrate: Bit rate such as "128k".
        """

    @classmethod
    def default(cls) -> AudioAdapter:
        """The adapter for files; the same object every time."""
        if AudioAdapter._DEFAULT is None:
            AudioAdapter._DEFAULT = FFMPEGProcessAudioAdapter()
        return AudioAdapter._DEFAULT

    @classmethod
    def get(cls, descriptor: str) -> AudioAdapter:
        """An adapter by the name of its class, such as `package.module.Class`.

        Raises:
            SpleeterError: The class is not an audio adapter.
            UncaughtError: There is no such class.
        """
        if not descriptor or descriptor == DEFAULT_ADAPTER:
            return cls.default()
        module_name, _, class_name = descriptor.rpartition(".")
        try:
            found = getattr(import_module(module_name), class_name)
        except (ImportError, AttributeError, ValueError) as error:
            raise UncaughtError(
                f"the audio adapter {descriptor} cannot be loaded ({error})",
                remedy="Give the full name of its class, package.module.Class.",
            ) from error
        if not (isinstance(found, type) and issubclass(found, AudioAdapter)):
            raise SpleeterError(f"{class_name} is not a valid AudioAdapter class")
        return found()


class FFMPEGProcessAudioAdapter(AudioAdapter):
    """The adapter for files. The name is Spleeter's; Stemdock needs ffmpeg only for some formats."""

    def load(
        self,
        audio_descriptor: Any,
        offset: float | None = None,
        duration: float | None = None,
        sample_rate: float | None = None,
        dtype: Any = b"float32",
    ) -> tuple[NDArray[Any], float]:
        """Loads an audio file; of more than two channels, front left and right.

        Raises:
            SpleeterError: The file cannot be read, or has no samples in that part.
        """
        rate = None if sample_rate is None else int(sample_rate)
        with open_song(path_of(audio_descriptor), offset=offset, duration=duration, sample_rate=rate) as song:
            samples = np.concatenate(list(song.blocks))
            return samples.astype(np.dtype(dtype), copy=False), sample_rate or song.sample_rate

    def save(
        self,
        path: Path | str,
        data: NDArray[Any],
        sample_rate: float,
        codec: Codec | str | None = None,
        bitrate: str | None = None,
    ) -> None:
        """Saves samples to a file, which is replaced if it exists.

        Raises:
            SpleeterError: The folder does not exist, or the file cannot be written.
        """
        place = Path(path)
        if not place.parent.is_dir():
            raise SpleeterError(
                f"output directory does not exists: {place.parent}", remedy="Create the folder first."
            )
        samples = np.asarray(data, np.float32)
        rate, n_channels = int(sample_rate), samples.shape[1]
        with (
            spleeter_errors(),
            write_errors(place),
            atomic_file(place) as staged,
        ):
            staged.unlink()
            with open_writer(
                staged,
                place,
                codec_named(codec),
                bitrate,
                sample_rate=rate,
                n_channels=n_channels,
                n_samples=len(samples),
            ) as writer:
                writer.write(samples)


def get_default_audio_adapter() -> AudioAdapter:
    """The adapter for files, by the name that Spleeter 1 gave this function."""
    return AudioAdapter.default()


def path_of(audio_descriptor: Any) -> str:
    """The path in an audio descriptor: a text, a path object or bytes."""
    return os.fsdecode(audio_descriptor)
