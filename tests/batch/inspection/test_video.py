"""The video of a comparison: a row of image and truth, then each run with its errors."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw

from app.batch.inspection.drawing import font
from app.batch.inspection.figures import EXTRA, MISSING, RIGHT
from app.batch.inspection.provenance import program
from app.batch.inspection.video import SideBySide, Track, write_video, write_videos
from app.core.colors import OKABE_ITO
from app.core.evaluate import Labels, Protocol
from app.errors import StorageError
from models.api import Image
from tests.batch.inspection.scenes import COUNT, SIZE, lost, squares, swapped, truth
from tests.batch.inspection.sets import GREYS, scored, write_images, write_masks, write_set

HEIGHT, WIDTH = SIZE
GROUND = (20, 21, 23)


def grey(level: int) -> Image:
    return np.full((*SIZE, 3), level, np.uint8)


def track(name: str, *frames: Labels | None, score: str = "") -> Track:
    return Track(name, lambda index: frames[index], lambda _: score)


def pictures(
    *runs: Track,
    truth: Track | None = None,
    images: Callable[[int], Image | None] = lambda _: grey(100),
    size: tuple[int, int] = SIZE,
) -> SideBySide:
    return SideBySide(
        lambda index: f"frame {index}", images, truth or track("truth", squares()), runs,
        count=3, size=size,
    )  # fmt: skip


def pane(page: NDArray[np.uint8], row: int, column: int, columns: int = 2) -> NDArray[np.uint8]:
    """Return one of the pictures of a page, without the bar over it."""
    width, height = page.shape[1] // columns, (page.shape[0] - 26) // 2 - 24
    y = row * (height + 24) + 24
    return page[y : y + height, column * width : (column + 1) * width]


def tinted(level: float, color: tuple[int, int, int]) -> list[float]:
    return [0.45 * part + 0.55 * level for part in color]


def test_a_page_has_room_for_every_pane_its_bar_and_the_foot() -> None:
    shown = pictures(track("A", squares()), track("B", squares()))
    assert len(shown) == 3
    assert shown.size == (2 * (HEIGHT + 24) + 26, 3 * WIDTH)
    assert shown[0].shape == (*shown.size, 3)


@pytest.mark.parametrize(("runs", "size", "tile"), [
    (1, (480, 854), (480, 854)), (1, (540, 960), (540, 960)), (1, (1080, 1920), (540, 960)),
    (2, (1080, 1920), (360, 640)), (2, (480, 854), (360, 640)),
])  # fmt: skip
def test_a_page_is_no_wider_than_a_screen(
    runs: int, size: tuple[int, int], tile: tuple[int, int]
) -> None:
    shown = pictures(*[track("A", squares())] * runs, size=size)
    assert shown.size == (2 * (tile[0] + 24) + 26, (1 + runs) * tile[1])


def test_the_image_is_shown_as_it_is_and_the_truth_below_it_in_the_colours_of_the_objects() -> None:
    page = pictures(track("A", squares()))[0]
    assert (pane(page, 0, 0) == 100).all()
    below = pane(page, 1, 0)
    for x, number in ((20, 0), (55, 1)):
        assert below[30, x].tolist() == pytest.approx(tinted(100, OKABE_ITO[number]), abs=1)
    assert (below[10, 5] == 100).all()
    for y, x, number in ((20, 20, 0), (39, 20, 0), (30, 10, 0), (30, 64, 1)):  # their outlines
        assert below[y, x].tolist() == pytest.approx(OKABE_ITO[number], abs=8)


def test_each_run_stands_over_its_own_errors() -> None:
    page = pictures(track("A", squares(None)), track("B", squares(70)))[0]
    for column, here in ((1, None), (2, 70)):
        upper = pane(page, 0, column, 3)
        assert (upper[30, 20] == 100).all()
        shown = upper[30, 75].tolist()
        assert shown == pytest.approx(tinted(100, OKABE_ITO[0]) if here else [100] * 3, abs=1)
    first, second = pane(page, 1, 1, 3), pane(page, 1, 2, 3)
    pale = 100 * 0.5 + 70
    assert first[30, 20].tolist() == pytest.approx(tinted(pale, MISSING), abs=1)
    assert first[30, 75].tolist() == pytest.approx([pale] * 3, abs=1)
    assert first[30, 55].tolist() == pytest.approx(tinted(pale, RIGHT), abs=1)
    assert second[30, 75].tolist() == pytest.approx(tinted(pale, EXTRA), abs=1)
    assert second[30, 20].tolist() == pytest.approx(tinted(pale, MISSING), abs=1)
    assert second[5, 5].tolist() == pytest.approx([pale] * 3, abs=1)


def test_a_mask_of_another_object_is_too_much() -> None:
    page = pictures(track("A", squares(45, 10)))[0]
    for x in (20, 55):
        assert pane(page, 1, 1)[30, x].tolist() == pytest.approx(tinted(120, EXTRA), abs=1)


def test_colours_of_many_objects_come_round() -> None:
    labels = np.zeros(SIZE, np.uint8)
    for number in range(1, len(OKABE_ITO) + 3):
        labels[20:30, 6 * number : 6 * number + 5] = number
    below = pane(pictures(track("A", labels), truth=track("truth", labels))[0], 1, 0)
    for number in range(1, len(OKABE_ITO) + 3):
        color = OKABE_ITO[(number - 1) % len(OKABE_ITO)]
        assert below[25, 6 * number + 2].tolist() == pytest.approx(tinted(100, color), abs=1)


def test_without_an_image_the_ground_is_grey_and_of_the_masks_size() -> None:
    page = pictures(track("A", squares()), images=lambda _: None)[0]
    assert (pane(page, 0, 0) == 200).all()
    below = pane(page, 1, 1)
    assert below[5, 5].tolist() == [170, 170, 170]
    assert below[30, 20].tolist() == pytest.approx(tinted(170, RIGHT), abs=1)


def test_a_frame_of_which_nothing_is_known_shows_the_image_alone() -> None:
    for runs, drawn in (((track("A", None),), squares()), ((track("A", squares()),), None)):
        page = pictures(*runs, truth=track("truth", drawn))[0]
        assert (pane(page, 1, 1) == 120).all()  # no errors where there is nothing to compare
        seen = pane(page, 0, 1), pane(page, 1, 0)
        assert [(each == 100).all() for each in seen] == [runs[0].labels(0) is None, drawn is None]
    page = pictures(track("A", None), truth=track("truth", None), images=lambda _: None)[0]
    assert (pane(page, 0, 0) == 200).all()


def test_each_frame_shows_its_own_image_and_masks() -> None:
    shown = pictures(
        track("A", squares(), squares(None), squares(30)),
        truth=track("truth", squares(), squares(), squares(30)),
        images=lambda index: grey(50 * (index + 1)),
    )
    for index, (level, color) in enumerate(((50, RIGHT), (100, MISSING), (150, RIGHT))):
        page = shown[index]
        assert (pane(page, 0, 0) == level).all()
        x = 40 if index == 2 else 20
        pale = level * 0.5 + 70
        assert pane(page, 1, 1)[30, x].tolist() == pytest.approx(tinted(pale, color), abs=1)


class _Written:
    """What is written on pages: the text, where it begins, and its anchor."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.all: list[tuple[str, float, float, str]] = []
        draw = ImageDraw.ImageDraw.text

        def text(pen: object, place: tuple[float, float], words: str, *more: object) -> None:
            self.all.append((words, *place, str(more[-1])))
            draw(pen, place, words, *more)  # type: ignore[arg-type]

        monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)

    @property
    def words(self) -> list[str]:
        return [words for words, *_ in self.all]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> _Written:
    return _Written(monkeypatch)


