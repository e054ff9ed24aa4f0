"""Builds the models of this package by name."""

from models.api import Frames, LoadOptions, OptionError, Tracker
from models.runtime.device import pick_device
from models.vmos.config import VmosConfig
from models.vmos.network.network import Vmos
from models.vmos.tracker import VmosTracker
from models.weights import store as weights
from models.weights.checkpoint import load_strict, read_state


def load_tracker(name: str, frames: Frames, options: LoadOptions) -> Tracker:
    """Return the video model `name`, bound to `frames`.

    Raises WeightsMissingError, WeightsInvalidError, or OptionError where scales or flip are asked
    for.
    """
    if options.scales or options.flip:
        raise OptionError(f"{name} has no fusion of scales or flips: leave them out.")
    path = weights.find(name, options.weights)
    device = pick_device(options.device, threads=options.threads)
    network = Vmos(VmosConfig())
    load_strict(network, read_state(path), path)
    return VmosTracker(network.eval().to(device), frames, side=options.size)
