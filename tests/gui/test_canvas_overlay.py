"""The overlay: label map, colours and contours, without a window."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.document import ObjectInfo
from app.core.mask import Mask
from app.core.paint import NOTHING
from app.gui.canvas.scene.overlay import LabelMap, OverlayMode, OverlayStyle, outlines
from app.gui.canvas.viewport import around, fit_scale, from_percent, stepped, to_percent
from models.api import BoolMask

HAND = ObjectInfo(1, "hand", (200, 10, 20))
KNIFE = ObjectInfo(2, "knife", (1, 2, 3))
HIDDEN = ObjectInfo(3, "cup", (9, 9, 9), visible=False)
OBJECTS = (HAND, KNIFE, HIDDEN)


def block(y0: int, y1: int, x0: int, x1: int) -> BoolMask:
    pixels = np.zeros((24, 32), np.bool_)
    pixels[y0:y1, x0:x1] = True
    return pixels


def encoded(pixels: BoolMask) -> Mask:
    mask = Mask.encode(pixels)
    assert mask is not None
    return mask


def fresh() -> tuple[LabelMap, np.ndarray[tuple[int, int], np.dtype[np.uint8]]]:
    labels = np.zeros((24, 32), np.uint8)
    return LabelMap(labels), labels


masks = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 8), st.integers(0, 28), st.integers(1, 8)),
    max_size=4,
).map(
    lambda boxes: {
        number: encoded(block(y, y + height, x, x + width))
        for number, (y, height, x, width) in enumerate(boxes, start=1)
    }
)


@settings(max_examples=60, deadline=None)
@given(first=masks, second=masks)
def test_the_label_map_is_that_of_the_last_masks_whatever_was_shown_before(
    first: dict[int, Mask], second: dict[int, Mask]
) -> None:
    label_map, labels = fresh()
    label_map.show(first)
    before = labels.copy()
    y0, y1, x0, x1 = label_map.show(second)
    expected = np.zeros_like(labels)
    for number, mask in second.items():
        expected[mask.decode()] = number
    np.testing.assert_array_equal(labels, expected)
    before[y0:y1, x0:x1] = labels[y0:y1, x0:x1]
    np.testing.assert_array_equal(before, labels)  # nothing changed outside the area told


def test_erasing_uncovers_the_object_below() -> None:
    label_map, labels = fresh()
    below, above = block(0, 10, 0, 10), block(5, 15, 5, 15)
    label_map.show({1: encoded(below), 2: encoded(above)})
    above[5:8, 5:8] = False
    label_map.paint(2, above, (5, 8, 5, 8))
    assert (labels[5:8, 5:8] == 1).all()
    assert labels[9, 9] == 2


def test_painting_changes_nothing_outside_its_area() -> None:
    label_map, labels = fresh()
    label_map.show({1: encoded(block(0, 4, 0, 4))})
    pixels = block(0, 24, 0, 32)
    label_map.paint(1, pixels, (0, 6, 0, 6))
    assert (labels[:6, :6] == 1).all()
    assert not labels[6:].any()
    assert not labels[:, 6:].any()


def test_showing_masks_again_ends_a_painting() -> None:
    label_map, labels = fresh()
    label_map.paint(1, block(0, 24, 0, 32), (0, 24, 0, 32))
    label_map.show({})
    assert not labels.any()
    assert label_map.area == NOTHING


def test_a_contour_runs_through_the_edge_pixels_of_islands_and_holes() -> None:
    ring = block(2, 12, 3, 13)
    ring[5:9, 6:10] = False
    mask = encoded(ring)
    lines = outlines(mask.crop(), mask.box)
    assert len(lines) == 2
    points = {(int(x), int(y)) for line in lines for x, y in line}
    assert {(3, 2), (12, 2), (12, 11), (3, 11)} <= points


@pytest.mark.parametrize("mode", list(OverlayMode))
def test_hidden_objects_have_no_colour_in_any_mode(mode: OverlayMode) -> None:
    table = OverlayStyle(mode=mode).color_table(OBJECTS)
    assert len(table) == 256
    assert table[HIDDEN.id] == 0


def test_opacity_is_in_the_table_alone() -> None:
    table = OverlayStyle(mode=OverlayMode.FILL, opacity=0.5).color_table(OBJECTS)
    assert table[HAND.id] == 0x80C80A14
    assert table[0] == 0


def test_solo_shows_the_selected_object_alone() -> None:
    style = OverlayStyle(mode=OverlayMode.SOLO, selected=KNIFE.id)
    assert [item.id for item in style.visible(OBJECTS)] == [KNIFE.id]
    assert OverlayStyle(mode=OverlayMode.SOLO).visible(OBJECTS) == (HAND, KNIFE)


def test_dimming_leaves_the_selected_object_as_it_is() -> None:
    full = OverlayStyle(mode=OverlayMode.FILL).color_table(OBJECTS)
    dimmed = OverlayStyle(mode=OverlayMode.DIM_OTHERS, selected=1).color_table(OBJECTS)
    assert dimmed[HAND.id] == full[HAND.id]
    assert 0 < dimmed[KNIFE.id] >> 24 < full[KNIFE.id] >> 24


def test_the_matte_is_opaque_everywhere() -> None:
    table = OverlayStyle(mode=OverlayMode.MATTE).color_table(OBJECTS)
    assert table[0] == 0xFF000000
    assert table[HAND.id] >> 24 == 0xFF


def test_contours_are_drawn_in_the_modes_that_have_them() -> None:
    assert OverlayStyle(mode=OverlayMode.FILL).contoured(OBJECTS) == ()
    assert OverlayStyle(mode=OverlayMode.CONTOUR).contoured(OBJECTS) == (HAND, KNIFE)
    dimmed = OverlayStyle(mode=OverlayMode.DIM_OTHERS, selected=2)
    assert dimmed.contoured(OBJECTS) == (KNIFE,)


def test_a_frame_is_fitted_by_its_tighter_side() -> None:
    assert fit_scale((1080, 1920), (540, 1920)) == 0.5
    assert fit_scale((1080, 1920), (1080, 480)) == 0.25


def test_percent_counts_device_pixels() -> None:
    assert to_percent(0.5, 2.0) == 100
    assert from_percent(100, 2.0) == 0.5


def test_a_notch_out_takes_a_notch_in_back() -> None:
    assert stepped(stepped(1.0, 1), -1) == pytest.approx(1.0)
    assert stepped(1.0, 1000) == stepped(1.0, 2000)


def test_an_area_is_enlarged_about_its_centre_and_cut_to_the_frame() -> None:
    assert around((10, 20, 10, 20), 2.0, (100, 100)) == (5, 25, 5, 25)
    assert around((0, 10, 90, 100), 2.0, (100, 100)) == (0, 15, 85, 100)


def test_of_a_small_area_so_much_is_shown_of_what_lies_round_it() -> None:
    assert around((50, 52, 20, 60), 2.0, (100, 100), 0.3) == (36, 66, 0, 80)
