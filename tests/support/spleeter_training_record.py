"""Records training steps of Spleeter 2.4.2. Run it with a Python that has spleeter==2.4.2.

Usage: python spleeter_training_record.py INPUTS.npz OUTPUTS.npz

`tests/training/oracle_cases.py` writes the inputs. The outputs go to tests/data/training_step.npz.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

N_STEPS = 3
"""Steps of Adam after which the variables are recorded."""


def record(name: str, inputs: Any) -> dict[str, Any]:
    import tensorflow as tf  # noqa: PLC0415  the tests import this module without it
    from spleeter.model import EstimatorSpecBuilder  # noqa: PLC0415

    mean = tf.reduce_mean
    # The weighted loss uses the name of TensorFlow 1, so it fails with the TensorFlow that 2.4.2 needs.
    tf.reduce_mean = lambda *each, keep_dims=None, **rest: mean(
        *each, **rest, **({} if keep_dims is None else {"keepdims": keep_dims})
    )
    content = json.loads(str(inputs[f"{name}/config"]))
    start = f"{name}/variable/"
    values = {key.removeprefix(start): inputs[key] for key in inputs.files if key.startswith(start)}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.train.get_or_create_global_step()
        mixture = tf.constant(inputs[f"{name}/mixture"])
        labels = {
            f"{stem}_spectrogram": tf.constant(inputs[f"{name}/target/{stem}"])
            for stem in content["instrument_list"]
        }
        builder = EstimatorSpecBuilder({"mix_spectrogram": mixture}, content)
        spec = builder.build_train_model(labels)
        trained = {each.op.name: each for each in tf.compat.v1.trainable_variables()}
        gradients = dict(zip(trained, tf.gradients(spec.loss, list(trained.values())), strict=True))
        gradients = {key: each for key, each in gradients.items() if each is not None}
        everything = {each.op.name: each for each in tf.compat.v1.global_variables()}
        load = [tf.compat.v1.assign(everything[key], value) for key, value in values.items()]
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(load)
        loss, found = session.run([spec.loss, gradients])
        results = {f"{name}/loss": loss} | {f"{name}/gradient/{key}": each for key, each in found.items()}
        for _ in range(N_STEPS):
            session.run(spec.train_op)
        results[f"{name}/loss_after"], after = session.run(
            [spec.loss, {key: everything[key] for key in values}]
        )
        results |= {f"{name}/after/{key}": each for key, each in after.items()}
        return results


if __name__ == "__main__":
    with np.load(sys.argv[1]) as cases:
        names = sorted({key.split("/")[0] for key in cases.files})
        np.savez_compressed(
            sys.argv[2], **{key: each for name in names for key, each in record(name, cases).items()}
        )
