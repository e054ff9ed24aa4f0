"""The frozen part of an image encoder, apart from what is learned over it."""

import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import Parameter

from models.cutie.network.network import Network
from models.encoders.fusion import FusedEncoder
from models.encoders.hiera_cpu import use_cpu_hiera
from models.runtime.device import encoder_dtype
from models.training.features import Encode, Features

Mix = Callable[[Features], Features]


def frozen_part(network: Network) -> Encode:
    """Return the function from images (B, 3, H, W), 0 to 1, to features that never change.

    With a depth branch these are both encoders' maps side by side: the mixers over them learn.
    """
    encoder = network.pixel_encoder

    def encode(images: Tensor) -> Features:
        normalised = network.normalise(images.to(network.pixel_mean.device))
        if not isinstance(encoder, FusedEncoder):
            return network.encoder(normalised)
        seen, felt = encoder.visual(normalised), encoder.depth(normalised)
        f16, f8, f4 = (torch.cat(pair, dim=1) for pair in zip(seen, felt, strict=True))
        return f16, f8, f4

    return encode


def quick_frozen_part(network: Network) -> Encode:
    """Return `frozen_part` without gradients, on a CPU as quickly as inference computes it."""
    device = network.pixel_mean.device
    if device.type != "cpu":
        return frozen_part(network)
    quick = copy.deepcopy(network)
    use_cpu_hiera(quick, encoder_dtype(device))
    return frozen_part(quick)


def learned_part(network: Network) -> Mix:
    """Return the function from the frozen part's features to the encoder's."""
    encoder = network.pixel_encoder
    if not isinstance(encoder, FusedEncoder):
        return lambda features: features
    mix: Mix = encoder.mix
    return mix


def frozen_parameters(network: Network) -> Iterator[Parameter]:
    """Yield the parameters of the frozen part."""
    encoder = network.pixel_encoder
    if isinstance(encoder, FusedEncoder):
        yield from encoder.visual.parameters()
        yield from encoder.depth.parameters()
    else:
        yield from encoder.parameters()
