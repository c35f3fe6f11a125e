from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from stemdock_export.config import PREDEFINED, load_config
from stemdock_export.unet import describe_network

if TYPE_CHECKING:
    from pathlib import Path


def test_variables_of_2stems_are_those_of_the_released_checkpoint(data: Path) -> None:
    released = json.loads((data / "2stems_variables.json").read_text(encoding="utf-8"))
    del released["global_step"]
    variables = describe_network(load_config("2stems")).variables()
    assert len(variables) == 148
    assert {variable.name: list(variable.shape) for variable in variables} == released


@pytest.mark.parametrize(
    ("name", "n_variables", "n_floats", "last"),
    [
        ("2stems", 148, 19_653_518, (13, 11, 23)),
        ("4stems", 296, 39_307_036, (27, 23, 47)),
        ("5stems", 370, 49_133_795, (34, 29, 59)),
    ],
)
def test_counts_are_those_of_the_released_checkpoints(
    name: str, n_variables: int, n_floats: int, last: tuple[int, int, int]
) -> None:
    variables = describe_network(load_config(name)).variables()
    names = {variable.name for variable in variables}
    assert len(names) == len(variables) == n_variables
    assert sum(math.prod(variable.shape) for variable in variables) == n_floats
    for kind, index in zip(("conv2d", "conv2d_transpose", "batch_normalization"), last, strict=True):
        assert any(each.startswith(f"{kind}_{index}/") for each in names)
        assert not any(each.startswith(f"{kind}_{index + 1}/") for each in names)


@pytest.mark.parametrize("name", PREDEFINED)
def test_levels_fit_together(name: str) -> None:
    for unet in describe_network(load_config(name)).unets:
        outputs = [level.convolution.kernel.shape[3] for level in unet.encoder]
        assert outputs == [16, 32, 64, 128, 256, 512]
        arriving = outputs.pop()
        for level in unet.decoder:
            *_, produced, taken = level.convolution.kernel.shape
            assert taken == arriving
            assert level.normalization.gamma.shape == level.convolution.bias.shape == (produced,)
            arriving = produced + (outputs.pop() if outputs else 0)
        assert unet.head.kernel.shape == (4, 4, arriving, 2)
