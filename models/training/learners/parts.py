"""The parts of other networks that a network starts from, as CSS-Segment does."""

from pathlib import Path

import torch
from torch import Tensor

from models.api import WeightsInvalidError
from models.cutie.network.mask_encoder import SamMaskEncoder
from models.cutie.network.network import Network
from models.training.config import TrainingConfigError
from models.weights.checkpoint import read_state

_ENCODERS = ("pixel_encoder.", "mask_encoder.")
_STACK = "prompt_encoder.mask_downscaling.0.weight"


def take_memory(network: Network, path: Path) -> None:
    """Take all but the encoders from a Cutie file, where name and shape are the same.

    What reads an encoder's features is as wide as that encoder, and stays as it was drawn. Raises
    WeightsMissingError, or WeightsInvalidError where the file shares less than half with the
    network.
    """
    own = network.state_dict()
    wanted = {name for name in own if not name.startswith(_ENCODERS)}
    shared = {
        name: part
        for name, part in read_state(path).items()
        if name in wanted and own[name].shape == part.shape
    }
    if len(shared) < len(wanted) / 2:
        raise WeightsInvalidError(
            f"{path} shares {len(shared)} of {len(wanted)} weights with the network. Give the file "
            f"of Cutie, such as cutie-base-mega.pth."
        )
    network.load_state_dict({**own, **shared})


def take_mask_encoder(network: Network, path: Path) -> None:
    """Take the mask encoder from the prompt encoder of a SAM or SAM 2 file.

    The channel of the other objects' masks, which SAM has not, stays silent. Raises
    TrainingConfigError, WeightsMissingError or WeightsInvalidError.
    """
    encoder = network.mask_encoder
    if not isinstance(encoder, SamMaskEncoder):
        raise TrainingConfigError(
            f"{path} is for SAM's mask encoder, which this network has not. Leave `mask_encoder` "
            "out."
        )
    state = read_state(path)
    first = next((name for name in state if name.endswith(_STACK)), "")
    prefix = first.removesuffix("mask_downscaling.0.weight")
    names = [
        *(f"mask_downscaling.{name}" for name in encoder.mask_downscaling.state_dict()),
        "no_mask_embed.weight",
    ]
    missing = [name for name in names if f"{prefix}{name}" not in state]
    if not first or missing:
        raise WeightsInvalidError(f"{path} holds no prompt encoder. Give a file of SAM or SAM 2.")
    own = encoder.state_dict()
    parts = {name: _widened(state[f"{prefix}{name}"], own[name]) for name in names}
    encoder.load_state_dict({**own, **parts})


def _widened(part: Tensor, own: Tensor) -> Tensor:
    """Return a weight with silent input channels where `own` has more of them."""
    if part.shape == own.shape:
        return part
    wide = torch.zeros_like(own)
    wide[:, : part.shape[1]] = part
    return wide
