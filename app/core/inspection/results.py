"""All that is found of one prediction of one sequence."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.core.evaluate import EvaluationError, Summary
from app.core.inspection.causes import Cause, Circumstances, causes, circumstances
from app.core.inspection.episodes import Episode, find_episodes
from app.core.inspection.failures import FAILURES, Failure, Labelling, label
from app.core.inspection.measures import Floats, Measures, measure, stack
from app.core.runs import Run
from models.api import Image


@dataclass(frozen=True)
class Result:
    """The scored frames of one sequence under one prediction, T of them, and K objects.

    `frames` are their names and `positions` their places in the video. Where the ground truth is
    sparse, the frames between are unknown: nothing may be drawn or counted there.
    """

    sequence: str
    frames: tuple[str, ...]
    positions: tuple[int, ...]
    objects: tuple[str, ...]  # what they are called
    measures: Measures

    @property
    def is_sparse(self) -> bool:
        """Whether frames of the video lie between the scored ones."""
        return self.positions[-1] - self.positions[0] >= len(self.positions)

    @cached_property
    def labelling(self) -> Labelling:
        """How each object fails on each frame."""
        return label(self.measures)

    @cached_property
    def episodes(self) -> tuple[Episode, ...]:
        """The drift episodes, the most costly first."""
        return find_episodes(self.labelling, self.measures.jf)

    @cached_property
    def circumstances(self) -> Circumstances:
        """The course of what surrounds the objects."""
        return circumstances(self.measures, self.positions)

    def causes(self, episode: Episode) -> tuple[Cause, ...]:
        """Return the likely causes of one of the episodes, the likeliest first."""
        return causes(episode, self.measures, self.circumstances)

    @property
    def jf(self) -> Floats:
        """The mean J&F of each object, (K,)."""
        return np.asarray(self.measures.jf.mean(axis=0), np.float64)

    def totals(self) -> dict[Failure, int]:
        """Return on how many frames of objects each failure is found."""
        counts = Counter(self.labelling.failures.ravel().tolist())
        return {failure: counts[code] for code, failure in enumerate(FAILURES)}


def inspect_runs(
    truth: Run,
    prediction: Run,
    size: tuple[int, int],
    image: Callable[[int], Image | None] = lambda _: None,
    progress: Callable[[], None] = lambda: None,
) -> Result:
    """Measure one run of a project against another on the frames that both speak of.

    Objects are those of the truth, by id; `size` is the (height, width) of the masks. Raises
    EvaluationError where the two have no frame in common.
    """
    count = max(truth.objects, default=0)
    frames, measures = [], []
    for frame in truth.frames:
        drawn, predicted = truth.labels(frame, size), prediction.labels(frame, size)
        if drawn is not None and predicted is not None:
            frames.append(frame)
            measures.append(measure(drawn, predicted, count, image(frame)))
            progress()
    if not frames:
        raise EvaluationError(
            f"{truth.info.name} and {prediction.info.name} have no frame in common. Choose runs of "
            "the same frames."
        )
    names = tuple(truth.objects.get(number, str(number)) for number in range(1, count + 1))
    stems = tuple(map(str, frames))
    return Result(prediction.info.name, stems, tuple(frames), names, stack(measures))


def overall(results: Iterable[Result]) -> Summary:
    """Return the means over all objects of all sequences, each object counting alike."""
    means = [
        (float(j), float(f))
        for result in results
        for j, f in zip(result.measures.j.mean(axis=0), result.measures.f.mean(axis=0), strict=True)
    ]
    return Summary(sum(j for j, _ in means) / len(means), sum(f for _, f in means) / len(means))
