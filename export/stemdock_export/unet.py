"""Describes Spleeter's network: layers in order, with the names and shapes of their variables.

Every stem has its own U-Net; U-Nets do not share weights. Keras named the variables by type and by order
of creation over *all* U-Nets (`conv2d`, `conv2d_1`, ...), so a stem's position in `instrument_list`
determines its variables.

Conventions:
    Shapes are TensorFlow's: kernels `(frames, bins, in, out)`, those of transposed convolutions
    `(frames, bins, out, in)`. Padding is "SAME" everywhere. The input is divisible by the six strides
    of 2, so a 5x5 kernel of stride 2 pads 1 before and 2 after (a transposed one crops as much); the
    head's 4x4 kernel of dilation 2 pads 3 and 3.

References:
    deezer/spleeter 2.4.2, `model/functions/unet.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock_export.config import Activation, MaskFunction, SpleeterConfig

STRIDE: Final = 2
"""Of every convolution except the head, in frames and in bins."""
HEAD_DILATION: Final = 2
LEAKY_SLOPE: Final = 0.2
"""Slope of LeakyReLU below zero."""
EPSILON: Final = 1e-3
"""Added to the variance in batch normalization, Keras's default."""
_KERNEL: Final = (5, 5)
_HEAD_KERNEL: Final = (4, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One tensor of a checkpoint."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """A convolution or transposed convolution with bias."""

    kernel: Variable
    bias: Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalization:
    """`gamma * (x - mean) / sqrt(variance + EPSILON) + beta`, for each channel."""

    gamma: Variable
    beta: Variable
    mean: Variable
    variance: Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of the encoder or decoder.

    In the encoder: convolution, normalization, activation; the skip connection takes the output of
    the convolution. In the decoder: transposed convolution, activation, normalization.
    """

    convolution: Convolution
    normalization: Normalization


@dataclass(frozen=True, slots=True, kw_only=True)
class UNet:
    """The network of one stem: `(n_segments, n_frames, n_bins, n_channels)` to logits of that shape."""

    stem: str
    encoder: tuple[Level, ...]
    """From the outside in. The last normalization is in the checkpoint but not used: the decoder
    starts from the output of the last convolution."""
    decoder: tuple[Level, ...]
    """From the inside out. From the second level on, the input is the skip connection of the same
    level of the encoder, followed by the output of the previous level, along the channels."""
    head: Convolution
    """Kernel 4x4 of dilation 2; its output is the logits."""

    def variables(self) -> Iterator[Variable]:
        """All variables of this stem in the checkpoint, including unused ones."""
        for level in (*self.encoder, *self.decoder):
            yield from (level.convolution.kernel, level.convolution.bias)
            normalization = level.normalization
            yield from (normalization.gamma, normalization.beta, normalization.mean, normalization.variance)
        yield from (self.head.kernel, self.head.bias)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The U-Nets of all stems and how their logits become estimates `mask * mixture`."""

    unets: tuple[UNet, ...]
    """In the order of the stems."""
    conv_activation: Activation
    deconv_activation: Activation
    mask_function: MaskFunction

    def variables(self) -> tuple[Variable, ...]:
        """All variables that the checkpoint must contain."""
        return tuple(variable for unet in self.unets for variable in unet.variables())


def describe_network(config: SpleeterConfig) -> Network:
    """Describes the network of a configuration."""
    return Network(
        unets=tuple(_unet(config, position) for position in range(len(config.stems))),
        conv_activation=config.conv_activation,
        deconv_activation=config.deconv_activation,
        mask_function=config.mask_function,
    )


def _unet(config: SpleeterConfig, position: int) -> UNet:
    n_levels = len(config.filters)
    down = list(pairwise((config.n_channels, *config.filters)))
    # From the inside out: up to the width of the first level, then one channel for the head. All
    # levels but the innermost have twice the channels of the previous output, because of the skip.
    widths = (*reversed(config.filters[:-1]), 1)
    sources = (config.filters[-1], *(2 * width for width in widths[:-1]))
    up = list(zip(sources, widths, strict=True))

    first_conv = (n_levels + 1) * position
    first_deconv = n_levels * position
    first_norm = 2 * n_levels * position
    return UNet(
        stem=config.stems[position],
        encoder=tuple(
            Level(
                convolution=_convolution("conv2d", first_conv + i, (*_KERNEL, before, after), after),
                normalization=_normalization(first_norm + i, after),
            )
            for i, (before, after) in enumerate(down)
        ),
        decoder=tuple(
            Level(
                convolution=_convolution(
                    "conv2d_transpose", first_deconv + i, (*_KERNEL, after, before), after
                ),
                normalization=_normalization(first_norm + n_levels + i, after),
            )
            for i, (before, after) in enumerate(up)
        ),
        head=_convolution(
            "conv2d", first_conv + n_levels, (*_HEAD_KERNEL, 1, config.n_channels), config.n_channels
        ),
    )


def _convolution(kind: str, index: int, kernel: tuple[int, ...], n_outputs: int) -> Convolution:
    layer = _layer_name(kind, index)
    return Convolution(
        kernel=Variable(name=f"{layer}/kernel", shape=kernel),
        bias=Variable(name=f"{layer}/bias", shape=(n_outputs,)),
    )


def _normalization(index: int, width: int) -> Normalization:
    layer = _layer_name("batch_normalization", index)
    return Normalization(
        gamma=Variable(name=f"{layer}/gamma", shape=(width,)),
        beta=Variable(name=f"{layer}/beta", shape=(width,)),
        mean=Variable(name=f"{layer}/moving_mean", shape=(width,)),
        variance=Variable(name=f"{layer}/moving_variance", shape=(width,)),
    )


def _layer_name(kind: str, index: int) -> str:
    # Keras numbers layers from the second one on.
    return f"{kind}_{index}" if index else kind
