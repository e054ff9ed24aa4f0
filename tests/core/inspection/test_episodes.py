"""Episodes, their likely causes, what is hard, and how two predictions differ."""

from dataclasses import replace

import numpy as np
import pytest

from app.core.document import Key
from app.core.evaluate import EvaluationError, Labels
from app.core.inspection.attributes import break_down
from app.core.inspection.causes import Cause, causes, circumstances
from app.core.inspection.comparison import compare
from app.core.inspection.episodes import Episode, find_episodes
from app.core.inspection.failures import FAILURES, Failure, Labelling
from app.core.inspection.measures import Measures, measure, stack
from app.core.inspection.results import Result, inspect_runs, overall
from app.core.mask import Mask
from app.core.runs import Run, RunInfo
from models.api import Image
from tests.core.inspection.scenes import SIZE, measured, two_shapes

SEED = 11


def labelled(*failures: Failure) -> Labelling:
    codes = np.array([[FAILURES.index(failure)] for failure in failures], np.uint8)
    return Labelling(codes, np.full(codes.shape, -1))


def test_an_episode_has_onset_peak_recovery_and_its_loss() -> None:
    good, part, miss = Failure.GOOD, Failure.PART_LOSS, Failure.MISS
    jf = np.array([[1.0], [1.0], [0.6], [0.1], [0.0], [0.9], [0.95]])
    labelling = labelled(good, good, part, miss, miss, good, good)
    (found,) = find_episodes(labelling, jf)
    assert replace(found, lost=0.0) == Episode(0, Failure.MISS, 2, 4, 4, 5, 0.0)
    assert found.lost == pytest.approx(2.3)
    assert len(found) == 3


def test_an_episode_is_called_after_what_costs_most_not_after_what_is_most_frequent() -> None:
    part, miss = Failure.PART_LOSS, Failure.MISS
    jf = np.array([[0.8], [0.8], [0.8], [0.0]])
    (found,) = find_episodes(labelled(part, part, part, miss), jf)
    assert found.failure is miss
    (found,) = find_episodes(labelled(miss, part, part, miss), np.ones((4, 1)))
    assert found.failure is miss  # where nothing costs anything, the first of the most frequent
    (found,) = find_episodes(labelled(part, miss, miss), np.ones((3, 1)))
    assert found.failure is miss


def test_two_good_frames_do_not_end_an_episode_and_three_do() -> None:
    good, miss = Failure.GOOD, Failure.MISS
    jf = np.zeros((12, 1))
    joined = find_episodes(labelled(*[miss, good, good, miss, *[good] * 8]), jf)
    assert [(each.first, each.last) for each in joined] == [(0, 3)]
    apart = find_episodes(labelled(*[miss, good, good, good, miss, *[good] * 7]), jf)
    assert sorted((each.first, each.last) for each in apart) == [(0, 0), (4, 4)]


def test_slips_of_the_outline_do_not_hide_the_onset_of_a_failure() -> None:
    labelling = labelled(*[Failure.BOUNDARY] * 5, *[Failure.MISS] * 3)
    jf = np.array([0.8] * 5 + [0.0] * 3)[:, None]
    found = {each.failure: (each.first, each.last) for each in find_episodes(labelling, jf)}
    assert found == {Failure.BOUNDARY: (0, 4), Failure.MISS: (5, 7)}


def test_slight_slips_all_along_do_not_hide_the_onset_of_worse_ones() -> None:
    jf = np.array([0.92, 0.93, 0.92, 0.91, 0.7, 0.65, 0.9, 0.7, 0.92, 0.92])[:, None]
    found = find_episodes(labelled(*[Failure.BOUNDARY] * 10), jf)
    assert [(each.first, each.last) for each in found] == [(4, 7), (0, 3), (8, 9)]
    assert sum(each.lost for each in found) == pytest.approx(np.sum(1 - jf) - 0.1)


def test_an_episode_to_the_end_has_no_recovery() -> None:
    (found,) = find_episodes(labelled(Failure.GOOD, Failure.MISS), np.array([[1.0], [0.0]]))
    assert found.recovery is None


def painted(labels: np.ndarray, light: int = 0) -> Image:
    """Two textured shapes of different colours on a textured ground."""
    rng = np.random.default_rng(3)
    colors = np.array([(70, 110, 60), (190, 60, 50), (60, 70, 200)])
    picture = colors[labels] + rng.integers(-25, 25, (*labels.shape, 1)) + light
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def case(truth: list[np.ndarray], images: list[Image] | None = None, objects: int = 2) -> Measures:
    """Object 1 is lost from frame 12 on; its onset is what the causes are asked about."""
    shown: list[Image | None] = [*images] if images else [None] * len(truth)
    prediction = [labels.copy() for labels in truth]
    for labels in prediction[12:]:
        labels[labels == 1] = 0
    return stack(map(measure, truth, prediction, [objects] * len(truth), shown))


