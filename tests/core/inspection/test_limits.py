"""From where on a mask fails and a circumstance is a cause: at every limit and beyond it."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from app.core.inspection.attributes import ATTRIBUTES, break_down
from app.core.inspection.causes import Cause, Circumstances, causes, circumstances
from app.core.inspection.episodes import Episode, find_episodes
from app.core.inspection.failures import FAILURES, Failure, Labelling, label
from app.core.inspection.measures import Measures

# One object's failures, beside another one


def frame(
    overlap: list[list[int]],
    *,
    missing: int = 0,
    extra: tuple[int, int, int] = (0, 0, 0),
    j: float = 0.5,
    f: float = 0.5,
) -> Measures:
    """Return the measures of one frame of two objects; what is said is of the first one."""
    unknown = np.full((1, 2), np.nan)
    return Measures(
        np.array([[j, 1.0]]),
        np.array([[f, 1.0]]),
        np.array([overlap], np.int64),
        np.array([[missing, 0]], np.int64),
        np.array([[extra, (0, 0, 0)]], np.int64),
        np.full((1, 2, 2), np.nan),
        unknown,
        np.zeros((1, 2), np.bool_),
        unknown,
        unknown,
        np.full((1, 2, 3), np.nan),
        np.full((1, 512), np.nan),
    )


def first(measures: Measures) -> tuple[Failure, int]:
    labelling = label(measures)
    return FAILURES[labelling.failures[0, 0]], int(labelling.partners[0, 0])


HELD = [[0, 0, 0], [0, 1000, 0], [0, 0, 100]]  # rows: truth; columns: prediction


@pytest.mark.parametrize(
    ("measures", "wanted"),
    [
        (frame(HELD, j=0.94, f=0.94), (Failure.GOOD, -1)),
        (frame(HELD, j=0.93, f=1.0), (Failure.BOUNDARY, -1)),
        (frame(HELD, j=1.0, f=0.93), (Failure.BOUNDARY, -1)),
        # Far from the outline, four in a hundred.
        (frame(HELD, missing=40), (Failure.PART_LOSS, -1)),
        (frame(HELD, missing=39), (Failure.BOUNDARY, -1)),
        (frame(HELD, extra=(40, 0, 0)), (Failure.LEAK_BACKGROUND, -1)),
        (frame(HELD, extra=(39, 0, 0)), (Failure.BOUNDARY, -1)),
        # The larger of leak and loss, and where the leak goes.
        (frame(HELD, missing=50, extra=(50, 0, 0)), (Failure.PART_LOSS, -1)),
        (frame(HELD, missing=50, extra=(51, 0, 0)), (Failure.LEAK_BACKGROUND, -1)),
        (frame(HELD, extra=(30, 0, 30)), (Failure.LEAK_BACKGROUND, -1)),
        (frame(HELD, extra=(30, 0, 31)), (Failure.LEAK_NEIGHBOUR, 1)),
        (frame(HELD, missing=61, extra=(0, 0, 60)), (Failure.PART_LOSS, -1)),
        # A small neighbour of which fifteen in a hundred are taken.
        (frame(HELD, extra=(0, 0, 15)), (Failure.LEAK_NEIGHBOUR, 1)),
        (frame(HELD, extra=(0, 0, 14)), (Failure.BOUNDARY, -1)),
        # A mask that holds a tenth of its object has found it.
        (frame([[0, 0, 0], [900, 100, 0], [0, 0, 100]]), (Failure.BOUNDARY, -1)),
        (frame([[0, 0, 0], [901, 99, 0], [0, 0, 100]]), (Failure.MISS, -1)),
        (frame([[0, 0, 0], [901, 99, 0], [0, 0, 100]], extra=(0, 0, 50)), (Failure.MISS, -1)),
        # Nothing is there.
        (frame([[9, 1, 0], [0, 0, 0], [0, 0, 100]]), (Failure.FALSE_PRESENCE, -1)),
        (frame([[9, 0, 0], [0, 0, 0], [0, 0, 100]], extra=(0, 0, 50)), (Failure.GOOD, -1)),
        # The two have changed places.
        (frame([[0, 0, 0], [0, 0, 100], [0, 100, 0]]), (Failure.IDENTITY_SWAP, 1)),
        (frame([[0, 0, 0], [0, 50, 100], [0, 100, 50]]), (Failure.IDENTITY_SWAP, 1)),
        (frame([[0, 0, 0], [0, 50, 50], [0, 50, 50]], missing=40), (Failure.PART_LOSS, -1)),
        (frame([[0, 0, 0], [0, 50, 50], [0, 60, 40]]), (Failure.BOUNDARY, -1)),  # half is held
        (frame([[0, 0, 0], [0, 49, 51], [0, 60, 40]]), (Failure.IDENTITY_SWAP, 1)),
        # Its mask lies mostly on the other one, which is held in part.
        (frame([[0, 0, 0], [100, 0, 0], [0, 60, 100]]), (Failure.IDENTITY_SWAP, 1)),
        (frame([[50, 50, 0], [100, 0, 0], [0, 50, 100]]), (Failure.MISS, -1)),
        (frame([[49, 49, 0], [100, 0, 0], [0, 50, 100]]), (Failure.IDENTITY_SWAP, 1)),
        (frame([[0, 0, 0], [0, 0, 0], [0, 50, 100]]), (Failure.IDENTITY_SWAP, 1)),
        (frame([[0, 0, 0], [100, 0, 0], [0, 0, 100]]), (Failure.MISS, -1)),
    ],
)  # fmt: skip
def test_a_mask_fails_beyond_a_limit(measures: Measures, wanted: tuple[Failure, int]) -> None:
    assert first(measures) == wanted
    labelling = label(mirrored(measures))
    failure, partner = labelling.failures[0, 1], labelling.partners[0, 1]
    assert (FAILURES[failure], 1 - partner if partner >= 0 else -1) == wanted


def mirrored(measures: Measures) -> Measures:
    """Return the measures with the second object as the first one."""
    regions = [0, 2, 1]
    return measures._replace(
        j=measures.j[:, ::-1],
        f=measures.f[:, ::-1],
        overlap=measures.overlap[:, regions][:, :, regions],
        missing=measures.missing[:, ::-1],
        extra=measures.extra[:, ::-1][:, :, regions],
    )


@pytest.mark.parametrize(("shared", "swaps"), [(30, False), (31, True)])
def test_a_swap_takes_more_than_three_tenths_of_overlap(shared: int, swaps: bool) -> None:
    """Of the 100 pixels that the object and the other one's mask have together."""
    overlap = [[0, 0, 70 - shared], [30, 0, shared], [100, 0, 0]]
    failure, partner = first(frame(overlap))
    wanted = (Failure.IDENTITY_SWAP, 1) if swaps else (Failure.MISS, -1)
    assert (failure, partner) == wanted


