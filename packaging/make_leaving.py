"""Make held-out clips in which a pasted object leaves the picture and returns.

    python packaging/make_leaving.py DAVIS OUT --seed 77
    python packaging/make_leaving.py DAVIS OUT --seed 77 --doubles

DAVIS is a folder of JPEGImages and Annotations with the six sequences that no training reads. OUT
gets the same layout: clips of 40 frames with exact labels, 1 the sequence's own object, the others
pasted. Of the clips that a seed gives, those are taken in which a pasted object is there on the
first and on the last frame, and not in between. With `--doubles` the pasted object is the
sequence's own once more, so that its double stays while it is away. The same files come out each
time.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path

import numpy as np
from make_pairs import write  # type: ignore[import-not-found]  # lies beside this script

from app.storage.files.writing import atomic_folder
from models.training.data.pasting import PasteSource
from models.training.data.pictures import Frame
from models.training.data.sequences import DavisSource

HELD_OUT = ("dance-jump", "horsejump-low", "motorbike", "soccerball", "stroller", "tennis")
SIZE = (352, 640)
LENGTH = 40
LEAST_AWAY = 10  # frames


def leaves(frames: Sequence[Frame]) -> bool:
    """Return whether a pasted object is there at both ends, and away for a while in between."""
    ids = np.unique(frames[0][1])
    pasted = ids[ids > 1]
    there = np.array([np.isin(pasted, labels) for _, labels in frames], np.bool_)
    away = len(frames) - there.sum(axis=0)
    return bool((there[0] & there[-1] & (away >= LEAST_AWAY)).any())


def draw(davis: Path, sequences: Sequence[str], seed: int, *, most: int) -> Iterator[list[Frame]]:
    """Yield the clips with a leaving object, made of these sequences with up to `most` objects."""
    base = DavisSource(davis, SIZE, only=tuple(sequences))
    for number in count():
        source = PasteSource(base, number + 1, LENGTH, most, seed, leaving=1.0)
        frames = list(source.render(source.names()[number]))
        if leaves(frames):
            yield frames


def draw_doubles(davis: Path, seed: int) -> Iterator[list[Frame]]:
    """Yield clips whose leaving object has its double in the picture, each sequence in turn."""
    sources = [draw(davis, [sequence], seed, most=1) for sequence in HELD_OUT]
    while True:
        for source in sources:
            yield next(source)


def main() -> int:
    """Write the clips."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("davis", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--doubles", action="store_true")
    arguments = parser.parse_args()
    if arguments.doubles:
        clips = draw_doubles(arguments.davis, arguments.seed)
    else:
        clips = draw(arguments.davis, HELD_OUT, arguments.seed, most=3)
    kind = "double" if arguments.doubles else "leaving"
    with atomic_folder(arguments.out) as fresh:
        for number, frames in enumerate(islice(clips, arguments.count)):
            name = f"{kind}-{arguments.seed}-{number}"
            write(fresh, name, iter(frames))
            sys.stdout.write(f"{name}: {len(frames)} frames\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