def test_every_pane_has_its_name_in_the_bar_over_it(written: _Written) -> None:
    shown = pictures(track("A (base)", squares(), score="J&F 0.50"), track("B", None))
    page = shown[0]
    bars = {words: (x, y, anchor) for words, x, y, anchor in written.all}
    rows = 17, HEIGHT + 24 + 17
    assert bars["image"] == (6, rows[0], "ls")
    assert bars["A (base), J&F 0.50"] == (WIDTH + 6, rows[0], "ls")
    assert bars["B: nothing known of this frame"] == (2 * WIDTH + 6, rows[0], "ls")
    assert bars["truth"] == (6, rows[1], "ls")
    assert bars["A (base): errors"] == (WIDTH + 6, rows[1], "ls")
    assert bars["B: errors"] == (2 * WIDTH + 6, rows[1], "ls")
    assert (page[:24, :6] == GROUND).all()
    assert (page[:24, 6:50] > 150).any()


def test_the_foot_says_which_frame_it_is_by_which_program_and_what_the_colours_mean(
    written: _Written,
) -> None:
    shown = pictures(track("A", squares()), size=(300, 400))
    page = shown[0]
    foot = {words: (x, y, anchor) for words, x, y, anchor in written.all}
    line = shown.size[0] - 8
    assert foot[f"frame 0   {program()}"] == (6, line, "ls")
    names = ["right", "too much", "missing"]
    places = [foot[name] for name in names]
    assert {(y, anchor) for _, y, anchor in places} == {(line, "rs")}
    assert places[2][0] == shown.size[1] - 6
    lengths = [
        ImageDraw.Draw(Picture.new("L", (1, 1))).textlength(name, font(14)) for name in names
    ]
    for index in (0, 1):  # each ends a little before the next begins
        gap = places[index + 1][0] - lengths[index + 1] - places[index][0]
        assert gap == pytest.approx(14, abs=1)
    for name, color in zip(names, (RIGHT, EXTRA, MISSING), strict=True):
        x = round(foot[name][0])
        here = page[line - 12 : line, x - 20 : x].reshape(-1, 3).astype(int)
        assert np.abs(here - color).max(axis=1).min() < 30, name