def test_what_is_lost_after_a_return_is_late_until_it_is_found() -> None:
    gone = frame([[9, 0, 0], [0, 0, 0], [0, 0, 100]])
    lost = frame([[0, 0, 0], [100, 0, 0], [0, 0, 100]])
    held = frame([[0, 0, 0], [0, 100, 0], [0, 0, 100]], j=1.0, f=1.0)

    def failures(*frames: Measures) -> list[Failure]:
        whole = Measures(*(np.concatenate(each) for each in zip(*frames, strict=True)))
        return [FAILURES[code] for code in label(whole).failures[:, 0]]

    good, miss, late = Failure.GOOD, Failure.MISS, Failure.LATE_REENTRY
    assert failures(gone, lost, lost, held, lost) == [good, late, late, good, miss]
    assert failures(lost, lost, gone, held, lost) == [miss, miss, good, good, miss]
    assert failures(lost, gone, lost) == [miss, good, late]


# Why

COUNT, ONSET = 30, 15
LOST = Episode(0, Failure.MISS, ONSET, ONSET, COUNT - 1, None, 1.0)
NEUTRAL: Mapping[str, float] = {
    "share": 0.1, "visible": 1.0, "move": 0.0, "contact": 0.0, "likeness": 0.0,
    "sharpness": 1.0, "light": 0.0, "same": 1.0,
}  # fmt: skip


