"""Fit how sure one may be of a mask, and say how well that holds on other sequences.

    python packaging/fit_confidence.py ROOT... --keep FILE [--size N,...] [--frames N]
        [--only SEQ,...] [--held-out SEQ,...] [--unseen SEQ,...] [--model NAME]

Each ROOT is a folder of JPEGImages and Annotations. Every sequence is propagated from the true
masks of its first frame, at each size, and healed from three more of them, as `bench heal --exact`
does; the model's score of each mask, at first and after each heal, is held against whether it is
right. FILE keeps what was measured: a clip that is in it is not measured again, and several calls
add to it. Prints the calibrations for `app.core.confidence` that fit the clips of one object and
those of several in FILE, and how well such ones hold on sequences that were left out of the fit,
one after the other. Clips count alike, however long they are. The sequences `--held-out`, and
clips that a part of them is in, take no part in any of this: the error on them is that of what is
in use. What is printed last is the error of so many clips of a kind as are drawn at random, again
and again, from all in FILE: what it says of a few.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.cli.bench.healing.command import clips
from app.cli.bench.healing.desk import SessionPlayer
from app.cli.bench.healing.play import Clip
from app.core.confidence import RIGHT, Calibration, calibration_of, probability
from models.api import LoadOptions
from models.registry import embedded, load_tracker

_STEPS = 30  # of Newton's method, which is done after ten or so
_SURE = 0.9  # from which on a person looks no more
_PENALTY = 1.0  # on the slope, in masks
_LEAST = 0.01  # scores below say no more
_MOST = (0.9, 0.91, 0.92, 0.93, 0.94, 0.95, 0.97, 0.99)  # scores that may be the last to count
_ROUNDS = 3  # heals
_CLIP = 30.0  # masks that each clip counts as
_BINS = 10
_AIM = 0.05  # error
_DRAWN = (1, 3, 8, 16)  # clips at once
_DRAWS = 1000

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Kept = dict[str, list[tuple[float, float]]]  # sequence@size -> score and IoU of its masks


@dataclass(frozen=True)
class Masks:
    """Masks (N,): of which sequence, at which size (0: the model's own), score, whether right."""

    names: NDArray[np.str_]
    sizes: NDArray[np.int64]
    scores: Floats
    right: Bools

    @classmethod
    def of(cls, kept: Kept) -> "Masks":
        """Return the masks of a file."""
        rows = [(*key.rsplit("@", 1), *mask) for key, masks in kept.items() for mask in masks]
        names, sizes, scores, ious = zip(*rows, strict=True)
        right = np.array(ious) >= RIGHT
        return cls(np.array(names), np.array(sizes, np.int64), np.array(scores), right)

    def only(self, chosen: Bools) -> "Masks":
        """Return those that are chosen, (N,)."""
        return Masks(
            self.names[chosen], self.sizes[chosen], self.scores[chosen], self.right[chosen]
        )

    @property
    def clips(self) -> NDArray[np.str_]:
        """The clip that each is of, (N,)."""
        return np.array([f"{n}@{size}" for n, size in zip(self.names, self.sizes, strict=True)])

    @property
    def weights(self) -> Floats:
        """What each counts, (N,): clips count alike."""
        clip = self.clips
        counts = Counter(clip)
        return np.array([_CLIP / counts[each] for each in clip])

    @property
    def paired(self) -> Bools:
        """Which are of a clip of two objects, (N,)."""
        return np.array(["-under-" in name or "-behind-" in name for name in self.names])

    @property
    def folds(self) -> Iterator[tuple[Bools, Bools]]:
        """For each sequence its masks, and those of others; what shares a part with it is none."""
        every = [str(each) for each in np.unique(self.names)]
        for name in every:
            others = [each for each in every if parts(name).isdisjoint(parts(each))]
            if others:
                yield self.names == name, np.isin(self.names, others)


def parts(name: str) -> set[str]:
    """Return the sequences that a clip is made of."""
    return set(name.replace("-under-", "-behind-").split("-behind-"))


def measure(clip: Clip, model: str, size: int) -> list[tuple[float, float]]:
    """Return score and IoU of the masks of a first propagation, and of all after each heal."""
    tracker = load_tracker(model, clip.video, LoadOptions(threads=1, size=size or None))
    first = clip.first_propagation(tracker)
    play = SessionPlayer(clip, tracker, None, "heal").play(first, _ROUNDS)
    return [
        (entry.score, iou)
        for entry, iou in play.made
        if entry.score is not None and entry.mask is not None
    ]


def fitted_to(masks: Masks, weights: Floats, most: float) -> Calibration:
    """Return the logistic regression (Newton's method, ridge penalty) on scores up to `most`."""
    scores = np.clip(masks.scores, _LEAST, most)
    inputs = np.column_stack([np.ones_like(scores), np.log(scores / (1 - scores))])
    penalty, found = np.diag([1e-6, _PENALTY]), np.zeros(2)
    for _ in range(_STEPS):
        said = 1 / (1 + np.exp(-inputs @ found))
        slope = inputs.T @ (weights * (masks.right - said)) - penalty @ found
        bend = (inputs * (weights * said * (1 - said))[:, None]).T @ inputs + penalty
        step = np.linalg.solve(bend, slope)
        found = found + step
        if np.abs(step).max() < 1e-6:
            break
    return Calibration(float(found[0]), float(found[1]), most)


def said_by(calibration: Calibration, scores: Floats) -> Floats:
    """Return the probability of each score, (N,)."""
    return np.array([probability(float(score), calibration) for score in scores])


def choices(masks: Masks) -> dict[float, tuple[float, float]]:
    """Return for each last score that counts what it costs on clips of sequences left out.

    That is the mean of their errors, which is what whoever measures a few clips sees, and the log
    loss.
    """
    weights, found = masks.weights, {}
    for most in _MOST:
        said = np.full(len(masks.scores), 0.5)
        for own, others in masks.folds:
            fit = fitted_to(masks.only(others), weights[others], most)
            said[own] = said_by(fit, masks.scores[own])
        lost = float(np.average(loss(said, masks.right), weights=weights))
        found[most] = (float(clip_errors(masks, said).mean()), lost)
    return found


def fitted(masks: Masks) -> Calibration:
    """Return the calibration whose last score that counts has the least error on clips left out.

    Hundredths are what such errors are sure of; of what is alike in them the log loss decides.
    """
    costs = {(round(wrong, 2), lost): most for most, (wrong, lost) in choices(masks).items()}
    return fitted_to(masks, masks.weights, costs[min(costs)])


def held_back(masks: Masks) -> Floats:
    """Return the confidence in each mask, (N,), by a calibration that never saw its sequence."""
    said = np.full(len(masks.scores), 0.5)
    for own, others in masks.folds:
        said[own] = said_by(fitted(masks.only(others)), masks.scores[own])
    return said


def by_kind(masks: Masks, say: Callable[[Masks, int], Floats]) -> Floats:
    """Return what `say` does, (N,), of the masks of clips of one object, and of those of two."""
    said = np.full(len(masks.scores), 0.5)
    for objects, kind in ((1, ~masks.paired), (2, masks.paired)):
        if kind.any():
            said[kind] = say(masks.only(kind), objects)
    return said


def in_use(masks: Masks, model: str) -> Floats:
    """Return the confidence in each mask, (N,), that the window shows."""
    return by_kind(
        masks, lambda alike, objects: said_by(calibration_of(model, objects), alike.scores)
    )


def loss(said: Floats, right: Bools) -> Floats:
    """Return the negative log likelihood of each mask, (N,)."""
    lost: Floats = -np.log(np.where(right, said, 1 - said).clip(1e-6))
    return lost


def bins(said: Floats) -> Iterator[tuple[float, Bools]]:
    """Yield the low end of each bin of confidence that holds any, and which masks it holds."""
    index = np.minimum((said * _BINS).astype(int), _BINS - 1)
    for each in range(_BINS):
        if (index == each).any():
            yield each / _BINS, index == each


def error(said: Floats, right: Bools, weights: Floats) -> float:
    """Return the expected calibration error (Guo et al. 2017)."""
    gaps = [abs((weights * (said - right))[inside].sum()) for _, inside in bins(said)]
    return float(sum(gaps) / weights.sum())


def clip_errors(masks: Masks, said: Floats) -> Floats:
    """Return the error of each clip, (C,)."""
    clip = masks.clips
    return np.array(
        [
            error(said[clip == each], masks.right[clip == each], np.ones((clip == each).sum()))
            for each in np.unique(clip)
        ]
    )


def kinds(masks: Masks) -> dict[str, Bools]:
    """Return which masks are of clips of each kind that there is: objects, size."""
    found = {}
    for size in np.unique(masks.sizes):
        where = f"at {size} pixels" if size else "at the model's size"
        found[f"single objects {where}"] = ~masks.paired & (masks.sizes == size)
        found[f"pairs {where}"] = masks.paired & (masks.sizes == size)
    return {name: kind for name, kind in found.items() if kind.any()}


def report(masks: Masks, said: Floats, unseen: set[str]) -> Iterator[str]:
    """Yield the lines of a table: all masks, and those of clips of a kind."""
    groups = {"all": np.ones(len(said), np.bool_), **kinds(masks)}
    groups["not seen in training"] = np.array([parts(name) <= unseen for name in masks.names])
    yield f"| masks | number | error | a clip's | log loss | right, of {_SURE:.0%} and more |"
    yield "|---" * 6 + "|"
    for name, chosen in groups.items():
        if chosen.any():
            yield f"| {name} | {row(masks.only(chosen), said[chosen])} |"


def row(masks: Masks, said: Floats) -> str:
    """Return what stands in a line of such a table."""
    right, weights = masks.right, masks.weights
    sure, lost = said >= _SURE, np.average(loss(said, right), weights=weights)
    share = f"{np.average(right[sure], weights=weights[sure]):.1%}" if sure.any() else ""
    errors = f"{error(said, right, weights):.3f} | {clip_errors(masks, said).mean():.3f}"
    return f"{len(right)} | {errors} | {lost:.3f} | {share} of {sure.sum()}"


def weighed(masks: Masks) -> Iterator[str]:
    """Yield the lines of a table: what each last score that counts costs on a clip left out."""
    yield "| last score | a clip's error | log loss |"
    yield "|---" * 3 + "|"
    for most, (wrong, lost) in choices(masks).items():
        yield f"| {most} | {wrong:.3f} | {lost:.3f} |"


def drawn(masks: Masks, said: Floats) -> Iterator[str]:
    """Yield the lines of a table: the error of so many clips of a kind, drawn with replacement.

    Masks count alike, as in `bench heal`. By chance alone is the median error where each mask is
    right as often as is said, whatever the others of its clip are.
    """
    yield f"| of | clips | error: median | nine in ten | up to {_AIM} | by chance alone |"
    yield "|---" * 6 + "|"
    rng = np.random.default_rng(0)
    for name, kind in kinds(masks).items():
        clip = masks.clips
        every = [np.flatnonzero(clip == each) for each in np.unique(clip[kind])]
        for count in (*(each for each in _DRAWN if each < len(every)), len(every)):
            draws = rng.integers(len(every), size=(_DRAWS, count))
            found = [np.concatenate([every[index] for index in draw]) for draw in draws]
            errors, least = (
                np.array([error(said[each], right[each], np.ones(len(each))) for each in found])
                for right in (masks.right, rng.random(len(said)) < said)
            )
            low, median, high = np.quantile(errors, (0.05, 0.5, 0.95))
            yield (
                f"| {name} | {count} of {len(every)} | {median:.3f} | {low:.3f} to {high:.3f} "
                f"| {(errors <= _AIM).mean():.0%} | {np.median(least):.3f} |"
            )


def table(masks: Masks, said: Floats) -> Iterator[str]:
    """Yield the lines of a reliability table."""
    yield "| confidence | masks | said | right |"
    yield "|---" * 4 + "|"
    for low, inside in bins(said):
        likely, right = (
            np.average(each[inside], weights=masks.weights[inside]) for each in (said, masks.right)
        )
        yield f"| {low:.1f} to {low + 0.1:.1f} | {inside.sum()} | {likely:.2f} | {right:.2f} |"


def add(kept: Kept, arguments: argparse.Namespace) -> None:
    """Measure what is asked for and not in the file yet, and write that."""
    only = arguments.only.split(",") if arguments.only else None
    for root, size in ((root, size) for size in arguments.size for root in arguments.roots):
        for clip in clips(root, only, arguments.frames):
            name = f"{clip.name}@{size}"
            if name not in kept:
                kept[name] = measure(clip, arguments.model, size)
                sys.stderr.write(f"{name}: {len(kept[name])} masks\n")
                arguments.keep.write_text(json.dumps(kept, indent=0) + "\n")


def numbers(text: str) -> list[int]:
    """Return whole numbers that commas part."""
    return [int(part) for part in text.split(",")]


def write(lines: Iterable[str]) -> None:
    """Write lines, and an empty one."""
    sys.stdout.write("\n".join(lines) + "\n\n")


def tell(masks: Masks, held_out: Masks, model: str, unseen: set[str]) -> None:
    """Fit and print."""

    def fit(alike: Masks, objects: int) -> Floats:
        write([f"Of {objects}: {fitted(alike)}", "", *weighed(alike)])
        return held_back(alike)

    said = by_kind(masks, fit)
    write(["On sequences that were left out of the fit:", "", *report(masks, said, unseen)])
    write(table(masks, said))

    now = in_use(masks, model)
    write(["What is in use, on all of them:", "", *report(masks, now, unseen)])
    if len(held_out.scores):
        held = in_use(held_out, model)
        write(["What is in use, held out:", "", *report(held_out, held, unseen)])
        write(table(held_out, held))


def main() -> int:
    """Measure, fit and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("roots", nargs="*", type=Path, metavar="ROOT")
    parser.add_argument("--keep", type=Path, required=True, metavar="FILE")
    parser.add_argument("--size", type=numbers, default=[0], metavar="N,...", help="0: its own")
    parser.add_argument("--frames", type=int, metavar="N", help="of each sequence at most")
    parser.add_argument("--only", metavar="SEQ,...")
    parser.add_argument("--held-out", default="", metavar="SEQ,...")
    parser.add_argument("--unseen", default="", metavar="SEQ,...")
    parser.add_argument("--model", default=embedded(), metavar="NAME")
    arguments = parser.parse_args()
    kept = json.loads(arguments.keep.read_text()) if arguments.keep.exists() else {}
    add(kept, arguments)
    if not kept:
        parser.error("FILE has no clip, and no ROOT is given. Give a folder of clips.")
    every, unseen = Masks.of(kept), set(arguments.unseen.split(","))
    held_out = set(arguments.held_out.split(","))
    out = np.array(
        [name in held_out or not parts(name).isdisjoint(held_out) for name in every.names]
    )
    tell(every.only(~out), every.only(out), arguments.model, unseen)
    drawings = drawn(every, in_use(every, arguments.model))
    write(["What is in use, on clips drawn at random from all:", "", *drawings])
    return 0


if __name__ == "__main__":
    sys.exit(main())
