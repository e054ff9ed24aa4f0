"""The reference implementation of a model, as its authors published it.

Speed needs no trained weights: they are random here, the same as on our side.
"""

import contextlib
import importlib.resources
import importlib.util
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray

from app.cli.bench.parsers import REFERENCE
from app.cli.bench.speed.clip import DriftingClip
from models.api import BoolMask
from models.cutie.config import CUTIE_BASE, CUTIE_SMALL, NetworkConfig
from models.cutie.loader import MODELS
from models.cutie.network.network import Network

_SIZES = {"cutie-small": "small", "cutie-base": "base"}


def reference_of(model: str) -> str | None:
    """Return the name of a model's published implementation, None where it is not installed."""
    known = model in _SIZES and importlib.util.find_spec("cutie") is not None
    return REFERENCE if known else None


def follow(
    model: str, clip: DriftingClip, masks: dict[int, BoolMask], device: torch.device
) -> Iterator[None]:
    """Follow `masks` of the first frame through the clip, one item a frame."""
    core, step = _core(model, len(clip), device)
    labels: NDArray[np.int64] = np.zeros(clip.size, np.int64)
    for object_id, mask in masks.items():
        labels[mask] = object_id
    for index in range(len(clip)):
        image = torch.from_numpy(clip[index]).to(device).permute(2, 0, 1).float() / 255
        first = (torch.from_numpy(labels).to(device), list(masks)) if index == 0 else ()
        core.output_prob_to_mask(step(image, *first)).to(torch.uint8).cpu().numpy()
        yield


def _core(model: str, length: int, device: torch.device) -> tuple[Any, Callable[..., torch.Tensor]]:
    """Return the published implementation with our random weights, and its step."""
    from cutie.inference.inference_core import InferenceCore  # noqa: PLC0415
    from cutie.model.cutie import CUTIE  # noqa: PLC0415
    from cutie.model.utils import resnet  # noqa: PLC0415
    from omegaconf import OmegaConf  # noqa: PLC0415

    folder = importlib.resources.files("cutie") / "config"
    parts = [(folder / "model" / f"{part}.yaml").read_text() for part in ("base", "small")]
    size = _SIZES[model]
    config: Any = OmegaConf.create((folder / "eval_config.yaml").read_text())
    config.model = OmegaConf.merge(*map(OmegaConf.create, parts[: 1 + (size == "small")]))
    long_term = MODELS[model].memory(length).long_term is not None
    config.update({"use_long_term": long_term, "mem_every": 5})
    with (
        mock.patch.object(resnet.model_zoo, "load_url", return_value={}),
        mock.patch.object(resnet, "load_weights_add_extra_dim"),
    ):
        network = CUTIE(config).eval()  # it would fetch ImageNet weights only to overwrite them
    ours = random_network(CUTIE_SMALL if size == "small" else CUTIE_BASE)
    network.load_state_dict(ours.state_dict())
    core = InferenceCore(network.to(device), config)
    half = torch.autocast("cuda", enabled=True) if device.type == "cuda" else None

    @torch.inference_mode()
    def step(*arguments: Any) -> torch.Tensor:  # noqa: ANN401
        with warnings.catch_warnings(), half or contextlib.nullcontext():
            warnings.simplefilter("ignore", FutureWarning)  # its old spelling of autocast
            result: torch.Tensor = core.step(*arguments)
            return result

    return core, step


def random_network(config: NetworkConfig) -> Network:
    """Return a network with random weights, the same each time."""
    torch.manual_seed(0)
    return Network(config)
