"""The models without weights keep the contracts."""

from models.api import LoadOptions
from models.registry import load_segmenter, load_tracker
from tests.models.contract import NarrowFramesContract, SegmenterContract, TrackerContract


class TestClassicTracker(TrackerContract, NarrowFramesContract):
    load = staticmethod(lambda frames: load_tracker("classic", frames, LoadOptions()))


class TestClassicSegmenter(SegmenterContract):
    load = staticmethod(lambda frames: load_segmenter("classic", frames, LoadOptions()))