def course(**values: Mapping[int, float]) -> Circumstances:
    """Return circumstances that explain nothing, but for these values on these frames."""
    made = {name: np.full((COUNT, 2), value) for name, value in NEUTRAL.items()}
    made["same"] = made["same"][:, 0].copy()
    for name, here in values.items():
        for at, value in here.items():
            if name == "same":
                made[name][at] = value
            else:
                made[name][at] = [value, NEUTRAL[name]]
    return Circumstances(**made)


def measured(absent: tuple[int, ...] = ()) -> Measures:
    """Return measures of two objects that are there but for the first one on some frames."""
    one = frame([[0, 0, 0], [0, 100, 0], [0, 0, 100]])
    whole = Measures(*(np.concatenate([each] * COUNT) for each in one))
    whole.overlap[list(absent), 1] = 0
    return whole


def why(given: Circumstances, episode: Episode = LOST, absent: tuple[int, ...] = ()) -> list[Cause]:
    return list(causes(episode, measured(absent), given))


@pytest.mark.parametrize(
    ("name", "limit", "beyond", "cause"),
    [
        ("visible", 0.7, 0.69, Cause.OCCLUSION),
        ("contact", 0.12, 0.13, Cause.OCCLUSION),
        ("likeness", 0.75, 0.76, Cause.LOOK_ALIKE),
        ("move", 0.3, 0.31, Cause.FAST),
        ("sharpness", 0.65, 0.64, Cause.BLUR),
        ("light", 35.0, 35.1, Cause.LIGHTING),
        ("share", 0.003, 0.0029, Cause.SMALL),
    ],
)
def test_a_circumstance_is_a_cause_beyond_its_limit_from_three_frames_before_to_one_after(
    name: str, limit: float, beyond: float, cause: Cause
) -> None:
    assert why(course(**{name: dict.fromkeys(range(COUNT), limit)})) == [Cause.UNKNOWN]
    for at in range(COUNT):
        is_near = ONSET - 3 <= at <= ONSET + 1
        wanted = [cause] if is_near else [Cause.UNKNOWN]
        assert why(course(**{name: {at: beyond}})) == wanted
    at_once = replace(LOST, first=1)
    assert why(course(**{name: {0: beyond}}), at_once) == [cause]
    other = replace(LOST, object=1)
    assert why(course(**{name: {ONSET: beyond}}), other) == [Cause.UNKNOWN]
    assert why(course(**{name: dict.fromkeys(range(COUNT), math.nan)})) == [Cause.UNKNOWN]


@pytest.mark.parametrize(("at", "cut"), [(13, False), (14, True), (15, True), (16, False)])
def test_a_cut_lies_at_the_onset_or_just_before(at: int, cut: bool) -> None:
    assert (Cause.CUT in why(course(same={at: 0.54}))) is cut
    assert why(course(same={at: 0.55})) == [Cause.UNKNOWN]
    assert why(course(same={0: 0.1}), replace(LOST, first=0)) == [Cause.CUT]


