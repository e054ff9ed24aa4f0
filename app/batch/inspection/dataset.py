"""A whole data set under one or two predictions: paired, scored, put together."""

from collections.abc import Callable, Sequence
from pathlib import Path

from app.batch.inspection.report import Cases
from app.batch.inspection.scoring import MeasureCache, score
from app.batch.inspection.sequences import Images, pair, read_root
from app.batch.inspection.tables import Run, names_of
from app.core.evaluate import Protocol
from app.errors import UsageError
from app.paths import cache_folder

LETTERS = "AB"  # what the predictions go by


def find_cases(
    truth: Path,
    predictions: Sequence[Path],
    images: Path | None = None,
    protocol: Protocol | None = None,
) -> tuple[Cases, tuple[str, ...]]:
    """Pair a ground truth with each prediction; return what a person should know of it, too.

    Raises FormatError, and UsageError where there are more than two predictions.
    """
    if len(predictions) > len(LETTERS):
        raise UsageError("At most two predictions are compared. Give --pred once or twice.")
    truths, notes = read_root(truth)
    homes = Images(images, truth)
    cases = {}
    for letter, path in zip(LETTERS, predictions, strict=False):
        found, more = read_root(path)
        notes += more
        for case in pair(truths, found, protocol, homes):
            cases[letter, case.name] = case
    return cases, notes


def score_cases(
    cases: Cases,
    predictions: Sequence[Path],
    threads: int,
    progress: Callable[[], None] = lambda: None,
) -> list[Run]:
    """Score each case, or take its measures from the cache; `progress` is told each frame.

    Raises FormatError, FrameReadError; what was scored until then is kept for the next time.
    """
    cache = MeasureCache(cache_folder() / "inspection")
    results = {key: score(case, cache, threads, progress) for key, case in cases.items()}
    cache.prune()
    return [
        Run(letter, name, path, tuple(found for (by, _), found in results.items() if by == letter))
        for letter, name, path in zip(LETTERS, names_of(predictions), predictions, strict=False)
    ]


def frame_count(cases: Cases) -> int:
    """Return how many frames are to be scored."""
    return sum(len(case.frames) for case in cases.values())
