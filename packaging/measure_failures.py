"""Put known failures into ground truths and print how often the taxonomy names them.

    python packaging/measure_failures.py ROOT...

Each ROOT is a folder in the layout of DAVIS. Of every sequence and object that allows it, each
failure is put into one stretch of frames; printed are the share that is given the right class and
the share whose episode begins within two frames of the true onset, as JSON, for each class. The
figures come out the same each time.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np

from app.core.evaluate import VOID, Labels
from app.core.inspection.episodes import Episode, find_episodes
from app.core.inspection.failures import Failure, label
from app.core.inspection.measures import measure, stack
from app.core.inspection.spoiling import Spoiled, UnfitError, spoil
from app.storage.formats.davis import mask_files, mask_folders
from app.storage.formats.palette import read_labels

SEED = 21
LENGTH = 40  # frames of a sequence that are read
SPAN = 10  # frames that fail
NEAR = 2  # frames that an onset may be off


def truths(root: Path) -> Iterator[tuple[str, list[Labels]]]:
    """Yield the label maps of each sequence; an image of 0 and 255 has the one object 1."""
    for folder in mask_folders(root):
        frames = [read_labels(path) for path in mask_files(folder)[:LENGTH]]
        if {int(value) for value in np.unique(frames[0])} == {0, VOID}:
            frames = [(labels > 0).view(np.uint8) for labels in frames]
        yield folder.name, frames


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
    parser.add_argument("roots", type=Path, nargs="+", metavar="ROOT")
    rng = np.random.default_rng(SEED)
    named: defaultdict[Failure, Counter[str]] = defaultdict(Counter)
    near: Counter[Failure] = Counter()
    for root in parser.parse_args().roots:
        for name, truth in truths(root):
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
