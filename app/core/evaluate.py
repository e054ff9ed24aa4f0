"""Region similarity J and contour accuracy F, by the protocols of DAVIS and VISOR.

Sources: Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object
Segmentation" (CVPR 2016), sections 4.1 and 4.2; Pont-Tuset et al., "The 2017 DAVIS Challenge";
the rules of the VISOR semi-supervised benchmark.
"""

import enum
import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.api import BoolMask

Labels = NDArray[np.uint8]  # (H, W), object id or 0; 255 = void
Scores = NDArray[np.float64]  # (frames,), 0 to 1
Read = Callable[[int], Labels]

VOID = 255
_BOUNDARY_TOLERANCE = 0.008  # of the frame's diagonal


class EvaluationError(ValueError):
    """The masks cannot be scored; the message says why."""


class Protocol(enum.Enum):
    """Which frames and objects count.

    DAVIS2016: everything that is not background is one object; the first and the last frame do
    not count. DAVIS2017: as many objects as the highest id of the first frame; the first and the
    last frame do not count. VISOR: as DAVIS2017, but the last frame counts.
    """

    DAVIS2016 = "davis2016"
    DAVIS2017 = "davis2017"
    VISOR = "visor"

    def scored(self, count: int) -> range:
        """Return which of a sequence's `count` frames are scored."""
        return range(1, count if self is Protocol.VISOR else count - 1)


@dataclass(frozen=True)
class Measure:
    """One measure of one object over the scored frames."""

    values: Scores

    @property
    def mean(self) -> float:
        """The mean over the frames."""
        return float(self.values.mean())

    @property
    def recall(self) -> float:
        """The share of frames above one half."""
        return float((self.values > 0.5).mean())

    @property
    def decay(self) -> float:
        """The mean of the first quarter less that of the last; a falling quality is positive."""
        edges = np.round(np.linspace(1, len(self.values), 5) + 1e-10).astype(int) - 1
        first = self.values[edges[0] : edges[1] + 1]
        last = self.values[edges[3] : edges[4] + 1]
        return float(first.mean() - last.mean())


@dataclass(frozen=True)
class ObjectScore:
    """J and F of one object of one sequence."""

    object: int
    j: Measure
    f: Measure

    @property
    def jf_mean(self) -> float:
        """The mean of the two means."""
        return (self.j.mean + self.f.mean) / 2


@dataclass(frozen=True)
class SequenceScore:
    """The scores of a sequence's objects."""

    name: str
    frames: tuple[str, ...]  # those that were scored
    objects: tuple[ObjectScore, ...]
    absent: tuple[int, ...] = ()  # ids that count though the first frame has only higher ones


@dataclass(frozen=True)
class Summary:
    """Unweighted means over objects."""

    j: float
    f: float

    @property
    def jf(self) -> float:
        """The mean of J and F."""
        return (self.j + self.f) / 2


def summarize(sequences: Iterable[SequenceScore]) -> Summary:
    """Return the means over all objects of all sequences, each object counting alike."""
    objects = [score for sequence in sequences for score in sequence.objects]
    if not objects:
        raise EvaluationError("there is no object to score")
    return Summary(
        float(np.mean([score.j.mean for score in objects])),
        float(np.mean([score.f.mean for score in objects])),
    )


