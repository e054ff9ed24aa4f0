"""Builds the detectors that read words."""

from dataclasses import replace

from models.api import Detector, Frames, LoadOptions
from models.runtime.device import pick_device
from models.text.grounding_dino import GroundingDino, Thresholds, load_network
from models.text.prompt import Vocabulary
from models.weights import store as weights


def load_detector(name: str, frames: Frames, options: LoadOptions) -> Detector:
    """Return the detector `name`, bound to `frames`.

    `options.size` is the short side at which a frame is seen (800 unless given). Raises
    WeightsMissingError or WeightsInvalidError.
    """
    path = weights.find(name, options.weights)
    vocabulary = Vocabulary.load(weights.find("bert-vocabulary"))
    device = pick_device(options.device, threads=options.threads)
    network = load_network(path).to(device)
    thresholds = Thresholds()
    if options.threshold is not None:
        thresholds = replace(thresholds, box=options.threshold)
        thresholds = replace(thresholds, text=min(thresholds.text, options.threshold))
    return GroundingDino(network, vocabulary, frames, thresholds, side=options.size)
