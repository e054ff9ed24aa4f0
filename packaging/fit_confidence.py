"""Fit how sure one may be of a mask, and say how well that holds on other sequences.

    python packaging/fit_confidence.py ROOT... [--model NAME] [--size N] [--only SEQ,...]

Each ROOT is a folder of JPEGImages and Annotations. Every sequence is propagated from the true
masks of its first frame; the model's score of each mask is held against whether it is right.
Prints the calibration for `app.core.confidence`, the calibration error on sequences that were left
out of the fit, one after the other, and how well the calibration in use holds on all of them.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.cli.bench.healing.command import clips
from app.cli.bench.healing.play import Clip
from app.cli.bench.healing.report import calibration_error
from app.core.confidence import RIGHT, Calibration, calibration_of, log_odds
from models.api import LoadOptions
from models.registry import embedded, load_tracker

_STEPS = 30  # of Newton's method, which is done after ten or so
_SURE = 0.9  # from which on a person looks no more
_PENALTY = 1.0  # on the weights, in masks


class Sample(NamedTuple):
    """One mask: of which sequence, the log odds of its score, whether it is right."""

    sequence: str
    score: float
    right: bool


def samples(clip: Clip, model: str, options: LoadOptions) -> Iterator[Sample]:
    """Yield the masks of a first propagation."""
    entries = clip.first_propagation(load_tracker(model, clip.video, options))
    for key in clip.scored:
        entry = entries[key]
        if entry.score is not None:
            right = clip.quality(key, entry.mask).j >= RIGHT
            yield Sample(clip.name, log_odds(entry.score), right)


def fitted(found: Sequence[Sample]) -> Calibration:
    """Return bias and slope of a logistic regression (Newton's method, ridge penalty)."""
    scores = np.array([sample.score for sample in found], np.float64)
    right = np.array([sample.right for sample in found], np.float64)
    inputs = np.column_stack([np.ones_like(scores), scores])
    penalty = np.diag([1e-6, _PENALTY])
    weights = np.zeros(2)
    for _ in range(_STEPS):
        said = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (right - said) - penalty @ weights
        bend = (inputs * (said * (1 - said))[:, None]).T @ inputs + penalty
        weights = weights + np.linalg.solve(bend, slope)
    return Calibration(float(weights[0]), float(weights[1]))


def held_back(found: Sequence[Sample]) -> list[tuple[float, bool]]:
    """Return confidence and truth of each mask, by a calibration that never saw its sequence."""
    pairs = []
    for name in sorted({sample.sequence for sample in found}):
        # Pairs are made of sequences: what shares a part was seen, too.
        others = [each for each in found if _parts(name).isdisjoint(_parts(each.sequence))]
        if not others:
            continue
        bias, slope = fitted(others)
        pairs += [
            (1 / (1 + float(np.exp(-(bias + slope * sample.score)))), sample.right)
            for sample in found
            if sample.sequence == name
        ]
    return pairs


def in_use(found: Sequence[Sample], model: str) -> str:
    """Say how well the calibration that the program has holds for these masks."""
    bias, slope = calibration_of(model)
    pairs = [
        (1 / (1 + float(np.exp(-(bias + slope * sample.score)))), sample.right) for sample in found
    ]
    sure = [right for said, right in pairs if said >= _SURE]
    return (
        f"in use: error {calibration_error(pairs):.3f}; of {len(sure)} masks shown as "
        f"{_SURE:.0%} or more, {sum(sure) / max(1, len(sure)):.1%} are right"
    )


def _parts(name: str) -> set[str]:
    return set(name.replace("-under-", "-behind-").split("-behind-"))


def main() -> int:
    """Fit and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("roots", nargs="+", type=Path, metavar="ROOT")
    parser.add_argument("--model", default=embedded(), metavar="NAME")
    parser.add_argument("--size", type=int, metavar="N")
    parser.add_argument("--frames", type=int, metavar="N")
    parser.add_argument("--only", metavar="SEQ,...")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="write the samples there as JSON")
    arguments = parser.parse_args()
    options = LoadOptions(threads=1, size=arguments.size)
    found: list[Sample] = []
    for root in arguments.roots:
        for clip in clips(
            root, arguments.only.split(",") if arguments.only else None, arguments.frames
        ):
            found += samples(clip, arguments.model, options)
            sys.stderr.write(f"{clip.name}: {len(found)} masks\n")
            if arguments.keep is not None:
                arguments.keep.write_text(json.dumps(found))
    bias, slope = fitted(found)
    sys.stdout.write(
        f"Calibration({bias:.2f}, {slope:.2f})\n"
        f"{len(found)} masks; calibration error on sequences held back "
        f"{calibration_error(held_back(found)):.3f}\n"
        f"{in_use(found, arguments.model)}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
