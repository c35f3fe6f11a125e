"""Stemdock separates songs into stems with Deezer's Spleeter models, without TensorFlow.

This module is the public face: hosts, models, engines and programs import names from here and from
nowhere deeper. Each name is loaded when it is first used, so `import stemdock` costs nothing.

Example:
    >>> import stemdock
    >>> stems = stemdock.Separator("2stems").separate(samples)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from stemdock.audio import AudioInfo as AudioInfo
    from stemdock.audio import AudioWriter as AudioWriter
    from stemdock.audio import FfmpegProcess as FfmpegProcess
    from stemdock.audio import audio_info as audio_info
    from stemdock.audio import find_ffmpeg as find_ffmpeg
    from stemdock.audio import open_audio as open_audio
    from stemdock.audio import resampled as resampled
    from stemdock.batch.claims import SetAsideError as SetAsideError
    from stemdock.batch.song_separator import SongSeparator as SongSeparator
    from stemdock.batch.song_separator import SongStatus as SongStatus
    from stemdock.batch.worker import serve_songs as serve_songs
    from stemdock.card import INPUT_NAME as INPUT_NAME
    from stemdock.card import MaskExtension as MaskExtension
    from stemdock.card import ModelCard as ModelCard
    from stemdock.card import card_from_values as card_from_values
    from stemdock.card import card_to_metadata as card_to_metadata
    from stemdock.card import card_to_values as card_to_values
    from stemdock.dsp.masks import ratio_masks as ratio_masks
    from stemdock.dsp.stft import stft as stft
    from stemdock.entries import BatchEngine as BatchEngine
    from stemdock.entries import Check as Check
    from stemdock.entries import CommandEntry as CommandEntry
    from stemdock.entries import FetchProgress as FetchProgress
    from stemdock.entries import HostEntry as HostEntry
    from stemdock.entries import ModelDownload as ModelDownload
    from stemdock.entries import ModelEntry as ModelEntry
    from stemdock.entries import Worker as Worker
    from stemdock.entries import WorkerNeeds as WorkerNeeds
    from stemdock.entries import Workforce as Workforce
    from stemdock.errors import ArgumentError as ArgumentError
    from stemdock.errors import AudioError as AudioError
    from stemdock.errors import AudioFileError as AudioFileError
    from stemdock.errors import AudioFileNotFoundError as AudioFileNotFoundError
    from stemdock.errors import CancelledError as CancelledError
    from stemdock.errors import ForkedError as ForkedError
    from stemdock.errors import HostError as HostError
    from stemdock.errors import HostUnreachableError as HostUnreachableError
    from stemdock.errors import MemoryShortageError as MemoryShortageError
    from stemdock.errors import ModelContractError as ModelContractError
    from stemdock.errors import ModelDamagedError as ModelDamagedError
    from stemdock.errors import ModelError as ModelError
    from stemdock.errors import ModelNotFoundError as ModelNotFoundError
    from stemdock.errors import ModelNotInstalledError as ModelNotInstalledError
    from stemdock.errors import NonFiniteSampleError as NonFiniteSampleError
    from stemdock.errors import NothingSelectedError as NothingSelectedError
    from stemdock.errors import OutputConflictError as OutputConflictError
    from stemdock.errors import OutputError as OutputError
    from stemdock.errors import OutputExistsError as OutputExistsError
    from stemdock.errors import OutputOptionError as OutputOptionError
    from stemdock.errors import OutputTakenError as OutputTakenError
    from stemdock.errors import ProviderUnavailableError as ProviderUnavailableError
    from stemdock.errors import SeparationOptionError as SeparationOptionError
    from stemdock.errors import StemdockError as StemdockError
    from stemdock.errors import ThreadShortageError as ThreadShortageError
    from stemdock.files.audacity_projects import AudacityTrack as AudacityTrack
    from stemdock.files.audacity_projects import audacity_project as audacity_project
    from stemdock.files.excerpts import Excerpt as Excerpt
    from stemdock.files.excerpts import excerpt_of as excerpt_of
    from stemdock.files.excerpts import samples_between as samples_between
    from stemdock.files.observing import Observer as Observer
    from stemdock.files.separating import separate_file as separate_file
    from stemdock.files.staging import remove_abandoned as remove_abandoned
    from stemdock.files.staging import staging as staging
    from stemdock.hookspecs import hookimpl as hookimpl
    from stemdock.inference.bandwidth import with_bins as with_bins
    from stemdock.inference.finding import DEFAULT_MODEL as DEFAULT_MODEL
    from stemdock.inference.finding import find_entry as find_entry
    from stemdock.inference.finding import plain_name as plain_name
    from stemdock.inference.finding import verify_model as verify_model
    from stemdock.inference.opening import open_model as open_model
    from stemdock.inference.session import OnnxSession as OnnxSession
    from stemdock.lib.arrays import FloatArray as FloatArray
    from stemdock.lib.atomic import atomic_file as atomic_file
    from stemdock.lib.atomic import move_all_to_place as move_all_to_place
    from stemdock.lib.atomic import write_atomically as write_atomically
    from stemdock.lib.durable import flush_folder as flush_folder
    from stemdock.lib.durable import make_folder as make_folder
    from stemdock.lib.hashing import file_sha256 as file_sha256
    from stemdock.lib.hashing import files_sha256 as files_sha256
    from stemdock.lib.legal_names import is_device_name as is_device_name
    from stemdock.lib.legal_names import legal_name as legal_name
    from stemdock.lib.locations import Location as Location
    from stemdock.lib.locking import locked as locked
    from stemdock.lib.locking import try_locked as try_locked
    from stemdock.lib.os_errors import os_errors_as as os_errors_as
    from stemdock.lib.os_errors import reason_for as reason_for
    from stemdock.lib.printing import printable as printable
    from stemdock.lib.private_folders import deny_others_writing as deny_others_writing
    from stemdock.lib.private_folders import is_private_file as is_private_file
    from stemdock.lib.private_folders import is_private_folder as is_private_folder
    from stemdock.lib.private_folders import make_own_folder as make_own_folder
    from stemdock.lib.private_folders import make_private_folder as make_private_folder
    from stemdock.lib.processes import find_processes as find_processes
    from stemdock.lib.processes import is_running as is_running
    from stemdock.lib.processes import processor_time as processor_time
    from stemdock.lib.regular_files import read_regular_file as read_regular_file
    from stemdock.lib.untrusted_json import parse_json as parse_json
    from stemdock.lib.untrusted_json import parse_json_as as parse_json_as
    from stemdock.output.options import Output as Output
    from stemdock.plugins import Plugins as Plugins
    from stemdock.plugins import load_plugins as load_plugins
    from stemdock.preview.growing import GrowingPicture as GrowingPicture
    from stemdock.preview.modules import player_files as player_files
    from stemdock.preview.palette import spectrogram_colours as spectrogram_colours
    from stemdock.separator import Separator as Separator
    from stemdock.types import Damage as Damage
    from stemdock.types import Engine as Engine
    from stemdock.types import Execution as Execution
    from stemdock.types import Progress as Progress
    from stemdock.types import SeparatedFile as SeparatedFile
    from stemdock.types import Separation as Separation

    __version__: str

_NAMES: Final = {
    "audio": "AudioInfo AudioWriter FfmpegProcess audio_info find_ffmpeg open_audio resampled",
    "batch.claims": "SetAsideError",
    "batch.song_separator": "SongSeparator SongStatus",
    "batch.worker": "serve_songs",
    "card": "INPUT_NAME MaskExtension ModelCard card_from_values card_to_metadata card_to_values",
    "dsp.masks": "ratio_masks",
    "dsp.stft": "stft",
    "entries": """
        BatchEngine Check CommandEntry FetchProgress HostEntry ModelDownload ModelEntry
        Worker WorkerNeeds Workforce
    """,
    "errors": """
        ArgumentError AudioError AudioFileError AudioFileNotFoundError CancelledError ForkedError HostError
        HostUnreachableError MemoryShortageError ThreadShortageError
        ModelContractError ModelDamagedError ModelError ModelNotFoundError ModelNotInstalledError
        NonFiniteSampleError NothingSelectedError OutputConflictError OutputError OutputExistsError
        OutputOptionError OutputTakenError ProviderUnavailableError SeparationOptionError StemdockError
    """,
    "files.audacity_projects": "AudacityTrack audacity_project",
    "files.excerpts": "Excerpt excerpt_of samples_between",
    "files.observing": "Observer",
    "files.separating": "separate_file",
    "files.staging": "remove_abandoned staging",
    "hookspecs": "hookimpl",
    "inference.bandwidth": "with_bins",
    "inference.finding": "DEFAULT_MODEL find_entry plain_name verify_model",
    "inference.opening": "open_model",
    "lib.atomic": "atomic_file move_all_to_place write_atomically",
    "lib.durable": "flush_folder make_folder",
    "lib.hashing": "file_sha256 files_sha256",
    "lib.legal_names": "is_device_name legal_name",
    "lib.locations": "Location",
    "lib.locking": "locked try_locked",
    "lib.os_errors": "os_errors_as reason_for",
    "lib.arrays": "FloatArray",
    "lib.printing": "printable",
    "lib.private_folders": """
        deny_others_writing is_private_file is_private_folder make_own_folder make_private_folder
    """,
    "lib.processes": "find_processes is_running processor_time",
    "lib.regular_files": "read_regular_file",
    "inference.session": "OnnxSession",
    "lib.untrusted_json": "parse_json parse_json_as",
    "output.options": "Output",
    "plugins": "Plugins load_plugins",
    "preview.growing": "GrowingPicture",
    "preview.modules": "player_files",
    "preview.palette": "spectrogram_colours",
    "separator": "Separator",
    "types": "Damage Engine Execution Progress SeparatedFile Separation",
}
"""The public names by the module that defines them."""
_HOMES: Final = {name: home for home, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_HOMES)  # noqa: PLE0605  one list of names is enough

if not TYPE_CHECKING:  # so that type checkers know the names above and refuse others

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            from importlib.metadata import version  # noqa: PLC0415

            return version("stemdock")
        if name not in _HOMES:
            raise AttributeError(f"module 'stemdock' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"stemdock.{_HOMES[name]}"), name)
        return value
