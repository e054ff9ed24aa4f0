"""Figures of failures: what they say, and that each thing stands where its value is."""

from collections.abc import Sequence

import numpy as np
import pytest

from app.batch.inspection.drawing import QUIET, RULE, Figure, Line, Text, font
from app.batch.inspection.figures import (
    EXTRA,
    FAILURE_COLORS,
    MISSING,
    RIGHT,
    RUN_COLORS,
    TRUTH,
    Column,
    Shot,
    Trace,
    caption,
    chosen_places,
    curve_figure,
    episode_figure,
    failure_strip,
    title,
)
from app.batch.inspection.provenance import program
from app.core.inspection.episodes import Episode
from app.core.inspection.failures import Failure
from app.core.inspection.results import Result
from models.api import Image
from tests.batch.inspection.drawings import boxes, dots, lines, rasters, texts
from tests.batch.inspection.scenes import (
    COUNT,
    SIZE,
    leaking,
    lost,
    result_of,
    slight,
    squares,
    swapped,
    truth,
)

GOOD, MISS, PART = (
    FAILURE_COLORS[each] for each in (Failure.GOOD, Failure.MISS, Failure.PART_LOSS)
)
A, B = RUN_COLORS


def episode_of(first: int, peak: int, last: int, recovery: int | None) -> Episode:
    return Episode(0, Failure.MISS, first, peak, last, recovery, 1.0)


@pytest.mark.parametrize(
    ("episode", "count", "places"),
    [
        (episode_of(4, 5, 7, 8), 9, (3, 4, 5, 7, 8)),
        (episode_of(2, 6, 7, 8), 9, (1, 2, 4, 6, 7, 8)),
        (episode_of(2, 6, 7, 8), 5, (1, 2, 6, 7, 8)),
        (episode_of(2, 6, 7, 8), 4, (1, 2, 6, 8)),
        (episode_of(2, 6, 7, 8), 3, (2, 6, 8)),
        (episode_of(2, 6, 7, 8), 2, (2, 6)),
        (episode_of(0, 3, 9, None), 9, (0, 3, 4, 9)),
        (episode_of(0, 3, 4, 5), 9, (0, 2, 3, 4, 5)),
    ],
)
def test_the_frames_that_tell_of_an_episode_are_its_onset_its_worst_and_what_is_about_it(
    episode: Episode, count: int, places: tuple[int, ...]
) -> None:
    assert chosen_places(result_of(lost()), episode, count) == places


def test_a_caption_says_what_happened_where_and_what_it_cost() -> None:
    result = result_of(lost(), range(100, 110))
    (episode,) = result.episodes
    assert caption("A (base)", result, episode) == (
        "kitchen, object cup: miss. Run A (base); onset on frame 00104, worst on 00104, "
        "found again on frame 00108; 3.4 J&F lost over 4 frames. No cause was measured. "
        f"{program()}."
    )


def test_a_caption_says_that_an_object_was_not_found_again_and_why_it_was_lost() -> None:
    drawn = [squares(None if 3 <= frame < 6 else 10) for frame in range(COUNT)]
    unfound = [squares(None if frame >= 3 else 10) for frame in range(COUNT)]
    result = result_of(unfound, drawn=drawn)
    (episode,) = result.episodes
    assert caption("A", result, episode) == (
        "kitchen, object cup: late re-entry. Run A; onset on frame 00006, worst on 00006, "
        "to the end; 4.0 J&F lost over 4 frames. Likely cause: left and came back. "
        f"{program()}."
    )


def test_a_title_names_the_other_object_of_a_swap_or_leak() -> None:
    result = result_of(swapped())
    assert [title(result, each) for each in result.episodes] == [
        "kitchen, object cup: identity swap with plate",
        "kitchen, object plate: identity swap with cup",
    ]
    result = result_of(leaking())
    cup = next(each for each in result.episodes if each.object == 0)
    assert title(result, cup) == "kitchen, object cup: leak into a neighbour (plate)"


