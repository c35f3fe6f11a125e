from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stemdock_export.config import SpleeterConfig, parse_config
from support.tf_bundle import seeded_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray


@pytest.fixture(scope="session")
def data() -> Path:
    return Path(__file__).parents[1] / "data"


@pytest.fixture(scope="session")
def small_content() -> dict[str, Any]:
    """A configuration whose network is small enough to be made and run in no time."""
    return {
        "instrument_list": ["voice", "rest"],
        "sample_rate": 8000,
        "frame_length": 256,
        "frame_step": 64,
        "T": 64,
        "F": 128,
        "n_channels": 2,
        "separation_exponent": 2,
        "mask_extension": "zeros",
        "model": {
            "type": "unet.unet",
            "params": {
                "conv_activation": "ELU",
                "deconv_activation": "ELU",
                "conv_n_filters": [2, 3, 4, 4, 5, 6],
            },
        },
    }


@pytest.fixture(scope="session")
def small_config(small_content: dict[str, Any]) -> SpleeterConfig:
    return parse_config(json.dumps(small_content), "small")


@pytest.fixture(scope="session")
def make_values() -> Callable[[SpleeterConfig], dict[str, NDArray[np.float32]]]:
    """Seeded weights for a configuration, as lively as trained ones."""

    return seeded_values


@pytest.fixture(scope="session")
def write_checkpoint() -> Callable[[Path, Mapping[str, Any]], Path]:
    """Writes variables as a checkpoint into a folder, which is returned."""
    from stemdock_export.extra import import_tensorflow  # noqa: PLC0415

    def write(directory: Path, values: Mapping[str, Any]) -> Path:
        tf = import_tensorflow()
        directory.mkdir(parents=True, exist_ok=True)
        tf.raw_ops.SaveV2(
            prefix=str(directory / "model"),
            tensor_names=list(values),
            shape_and_slices=[""] * len(values),
            tensors=[tf.constant(value) for value in values.values()],
        )
        (directory / "checkpoint").write_text('model_checkpoint_path: "model"\n', encoding="utf-8")
        return directory

    return write


@pytest.fixture(scope="session")
def small_checkpoint(
    small_config: SpleeterConfig,
    make_values: Callable[[SpleeterConfig], Mapping[str, Any]],
    write_checkpoint: Callable[[Path, Mapping[str, Any]], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("small") / "checkpoint", make_values(small_config))


@pytest.fixture(scope="session")
def small_config_file(small_content: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "small.json"
    path.write_text(json.dumps(small_content), encoding="utf-8")
    return path
