"""Fit how sure one may be of a mask, and say how well that holds on other sequences.

    python packaging/fit_confidence.py ROOT... [--model NAME] [--size N] [--only SEQ,...]

Each ROOT is a folder of JPEGImages and Annotations. Every sequence is propagated from the true
masks of its first frame; what is known of each mask (`app.core.confidence.Facts`) is held against
whether it is right. Prints the weights for that module, and the calibration error of each sequence
under weights that were fitted without it.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.cli.bench.heal import clips
from app.cli.bench.healing.play import Clip
from app.cli.bench.healing.report import calibration_error
from app.core.confidence import RIGHT, all_facts
from app.core.document import Document, Key
from models.api import LoadOptions
from models.registry import default_tracker, load_tracker

_STEPS = 30  # of Newton's method, which is done after ten or so
_PENALTY = 1.0  # on the weights, in masks

Floats = NDArray[np.float64]


class Sample(NamedTuple):
    """One mask: of which sequence, what is known of it, whether it is right."""

    sequence: str
    values: tuple[float, ...]
    right: bool


def samples(clip: Clip, model: str, options: LoadOptions) -> Iterator[Sample]:
    """Yield the masks of a first propagation."""
    entries = clip.first_propagation(load_tracker(model, clip.video, options))
    document = Document(clip.objects, entries)
    for number in clip.numbers:
        of_object = document.of_object(number)
        for frame, facts in all_facts(of_object).items():
            quality = clip.quality(Key(frame, number), of_object[frame].mask)
            yield Sample(clip.name, facts.values(), quality.j >= RIGHT)


def fitted(values: Floats, right: Floats) -> Floats:
    """Return bias and weights of a logistic regression (Newton's method, ridge penalty)."""
    inputs = np.column_stack([np.ones(len(values)), values])
    penalty = np.diag([0.0, *[_PENALTY] * values.shape[1]])
    weights = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        said = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (right - said) - penalty @ weights
        bend = (inputs * (said * (1 - said))[:, None]).T @ inputs + penalty
        weights = weights + np.linalg.solve(bend + 1e-6 * np.eye(len(weights)), slope)
    return np.asarray(weights, np.float64)


def held_back(found: list[Sample]) -> list[tuple[float, bool]]:
    """Return confidence and truth of each mask, by weights that never saw its sequence."""
    pairs = []
    for name in sorted({sample.sequence for sample in found}):
        # Pairs are made of sequences: what shares a part was seen, too.
        parts = set(name.replace("-under-", "-behind-").split("-behind-"))
        others = [
            sample
            for sample in found
            if parts.isdisjoint(sample.sequence.replace("-under-", "-behind-").split("-behind-"))
        ]
        if not others:
            continue
        weights = fitted(*_arrays(others))
        for sample in found:
            if sample.sequence == name:
                total = float(weights[0] + np.dot(weights[1:], sample.values))
                pairs.append((1 / (1 + float(np.exp(-total))), sample.right))
    return pairs


def _arrays(found: list[Sample]) -> tuple[Floats, Floats]:
    return (
        np.array([sample.values for sample in found], np.float64),
        np.array([sample.right for sample in found], np.float64),
    )


def main() -> int:
    """Fit and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("roots", nargs="+", type=Path, metavar="ROOT")
    parser.add_argument("--model", default=default_tracker(), metavar="NAME")
    parser.add_argument("--size", type=int, metavar="N")
    parser.add_argument("--frames", type=int, metavar="N")
    parser.add_argument("--only", metavar="SEQ,...")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="write the facts there as JSON")
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
    weights = fitted(*_arrays(found))
    sys.stdout.write(
        f"_WEIGHTS = ({', '.join(f'{weight:.3f}' for weight in weights[1:])})\n"
        f"_BIAS = {weights[0]:.3f}\n"
        f"{len(found)} masks; calibration error on sequences held back "
        f"{calibration_error(held_back(found)):.3f}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
