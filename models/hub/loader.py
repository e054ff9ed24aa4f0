"""Builds the trackers of this package by name."""

import transformers

from models.api import Frames, LoadOptions, OptionError, Tracker
from models.hub.kinds import KINDS
from models.hub.tracker import HubTracker
from models.runtime.device import pick_device
from models.weights import store as weights
from models.weights.pretrained import load_pretrained


def load_tracker(name: str, frames: Frames, options: LoadOptions) -> Tracker:
    """Return the video model `name`, bound to `frames`.

    `options.size` is the side of the square that a frame is squeezed into. Raises
    WeightsMissingError, WeightsInvalidError, or OptionError where scales or flip are asked for, or
    the installed library has no such model.
    """
    if options.scales or options.flip:
        raise OptionError(f"{name} has no fusion of scales or flips: leave them out.")
    kind = KINDS[name]
    path = weights.find(name, options.weights)
    model = getattr(transformers, kind.model, None)
    if model is None:
        raise OptionError(
            f"transformers {transformers.__version__} has no {kind.model}. Install a newer one: "
            f"`pip install 'transformers>=5'`."
        )
    device = pick_device(options.device, threads=options.threads)
    loaded = load_pretrained(model, kind.config(options.size or None), path)
    return HubTracker(loaded.to(device), kind, frames)
