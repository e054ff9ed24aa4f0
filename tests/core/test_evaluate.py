"""J and F by definition, and which frames and objects the protocols count."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.evaluate import (
    EvaluationError,
    Labels,
    Measure,
    ObjectScore,
    Protocol,
    SequenceScore,
    Summary,
    boundary_f,
    jaccard,
    score_sequence,
    summarize,
)
from models.api import BoolMask


def outline(mask: BoolMask) -> set[tuple[int, int]]:
    """Every pixel that differs from its right, lower or lower right neighbour, one by one."""
    height, width = mask.shape
    found = set()
    for y in range(height):
        for x in range(width):
            last_row, last_column = y == height - 1, x == width - 1
            near = [(y, x + 1), (y + 1, x), (y + 1, x + 1)]
            if last_row:
                near = [(y, x + 1)]
            if last_column:
                near = [(y + 1, x)]
            if last_row and last_column:
                near = []
            if any(mask[place] != mask[y, x] for place in near):
                found.add((y, x))
    return found


def slow_f(truth: BoolMask, prediction: BoolMask) -> float:
    """The F measure, pixel by pixel from its definition."""
    radius = math.ceil(0.008 * math.hypot(*truth.shape))
    first, second = outline(truth), outline(prediction)
    if not first or not second:
        return float(not first and not second)

    def matched(points: set[tuple[int, int]], others: set[tuple[int, int]]) -> float:
        near = (any((y - v) ** 2 + (x - u) ** 2 <= radius**2 for v, u in others) for y, x in points)
        return sum(near) / len(points)

    precision, recall = matched(second, first), matched(first, second)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_f_is_what_its_definition_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(int(side) for side in rng.integers(1, 22, 2))
    share = rng.choice([0, 0.1, 0.9, 1], 2)
    truth, prediction = rng.random(shape) < share[0], rng.random(shape) < share[1]
    if rng.random() < 0.5:  # not at the frame's edges
        rim = [tuple(int(side) for side in rng.integers(0, 4, 2)) for _ in shape]
        truth, prediction = np.pad(truth, rim), np.pad(prediction, rim)
    assert boundary_f(truth, prediction) == pytest.approx(slow_f(truth, prediction), abs=1e-12)


def test_outlines_match_within_8_pixels_at_480p_and_not_beyond() -> None:
    def bar(x: int) -> BoolMask:
        mask = np.zeros((480, 854), np.bool_)
        mask[:, x:] = True
        return mask

    assert boundary_f(bar(400), bar(408)) == 1
    assert boundary_f(bar(400), bar(409)) == 0


def test_an_object_that_is_in_neither_scores_1_and_a_false_one_0() -> None:
    none, some = np.zeros((20, 20), np.bool_), np.zeros((20, 20), np.bool_)
    some[5:9, 5:9] = True
    assert (jaccard(none, none), boundary_f(none, none)) == (1, 1)
    assert (jaccard(none, some), boundary_f(none, some)) == (0, 0)
    assert (jaccard(some, none), boundary_f(some, none)) == (0, 0)


def test_j_is_intersection_over_union() -> None:
    first, second = np.zeros((4, 4), np.bool_), np.zeros((4, 4), np.bool_)
    first[:, :2], second[:, 1:] = True, True
    assert jaccard(first, second) == 4 / 16


def maps(*rows: list[int]) -> list[Labels]:
    return [np.tile(np.array(row, np.uint8), (8, 1)) for row in rows]


def means(truth: list[Labels], prediction: list[Labels], protocol: Protocol) -> list[list[float]]:
    names = [str(index) for index in range(len(truth))]
    score = score_sequence(
        "video", names, truth.__getitem__, prediction.__getitem__, protocol, threads=2
    )
    return [item.j.values.tolist() for item in score.objects]


def test_the_first_frame_never_counts_and_the_last_only_for_visor() -> None:
    truth = maps([1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0])
    prediction = maps([0, 0, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0])
    assert means(truth, prediction, Protocol.VISOR) == [[1, 0.5]]
    assert means(truth, prediction, Protocol.DAVIS2017) == [[1]]
    assert means(truth, prediction, Protocol.DAVIS2016) == [[1]]


def test_davis2016_takes_everything_that_is_not_background_as_one_object() -> None:
    truth = maps([255, 0, 0, 0], [255, 255, 255, 0], [0, 0, 0, 0])
    prediction = maps([0, 0, 0, 0], [3, 1, 255, 0], [0, 0, 0, 0])
    assert means(truth, prediction, Protocol.DAVIS2016) == [[1]]


def test_objects_are_counted_by_the_first_frames_highest_id() -> None:
    truth = maps([1, 0, 3, 255], [1, 4, 0, 0])  # 2 is hidden, 4 comes later
    assert means(truth, maps([0, 0, 0, 0], [1, 0, 0, 0]), Protocol.VISOR) == [[1], [1], [1]]
    with pytest.raises(EvaluationError, match="frame 1: the prediction holds object 4"):
        means(truth, maps([0, 0, 0, 0], [1, 4, 0, 0]), Protocol.VISOR)


def test_void_is_background_in_both() -> None:
    truth, prediction = maps([1, 0, 0, 0], [1, 255, 0, 0]), maps([0] * 4, [1, 0, 255, 0])
    assert means(truth, prediction, Protocol.VISOR) == [[1]]


def test_what_cannot_be_scored_says_why() -> None:
    with pytest.raises(EvaluationError, match="leaves none"):
        means(maps([1], [1]), maps([1], [1]), Protocol.DAVIS2017)
    with pytest.raises(EvaluationError, match="as davis2016 has it"):
        means(maps([255], [255]), maps([1], [1]), Protocol.VISOR)


def test_recall_and_decay_are_those_of_davis() -> None:
    values = np.array([1.0, 0.9, 0.8, 0.7, 0.5, 0.4, 0.3, 0.2])
    measure = Measure(values)
    assert measure.recall == 0.5
    assert measure.decay == pytest.approx(values[:3].mean() - values[5:].mean())


def test_every_object_counts_alike_in_the_overall_mean() -> None:
    one = maps([1, 0], [1, 0])
    two = maps([1, 2], [1, 2])
    names = ["0", "1"]
    blank = maps([0, 0], [0, 0])
    scores = [
        score_sequence("a", names, one.__getitem__, one.__getitem__, Protocol.VISOR),
        score_sequence("b", names, two.__getitem__, blank.__getitem__, Protocol.VISOR),
    ]
    assert summarize(scores).j == pytest.approx(1 / 3)


@pytest.mark.parametrize("count", range(2, 12))
def test_decay_is_of_the_quarters_whose_edges_are_rounded_up_at_a_half(count: int) -> None:
    values = np.random.default_rng(count).random(count)
    edges = [math.floor(1 + share * (count - 1) + 0.5) - 1 for share in (0, 0.25, 0.75, 1)]
    first, last = values[edges[0] : edges[1] + 1], values[edges[2] : edges[3] + 1]
    assert Measure(values).decay == pytest.approx(first.mean() - last.mean())


def test_just_one_half_is_not_recalled() -> None:
    assert Measure(np.array([0.5, 0.51, 1.0, 0.0])).recall == 0.5


def scored(truth: list[Labels], prediction: list[Labels], protocol: Protocol) -> SequenceScore:
    names = [f"frame {index}" for index in range(len(truth))]
    return score_sequence("v", names, truth.__getitem__, prediction.__getitem__, protocol)


def test_each_object_has_its_own_scores_and_those_not_shown_at_first_are_named() -> None:
    truth = maps([1, 3, 255, 0], [1, 3, 2, 0], [1, 1, 3, 2])
    score = scored(truth, maps([0] * 4, [1, 0, 2, 2], [0, 1, 3, 2]), Protocol.VISOR)
    assert score.frames == ("frame 1", "frame 2")
    assert [each.object for each in score.objects] == [1, 2, 3]
    assert [each.j.values.tolist() for each in score.objects] == [[1, 0.5], [0.5, 1], [0, 1]]
    assert score.absent == (2,)
    same = scored(truth, truth, Protocol.VISOR)
    assert [each.jf_mean for each in same.objects] == [1, 1, 1]
    assert scored(maps([1, 2], [1, 2]), maps([1, 2], [1, 2]), Protocol.VISOR).absent == ()


def test_davis2016_measures_what_both_have_of_everything() -> None:
    truth = maps([1, 0, 0, 0], [1, 2, 0, 0], [0, 0, 0, 0])
    prediction = maps([0] * 4, [7, 0, 1, 0], [0, 0, 0, 0])
    (score,) = scored(truth, prediction, Protocol.DAVIS2016).objects
    assert score.j.values.tolist() == [pytest.approx(1 / 3)]
    assert scored(maps([0] * 4, [1, 0, 0, 0], [0] * 4), prediction, Protocol.DAVIS2016).absent == (
        1,
    )


def test_the_mean_of_j_and_f_is_their_mean() -> None:
    one = ObjectScore(1, Measure(np.array([0.2, 0.4])), Measure(np.array([0.8, 1.0])))
    assert one.jf_mean == pytest.approx(0.6)
    assert Summary(0.2, 0.8).jf == pytest.approx(0.5)
    other = ObjectScore(2, Measure(np.array([1.0])), Measure(np.array([0.3])))
    found = summarize([SequenceScore("a", ("0",), (one, other)), SequenceScore("b", ("0",), ())])
    assert (found.j, found.f) == pytest.approx((0.65, 0.6))
    with pytest.raises(EvaluationError, match="no object"):
        summarize([])


def test_one_frame_is_enough_for_visor_and_three_for_davis() -> None:
    frame = maps([1, 0])
    assert len(scored(frame * 2, frame * 2, Protocol.VISOR).frames) == 1
    assert len(scored(frame * 3, frame * 3, Protocol.DAVIS2017).frames) == 1
    for count, protocol in ((1, Protocol.VISOR), (2, Protocol.DAVIS2016)):
        with pytest.raises(EvaluationError, match="leaves none"):
            scored(frame * count, frame * count, protocol)
