"""Make held-out pairs: the object of one sequence pasted over another, so that the two cross.

    python packaging/make_pairs.py DAVIS OUT [--pairs A-under-B,A-behind-B,...]

DAVIS is a folder of JPEGImages and Annotations with the six sequences that no training reads. OUT
gets the same layout: eight clips of two objects with exact labels, 1 the sequence's own object and
2 the pasted one. In half of them the pasted object passes behind, in two it is the same object
once more. Other pairs are named by `--pairs`. The same files come out each time.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.storage.files.writing import atomic_folder
from app.storage.formats.palette import encode_palette_png
from models.training.data.pictures import (
    Frame,
    TrainingDataError,
    lay_pair,
    read_image,
    read_labels,
    resize,
)

SEED = 6
LENGTH = 40
QUALITY = 95
EDGE = 0.14  # share of the width at which the pasted object starts and ends


@dataclass(frozen=True)
class Pair:
    """One clip: what it is called, the two sequences, and which object passes in front."""

    below: str
    above: str
    behind: bool

    @classmethod
    def named(cls, name: str) -> "Pair":
        """Return the pair of a clip's name."""
        below, way, above = re.split("-(behind|under)-", name)
        return cls(below, above, way == "behind")

    @property
    def name(self) -> str:
        """Name both objects, and how they pass."""
        return f"{self.below}-{'behind' if self.behind else 'under'}-{self.above}"


PAIRS = (
    Pair("dance-jump", "tennis", behind=False),
    Pair("horsejump-low", "stroller", behind=True),
    Pair("motorbike", "horsejump-low", behind=False),
    Pair("soccerball", "dance-jump", behind=True),
    Pair("stroller", "motorbike", behind=False),
    Pair("tennis", "soccerball", behind=False),
    Pair("tennis", "tennis", behind=True),
    Pair("horsejump-low", "horsejump-low", behind=True),
)


def clip(root: Path, sequence: str, rng: np.random.Generator) -> list[Frame]:
    """Return LENGTH neighbouring frames of one sequence, from a random one on."""
    paths = sorted((root / "JPEGImages" / sequence).glob("*.jpg"))
    if len(paths) < LENGTH:
        raise TrainingDataError(f"{root} has no {LENGTH} frames of {sequence}. Fetch the data set.")
    start = int(rng.integers(len(paths) - LENGTH + 1))
    masks = root / "Annotations" / sequence
    return [
        (read_image(path), read_labels(masks / f"{path.stem}.png"))
        for path in paths[start : start + LENGTH]
    ]


def center(frame: Frame) -> NDArray[np.float64]:
    """Return the object's centre of mass, (y, x)."""
    rows, columns = np.nonzero(frame[1])
    if not rows.size:
        raise TrainingDataError("A frame to cut from shows no object. Fetch the data set again.")
    return np.array([rows.mean(), columns.mean()])


def path_across(below: Sequence[Frame], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the pasted object's centre (y, x) for each frame.

    It starts at the side that the other object is farther from, meets it in the middle of the clip,
    and ends at the opposite side.
    """
    height, width = below[0][1].shape
    meeting = center(below[LENGTH // 2])
    left, right = EDGE * width, (1 - EDGE) * width
    starts_left = center(below[0])[1] > width / 2
    ends = (left, right) if starts_left else (right, left)
    rise = rng.uniform(-0.08, 0.08, 2) * height
    times = (0, LENGTH // 2, LENGTH - 1)
    at = np.arange(LENGTH)
    y = np.interp(at, times, (meeting[0] + rise[0], meeting[0], meeting[0] + rise[1]))
    x = np.interp(at, times, (ends[0], meeting[1], ends[1]))
    return np.stack([y, x], axis=1)


def draw(root: Path, pair: Pair, rng: np.random.Generator) -> Iterator[Frame]:
    """Yield the frames of one pair."""
    below, above = clip(root, pair.below, rng), clip(root, pair.above, rng)
    if pair.above == pair.below:
        above.reverse()  # another pose at each moment
    elif rng.random() < 0.5:
        above = [(image[:, ::-1], labels[:, ::-1]) for image, labels in above]
    areas = [np.mean([np.count_nonzero(labels) for _, labels in part]) for part in (below, above)]
    scale = (areas[0] / areas[1]) ** 0.25  # half way from its own size to the other's
    for frame, top, at in zip(below, above, path_across(below, rng), strict=True):
        height, width = top[1].shape
        small = resize(*top, (round(height * scale), round(width * scale)))
        offset = np.round(at - center(small)).astype(int)
        yield lay_pair(frame, small, (int(offset[0]), int(offset[1])), behind=pair.behind)


def write(folder: Path, name: str, frames: Iterator[Frame]) -> None:
    """Write one clip as JPEGs and palette PNGs."""
    images, masks = folder / "JPEGImages" / name, folder / "Annotations" / name
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    for index, (image, labels) in enumerate(frames):
        options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
        (images / f"{index:05d}.jpg").write_bytes(jpeg.tobytes())
        (masks / f"{index:05d}.png").write_bytes(encode_palette_png(labels))


def main() -> int:
    """Write all pairs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("davis", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pairs", metavar="NAME,...", help="other pairs than the eight")
    arguments = parser.parse_args()
    named = arguments.pairs.split(",") if arguments.pairs else []
    with atomic_folder(arguments.out) as fresh:
        for number, pair in enumerate([Pair.named(name) for name in named] or PAIRS):
            rng = np.random.default_rng([SEED, number])
            write(fresh, pair.name, draw(arguments.davis, pair, rng))
            sys.stdout.write(f"{pair.name}: {LENGTH} frames\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
