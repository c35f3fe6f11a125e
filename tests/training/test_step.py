"""One step against the original's: loss, gradients, and the weights after three steps of Adam."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from stemdock_export.extra import import_tensorflow
from stemdock_export.unet import Variable, describe_network
from stemdock_training.data.batches import Batch
from stemdock_training.loss.network import initial_values
from stemdock_training.loss.trainer import Trainer
from training.oracle_cases import CASES, LEARNING_RATE, Case, make_case

if TYPE_CHECKING:
    from stemdock_training.config import TrainingConfig

pytestmark = [pytest.mark.export, pytest.mark.slow]

RECORDED = Path(__file__).parents[1] / "data" / "training_step.npz"


def make_trainer(case: Case, training_config: Any, **options: Any) -> Trainer:
    config: TrainingConfig = training_config(
        learning_rate=LEARNING_RATE, loss_type=case.content.get("loss_type", "L1_mask")
    )
    return Trainer(describe_network(case.config), config, case.values, **options)


def batch_of(case: Case) -> Batch:
    return Batch(mixture=case.mixture, targets=np.stack(list(case.targets.values())))


@pytest.mark.parametrize("name", CASES)
def test_loss_and_gradients_are_the_original_s(name: str, training_config: Any) -> None:
    case = make_case(name)
    trainer, batch = make_trainer(case, training_config), batch_of(case)
    gradients = trainer.gradients(batch)
    with np.load(RECORDED) as recorded:
        assert trainer.measure(batch).total == pytest.approx(float(recorded[f"{name}/loss"]), rel=1e-5)
        start = f"{name}/gradient/"
        expected = {key.removeprefix(start): recorded[key] for key in recorded.files if key.startswith(start)}
    assert gradients.keys() == expected.keys()
    for key, gradient in expected.items():
        error = np.linalg.norm(gradients[key] - gradient)
        assert error <= 1e-4 * np.linalg.norm(gradient), key


@pytest.mark.parametrize("name", CASES)
def test_three_steps_of_adam_are_the_original_s(name: str, training_config: Any) -> None:
    case = make_case(name)
    trainer, batch = make_trainer(case, training_config), batch_of(case)
    for _ in range(3):
        trainer.train(batch)
    state = trainer.state()
    with np.load(RECORDED) as recorded:
        assert trainer.measure(batch).total == pytest.approx(float(recorded[f"{name}/loss_after"]), rel=1e-4)
        for key, before in case.values.items():
            after = recorded[f"{name}/after/{key}"]
            # Adam moves each weight by about the learning rate, however small its gradient is.
            np.testing.assert_allclose(state[key], after, atol=LEARNING_RATE * 0.05, err_msg=key)
            assert np.array_equal(state[key], before) == np.array_equal(after, before), key


def test_statistics_of_normalization_stay(training_config: Any) -> None:
    case = make_case("sigmoid")
    trainer = make_trainer(case, training_config)
    trainer.train(batch_of(case))
    state = trainer.state()
    for key in case.values:
        if "moving_" in key:
            np.testing.assert_array_equal(state[key], case.values[key])


def test_dropout_depends_on_the_step_alone(training_config: Any) -> None:
    case = make_case("sigmoid")
    batch = batch_of(case)
    one, same, other = (make_trainer(case, training_config, dropout=0.5, step=step) for step in (4, 4, 5))
    for trainer in (one, same, other):
        trainer.train(batch)
    key = "conv2d_transpose_1/kernel"
    np.testing.assert_array_equal(one.state()[f"{key}/Adam"], same.state()[f"{key}/Adam"])
    assert not np.array_equal(one.state()[f"{key}/Adam"], other.state()[f"{key}/Adam"])
    plain = make_trainer(case, training_config)
    assert one.measure(batch).total != plain.measure(batch).total


@pytest.mark.parametrize(
    ("seed", "drawn"),
    [(0, [-0.20853958, -0.04599142, 0.3066976]), (1, [-0.0390254, 0.02714208, -0.06281793])],
)
def test_the_first_weights_are_the_original_s(seed: int, drawn: list[float]) -> None:
    """As the initializer of Spleeter 2.4.2 draws them for a kernel of this shape, under TensorFlow 2.12.1."""
    kernel = Variable(name="one/kernel", shape=(5, 5, 2, 16))
    others = [Variable(name=f"one/{role}", shape=(16,)) for role in ("bias", "gamma", "moving_mean")]
    variables = (kernel, *others, Variable(name="two/kernel", shape=(5, 5, 2, 16)))
    values = initial_values(import_tensorflow(for_reference=False), variables, seed)
    np.testing.assert_allclose(values["one/kernel"].ravel()[:3], drawn, rtol=1e-6)
    np.testing.assert_array_equal(values["two/kernel"], values["one/kernel"])
    assert [set(values[each.name]) for each in others] == [{0}, {1}, {0}]