def test_a_strip_shows_the_failure_of_each_frame_and_leaves_out_what_is_not_scored() -> None:
    strip = failure_strip(result_of(lost()), 0, width=100, height=8)
    assert (strip.width, strip.height) == (100, 8)
    assert strip.description == "kitchen, object cup: failures frame by frame"
    assert boxes(strip) == [
        (0, 0, 40, 8, GOOD),
        (40, 0, 30, 8, MISS),
        (70, 0, 10, 8, PART),
        (80, 0, 20, 8, GOOD),
    ]
    assert boxes(failure_strip(result_of(lost()), 1, width=100)) == [(0, 0, 100, 9, GOOD)]
    # Frames 0, 1, 4, 5 and 6, 7 to 9 and 18, 19 of a video that begins with frame 5.
    places = [5 + place for place in (0, 1, 4, 5, 6, 7, 8, 9, 18, 19)]
    assert boxes(failure_strip(result_of(lost(), places), 0, width=200)) == [
        (0, 0, 20, 9, GOOD),
        (40, 0, 20, 9, GOOD),
        (60, 0, 30, 9, MISS),
        (90, 0, 10, 9, PART),
        (180, 0, 20, 9, GOOD),
    ]


def test_a_scored_frame_among_thousands_is_still_seen() -> None:
    strip = failure_strip(result_of(lost(), [700 * place for place in range(COUNT)]), 0, width=360)
    assert [width for _, _, width, _, _ in boxes(strip)] == [2.0] * COUNT


def test_a_curve_lies_at_its_values() -> None:
    result = result_of(lost(), range(100, 110))
    figure = curve_figure([Trace("A (base)", A, result)], 0)
    (curve,) = lines(figure, A)
    rules, said = lines(figure, RULE), texts(figure)
    levels = {rule.points[0, 1]: rule for rule in rules}
    assert len(levels) == 3
    bottom, top = max(levels), min(levels)
    left, right = rules[0].points[:, 0]
    assert curve.points[:, 0].tolist() == pytest.approx(np.linspace(left, right, COUNT))
    values = (bottom - curve.points[:, 1]) / (bottom - top)
    assert values.tolist() == pytest.approx(result.measures.jf[:, 0].tolist())
    for text, level in (("0.0", bottom), ("0.5", (top + bottom) / 2), ("1.0", top)):
        assert said[text].y == pytest.approx(level + 2.3)  # half a digit: level with its line
        assert (said[text].x, said[text].anchor) == (left - 3, "end")
        assert levels[level].points.tolist() == [[left, level], [right, level]]
    assert (said["00100"].x, said["00100"].anchor) == (left, "start")
    assert (said["00109"].x, said["00109"].anchor) == (right, "end")
    assert (said["J&F by frame"].x, said["J&F by frame"].anchor) == ((left + right) / 2, "middle")
    assert {said[each].y for each in ("00100", "00109", "J&F by frame")} == {bottom + 9}
    assert not curve.closed


@pytest.mark.parametrize(("column", "width"), [(Column.SINGLE, 237), (Column.DOUBLE, 496)])
def test_a_curve_takes_a_column_and_what_stands_under_it_has_room(
    column: Column, width: float
) -> None:
    figure = curve_figure([Trace("A", A, result_of(lost()))], 0, column)
    assert figure.width == width
    (left, right), *_ = [rule.points[:, 0] for rule in lines(figure, RULE)]
    assert (left, right) == (18, width)
    check_layout(figure)


def test_the_text_under_a_curve_names_the_object_the_frames_and_the_mean_of_each_run() -> None:
    runs = [Trace("A (base)", A, result_of(lost())), Trace("B (new)", B, result_of(truth()))]
    figure = curve_figure(runs, 0)
    assert figure.description == (
        "J&F of kitchen, object cup, on frames 00000 to 00009. Means: A (base) 0.656, "
        f"B (new) 1.000. {program()}."
    )
    assert figure.description == " ".join(
        each.text for each in figure.items if isinstance(each, Text) and each.size == 7.0
    )


def test_the_curves_of_two_runs_are_told_apart_by_a_legend() -> None:
    runs = [Trace("A (base)", A, result_of(lost())), Trace("B (new)", B, result_of(truth()))]
    figure = curve_figure(runs, 0)
    said, bottom = texts(figure), max(rule.points[0, 1] for rule in lines(figure, RULE))
    assert "J&F by frame" not in said
    assert said["frame"].y == bottom + 9
    assert {said[each].y for each in ("J&F:", "A (base)", "B (new)")} == {bottom + 20}
    check_key(figure, "A (base)", A)
    check_key(figure, "B (new)", B)
    drawn = [each.color for each in figure.items if isinstance(each, Line) and each.color in (A, B)]
    assert drawn == [B, A]  # the first run lies on top
    check_layout(figure)


def test_where_the_truth_is_sparse_nothing_is_drawn_between_its_frames() -> None:
    places = [100 + 5 * place for place in range(COUNT)]
    result = result_of(lost(), places)
    figure = curve_figure([Trace("A", A, result)], 0)
    assert lines(figure, A) == []
    (marks,) = dots(figure)
    left, right = lines(figure, RULE)[0].points[:, 0]
    assert marks.color == A
    assert marks.points[:, 0].tolist() == pytest.approx(np.linspace(left, right, COUNT))


