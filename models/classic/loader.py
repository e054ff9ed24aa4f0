"""The loaders of the models of this package."""

import cv2

from models.api import Frames, LoadOptions, OptionError, Segmenter, Tracker
from models.classic.segmenter import ClassicSegmenter
from models.classic.tracker import ClassicTracker


def load_tracker(name: str, frames: Frames, options: LoadOptions) -> Tracker:  # noqa: ARG001
    """Return the tracker; scales and flip do not apply to it. Raises OptionError."""
    _obey(options)
    return ClassicTracker(frames, short_side=options.size)


def load_segmenter(name: str, frames: Frames, options: LoadOptions) -> Segmenter:  # noqa: ARG001
    """Return the segmenter. Raises OptionError."""
    _obey(options)
    return ClassicSegmenter(frames)


def _obey(options: LoadOptions) -> None:
    if options.weights is not None:
        raise OptionError("The model classic has no weights: leave --weights out.")
    if options.device not in {"auto", "cpu"}:
        # It computes on the CPU whatever the device, but a command says the same of all models.
        from models.runtime.device import pick_device  # noqa: PLC0415 - loads torch

        pick_device(options.device)
    if options.threads > 0:
        cv2.setNumThreads(options.threads)
