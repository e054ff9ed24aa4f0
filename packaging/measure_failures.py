"""Put known failures into ground truths and print how often the taxonomy names them.

    python packaging/measure_failures.py ROOT...
    python packaging/measure_failures.py --stills MASKS --seed 1

Each ROOT is a folder in the layout of DAVIS; MASKS is a folder of masks of single pictures, two of
which move through each of many sequences: shapes and ways that no limit was chosen on. Of every
sequence and object that allows it, each failure is put into one stretch of frames; printed are the
share that is given the right class and the share whose episode begins within two frames of the true
onset, as JSON, for each class. The figures come out the same each time.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path

import cv2
import numpy as np

from app.core.evaluate import VOID, Labels
from app.core.inspection.episodes import Episode, find_episodes
from app.core.inspection.failures import Failure, label
from app.core.inspection.measures import measure, stack
from app.core.inspection.spoiling import Spoiled, UnfitError, spoil
from app.storage.formats.davis import mask_files, mask_folders
from app.storage.formats.palette import read_labels
from models.api import BoolMask

SEED = 21
LENGTH = 40  # frames of a sequence that are read
SIZE, FEW = (360, 640), 26  # (H, W) of the frames in which stills move, and how many there are
SPAN = 10  # frames that fail
NEAR = 2  # frames that an onset may be off


def truths(root: Path) -> Iterator[tuple[str, list[Labels]]]:
    """Yield the label maps of each sequence; an image of 0 and 255 has the one object 1."""
    for folder in mask_folders(root):
        frames = [read_labels(path) for path in mask_files(folder)[:LENGTH]]
        if {int(value) for value in np.unique(frames[0])} == {0, VOID}:
            frames = [(labels > 0).view(np.uint8) for labels in frames]
        yield folder.name, frames


def moving(masks: Path, rng: np.random.Generator) -> Iterator[tuple[str, list[Labels]]]:
    """Yield sequences in each of which two masks of `masks` move, turn and grow, and pass."""
    paths = sorted(masks.glob("*.png"))
    while True:
        one, other = (paths[place] for place in rng.choice(len(paths), 2, replace=False))
        tracks = [_track(read_labels(path) > 0, rng) for path in (one, other)]
        frames = [np.zeros(SIZE, np.uint8) for _ in range(FEW)]
        for number, track in enumerate(tracks, 1):
            for labels, mask in zip(frames, track, strict=True):
                labels[mask] = number
        yield f"{one.stem}+{other.stem}", frames


def _track(mask: BoolMask, rng: np.random.Generator) -> list[BoolMask]:
    """Return a mask on its way through the frames."""
    rows, columns = np.nonzero(mask)
    centre = (float(columns.mean()), float(rows.mean()))
    base = np.sqrt(rng.uniform(0.02, 0.12) * SIZE[0] * SIZE[1] / len(rows))
    start, end = (rng.uniform((0.25, 0.3), (0.75, 0.7)) * SIZE[::-1] for _ in range(2))
    turn, growth = rng.uniform(-25, 25), rng.uniform(0.8, 1.25)
    track = []
    for share in np.linspace(0, 1, FEW):
        matrix = cv2.getRotationMatrix2D(centre, turn * share, base * growth**share)
        matrix[:, 2] += start + share * (end - start) - centre
        warped = cv2.warpAffine(mask.view(np.uint8), matrix, SIZE[::-1], flags=cv2.INTER_NEAREST)
        track.append(np.asarray(warped > 0, np.bool_))
    return track


def attempts(truth: list[Labels], rng: np.random.Generator) -> Iterator[Spoiled]:
    """Yield every failure that fits the sequence, for each object; twice where there are more."""
    count = int(truth[0].max())
    for number, failure, _ in product(range(1, count + 1), Failure, range(min(count, 2))):
        first = int(rng.integers(5, len(truth) - SPAN - 5))
        try:
            yield spoil(truth, number, failure, range(first, first + SPAN), rng)
        except UnfitError:
            continue


def told(case: Spoiled) -> Episode | None:
    """Return the costliest episode of the object, as the inspector has it."""
    count = max(int(max(labels.max() for labels in case.truth)), case.object)
    pairs = zip(case.truth, case.prediction, strict=True)
    measures = stack(measure(truth, prediction, count) for truth, prediction in pairs)
    episodes = find_episodes(label(measures), measures.jf)
    return next((each for each in episodes if each.object == case.object - 1), None)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("roots", type=Path, nargs="*", metavar="ROOT")
    parser.add_argument("--stills", type=Path, metavar="MASKS", help="masks of single pictures")
    parser.add_argument("--sequences", type=int, default=20, help="made of stills (default: 20)")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    sources = [truths(root) for root in arguments.roots]
    if arguments.stills:
        sources.append(islice(moving(arguments.stills, rng), arguments.sequences))
    named: defaultdict[Failure, Counter[str]] = defaultdict(Counter)
    near: Counter[Failure] = Counter()
    for source in sources:
        for name, truth in source:
            for case in attempts(truth, rng):
                episode = told(case)
                verdict = episode.failure.value if episode else "none"
                named[case.failure][verdict] += 1
                near[case.failure] += episode is not None and (
                    abs(episode.first - case.onset) <= NEAR
                )
                if verdict != case.failure.value:
                    sys.stderr.write(f"{name} {case.object}: {case.failure.value} -> {verdict}\n")
    table = {
        failure.value: {
            "cases": (cases := sum(verdicts.values())),
            "class": verdicts[failure.value] / cases,
            "onset": near[failure] / cases,
            "said": dict(verdicts),
        }
        for failure, verdicts in named.items()
    }
    sys.stdout.write(json.dumps(table, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