def test_a_sequence_of_one_frame_has_a_curve() -> None:
    figure = curve_figure([Trace("A", A, result_of(lost(), [3]))], 1)
    assert lines(figure, A)[0].points.shape == (1, 2)


def shots_of(
    result: Result, predicted: Sequence[np.ndarray], image: Image | None = None, count: int = 5
) -> list[Shot]:
    (episode,) = result.episodes
    return [
        Shot(place, image, truth()[place] == 1, predicted[place] == 1)
        for place in chosen_places(result, episode, count)
    ]


def drawn_episode(
    image: Image | None = None, runs: int = 1, count: int = 5
) -> tuple[Figure, Result]:
    result = result_of(lost())
    traces = [Trace("A (base)", A, result), Trace("B (new)", B, result_of(truth()))][:runs]
    shots = shots_of(result, lost(), image, count)
    return episode_figure(traces, result.episodes[0], shots), result


def test_an_episode_is_shown_in_equal_tiles_over_the_page_with_the_errors_below() -> None:
    figure, _ = drawn_episode()
    assert figure.width == 496
    tiles = rasters(figure)
    above, below = tiles[::2], tiles[1::2]
    assert len(above) == len(below) == 5
    assert {each.width for each in tiles} == {96}
    assert [each.x for each in above] == [each.x for each in below] == [0, 100, 200, 300, 400]
    assert {each.y for each in above} == {10}
    assert {each.y for each in below} == {12 + above[0].height}
    for tile in tiles:  # not distorted: the frame's own proportions
        assert tile.height / tile.width == pytest.approx(SIZE[0] / SIZE[1])
        assert tile.image.shape[0] / tile.image.shape[1] == pytest.approx(SIZE[0] / SIZE[1])
    check_layout(figure)


def test_fewer_tiles_are_larger() -> None:
    figure, _ = drawn_episode(count=2)
    assert [(each.x, each.width) for each in rasters(figure)[::2]] == [(0, 246), (250, 246)]
    check_layout(figure)


def test_each_tile_is_headed_by_its_frame_its_part_in_the_episode_and_its_score() -> None:
    figure, result = drawn_episode()
    names = [each.text for each in figure.items if isinstance(each, Text) and each.y == 7]
    part = result.measures.jf[7, 0]
    assert names == ["00003, 1.00", "00004 worst, 0.00", "00005, 0.00", f"00007, {part:.2f}",
                     "00008 after, 1.00"]  # fmt: skip
    assert [each.x for each in figure.items if isinstance(each, Text) and each.y == 7] == [
        tile.x for tile in rasters(figure)[::2]
    ]


def test_outlines_lie_on_the_edges_of_the_masks_in_the_picture() -> None:
    image = np.full((*SIZE, 3), 30, np.uint8)
    image[20:40, 10:30] = (250, 250, 250)  # the cup
    figure, _ = drawn_episode(image)
    before = rasters(figure)[0]
    scale = before.width / before.image.shape[1]
    bright = before.image[..., 0] > 128
    ys, xs = np.nonzero(bright)
    wanted = [
        before.x + scale * (xs.min() + 0.5), before.x + scale * (xs.max() + 0.5),
        before.y + scale * (ys.min() + 0.5), before.y + scale * (ys.max() + 0.5),
    ]  # fmt: skip
    truths, predictions = lines(figure, TRUTH), lines(figure, A)
    for line in (truths[0], predictions[0]):
        x, y = line.points.T
        assert [x.min(), x.max(), y.min(), y.max()] == pytest.approx(wanted)
        assert line.closed
    # The prediction is drawn where there is one: on frames 3, 7 and 8; the other is the curve.
    assert len(truths) == 5
    assert len([line for line in predictions if line.closed]) == 3


def test_tiles_show_the_part_of_the_frame_that_holds_the_masks_with_room_round_it() -> None:
    image = np.zeros((*SIZE, 3), np.uint8)
    image[..., 0] = np.arange(SIZE[1])
    image[..., 1] = np.arange(SIZE[0])[:, None]
    figure, _ = drawn_episode(image)
    cut = rasters(figure)[0].image
    assert cut.shape == (27, 36, 3)
    # The cup's centre, (20, 30), is in the middle.
    assert (cut[0, 0, 0], cut[0, -1, 0] + 1) == (2, 38)
    assert (cut[0, 0, 1], cut[-1, 0, 1] + 1) == (17, 44)