def test_an_object_has_come_back_that_was_away_within_ten_frames() -> None:
    assert why(course(), absent=(5,)) == [Cause.RETURN]
    assert why(course(), absent=(4,)) == [Cause.UNKNOWN]
    assert why(course(), absent=(16,)) == [Cause.UNKNOWN]
    assert why(course(), absent=(15,)) == [Cause.OCCLUSION]  # it is away: it has not come back
    late = replace(LOST, failure=Failure.LATE_REENTRY)
    assert why(course(), late) == [Cause.RETURN]
    assert why(course(), replace(LOST, first=2), absent=(0,)) == [Cause.RETURN]
    assert why(course(same={15: 0.0}, move={15: 9.0})) == [Cause.CUT, Cause.FAST]


def test_the_course_of_what_surrounds_an_object_is_what_its_measures_say() -> None:
    rng = np.random.default_rng(2)
    count, objects = 16, 3
    overlap = rng.integers(1, 90, (count, objects + 1, objects + 1))
    overlap[4:6, 1] = 0  # object 0 is away
    overlap[:, 0] += (9000 - overlap.sum(axis=(1, 2)))[:, None] // 4
    empty = frame(HELD)
    centre = rng.uniform(0, 40, (count, objects, 2))
    likeness = rng.uniform(0, 1, (count, objects, objects + 1))
    likeness[:, 1] = np.nan
    measures = empty._replace(
        overlap=overlap, centre=centre, contact=rng.random((count, objects)),
        sharpness=rng.uniform(1, 9, (count, objects)), likeness=likeness,
        brightness=rng.uniform(0, 255, (count, objects)), tones=rng.dirichlet(np.ones(512), count),
    )  # fmt: skip
    positions = (*range(8), *range(20, 28))
    found = circumstances(measures, positions)
    area = overlap.sum(axis=2)[:, 1:].astype(float)
    area[area == 0] = np.nan
    side = np.sqrt(area)

    def usual(values: np.ndarray, at: int, number: int) -> float:
        known = [each for each in values[max(0, at - 10) : at, number] if not math.isnan(each)]
        return float(np.median(known)) if known else math.nan

    for at in range(count):
        joined = at > 0 and positions[at] == positions[at - 1] + 1
        alike = np.sqrt(measures.tones[at] * measures.tones[at - 1]).sum() if joined else math.nan
        assert found.same[at] == pytest.approx(alike, nan_ok=True)
        for number in range(objects):
            one = (at, number)
            whole = overlap[0].sum()
            assert found.share[one] == pytest.approx(area[one] / whole, nan_ok=True)
            visible = area[one] / usual(area, *one)
            assert found.visible[one] == pytest.approx(visible, nan_ok=True)
            sharp = measures.sharpness[one] / usual(measures.sharpness, *one)
            assert found.sharpness[one] == pytest.approx(sharp, nan_ok=True)
            light = abs(measures.brightness[one] - usual(measures.brightness, *one))
            assert found.light[one] == pytest.approx(light, nan_ok=True)
            way = np.hypot(*(centre[one] - centre[at - 1, number]))
            move = way / side[at - 1, number] if joined else math.nan
            assert found.move[one] == pytest.approx(move, nan_ok=True)
            best = 0.0
            for other in range(objects):
                gap = np.hypot(*(centre[one] - centre[at, other]))
                near = gap < 1.5 * (side[one] + side[at, other]) / 2
                if other != number and near:
                    ratio = area[one] / area[at, other]
                    by_shape = float(0.5 < ratio < 2)
                    seen = likeness[at, number, other + 1]
                    best = max(best, by_shape if math.isnan(seen) else seen)
            round_it = likeness[at, number, 0]
            wanted = best if math.isnan(round_it) else max(best, round_it)
            assert found.likeness[one] == pytest.approx(wanted, nan_ok=True)
    assert found.contact is measures.contact