def test_a_video_holds_the_pictures_at_its_rate(tmp_path: Path) -> None:
    shown = pictures(track("A", *[squares()] * 3), truth=track("truth", *[squares()] * 3))
    told = list[int]()
    write_video(tmp_path / "a.mp4", shown, 5, told.append)
    assert len(told) == 3
    with av.open(str(tmp_path / "a.mp4")) as container:
        (stream,) = container.streams.video
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert stream.average_rate == 5
    assert len(frames) == 3
    assert frames[0].shape[:2] == shown.size
    assert np.abs(frames[0].astype(int) - shown[0]).mean() < 8


def decoded(path: Path) -> tuple[list[NDArray[np.uint8]], float]:
    with av.open(str(path)) as container:
        rate = float(container.streams.video[0].average_rate or 0)
        pages = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        return [np.asarray(page, np.uint8) for page in pages], rate


def test_each_sequence_has_a_video_of_all_runs(tmp_path: Path, written: _Written) -> None:
    root = write_set(tmp_path)
    for name in ("left", "right"):
        write_images(tmp_path / "images" / name)
    runs, cases = scored(root)
    told = list[int]()
    write_videos(tmp_path / "deep" / "out", runs, cases, lambda: told.append(1))
    out = tmp_path / "deep" / "out"
    assert sorted(path.name for path in out.iterdir()) == ["left.mp4", "right.mp4"]
    assert len(told) == 16
    pages, rate = decoded(out / "left.mp4")
    assert rate == 24
    assert len(pages) == 8
    for place, page in enumerate(pages):
        assert np.median(pane(page, 0, 0, 3)) == pytest.approx(GREYS[place + 1], abs=8)
    red, green, blue = (int(each) for each in pane(pages[4], 1, 1, 3)[30, 20])  # frame 5
    assert min(red, blue) > green  # missing, in magenta
    assert f"left, frame 00005 (5 of 8)   {program()}" in written.words
    assert "ground truth" in written.words
    part = runs[0].results[0].measures.jf[4].mean()
    assert f"A (base), J&F {part:.2f}" in written.words
    assert "B (new), J&F 1.00" in written.words
    red, green, blue = (
        int(each) for each in pane(decoded(out / "right.mp4")[0][6], 1, 1, 3)[30, 20]
    )
    assert red > green > blue  # too much, in orange


def test_a_video_of_sparse_frames_is_slow_and_says_so(tmp_path: Path, written: _Written) -> None:
    for name, frames in (("gt", truth()), ("base", lost())):
        write_masks(tmp_path / name, frames)
        for index in reversed(range(COUNT)):
            (tmp_path / name / f"{index:05d}.png").rename(tmp_path / name / f"{30 * index:05d}.png")
    runs, cases = scored(tmp_path, "base", protocol=Protocol.VISOR)
    write_videos(tmp_path / "out", runs, cases)
    _, rate = decoded(tmp_path / "out" / "gt.mp4")
    assert rate == 2
    assert f"gt, frame 00120 (scored frames only)   {program()}" in written.words


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    runs, cases = scored(write_set(tmp_path, {"only": swapped()}))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot be made"):
        write_videos(tmp_path / "file" / "out", runs, cases)
    (tmp_path / "out").mkdir()
    write_videos(tmp_path / "out", runs, cases)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["only.mp4"]