def reasons(measures: Measures) -> tuple[Cause, ...]:
    course = circumstances(measures, tuple(range(len(measures.j))))
    lost = Episode(0, Failure.MISS, 12, 12, len(measures.j) - 1, None, 1.0)
    return causes(lost, measures, course)


def still(count: int = 24) -> list[np.ndarray]:
    return [two_shapes(np.random.default_rng(SEED))[0] for _ in range(count)]


def test_without_anything_to_see_the_cause_is_unknown() -> None:
    truth = still()
    assert reasons(case(truth)) == (Cause.UNKNOWN,)
    assert reasons(case(truth, [painted(labels) for labels in truth])) == (Cause.UNKNOWN,)


def test_occlusion_shows_in_the_area_and_at_the_outline() -> None:
    truth = still()
    for labels in truth[11:]:
        labels[:, : int(np.nonzero(labels == 1)[1].mean())] = 0
    assert reasons(case(truth))[0] is Cause.OCCLUSION
    touching = still()
    for labels in touching[11:]:
        labels[:] = np.where(np.roll(labels, -26, axis=1) == 2, 2, labels)
    assert Cause.OCCLUSION in reasons(case(touching))


def test_an_object_that_was_away_has_come_back() -> None:
    truth = still()
    for labels in truth[7:11]:
        labels[labels == 1] = 0
    assert reasons(case(truth))[0] is Cause.RETURN


def test_a_leap_is_fast_but_not_across_frames_that_nobody_drew() -> None:
    truth = still()
    truth[12:] = [np.roll(labels, 40, axis=1) for labels in truth[12:]]
    measures = case(truth)
    assert Cause.FAST in reasons(measures)
    sparse = circumstances(measures, tuple(range(0, 240, 10)))
    lost = Episode(0, Failure.MISS, 12, 12, 23, None, 1.0)
    assert Cause.FAST not in causes(lost, measures, sparse)


