"""Audio files and sample rates: the only package that knows soundfile, soxr and ffmpeg.

Conventions:
    Blocks are float32, `(n_samples, n_channels)`; full scale is 1.0.
"""

from stemdock.audio.mp3 import write_mp3 as write_mp3
from stemdock.audio.reading import AudioStream as AudioStream
from stemdock.audio.reading import open_audio as open_audio
from stemdock.audio.resampling import resampled as resampled
from stemdock.audio.writing import BitDepth as BitDepth
from stemdock.audio.writing import WavWriter as WavWriter
