"""Measure whether it matters which frame an object is followed from.

    python packaging/measure_anchors.py ROOT [--only SEQ,...] [--size N] [--frames N]
        [--threads N] [--no-follow] [--model NAME]

ROOT is a folder of JPEGImages and Annotations, with one object a sequence. It is followed from its
true mask on the first frame to the end, and from that on the frame in the middle to both ends.
Printed for each sequence: J&F of the passes from the first frame, and from the middle forwards and
backwards; of the frames between, the median and the mean IoU of the masks that come from the first
frame with those from the middle; and the CPU time of a frame.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.cli.bench.healing.command import clips
from app.cli.bench.healing.play import Clip
from app.core.evaluate import boundary_f, jaccard
from models.api import BoolMask, LoadOptions
from models.registry import embedded, load_tracker

Masks = Mapping[int, BoolMask]  # by frame


class Way(NamedTuple):
    """What came of following an object from one frame."""

    masks: Masks  # the given one is not among them
    jf: float
    seconds: float  # of all frames, in CPU time


def follow(clip: Clip, anchor: int, frames: Sequence[int], asked: argparse.Namespace) -> Way:
    """Return what comes of the true mask on the frame `anchor`, which is the first of `frames`."""
    (number,) = clip.numbers
    options = LoadOptions(
        "cpu", asked.threads, size=asked.size, follow=False if asked.no_follow else None
    )
    tracker = load_tracker(asked.model, clip.video, options)
    begun = time.process_time()
    anchors = {anchor: {number: clip.truth(anchor, number)}}
    masks = {frame: found[number].mask for frame, found in tracker.track(anchors, frames)}
    seconds = time.process_time() - begun
    del masks[anchor]
    pairs = [(clip.truth(frame, number), mask) for frame, mask in masks.items()]
    jf = float(np.mean([(jaccard(*pair) + boundary_f(*pair)) / 2 for pair in pairs]))
    return Way(masks, jf, seconds)


def measured(clip: Clip, asked: argparse.Namespace) -> list[float]:
    """Return the figures of a sequence, as they are printed."""
    middle = clip.count // 2
    ways = [
        follow(clip, 0, range(clip.count), asked),
        follow(clip, middle, range(middle, clip.count), asked),
        follow(clip, middle, range(middle, -1, -1), asked),
    ]
    first, *others = (way.masks for way in ways)
    alike = [
        jaccard(first[frame], mask)
        for masks in others
        for frame, mask in masks.items()
        if frame in first
    ]
    seconds = sum(way.seconds for way in ways) / sum(len(way.masks) + 1 for way in ways)
    return [*(way.jf for way in ways), float(np.median(alike)), float(np.mean(alike)), seconds]


def line(name: str, figures: Sequence[float]) -> str:
    """Return a line of the table."""
    return f"| {name} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |\n"


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, metavar="ROOT")
    parser.add_argument("--only", metavar="SEQ,...")
    parser.add_argument("--size", type=int, metavar="N")
    parser.add_argument("--frames", type=int, metavar="N", help="of each sequence at most")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--no-follow", action="store_true")
    parser.add_argument("--model", default=embedded(), metavar="NAME")
    asked = parser.parse_args()
    heads = ("first", "forwards", "backwards", "median IoU", "mean IoU", "s a frame")
    sys.stdout.write("| sequence | " + " | ".join(heads) + " |\n" + "|---" * 7 + "|\n")
    found = []
    only = asked.only.split(",") if asked.only else None
    for clip in clips(asked.root, only, asked.frames):
        found.append(measured(clip, asked))
        sys.stdout.write(line(clip.name, found[-1]))
        sys.stdout.flush()
    sys.stdout.write(line("mean", np.mean(found, axis=0).tolist()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