@pytest.mark.parametrize(
    ("areas", "away", "alike"),
    [
        ((100, 199), 5.0, True),
        ((100, 200), 5.0, False),
        ((200, 100), 5.0, False),
        ((199, 100), 5.0, True),
        ((100, 100), 14.9, True),
        ((100, 100), 15.0, False),
    ],
)
def test_without_images_what_is_near_and_of_like_size_is_alike(
    areas: tuple[int, int], away: float, alike: bool
) -> None:
    centre = np.array([[[20.0, 20.0], [20.0, 20.0 + away]]])
    measures = frame([[0, 0, 0], [areas[0], 0, 0], [areas[1], 0, 0]])._replace(centre=centre)
    found = circumstances(measures, (0,))
    assert found.likeness.tolist() == [[float(alike), float(alike)]]


# Episodes and classes of frames


def labelled(codes: list[Failure], partners: list[int] | None = None) -> Labelling:
    places = np.array([[FAILURES.index(each)] for each in codes], np.uint8)
    return Labelling(places, np.array([[p] for p in partners or [-1] * len(codes)], np.intp))


def test_an_episode_knows_the_partner_of_the_failure_that_it_is_called_after() -> None:
    swap, leak = Failure.IDENTITY_SWAP, Failure.LEAK_NEIGHBOUR
    codes = [swap, swap, swap, leak, leak]
    jf = np.array([0.1, 0.2, 0.1, 0.9, 0.9])[:, None]
    (found,) = find_episodes(labelled(codes, [2, 0, 0, 3, 3]), jf)
    assert (found.failure, found.partner, found.peak) == (swap, 0, 0)
    (found,) = find_episodes(labelled([Failure.MISS], [-1]), np.array([[0.0]]))
    assert (found.partner, found.recovery, found.lost) == (None, None, 1.0)


def test_episodes_come_by_what_they_cost_then_by_object_then_by_frame() -> None:
    miss = FAILURES.index(Failure.MISS)
    codes = np.zeros((12, 2), np.uint8)
    codes[[1, 6], 0] = codes[[1, 6], 1] = miss
    jf = np.where(codes == miss, 0.5, 1.0)
    jf[6, 1] = 0.1
    found = find_episodes(Labelling(codes, np.full(codes.shape, -1)), jf)
    assert [(each.object, each.first) for each in found] == [(1, 6), (0, 1), (0, 6), (1, 1)]
    assert [each.recovery for each in found] == [7, 2, 7, 2]


@pytest.mark.parametrize(("slight", "apart"), [(0.25, False), (0.24, True)])
def test_slips_belong_together_that_cost_half_of_the_worst_of_them(
    slight: float, apart: bool
) -> None:
    jf = 1 - np.array([slight, 0.5, slight])[:, None]
    found = find_episodes(labelled([Failure.BOUNDARY] * 3), jf)
    frames = sorted((each.first, each.last) for each in found)
    assert frames == ([(0, 2), (1, 1)] if apart else [(0, 2)])


@pytest.mark.parametrize("index", range(len(ATTRIBUTES)))
def test_a_value_belongs_to_the_first_class_whose_edge_it_does_not_exceed(index: int) -> None:
    attribute = ATTRIBUTES[index]
    low, high = attribute.edges
    values = np.array([0.0, low, np.nextafter(low, 9), high, np.nextafter(high, 9), np.nan])
    assert attribute.places(values).tolist() == [0, 0, 1, 1, 2, -1]


def test_frames_are_classed_by_what_is_hidden_not_by_what_is_seen() -> None:
    seen = course(visible={0: 1.2, 1: 0.86, 2: 0.84, 3: 0.51, 4: 0.49, 5: math.nan})
    measures = measured()
    measures.j[:] = np.arange(COUNT)[:, None] / COUNT
    measures.f[:] = measures.j
    shares = {each.name: each for each in break_down([(measures, seen)])
              if each.attribute == "occlusion"}  # fmt: skip
    counts = {name: share.frames for name, share in shares.items()}
    assert counts == {"none": 2 * COUNT - 4, "part": 2, "most": 1}
    assert shares["part"].jf == pytest.approx((2 + 3) / 2 / COUNT)
    assert shares["most"].jf == pytest.approx(4 / COUNT)
