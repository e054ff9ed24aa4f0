"""The published implementation, as an oracle: random weights, nothing fetched."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.cutie.config import CUTIE_BASE, CUTIE_SMALL, NetworkConfig
from models.cutie.network.network import Network

Untyped = Any  # the oracle carries no types
CONFIGS: dict[str, NetworkConfig] = {"small": CUTIE_SMALL, "base": CUTIE_BASE}


def oracle_config(size: str, **changes: Untyped) -> Untyped:
    """Return the oracle's own default configuration, changed."""
    from importlib.resources import files

    from omegaconf import OmegaConf

    folder = files("cutie") / "config"
    config = OmegaConf.create((folder / "eval_config.yaml").read_text())
    parts = [(folder / "model" / f"{part}.yaml").read_text() for part in ("base", size)]
    config.model = OmegaConf.merge(*(OmegaConf.create(part) for part in parts))
    config.update({"use_long_term": False, "mem_every": 5})
    return OmegaConf.merge(config, OmegaConf.create(changes))


def oracle_network(size: str, seed: int = 0) -> Untyped:
    """Return the oracle's network with random weights that keep activations alive.

    Skips the test where the oracle, a package for developers, is not installed.
    """
    pytest.importorskip("cutie.model.cutie", reason="rf-cutie comes with the dev extra")
    from cutie.model.cutie import CUTIE
    from cutie.model.utils import resnet

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resnet.model_zoo, "load_url", lambda *_args, **_kwargs: {})
        patch.setattr(resnet, "load_weights_add_extra_dim", lambda *_args, **_kwargs: None)
        torch.manual_seed(seed)
        network = CUTIE(oracle_config(size)).eval()
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        _liven(name, tensor, generator)
    return network


def _liven(name: str, tensor: Tensor, generator: torch.Generator) -> None:
    """Give batch norms statistics of their own, and keys a spread that tells tokens apart."""
    if name.endswith("running_mean"):
        tensor.normal_(0, 0.05, generator=generator)
    elif name.endswith("running_var"):
        tensor.uniform_(0.8, 1.2, generator=generator)
    elif name.endswith(".bn3.weight"):
        tensor.fill_(0.25)  # else the deep encoder's features grow until everything saturates


@cache
def pair(size: str, seed: int = 0) -> tuple[Untyped, Network]:
    """Return the oracle's network and ours, with the same random weights; leave them unchanged."""
    oracle = oracle_network(size, seed)
    ours = Network(CONFIGS[size]).eval()
    ours.load_state_dict(oracle.state_dict(), strict=True)
    return oracle, ours


def moving_clip(length: int, size: tuple[int, int], seed: int = 0) -> Iterator[Tensor]:
    """Yield frames (3, H, W) 0 to 1: smooth noise that drifts, so that no two regions tie."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 12, 12 + length, generator=generator)
    height, width = size
    for at in range(length):
        window = coarse[..., at : at + 12]
        smooth = nn.functional.interpolate(window, size=(height, width), mode="bicubic")[0]
        noise = torch.rand(3, height, width, generator=generator) * 0.05
        yield (smooth + noise).clamp(0, 1)


def index_mask(size: tuple[int, int], objects: tuple[int, ...], shift: int = 0) -> Tensor:
    """Return object ids (H, W): one box per object, side by side."""
    height, width = size
    mask = torch.zeros(height, width, dtype=torch.long)
    step = width // (len(objects) + 1)
    for slot, object_id in enumerate(objects):
        left = step // 2 + slot * step + shift
        mask[height // 4 : height * 3 // 4, left : left + step // 2 + 4] = object_id
    return mask
