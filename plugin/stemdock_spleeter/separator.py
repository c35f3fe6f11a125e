"""Spleeter's `Separator`."""

from __future__ import annotations

from contextlib import ExitStack, closing
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from stemdock import make_folder, move_all_to_place, staging
from stemdock_spleeter.adapters import AudioAdapter, FFMPEGProcessAudioAdapter, path_of
from stemdock_spleeter.codecs import Codec, STFTBackend, codec_named
from stemdock_spleeter.configuration import find_configuration
from stemdock_spleeter.errors import spleeter_errors, write_errors
from stemdock_spleeter.log import logger
from stemdock_spleeter.naming import stem_files
from stemdock_spleeter.reading import open_song
from stemdock_spleeter.settings import DEFAULT_FORMAT, STRICT_DURATION, is_strict
from stemdock_spleeter.weights import open_separator
from stemdock_spleeter.writing import open_writer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    import stemdock
    from stemdock import FloatArray

_N_CHANNELS = 2


class Separator:
    """Separates songs with one of Spleeter's models. The model is loaded at the first separation."""

    def __init__(
        self,
        params_descriptor: str,
        MWF: bool = False,  # noqa: N803  Spleeter's name
        stft_backend: STFTBackend | str | bool = STFTBackend.AUTO,
        multiprocess: bool = True,
    ) -> None:
        """Finds the configuration.

        Args:
            params_descriptor: `spleeter:2stems`, or the path of a JSON configuration.
            MWF: Whether a multichannel Wiener filter refines the stems.
            stft_backend: Ignored: Stemdock computes the STFT in one way. In Spleeter 2.4, `multiprocess`
                has this place.
            multiprocess: Ignored: Stemdock needs no further processes.

        Raises:
            SpleeterError: The configuration does not exist or cannot be used.
        """
        del stft_backend, multiprocess
        self._configuration = find_configuration(str(params_descriptor))
        self._sample_rate = self._configuration.network.sample_rate
        self._mwf = MWF

    @cached_property
    def _separator(self) -> stemdock.Separator:
        return open_separator(self._configuration, mwf=self._mwf)

    def separate(self, waveform: NDArray[Any], audio_descriptor: str | None = "") -> dict[str, FloatArray]:
        """Separates samples.

        Args:
            waveform: `(n_samples, n_channels)` at the model's sample rate, 44.1 kHz in Spleeter's models;
                full scale is 1.0. One channel becomes two; of more than two, the first two are used. An
                array with one axis is one channel.
            audio_descriptor: Ignored.

        Returns:
            For each stem an array `(n_samples, 2)`, float32, at the same rate.

        Raises:
            SpleeterError: The array has NaN or infinity, or the model cannot be used.
        """
        del audio_descriptor
        samples = np.asarray(waveform, np.float32)
        if samples.ndim == 1:
            samples = samples[:, np.newaxis]
        if not len(samples):
            stems = self._configuration.network.stems
            return {stem: np.empty((0, _N_CHANNELS), np.float32) for stem in stems}
        with spleeter_errors():
            return self._separator.separate(samples[:, :_N_CHANNELS])

    def separate_to_file(
        self,
        audio_descriptor: Any,
        destination: str | Path,
        audio_adapter: AudioAdapter | None = None,
        offset: float = 0,
        duration: float | None = None,
        codec: Codec | str = Codec.WAV,
        bitrate: str | None = "128k",
        filename_format: str = DEFAULT_FORMAT,
        synchronous: bool = True,
    ) -> None:
        """Separates a song into files. They appear when all of them are complete, and replace others.

        Args:
            audio_descriptor: Path of the song.
            destination: Folder of the files; created if it is missing.
            audio_adapter: Loads the song and saves the stems; the one for files by default, which works in
                blocks, so that memory does not grow with the song.
            offset: Seconds into the song.
            duration: Seconds from the offset; None for the rest of the song. Spleeter stops after 600 s.
            codec: How the files are encoded.
            bitrate: Bit rate as ffmpeg takes it, for lossy codecs.
            filename_format: Names of the files, with the fields filename, instrument, foldername and codec.
            synchronous: Ignored: the files are complete when the call returns.

        Raises:
            SpleeterError: The song cannot be read, or a file cannot be written.
        """
        del synchronous
        limit = STRICT_DURATION if duration is None and is_strict() else duration
        adapter = audio_adapter or AudioAdapter.default()
        if type(adapter) is not FFMPEGProcessAudioAdapter:
            waveform, _ = adapter.load(
                audio_descriptor, offset=offset, duration=limit, sample_rate=self._sample_rate
            )
            n_samples = len(waveform)
            stems = self.separate(waveform, audio_descriptor)
            self.save_to_file(stems, audio_descriptor, destination, filename_format, codec, adapter, bitrate)
        else:
            song, chosen = path_of(audio_descriptor), codec_named(codec)
            stem_names = self._configuration.network.stems
            files = stem_files(song, destination, filename_format, chosen, stem_names)
            n_samples = self._write(song, files, chosen, bitrate, offset=offset, duration=limit)
        if limit is None and n_samples > STRICT_DURATION * self._sample_rate:
            logger.warning(
                "%s: all %d s were separated. Spleeter stops after %g s unless -d is given",
                path_of(audio_descriptor),
                n_samples // self._sample_rate,
                STRICT_DURATION,
            )

    def save_to_file(
        self,
        sources: Mapping[str, NDArray[Any]],
        audio_descriptor: Any,
        destination: str | Path,
        filename_format: str = DEFAULT_FORMAT,
        codec: Codec | str = Codec.WAV,
        audio_adapter: AudioAdapter | None = None,
        bitrate: str | None = "128k",
        synchronous: bool = True,
    ) -> None:
        """Saves stems that `separate` returned.

        Args:
            sources: `(n_samples, n_channels)` for each stem, at the model's sample rate.
            audio_descriptor: Path of the song, for the names.
            destination: As in `separate_to_file`.
            filename_format: As in `separate_to_file`.
            codec: As in `separate_to_file`.
            audio_adapter: Saves the stems.
            bitrate: As in `separate_to_file`.
            synchronous: As in `separate_to_file`.

        Raises:
            SpleeterError: A file cannot be written.
        """
        del synchronous
        chosen = codec_named(codec)
        adapter = audio_adapter or AudioAdapter.default()
        files = stem_files(path_of(audio_descriptor), destination, filename_format, chosen, sources)
        for stem, samples in sources.items():
            with spleeter_errors(), write_errors(files[stem]):
                make_folder(files[stem].parent)
            adapter.save(str(files[stem]), samples, self._sample_rate, chosen, bitrate)
            logger.info("File %s written succesfully", files[stem])

    def join(self, timeout: int = 200) -> None:
        """Does nothing: all files are complete already.

        Args:
            timeout: Ignored.
        """

    def _write(
        self,
        song: str,
        files: Mapping[str, Path],
        codec: Codec,
        bitrate: str | None,
        *,
        offset: float,
        duration: float | None,
    ) -> int:
        """Separates a song block by block; returns its number of samples."""
        first = next(iter(files.values()))
        rate, n_samples = self._sample_rate, 0
        separator = self._separator
        with spleeter_errors(), write_errors(first), ExitStack() as opened:
            audio = opened.enter_context(open_song(song, offset=offset, duration=duration, sample_rate=rate))
            folder = opened.enter_context(staging(first.parent))
            staged = {path: folder / f"{index}{path.suffix}" for index, path in enumerate(files.values())}
            with ExitStack() as written:
                writers = [
                    written.enter_context(
                        open_writer(
                            part,
                            path,
                            codec,
                            bitrate,
                            sample_rate=rate,
                            n_channels=_N_CHANNELS,
                            n_samples=audio.total_length,
                        )
                    )
                    for path, part in staged.items()
                ]
                for block in written.enter_context(closing(separator.stream(audio.blocks, rate))):
                    n_samples += block.shape[1]
                    for writer, samples in zip(writers, block, strict=True):
                        writer.write(samples)
            for path in files.values():
                make_folder(path.parent)
            move_all_to_place({part: path for path, part in staged.items()})
        for path in files.values():
            logger.info("File %s written succesfully", path)
        return n_samples
