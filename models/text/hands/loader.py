"""Builds the detector of hands."""

from models.api import Detector, Frames, LoadOptions
from models.runtime.device import pick_device
from models.text.hands.detector import HandDetector
from models.text.hands.graph import Graph
from models.weights import store as weights


def load_detector(name: str, frames: Frames, options: LoadOptions) -> Detector:
    """Return the detector, bound to `frames`.

    `options.weights` is the palm network's file. Raises WeightsMissingError or WeightsInvalidError.
    """
    palms = weights.find(name, options.weights)
    marks = weights.find("hand-landmarks")
    device = pick_device(options.device, threads=options.threads)
    return HandDetector(
        Graph.load(palms, device),
        Graph.load(marks, device),
        frames,
        device,
        threshold=options.threshold,
    )
