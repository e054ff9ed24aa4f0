"""Builds the models of this package."""

import cv2

from models.api import Frames, LoadOptions, Segmenter, Tracker
from models.classic.segmenter import ClassicSegmenter
from models.classic.tracker import ClassicTracker


def load_tracker(name: str, frames: Frames, options: LoadOptions) -> Tracker:  # noqa: ARG001
    """Return the tracker; scales and flip do not apply to it."""
    _bound_threads(options)
    return ClassicTracker(frames, short_side=options.size)


def load_segmenter(name: str, frames: Frames, options: LoadOptions) -> Segmenter:  # noqa: ARG001
    """Return the segmenter."""
    _bound_threads(options)
    return ClassicSegmenter(frames)


def _bound_threads(options: LoadOptions) -> None:
    if options.threads > 0:
        cv2.setNumThreads(options.threads)