@pytest.mark.parametrize(
    ("left", "top", "side", "begin", "shape"),
    [
        (0, 0, 4, (0, 0), (18, 24)),  # at least .3 of the frame, and within it
        (76, 56, 4, (56, 42), (18, 24)),
        (30, 20, 4, (20, 13), (18, 24)),
        (10, 5, 50, (0, 0), (60, 80)),  # all of it, never more
    ],
)
def test_a_window_stays_within_the_frame_and_is_not_too_small(
    left: int, top: int, side: int, begin: tuple[int, int], shape: tuple[int, int]
) -> None:
    image = np.zeros((*SIZE, 3), np.uint8)
    image[..., 0] = np.arange(SIZE[1])
    image[..., 1] = np.arange(SIZE[0])[:, None]
    mask = np.zeros(SIZE, np.bool_)
    mask[top : top + side, left : left + side] = True
    result = result_of(lost())
    figure = episode_figure(
        [Trace("A", A, result)], result.episodes[0], [Shot(4, image, mask, np.zeros_like(mask))]
    )
    cut = rasters(figure)[0].image
    assert cut.shape[:2] == shape
    assert (cut[0, 0, 0], cut[0, 0, 1]) == begin


def test_without_images_the_ground_of_a_tile_is_grey() -> None:
    figure, _ = drawn_episode()
    assert {tuple(color) for color in rasters(figure)[0].image.reshape(-1, 3)} == {(226,) * 3}


def test_errors_are_coloured_on_a_pale_picture() -> None:
    image = np.full((*SIZE, 3), (200, 100, 50), np.uint8)
    result = result_of(lost())
    drawn, predicted = (np.zeros(SIZE, np.bool_) for _ in range(2))
    drawn[10:50, 10:40] = True
    predicted[10:50, 20:70] = True
    figure = episode_figure(
        [Trace("A", A, result)], result.episodes[0], [Shot(4, image, drawn, predicted)]
    )
    errors = rasters(figure)[1].image
    assert errors.shape == (*SIZE, 3)
    pale = int(0.299 * 200 + 0.587 * 100 + 0.114 * 50 + 0.5) * 0.5 + 110
    for x, color in ((15, MISSING), (30, RIGHT), (60, EXTRA)):
        wanted = 0.6 * np.array(color) + 0.4 * pale
        assert errors[30, x].tolist() == pytest.approx(wanted.tolist(), abs=1.5)
    assert errors[30, 5].tolist() == pytest.approx([pale] * 3, abs=1.5)
    assert (image == (200, 100, 50)).all()


def test_the_legend_of_an_episode_explains_every_colour() -> None:
    figure, _ = drawn_episode(runs=2)
    said = texts(figure)
    for name, color in (("truth", TRUTH), ("right", RIGHT), ("too much", EXTRA),
                        ("missing", MISSING)):  # fmt: skip
        check_key(
            figure, name, color if isinstance(color, str) else "#{:02x}{:02x}{:02x}".format(*color)
        )
    check_key(figure, "A (base)", A)
    check_key(figure, "B (new)", B)
    bottom = max(tile.y + tile.height for tile in rasters(figure))
    assert said["outlines:"].y == said["truth"].y == pytest.approx(bottom + 10)
    assert said["areas:"].y == said["missing"].y == pytest.approx(bottom + 19)
    check_layout(figure)


def test_the_stretch_of_an_episode_is_marked_behind_its_curve() -> None:
    figure, _ = drawn_episode()
    left, right = lines(figure, RULE)[0].points[:, 0]
    levels = [rule.points[0, 1] for rule in lines(figure, RULE)]
    step = (right - left) / (COUNT - 1)
    (marked,) = [each for each in boxes(figure) if each[4] == "#f3e6da"]
    top, height = min(levels), max(levels) - min(levels)
    assert marked[:4] == pytest.approx((left + 4 * step, top, 3 * step, height))
    order = [item for item in figure.items if isinstance(item, Line)]
    behind = next(index for index, line in enumerate(order) if line.fill == "#f3e6da")
    assert behind < order.index(lines(figure, RULE)[0])


def test_an_episode_of_one_frame_is_marked_too() -> None:
    result = result_of([squares(None) if frame == 4 else squares() for frame in range(COUNT)])
    (episode,) = result.episodes
    shot = Shot(4, None, truth()[4] == 1, np.zeros(SIZE, np.bool_))
    figure = episode_figure([Trace("A", A, result)], episode, [shot])
    (marked,) = [each for each in boxes(figure) if each[4] == "#f3e6da"]
    assert marked[2] == pytest.approx(1.5)


