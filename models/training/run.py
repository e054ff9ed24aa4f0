"""From a config file to a running trainer: data rendered, features cached, network built."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import torch

from models import compact
from models.api import ModelError
from models.checkpoint import load_strict, read_state
from models.cutie import config as networks
from models.cutie.config import NetworkConfig
from models.cutie.network import Network
from models.encoders.hiera import HieraEncoder
from models.training.config import DataSet, TrainConfig, TrainingConfigError
from models.training.encoding import frozen_part
from models.training.features import CachedSequence, build_cache
from models.training.pasting import PasteSource
from models.training.sequences import DavisSource, SequenceSource
from models.training.stills import StillSource
from models.training.trainer import Trainer, Validate

NETWORKS: dict[str, NetworkConfig] = {
    "lite": networks.LITE,
    "cutie-small": networks.CUTIE_SMALL,
    "cutie-base": networks.CUTIE_BASE,
    "hiera-depth": networks.HIERA_DEPTH,
    "css": networks.CSS,
}


def prepare(
    config: TrainConfig,
    *,
    device: torch.device,
    validate: Validate | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Trainer:
    """Return a trainer that is ready to run; renders and encodes the data where it is not there.

    Raises TrainingConfigError, TrainingDataError or ModelError, before anything is trained.
    """
    network = build_network(config).to(device).eval()
    frozen = config.optimiser.encoder_rate == 0
    encode = frozen_part(network) if frozen else None
    cache = Path(config.cache)
    data: dict[str, list[CachedSequence]] = {}
    for item in config.data:
        folder = cache / f"{item.name}-{_fingerprint(item, config, frozen=frozen)}"
        data[item.name] = build_cache(source_of(item), folder, encode, report=report)
    return Trainer(config, network, data, device=device, validate=validate, report=report)


def build_network(config: TrainConfig) -> Network:
    """Return the network with the weights that it starts from, the rest drawn from the seed."""
    if config.model not in NETWORKS:
        known = ", ".join(NETWORKS)
        raise TrainingConfigError(f"There is no network {config.model!r}. Use one of: {known}.")
    torch.manual_seed(config.seed)
    network = Network(NETWORKS[config.model])
    if config.encoder:
        load_encoder(network, Path(config.encoder))
    if config.start:
        load_strict(network, read_state(Path(config.start)), Path(config.start))
    return network


def load_encoder(network: Network, path: Path) -> None:
    """Load SAM 2's image encoder from an official file into the network's Hiera encoder."""
    encoder = getattr(network.pixel_encoder, "visual", network.pixel_encoder)
    if not isinstance(encoder, HieraEncoder):
        raise ModelError(f"{path} is for a Hiera encoder, which this network has not.")
    load_strict(encoder, encoder.select(read_state(path)), path)


def save_result(trainer: Trainer, path: Path) -> None:
    """Write the averaged weights, as a plain state dict in full precision."""
    path.parent.mkdir(parents=True, exist_ok=True)
    compact.save(path, trainer.averaged(), notice={})


def source_of(item: DataSet) -> SequenceSource:
    """Return the sequences that a config's data set names."""
    root = Path(item.root)
    davis = DavisSource(root, item.size, item.only, item.without, item.mirrored)
    if item.kind in {"davis", "visor"}:
        return davis
    if item.kind == "paste":
        return PasteSource(davis, item.count, item.length, seed=item.seed)
    if item.kind == "stills":
        return StillSource(root / "images", root / "masks", item.size, item.count, item.seed)
    raise TrainingConfigError(
        f"data set {item.name}: there is no kind {item.kind!r}. Use davis, visor, paste or stills."
    )


def _fingerprint(item: DataSet, config: TrainConfig, *, frozen: bool) -> str:
    """Name what a cached sequence depends on, so that another config never reads a wrong one."""
    parts = [item.kind, item.root, item.size, item.only, item.without, item.mirrored, item.seed]
    if item.kind in {"paste", "stills"}:
        parts += [item.count, item.length]
    if frozen:
        parts += [config.model, config.encoder, config.start]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