@pytest.mark.parametrize(
    ("side", "away", "is_alike"), [(20, 26, True), (36, 26, False), (20, 90, False)]
)
def test_without_images_a_near_object_of_about_the_same_size_looks_alike(
    side: int, away: int, *, is_alike: bool
) -> None:
    labels = np.zeros(SIZE, np.uint8)
    labels[80:100, 80:100] = 1
    labels[90 - side // 2 : 90 + side // 2, 80 + away : 80 + away + side] = 2
    assert (Cause.LOOK_ALIKE in reasons(case([labels] * 24))) == is_alike
    labels[10:30, 290:310] = 3  # as large, and far from both
    assert (Cause.LOOK_ALIKE in reasons(case([labels] * 24, objects=3))) == is_alike


def test_a_cut_shows_in_the_whole_picture() -> None:
    truth = still()
    images = [painted(labels) for labels in truth]
    for image in images[12:]:
        image[:] = 255 - image
    assert reasons(case(truth, images))[0] is Cause.CUT


def test_blur_and_lighting_show_on_the_object() -> None:
    import cv2

    truth = still()
    images = [painted(labels) for labels in truth]
    images[12:] = [np.asarray(cv2.GaussianBlur(i, (0, 0), 3), np.uint8) for i in images[12:]]
    assert Cause.BLUR in reasons(case(truth, images))
    dark = [painted(labels, -45 if frame > 11 else 0) for frame, labels in enumerate(truth)]
    assert Cause.LIGHTING in reasons(case(truth, dark))


def test_a_like_object_nearby_is_seen_by_colour() -> None:
    truth = still()
    for labels in truth:
        nearer = np.roll(labels, -12, axis=1) == 2
        labels[labels == 2] = 0
        labels[nearer] = 2
    images = [painted(np.where(labels == 2, 1, labels)) for labels in truth]
    assert reasons(case(truth, images)) == (Cause.LOOK_ALIKE,)


def test_a_tiny_object_is_small() -> None:
    truth = still()
    for labels in truth:
        rows, columns = np.nonzero(labels == 1)
        labels[labels == 1] = 0
        labels[rows[0] : rows[0] + 9, columns[0] : columns[0] + 9] = 1
    assert reasons(case(truth)) == (Cause.SMALL,)


def test_attributes_part_the_frames() -> None:
    truth = two_shapes(np.random.default_rng(SEED))
    measures = measured(truth, truth)
    shares = break_down([(measures, circumstances(measures, tuple(range(len(truth)))))])
    sizes = {share.name: share for share in shares if share.attribute == "size"}
    assert sizes["medium"].frames == 2 * len(truth)
    assert sizes["medium"].jf == 1.0
    assert sizes["large"].jf is None
    assert all(share.frames == 0 for share in shares if share.name == "fast")


def test_the_interval_holds_the_difference_and_comes_out_the_same() -> None:
    rng = np.random.default_rng(0)
    a = {str(number): rng.uniform(0.4, 0.8, 2) for number in range(20)}
    b = {name: values + rng.normal(0.05, 0.02, 2) for name, values in a.items()}
    found = compare(a, b)
    assert found == compare(a, b)
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < found.mean < found.high
    assert found.mean == pytest.approx(np.mean([b[name] - a[name] for name in a]))


def test_the_interval_of_two_sequences_goes_from_one_to_the_other() -> None:
    before = {"s": np.array([0.5, 0.6]), "t": np.array([0.4])}
    found = compare(before, {"s": before["s"] + 0.1, "t": before["t"] + 0.4})
    assert (found.mean, found.low, found.high) == pytest.approx((0.2, 0.1, 0.4))
    assert found.is_weak


def test_the_interval_leaves_a_fortieth_out_on_each_side() -> None:
    """All that is drawn is of the five that stay alike once in 43 times: .0233."""
    before = {str(number): np.array([0.5]) for number in range(8)}
    better = {name: values + (int(name) >= 5) for name, values in before.items()}
    found = compare(before, better)
    assert (found.mean, found.low) == (3 / 8, 1 / 8)
    turned = compare(better, before)
    assert (turned.mean, turned.high) == (-3 / 8, -1 / 8)
    three = {str(number): np.array([0.5]) for number in range(3)}
    found = compare(three, {name: values + (name == "2") for name, values in three.items()})
    assert (found.low, found.high) == (0, 1)


def test_six_sequences_are_not_few_and_each_object_counts() -> None:
    def runs(count: int) -> dict[str, np.ndarray]:
        return {str(number): np.array([0.5]) for number in range(count)}

    assert compare(runs(5), runs(5)).is_weak
    assert not compare(runs(6), runs(6)).is_weak
    uneven = {"a": np.array([0.0, 0.0, 0.0]), "b": np.array([0.0])}
    assert compare(uneven, {"a": uneven["a"], "b": np.array([1.0])}).mean == 0.25
    with pytest.raises(ValueError, match="not of the same"):
        compare(uneven, {"a": np.array([0.0]), "b": uneven["b"]})


def test_one_sequence_has_no_interval_and_others_are_refused() -> None:
    one = {"s": np.array([0.5, 0.6])}
    assert compare(one, one).low is None
    with pytest.raises(ValueError, match="not of the same"):
        compare(one, {"t": np.array([0.5, 0.6])})


def test_runs_are_measured_where_both_speak() -> None:
    truth = two_shapes(np.random.default_rng(SEED), 6)
    drawn = stored(truth, (0, 2, 4))
    found = inspect_runs(drawn, stored(truth, (2, 3, 4, 5)), SIZE)
    assert found.positions == (2, 4)
    assert found.objects == ("cup", "lid")
    assert (found.measures.jf == 1).all()
    lost = [np.where(labels == 1, 0, labels).astype(np.uint8) for labels in truth]
    found = inspect_runs(drawn, stored(lost, tuple(range(6))), SIZE)
    assert found.is_sparse
    assert [(each.failure, each.object) for each in found.episodes] == [(Failure.MISS, 0)]
    with pytest.raises(EvaluationError, match="no frame in common"):
        inspect_runs(drawn, stored(truth, (1, 3)), SIZE)


def stored(frames: list[Labels], known: tuple[int, ...]) -> Run:
    masks = {
        Key(frame, number): mask
        for frame in known
        for number in (1, 2)
        if (mask := Mask.encode(frames[frame] == number)) is not None
    }
    return Run(RunInfo("a run"), {1: "cup", 2: "lid"}, known, masks)


def test_a_result_knows_whether_its_truth_is_sparse() -> None:
    truth = two_shapes(np.random.default_rng(SEED), 4)
    measures = measured(truth, truth)
    frames, names = ("0", "1", "2", "3"), ("1", "2")
    assert not Result("s", frames, (1, 2, 3, 4), names, measures).is_sparse
    sparse = Result("s", frames, (0, 9, 30, 31), names, measures)
    assert sparse.is_sparse
    assert sparse.episodes == ()
    assert overall([sparse]).jf == 1.0
    assert sparse.totals()[Failure.GOOD] == 8
