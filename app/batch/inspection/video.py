"""The video of a comparison: image, ground truth, predictions and errors side by side."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw

from app.batch.inspection.drawing import font
from app.batch.inspection.figures import EXTRA, MISSING, RIGHT
from app.batch.inspection.provenance import program
from app.batch.inspection.report import Cases
from app.batch.inspection.scoring import images_of
from app.batch.inspection.sequences import Case
from app.batch.inspection.tables import Run
from app.core.colors import OKABE_ITO
from app.core.evaluate import Labels
from app.core.inspection.results import Result
from app.errors import StorageError
from app.storage.formats.overlay_video import write_overlay_video
from models.api import BoolMask, Image

_WIDEST = 1920  # pixels of the whole picture
_BAR, _FOOT, _TEXT = 24, 26, 14  # heights in pixels: over a pane, under all of them, of letters
_GROUND, _INK = (20, 21, 23), (235, 237, 240)
_FILL = 0.45
_FPS, _SPARSE_FPS = 24.0, 2.0  # where no rate is known; where frames are seconds apart


@dataclass(frozen=True)
class Track:
    """The masks of one run: its name, a frame's label map (H, W) or None, and its J&F in words."""

    name: str
    labels: Callable[[int], Labels | None]
    score: Callable[[int], str] = lambda _: ""


class SideBySide:
    """The pictures of the video: a row of image and truth, then each run with its errors."""

    def __init__(
        self,
        title: Callable[[int], str],
        images: Callable[[int], Image | None],
        truth: Track,
        runs: Sequence[Track],
        *,
        count: int,
        size: tuple[int, int],
    ) -> None:
        """`title` says which frame it is; `size` is the frames' (H, W)."""
        self._title, self._images, self._truth, self._runs = title, images, truth, runs
        self._count = count
        columns = 1 + len(runs)
        scale = min(1.0, _WIDEST / columns / size[1])
        self._tile = (round(size[0] * scale), round(size[1] * scale))
        height, width = self._tile
        self.size = (2 * (height + _BAR) + _FOOT, columns * width)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Image:
        image, drawn = self._images(index), self._truth.labels(index)
        found = [run.labels(index) for run in self._runs]
        shape = next((each.shape for each in (image, drawn, *found) if each is not None), (1, 1))
        seen = image if image is not None else np.full((*shape[:2], 3), 200, np.uint8)
        upper = [("image", seen)]
        lower = [self._masks(self._truth, index, seen, drawn)]
        for run, labels in zip(self._runs, found, strict=True):
            upper.append(self._masks(run, index, seen, labels))
            lower.append((f"{run.name}: errors", _errors(seen, drawn, labels)))
        return self._composed(index, (upper, lower))

    def _masks(
        self, track: Track, index: int, image: Image, labels: Labels | None
    ) -> tuple[str, Image]:
        if labels is None:
            return f"{track.name}: nothing known of this frame", image
        score = track.score(index)
        return f"{track.name}{f', {score}' if score else ''}", _painted(image, labels)

    def _composed(self, index: int, rows: Sequence[Sequence[tuple[str, Image]]]) -> Image:
        height, width = self._tile
        page = Picture.new("RGB", (self.size[1], self.size[0]), _GROUND)
        pen = ImageDraw.Draw(page)
        for row, tiles in enumerate(rows):
            for column, (name, picture) in enumerate(tiles):
                x, y = column * width, row * (height + _BAR)
                small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
                page.paste(Picture.fromarray(np.asarray(small, np.uint8)), (x, y + _BAR))
                pen.text((x + 6, y + _BAR - 7), name, _INK, font(_TEXT), "ls")
        foot = f"{self._title(index)}   {program()}"
        pen.text((6, self.size[0] - 8), foot, _INK, font(_TEXT), "ls")
        x = self.size[1] - 6
        for name, color in (("missing", MISSING), ("too much", EXTRA), ("right", RIGHT)):
            pen.text((x, self.size[0] - 8), name, color, font(_TEXT), "rs")
            x -= round(pen.textlength(name, font(_TEXT))) + 14
        return np.asarray(page, np.uint8)


def write_video(
    path: Path, pictures: SideBySide, fps: float, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Write the pictures as an MP4. Raises StorageError, FrameReadError."""
    write_overlay_video(path, pictures, lambda _: (), {}, fps, progress)


def write_videos(
    folder: Path, runs: Sequence[Run], cases: Cases, progress: Callable[[], None] = lambda: None
) -> None:
    """Write a video for each sequence to a folder; `progress` is told each frame.

    Raises StorageError, FrameReadError, FormatError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder} cannot be made ({error}). Give another folder.") from error
    for place, first in enumerate(runs[0].results):
        results = [run.results[place] for run in runs]
        of_one = [cases[run.letter, first.sequence] for run in runs]
        with _pictures(runs, results, of_one) as (pictures, fps):
            write_video(folder / f"{first.sequence}.mp4", pictures, fps, lambda _: progress())


@contextmanager
def _pictures(
    runs: Sequence[Run], results: Sequence[Result], cases: Sequence[Case]
) -> Iterator[tuple[SideBySide, float]]:
    case, first = cases[0], results[0]
    video = case.video()
    truth = Track("ground truth", lambda index: case.labels(index)[0])
    tracks = [
        Track(run.name, _prediction(each), _score(result))
        for run, each, result in zip(runs, cases, results, strict=True)
    ]

    def title(index: int) -> str:
        of = "scored frames only" if first.is_sparse else f"{index + 1} of {len(first.frames)}"
        return f"{case.name}, frame {first.frames[index]} ({of})"

    with closing(video) if video else nullcontext():
        height, width = case.labels(0)[0].shape
        yield (
            SideBySide(
                title, images_of(case, video), truth, tracks,
                count=len(case.frames), size=(height, width),
            ),
            _SPARSE_FPS if first.is_sparse else (video and video.fps) or _FPS,
        )  # fmt: skip


def _prediction(case: Case) -> Callable[[int], Labels]:
    return lambda index: case.labels(index)[1]


def _score(result: Result) -> Callable[[int], str]:
    return lambda index: f"J&F {result.measures.jf[index].mean():.2f}"


def _painted(image: Image, labels: Labels) -> Image:
    painted = image.copy()
    for number in np.unique(labels[labels > 0]).tolist():
        color, mask = OKABE_ITO[(number - 1) % len(OKABE_ITO)], labels == number
        _tint(painted, mask, color)
        borders, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(painted, borders, -1, color, 1, cv2.LINE_AA)
    return painted


def _errors(image: Image, truth: Labels | None, prediction: Labels | None) -> Image:
    """Return the picture in pale grey with what is right, too much and missing of all objects."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    pale = np.repeat((grey * 0.5 + 70).astype(np.uint8)[..., None], 3, axis=2)
    if truth is not None and prediction is not None:
        same = truth == prediction
        _tint(pale, same & (truth > 0), RIGHT)
        _tint(pale, ~same & (prediction > 0), EXTRA)
        _tint(pale, ~same & (prediction == 0), MISSING)
    return pale


def _tint(picture: Image, mask: BoolMask, color: tuple[int, int, int]) -> None:
    blend = _FILL * np.array(color, np.float32) + (1 - _FILL) * picture[mask]
    picture[mask] = blend.astype(np.uint8)
