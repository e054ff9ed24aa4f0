"""The networks that a config can name, with the weights that they start from."""

from dataclasses import replace
from pathlib import Path

import torch

from models.cutie import config as networks
from models.cutie.config import NetworkConfig
from models.cutie.loader import network_part
from models.cutie.network.network import Network
from models.encoders.fusion import FusedEncoder, load_published
from models.encoders.hiera import HieraEncoder, Levels
from models.training.config import TrainConfig, TrainingConfigError
from models.training.learners.learner import Learner
from models.training.learners.losses import PointSampling
from models.training.learners.parts import take_mask_encoder, take_memory
from models.training.learners.prompting import PromptLearner, PromptNet
from models.training.learners.sam2 import Sam2Learner
from models.training.learners.sam2_losses import MaskWeights
from models.training.learners.step import MemoryLearner, StepSpec
from models.weights.checkpoint import load_strict, read_state

NETWORKS: dict[str, NetworkConfig] = {
    "lite": networks.LITE,
    "cutie-small": networks.CUTIE_SMALL,
    "cutie-base": networks.CUTIE_BASE,
    "hiera-depth": networks.HIERA_DEPTH,
    "hiera-depth-large": replace(
        networks.HIERA_DEPTH, encoder=replace(networks.HIERA_DEPTH.encoder, depth="large")
    ),
    "css": networks.CSS,
    "css-tiny": replace(networks.CSS, encoder=replace(networks.CSS.encoder, size="tiny")),
}
_PROMPTS = "lite-prompts"
_SAM2 = "sam2.1-"
_SAM2_SIZES = ("tiny", "small", "base-plus", "large")


def build_learner(config: TrainConfig) -> Learner:
    """Return what is trained, started as the config says, the rest drawn from its seed.

    Raises TrainingConfigError, WeightsMissingError or WeightsInvalidError.
    """
    torch.manual_seed(config.seed)
    if config.model.startswith(_SAM2):
        return _sam2(config)
    if config.model == _PROMPTS:
        return _prompts(config)
    losses = config.losses
    sampling = PointSampling(losses.points, losses.oversample, losses.important)
    spec = StepSpec(sampling, losses.auxiliary, config.reference_frames, config.memory_every)
    return MemoryLearner(_network(config), spec)


def _network(config: TrainConfig) -> Network:
    if config.model not in NETWORKS:
        known = ", ".join([*NETWORKS, _PROMPTS, *(_SAM2 + size for size in _SAM2_SIZES)])
        raise TrainingConfigError(f"There is no network {config.model!r}. Use one of: {known}.")
    network = Network(NETWORKS[config.model])
    encoder = network.pixel_encoder
    if config.encoder:
        visual = encoder.visual if isinstance(encoder, FusedEncoder) else encoder
        if not isinstance(visual, HieraEncoder):
            raise TrainingConfigError(
                f"{config.encoder} is for a Hiera encoder, and {config.model} has none. Leave "
                "`encoder` out."
            )
        load_published(visual, Path(config.encoder))
    if config.depth:
        if not isinstance(encoder, FusedEncoder):
            raise TrainingConfigError(
                f"{config.depth} is for a depth branch, and {config.model} has none. Leave `depth` "
                "out."
            )
        load_published(encoder.depth, Path(config.depth))
    if config.memory:
        take_memory(network, Path(config.memory))
    if config.mask_encoder:
        take_mask_encoder(network, Path(config.mask_encoder))
    if config.start:
        state = network_part(read_state(Path(config.start)))
        load_strict(network, state, Path(config.start))
    return network


def _prompts(config: TrainConfig) -> Learner:
    """Return the prompt heads on lite's encoder, both from one SAM 2 file."""
    path = Path(config.start)
    state = read_state(path)
    encoder = HieraEncoder(networks.LITE.encoder.size, Levels.DECODER)
    load_strict(encoder, encoder.select(state), path)
    network = PromptNet(encoder)
    own = {f"pixel_encoder.{name}": part for name, part in encoder.state_dict().items()}
    load_strict(network, network.select(state) | own, path)
    losses = config.losses
    return PromptLearner(network, MaskWeights(losses.focal, losses.dice, losses.iou))


def _sam2(config: TrainConfig) -> Learner:
    from models.sam.video.tracker import build_predictor  # noqa: PLC0415 - only this network needs it

    size = config.model.removeprefix(_SAM2)
    if size not in _SAM2_SIZES:
        known = ", ".join(_SAM2_SIZES)
        raise TrainingConfigError(f"There is no SAM 2 of size {size!r}. Use one of: {known}.")
    side = config.data[0].size[0]
    for item in config.data:
        if item.size != (side, side) or tuple(16 * cells for cells in item.window) != (side, side):
            raise TrainingConfigError(
                f"data set {item.name}: SAM 2 sees whole squares. Set `size` to [{side}, {side}] "
                f"and `window` to [{side // 16}, {side // 16}] in all data sets."
            )
    predictor = build_predictor(size, side=side)
    if config.start:
        load_strict(predictor, read_state(Path(config.start)), Path(config.start))
    losses = config.losses
    return Sam2Learner(
        predictor, MaskWeights(losses.focal, losses.dice, losses.iou, losses.presence)
    )
