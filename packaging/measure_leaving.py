"""Measure a tracker where objects leave the picture and return, by the option `presence`.

    python packaging/measure_leaving.py CLIPS [CLIPS ...] --model lite

CLIPS are folders of JPEGImages and Annotations, as make_leaving.py, make_pairs.py and DAVIS have
them. Printed for each folder and setting: of the objects that are away for at least 10 frames and
return, the share of these frames with a made-up mask, J and F after the return, and how many are
found again (a mean J of at least .5 on the last frames); of all others, J and F. The first
frame's masks are given.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.core.evaluate import boundary_f, jaccard
from app.storage.video.opening import open_video
from models.api import BoolMask, LoadOptions
from models.registry import load_tracker
from models.training.data.pictures import Labels, read_labels

LEAST_AWAY = 10  # frames, from which an object counts as one that left
LAST = 5  # frames, on which it is asked whether the object was found again
FOUND = 0.5  # mean J


class Returned(NamedTuple):
    """What became of an object that left and returned."""

    absent: int  # frames
    made_up: int  # of these
    j: float
    f: float
    found: bool


class Followed(NamedTuple):
    """What became of an object that did not leave for long."""

    j: float
    f: float


Outcome = Returned | Followed


def outcome(truth: Sequence[BoolMask], masks: Sequence[BoolMask]) -> Outcome:
    """Return what became of one object, by its masks on all frames but the first."""
    there = np.array([mask.any() for mask in truth])
    away = np.flatnonzero(~there)
    left = away.size >= LEAST_AWAY and there[-1]
    asked = np.flatnonzero(there)
    if left:
        asked = asked[asked > away[-1]]
    pairs = [(truth[at], masks[at]) for at in asked.tolist()]
    j = [jaccard(*pair) for pair in pairs]
    f = [boundary_f(*pair) for pair in pairs]
    means = float(np.mean(j)), float(np.mean(f))
    if not left:
        return Followed(*means)
    made_up = sum(bool(masks[at].any()) for at in away.tolist())
    return Returned(away.size, made_up, *means, found=float(np.mean(j[-LAST:])) >= FOUND)


def outcomes(
    folder: Path, name: str, model: str, options: LoadOptions, limit: int
) -> Iterator[Outcome]:
    """Yield what became of each object of one clip."""
    video = open_video(folder / "JPEGImages" / name)
    length = min(limit or len(video), len(video))
    paths = sorted((folder / "Annotations" / name).glob("*.png"))[:length]
    labels: list[Labels] = [read_labels(path) for path in paths]
    objects = [int(each) for each in np.unique(labels[0]) if each]
    anchors = {0: {each: labels[0] == each for each in objects}}
    found = dict(load_tracker(model, video, options).track(anchors, range(length)))
    for each in objects:
        truth = [frame == each for frame in labels[1:]]
        yield outcome(truth, [found[at][each].mask for at in range(1, length)])


def table(found: Sequence[Outcome]) -> str:
    """Return the figures of many objects on one line."""
    returned = [each for each in found if isinstance(each, Returned)]
    followed: NDArray[np.float64] = np.array([e for e in found if isinstance(e, Followed)])
    parts = []
    if returned:
        share = sum(each.made_up for each in returned) / sum(each.absent for each in returned)
        j, f = (np.mean([(each.j, each.f) for each in returned], axis=0)).tolist()
        again = sum(each.found for each in returned)
        parts += [f"made up {share:.0%}", f"after J {j:.3f} F {f:.3f}"]
        parts += [f"found {again} of {len(returned)}"]
    if followed.size:
        j, f = followed.mean(axis=0).tolist()
        parts += [f"others J {j:.3f} F {f:.3f} J&F {(j + f) / 2:.3f}"]
    return ", ".join(parts)


def report(name: str, found: Sequence[Outcome], *, presence: bool | None) -> None:
    """Print the figures of one clip or folder."""
    setting = {False: "off", None: "the model's own", True: "on"}[presence]
    sys.stdout.write(f"{name}, presence {setting}: {table(found)}\n")
    sys.stdout.flush()


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--model", default="lite")
    parser.add_argument("--size", type=int)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these clips alone")
    parser.add_argument("--frames", type=int, default=0, help="of each clip at most; 0 = all")
    arguments = parser.parse_args()
    for folder in arguments.clips:
        names = sorted(path.name for path in (folder / "JPEGImages").iterdir())
        names = [name for name in names if not arguments.only or name in arguments.only]
        found: dict[bool | None, list[Outcome]] = {False: [], None: [], True: []}
        for name in names:
            for presence in found:
                options = LoadOptions(size=arguments.size, presence=presence)
                clip = list(outcomes(folder, name, arguments.model, options, arguments.frames))
                found[presence] += clip
                report(name, clip, presence=presence)
        for presence, total in found.items():
            report(folder.name, total, presence=presence)
    return 0


if __name__ == "__main__":
    sys.exit(main())
