"""Measure a tracker where objects leave the picture and return, by the option `presence`.

    python packaging/measure_leaving.py CLIPS [CLIPS ...] --model lite
    python packaging/measure_leaving.py CLIPS [CLIPS ...] --model lite --alone

CLIPS are folders of JPEGImages and Annotations, as make_leaving.py, make_pairs.py and DAVIS have
them. Printed for each folder and setting: of the objects that are away for at least 10 frames and
return, the share of these frames with a made-up mask, J and F after the return, and how many are
found again (a mean J of at least .5 on the last frames); of all others, J and F. The first
frame's masks are given. With `--alone` each object that leaves is followed by itself, as the view
does it on a CPU, and in whole frames.
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
Setting = tuple[str, LoadOptions]


def has_left(there: NDArray[np.bool_]) -> bool:
    """Return whether an object is away for long and returns, by the frames it is there on."""
    return bool((~there).sum() >= LEAST_AWAY and there[-1])


def outcome(truth: Sequence[BoolMask], masks: Sequence[BoolMask]) -> Outcome:
    """Return what became of one object, by its masks on all frames but the first."""
    there = np.array([mask.any() for mask in truth])
    away = np.flatnonzero(~there)
    left = has_left(there)
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
    folder: Path, name: str, options: LoadOptions, asked: argparse.Namespace
) -> Iterator[Outcome]:
    """Yield what became of each object of one clip; with `asked.alone`, of each that leaves."""
    video = open_video(folder / "JPEGImages" / name)
    length = min(asked.frames or len(video), len(video))
    paths = sorted((folder / "Annotations" / name).glob("*.png"))[:length]
    labels: list[Labels] = [read_labels(path) for path in paths]
    objects = [int(each) for each in np.unique(labels[0]) if each]
    truth = {each: [frame == each for frame in labels] for each in objects}
    there = {each: np.array([mask.any() for mask in truth[each][1:]]) for each in objects}
    together = [[each] for each in objects if has_left(there[each])] if asked.alone else [objects]
    for group in together:
        anchors = {0: {each: truth[each][0] for each in group}}
        found = dict(load_tracker(asked.model, video, options).track(anchors, range(length)))
        for each in group:
            yield outcome(truth[each][1:], [found[at][each].mask for at in range(1, length)])


def settings(size: int | None, *, alone: bool) -> list[Setting]:
    """Return what is compared."""
    if alone:
        return [
            (name, LoadOptions(size=size, follow=follow))
            for name, follow in (("the view follows", True), ("whole frames", False))
        ]
    return [
        (f"presence {name}", LoadOptions(size=size, presence=presence))
        for name, presence in (("off", False), ("the model's own", None), ("on", True))
    ]


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


def report(name: str, setting: str, found: Sequence[Outcome]) -> None:
    """Print the figures of one clip or folder."""
    sys.stdout.write(f"{name}, {setting}: {table(found)}\n")
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
    parser.add_argument("--alone", action="store_true", help="each object that leaves by itself")
    arguments = parser.parse_args()
    compared = settings(arguments.size, alone=arguments.alone)
    for folder in arguments.clips:
        names = sorted(path.name for path in (folder / "JPEGImages").iterdir())
        names = [name for name in names if not arguments.only or name in arguments.only]
        found: dict[str, list[Outcome]] = {setting: [] for setting, _ in compared}
        for name in names:
            for setting, options in compared:
                clip = list(outcomes(folder, name, options, arguments))
                found[setting] += clip
                report(name, setting, clip)
        for setting, total in found.items():
            report(folder.name, setting, total)
    return 0


if __name__ == "__main__":
    sys.exit(main())
