"""Figures as SVG and as PNG: the same things at the same places."""

import io
import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Picture

from app.batch.inspection.drawing import (
    Anchor,
    Dots,
    Figure,
    Item,
    Line,
    Raster,
    Text,
    box,
    font,
    rings,
    wrapped,
)
from tests.batch.inspection.drawings import SVG, embedded, parsed, pixels

RED, BLUE = "#ff0000", "#0000ff"


def figure(*items: Item, width: float = 60, height: float = 40, name: str = "A test") -> Figure:
    return Figure(width, height, items, name)


def points(*places: tuple[float, float]) -> NDArray[np.float64]:
    return np.array(places, np.float64)


def held(image: NDArray[np.uint8], color: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Return the box of the pixels that are nearly of a colour: x0, y0, x1, y1, half open."""
    near = np.abs(image.astype(int) - color).max(axis=2) < 60
    ys, xs = np.nonzero(near)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def test_an_svg_has_the_size_of_the_paper_and_its_description() -> None:
    root = parsed(figure(width=237, height=90.5, name="cup & knife <1>"))
    assert root.attrib["viewBox"] == "0 0 237 90.5"
    assert (root.attrib["width"], root.attrib["height"]) == ("237pt", "90.5pt")
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text == "cup & knife <1>"
    paper = root.find(f"{SVG}rect")
    assert paper is not None
    assert paper.attrib == {"width": "100%", "height": "100%", "fill": "#ffffff"}


def test_a_png_has_the_size_of_the_paper_in_dots_and_says_how_many_there_are_to_an_inch() -> None:
    with Picture.open(io.BytesIO(figure(width=72.4, height=36).png(150))) as picture:
        assert picture.size == (151, 75)
        assert picture.info["dpi"] == pytest.approx((150, 150), abs=0.1)
    assert pixels(figure(), 144).shape == (80, 120, 3)
    assert (pixels(figure()) == 255).all()


def test_a_filled_box_covers_its_place() -> None:
    drawn = figure(box(10, 5, 20, 8, RED))
    (polygon,) = parsed(drawn).iter(f"{SVG}polygon")
    assert polygon.attrib["points"] == "10.00,5.00 30.00,5.00 30.00,13.00 10.00,13.00"
    assert (polygon.attrib["fill"], polygon.attrib["stroke"]) == (RED, "none")
    assert held(pixels(drawn), (255, 0, 0)) == (10, 5, 30, 13)
    assert held(pixels(drawn, 216), (255, 0, 0)) == (30, 15, 90, 39)


def test_later_items_lie_on_top() -> None:
    drawn = figure(box(10, 5, 20, 8, RED), box(15, 5, 30, 8, BLUE))
    assert [each.attrib["fill"] for each in parsed(drawn).iter(f"{SVG}polygon")] == [RED, BLUE]
    image = pixels(drawn)
    assert held(image, (255, 0, 0)) == (10, 5, 15, 13)
    assert held(image, (0, 0, 255)) == (15, 5, 45, 13)


def test_an_open_line_stays_open_and_a_closed_one_comes_back_to_its_start() -> None:
    corners = points((10, 10), (40, 10), (40, 30))
    for closed, name in ((False, "polyline"), (True, "polygon")):
        drawn = figure(Line(corners, RED, 2, closed=closed))
        (line,) = parsed(drawn).iter(f"{SVG}{name}")
        assert line.attrib["points"] == "10.00,10.00 40.00,10.00 40.00,30.00"
        assert (line.attrib["fill"], line.attrib["stroke"]) == ("none", RED)
        assert line.attrib["stroke-width"] == "2"
        image = pixels(drawn)
        assert (image[10, 25] == (255, 0, 0)).all()
        assert (image[20, 40] == (255, 0, 0)).all()
        assert (image[15, 35] == 255).all()  # nothing is filled
        assert (image[20, 25] != 255).any() == closed


@pytest.mark.parametrize("width", [1, 2, 4])
def test_a_line_is_as_wide_as_it_says(width: float) -> None:
    image = pixels(figure(Line(points((0, 20), (60, 20)), RED, width)), 288)
    across = image[:, 120]
    assert abs(int((across[:, 1] < 128).sum()) - 4 * width) <= 1


def test_a_line_is_seen_however_thin_it_is() -> None:
    assert (pixels(figure(Line(points((0, 20), (60, 20)), RED, 0.01))) != 255).any()


def test_a_line_with_a_fill_and_a_colour_shows_both() -> None:
    corners = points((10, 10), (50, 10), (50, 30), (10, 30))
    image = pixels(figure(Line(corners, RED, 2, closed=True, fill=BLUE)))
    assert (image[20, 30] == (0, 0, 255)).all()
    assert (image[10, 30] == (255, 0, 0)).all()


def test_dots_lie_where_they_are_and_are_not_connected() -> None:
    drawn = figure(Dots(points((10, 10), (40, 30)), BLUE, 3))
    circles = [*parsed(drawn).iter(f"{SVG}circle")]
    assert [(each.attrib["cx"], each.attrib["cy"], each.attrib["r"]) for each in circles] == [
        ("10.00", "10.00", "3"),
        ("40.00", "30.00", "3"),
    ]
    assert {each.attrib["fill"] for each in circles} == {BLUE}
    image = pixels(drawn, 288)
    for x, y in ((40, 40), (160, 120)):
        x0, y0, x1, y1 = held(image[y - 20 : y + 20, x - 20 : x + 20], (0, 0, 255))
        assert (x0 + x1, y0 + y1) == pytest.approx((40, 40), abs=2)
        assert (x1 - x0, y1 - y0) == pytest.approx((24, 24), abs=2)
    assert (image[80, 100] == 255).all()


@pytest.mark.parametrize(("anchor", "begins"), [("start", 0), ("middle", -0.5), ("end", -1)])
def test_text_stands_on_its_baseline_from_its_anchor(anchor: Anchor, begins: float) -> None:
    drawn = figure(Text(30, 20, "HHHH", 9, RED, anchor))
    (text,) = parsed(drawn).iter(f"{SVG}text")
    assert text.text == "HHHH"
    assert {name: text.attrib[name] for name in ("x", "y", "font-size", "fill", "text-anchor")} == {
        "x": "30.00", "y": "20.00", "font-size": "9", "fill": RED, "text-anchor": anchor,
    }  # fmt: skip
    x0, y0, x1, y1 = (each / 4 for each in held(pixels(drawn, 288), (255, 0, 0)))
    length = font(900).getlength("HHHH") / 100
    assert (x0, x1) == pytest.approx((30 + begins * length, 30 + (begins + 1) * length), abs=1)
    assert y1 == pytest.approx(20, abs=0.3)
    assert 5 < y1 - y0 < 9


def test_text_may_hold_what_markup_means_something_by() -> None:
    (text,) = parsed(figure(Text(0, 9, "J&F <1> of 'a'"))).iter(f"{SVG}text")
    assert text.text == "J&F <1> of 'a'"


def test_a_picture_fills_its_rectangle() -> None:
    image = np.zeros((4, 6, 3), np.uint8)
    image[:, :3] = (255, 0, 0)
    image[:, 3:] = (0, 0, 255)
    drawn = figure(Raster(12, 8, 36, 16, image))
    (element,) = parsed(drawn).iter(f"{SVG}image")
    assert {name: element.attrib[name] for name in ("x", "y", "width", "height")} == {
        "x": "12.00", "y": "8.00", "width": "36.00", "height": "16.00",
    }  # fmt: skip
    assert element.attrib["preserveAspectRatio"] == "none"
    assert embedded(element).shape == (4, 6, 3)
    shown = pixels(drawn)
    assert held(shown, (255, 0, 0))[:2] == (12, 8)
    assert held(shown, (0, 0, 255))[2:] == (48, 24)
    assert (shown[16, 20] == (255, 0, 0)).all()
    assert (shown[16, 40] == (0, 0, 255)).all()
    assert (shown[:4] == 255).all()
    assert (shown[28:] == 255).all()


def test_a_picture_in_an_svg_is_as_it_was_to_the_eye() -> None:
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    image = np.stack(np.broadcast_arrays(ramp[None, :], ramp[:, None], np.uint8(90)), axis=2)
    (element,) = parsed(figure(Raster(0, 0, 60, 40, image))).iter(f"{SVG}image")
    assert np.abs(embedded(element).astype(int) - image).mean() < 3


def test_wrapped_lines_are_as_long_as_may_be_and_no_longer() -> None:
    text = "The mask of the cup was lost on frame 120 and found again on frame 143."
    lines = wrapped(text, 90, 7)
    lengths = [font(700).getlength(line) / 100 for line in lines]
    assert " ".join(lines) == text
    assert len(lines) > 2
    assert max(lengths) <= 90
    for line, after in itertools.pairwise(lines):
        longer = f"{line} {after.split()[0]}"
        assert font(700).getlength(longer) / 100 > 90
    assert wrapped(text, 10_000, 7) == [text]


def test_a_word_longer_than_a_line_has_one_of_its_own() -> None:
    assert wrapped("a incomprehensibilities b", 20, 7) == ["a", "incomprehensibilities", "b"]
    assert wrapped("", 20, 7) == []


def test_outlines_go_through_the_centres_of_pixels() -> None:
    outline = np.array([[[0, 0]], [[4, 0]], [[4, 2]]], np.int32)
    (ring,) = rings([outline], points((100, 50)), 2)
    assert ring.tolist() == [[101, 51], [109, 51], [109, 55]]
