"""Audio files and sample rates: the only package that imports soundfile, soxr and tinytag or runs ffmpeg.

Conventions:
    Blocks are float32, `(n_samples, n_channels)`; full scale is 1.0.

`stemdock.audio.dj_files` and `stemdock.audio.films` are not here: few separations need them, and all would
wait for their import.
"""

from stemdock.audio.encoding import Signal as Signal
from stemdock.audio.ffmpeg.encoding import check_encoder as check_encoder
from stemdock.audio.ffmpeg.process import FfmpegProcess as FfmpegProcess
from stemdock.audio.ffmpeg.process import find_ffmpeg as find_ffmpeg
from stemdock.audio.reading import AudioInfo as AudioInfo
from stemdock.audio.reading import audio_info as audio_info
from stemdock.audio.reading import open_audio as open_audio
from stemdock.audio.resampling import resampled as resampled
from stemdock.audio.sample_spool import SampleSpool as SampleSpool
from stemdock.audio.stream import AudioStream as AudioStream
from stemdock.audio.tags.reading import UnreadableTagsError as UnreadableTagsError
from stemdock.audio.tags.reading import read_tags as read_tags
from stemdock.audio.writing import AudioWriter as AudioWriter
