"""Training, with the words of Spleeter."""

from __future__ import annotations

from pathlib import Path

from stemdock import load_plugins
from stemdock_spleeter.configuration import find_configuration
from stemdock_spleeter.errors import UncaughtError
from stemdock_spleeter.settings import DEFAULT_ADAPTER
from stemdock_training.command import run
from stemdock_training.config import load_training_config
from stemdock_training.run import Training


def train_model(descriptor: str, data: str, *, adapter: str) -> int:
    """Trains the model of a configuration.

    The checkpoints go to `model_dir` in the current folder, as in Spleeter. The model at the end gets the
    name of that folder, and replaces an installed one of this name.

    Args:
        descriptor: The configuration: `spleeter:NAME`, or the path of a JSON file.
        data: The folder of the songs.
        adapter: The class that reads audio; only the default is supported.

    Returns:
        The exit status.

    Raises:
        SpleeterError: There is no such configuration.
        StemdockError: The songs, the configuration or a file cannot be used.
    """
    if adapter != DEFAULT_ADAPTER:
        raise UncaughtError(
            f"{adapter}: training has no audio adapters",
            remedy="Convert the songs to WAV. Leave out --adapter.",
        )
    configuration = find_configuration(descriptor)
    path = configuration.name or str(Path(descriptor).absolute())
    config = load_training_config(path)
    folder = Path(configuration.model_dir)
    training = Training(
        data=Path(data),
        folder=folder,
        network=configuration.network,
        config=config,
        n_steps=config.train_max_steps,
        name=folder.absolute().name,
        overwrite=True,
    )
    return run(training, load_plugins())
