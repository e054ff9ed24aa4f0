"""Builds the detectors that read words."""

from dataclasses import replace
from pathlib import Path

from models.api import Detector, Frames, LoadOptions, OptionError
from models.runtime.device import pick_device
from models.text.clip_vocabulary import ClipVocabulary
from models.text.grounding_dino import GroundingDino, Thresholds, load_network
from models.text.prompt import Vocabulary
from models.text.sam3 import Sam3
from models.text.sam3 import load_network as load_sam3
from models.weights import store as weights


def load_detector(name: str, frames: Frames, options: LoadOptions) -> Detector:
    """Return the detector `name`, bound to `frames`.

    `options.size` is the short side at which a frame is seen (800 unless given). Raises
    WeightsMissingError, WeightsInvalidError, or OptionError for another size of sam3.
    """
    path = weights.find(name, options.weights)
    if name == "sam3":
        return _load_sam3(path, frames, options)
    vocabulary = Vocabulary.load(weights.find("bert-vocabulary"))
    device = pick_device(options.device, threads=options.threads)
    network = load_network(path).to(device)
    thresholds = Thresholds()
    if options.threshold is not None:
        thresholds = replace(thresholds, box=options.threshold)
        thresholds = replace(thresholds, text=min(thresholds.text, options.threshold))
    return GroundingDino(network, vocabulary, frames, thresholds, side=options.size)


def _load_sam3(path: Path, frames: Frames, options: LoadOptions) -> Detector:
    if options.size is not None:
        raise OptionError("sam3 sees frames in one size only: leave --size out.")
    vocabulary = ClipVocabulary(weights.find("clip-vocabulary"))
    device = pick_device(options.device, threads=options.threads)
    return Sam3(load_sam3(path).to(device), vocabulary, frames, options.threshold)