def score_sequence(
    name: str,
    frames: Sequence[str],
    truth: Read,
    prediction: Read,
    protocol: Protocol,
    threads: int = 1,
) -> SequenceScore:
    """Score one sequence, whose frames have the names `frames`.

    `truth(i)` and `prediction(i)` return label maps of one size, from several threads. Raises
    EvaluationError where no frame or no object is left, or a predicted id is too high.
    """
    scored = protocol.scored(len(frames))
    if not scored:
        raise EvaluationError(
            f"{name} has {len(frames)} frame(s), and {protocol.value} leaves none of them to score"
        )
    first = truth(0)
    objects = _object_count(name, first, protocol)

    def score(index: int) -> list[tuple[float, float]]:
        drawn = _foreground(truth(index), protocol)
        predicted = _foreground(prediction(index), protocol)
        if (highest := int(predicted.max())) > objects:
            raise EvaluationError(
                f"{name}, frame {frames[index]}: the prediction holds object {highest}, but the "
                f"first frame of the ground truth has {objects} object(s)"
            )
        pairs = ((drawn == number, predicted == number) for number in range(1, objects + 1))
        return [(jaccard(*pair), boundary_f(*pair)) for pair in pairs]

    with ThreadPoolExecutor(threads) as pool:
        table = np.array(list(pool.map(score, scored)), np.float64)  # frames, objects, (J, F)
    scores = (
        ObjectScore(i + 1, Measure(table[:, i, 0]), Measure(table[:, i, 1])) for i in range(objects)
    )
    shown = np.unique(_foreground(first, protocol))
    absent = tuple(np.setdiff1d(np.arange(1, objects + 1), shown).tolist())
    return SequenceScore(name, tuple(frames[i] for i in scored), tuple(scores), absent)


def jaccard(truth: BoolMask, prediction: BoolMask) -> float:
    """Return intersection over union; 1 where both are empty."""
    union = int(np.count_nonzero(truth | prediction))
    return int(np.count_nonzero(truth & prediction)) / union if union else 1.0


def boundary_f(truth: BoolMask, prediction: BoolMask) -> float:
    """Return the F measure of the two outlines, matched within 0.8 % of the frame's diagonal."""
    radius = math.ceil(_BOUNDARY_TOLERANCE * math.hypot(*truth.shape))
    truth, prediction = _crop(truth, prediction)
    truth_edge, edge = _boundary(truth), _boundary(prediction)
    truth_count, count = int(np.count_nonzero(truth_edge)), int(np.count_nonzero(edge))
    if not truth_count and not count:
        return 1.0
    if not truth_count or not count:
        return 0.0
    precision = np.count_nonzero(_distance(truth_edge)[edge] <= radius) / count
    recall = np.count_nonzero(_distance(edge)[truth_edge] <= radius) / truth_count
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def _object_count(name: str, first: Labels, protocol: Protocol) -> int:
    if protocol is Protocol.DAVIS2016:
        return 1
    objects = int(np.where(first == VOID, 0, first).max())
    if not objects:
        raise EvaluationError(
            f"{name}: the first ground truth frame holds no object"
            + (", only void (255), as davis2016 has it" if first.any() else "")
        )
    return objects


def _foreground(labels: Labels, protocol: Protocol) -> Labels:
    if protocol is Protocol.DAVIS2016:
        return (labels > 0).view(np.uint8)
    return np.where(labels == VOID, np.uint8(0), labels)


def _crop(truth: BoolMask, prediction: BoolMask) -> tuple[BoolMask, BoolMask]:
    """Cut both to what holds pixels, one pixel wider: outlines lie on the left and above, too."""
    x, y, width, height = cv2.boundingRect((truth | prediction).view(np.uint8))
    rows = slice(max(y - 1, 0), y + height + 1)
    columns = slice(max(x - 1, 0), x + width + 1)
    return truth[rows, columns], prediction[rows, columns]


def _boundary(mask: BoolMask) -> BoolMask:
    """Return the pixels that differ from their right, lower or lower right neighbour."""
    edge = np.zeros_like(mask)
    edge[:-1, :-1] = (
        (mask[:-1, :-1] ^ mask[:-1, 1:])
        | (mask[:-1, :-1] ^ mask[1:, :-1])
        | (mask[:-1, :-1] ^ mask[1:, 1:])
    )
    edge[-1, :-1] = mask[-1, :-1] ^ mask[-1, 1:]
    edge[:-1, -1] = mask[:-1, -1] ^ mask[1:, -1]
    return edge


def _distance(edge: BoolMask) -> NDArray[np.float32]:
    """Return every pixel's distance to the outline, in pixels.

    "Within r" is the same as dilating by the disk x^2 + y^2 <= r^2, and does not grow with r.
    """
    away = (~edge).view(np.uint8)
    return np.asarray(cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