def test_the_description_of_an_episode_s_figure_is_its_caption_and_stands_under_it() -> None:
    figure, result = drawn_episode()
    assert figure.description == caption("A (base)", result, result.episodes[0])
    under = [item for item in figure.items if isinstance(item, Text) and item.color == QUIET]
    written = [item for item in under if item.size == 7.0]
    assert " ".join(item.text for item in written) == figure.description
    assert {item.x for item in written} == {0}
    rows = [item.y for item in written]
    assert np.diff(rows).tolist() == pytest.approx([9.0] * (len(rows) - 1))
    assert figure.height == pytest.approx(rows[-1] + 5)  # room for what hangs under a line


def test_slips_of_one_object_leave_the_other_s_curve_alone() -> None:
    result = result_of(slight())
    figure = curve_figure([Trace("A", A, result)], 1)
    bottom = max(rule.points[0, 1] for rule in lines(figure, RULE))
    top = min(rule.points[0, 1] for rule in lines(figure, RULE))
    values = (bottom - lines(figure, A)[0].points[:, 1]) / (bottom - top)
    assert values.tolist() == pytest.approx(result.measures.jf[:, 1].tolist())


@pytest.mark.parametrize("count", [1, 2])
def test_the_caption_stands_close_under_what_is_drawn(count: int) -> None:
    runs = [Trace("A (base)", A, result_of(lost())), Trace("B (new)", B, result_of(truth()))]
    episode = drawn_episode(runs=count)[0]
    for figure in (curve_figure(runs[:count], 0), episode):
        said, rules = texts(figure), [rule.points[0, 1] for rule in lines(figure, RULE)]
        caption_at = min(t.y for t in said.values() if t.size == 7.0 and t.color == QUIET)
        lowest = max(t.y for t in said.values() if t.size != 7.0)
        assert lowest == max(rules) + (9 if count == 1 else 20)
        assert caption_at - lowest == pytest.approx(13 if count == 1 else 14)
    assert min(rules) - said["areas:"].y == pytest.approx(8)
    assert max(rules) - min(rules) == pytest.approx(62)


@pytest.mark.parametrize("column", list(Column))
def test_curves_reach_from_beside_their_scale_to_the_edge_of_the_paper(column: Column) -> None:
    result = result_of(lost())
    trace, shots = Trace("A", A, result), shots_of(result, lost(), None, 3)
    for figure in (
        curve_figure([trace], 0, column),
        episode_figure([trace], result.episodes[0], shots, column),
    ):
        assert figure.width == column.value
        (curve,) = [line for line in lines(figure, A) if not line.closed]
        for line in (curve, *lines(figure, RULE)):
            assert (line.points[:, 0].min(), line.points[:, 0].max()) == (18, figure.width)
        assert min(line.points[0, 1] for line in lines(figure, RULE)) >= 6
        check_layout(figure)


def check_key(figure: Figure, name: str, color: str) -> None:
    """Check that a coloured square stands right before a name of a legend."""
    text = texts(figure)[name]
    key = (text.x - 8.5, text.y - 5, 6, 6)
    assert any(each[:4] == pytest.approx(key) and each[4] == color for each in boxes(figure)), name


def check_layout(figure: Figure) -> None:
    """Check that nothing leaves the paper, and that no words lie on words or on pictures."""
    spans = []
    for item in figure.items:
        if isinstance(item, Text):
            length = font(100).getlength(item.text) * item.size / 100
            begin = item.x - {"start": 0, "middle": 0.5, "end": 1}[item.anchor] * length
            spans.append((begin, item.y - 0.72 * item.size, begin + length, item.y))
    pictures = [(r.x, r.y, r.x + r.width, r.y + r.height) for r in rasters(figure)]
    keys = [(x, y, x + w, y + h) for x, y, w, h, color in boxes(figure) if (w, h) == (6, 6)]
    for index, span in enumerate(spans):
        assert span[1] >= 0
        assert span[3] <= figure.height
        for other in (*spans[:index], *pictures, *keys):
            assert not _meet(span, other), (span, other)
    for index, picture in enumerate(pictures):
        assert picture[2] <= figure.width + 1e-6
        assert picture[0] >= 0
        assert not any(_meet(picture, other) for other in pictures[:index])


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    gap = 1e-6
    return (
        one[0] < other[2] - gap and other[0] < one[2] - gap
        and one[1] < other[3] - gap and other[1] < one[3] - gap
    )  # fmt: skip
