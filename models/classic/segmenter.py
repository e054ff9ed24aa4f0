"""Masks from clicks, boxes and rough masks by GrabCut. Needs no weights."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from models.api import BoolMask, Box, Click, Frames, Image, Prediction, Prompt
from models.classic.confidence import confidence
from models.classic.edges import cut, guided, window_of
from models.classic.trimap import Scene, stamped, trimaps
from models.prompt import check_prompt

_SHORT_SIDE = 200
_SAME = 0.9  # IoU above which two candidates are one


class ClassicSegmenter:
    """GrabCut (Rother et al. 2004) with clicks as fixed pixels, in several sizes for one click.

    A positive click always lies inside every candidate and a negative one outside. With a mask,
    only a band round its outline and what the clicks contradict is decided anew.
    """

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._kept: tuple[int, Image] | None = None

    def prepare(self, frame: int, *, wanted: Callable[[], bool] | None = None) -> None:
        """Read the frame and keep it, if it is wanted."""
        if wanted is None or wanted():
            self._image(frame)

    def segment(self, frame: int, prompt: Prompt) -> tuple[Prediction, ...]:
        """Return the candidate masks; see `models.api.Segmenter`."""
        check_prompt(prompt, self._frames.size)
        image = self._image(frame)
        focus = _Focus.on(prompt, self._frames.size)
        scene = focus.scene(image, prompt)
        candidates: list[Prediction] = []
        for labels in trimaps(scene):
            window = window_of(labels != cv2.GC_BGD, 24)
            mask = np.zeros(scene.size, np.bool_)
            mask[window] = cut(scene.image[window], labels[window], rounds=2)
            mask = _connected(stamped(mask, scene.clicks), scene)
            full = stamped(focus.widened(image, mask), prompt.clicks)
            if all(_iou(full, other.mask) < _SAME for other in candidates):
                candidates.append(Prediction(full, confidence(scene, mask)))
        return tuple(sorted(candidates, key=lambda each: -each.score))

    def _image(self, frame: int) -> Image:
        if self._kept is None or self._kept[0] != frame:
            self._kept = frame, self._frames[frame]
        return self._kept[1]


@dataclass(frozen=True, slots=True)
class _Focus:
    """The part of the frame that a prompt is about, and the scale at which it is worked on."""

    frame_size: tuple[int, int]
    top: int
    left: int
    height: int
    width: int
    scale: float

    @classmethod
    def on(cls, prompt: Prompt, size: tuple[int, int]) -> "_Focus":
        """Take the box or mask with as much again round it; the whole frame for clicks alone."""
        top, left, bottom, right = 0, 0, *size
        if prompt.box is not None or (prompt.mask is not None and prompt.mask.any()):
            y0, x0, y1, x1 = _extent(prompt)
            margin = max(16.0, 0.5 * max(y1 - y0, x1 - x0))
            top, left = max(0, int(y0 - margin)), max(0, int(x0 - margin))
            bottom, right = min(bottom, int(y1 + margin)), min(right, int(x1 + margin))
        height, width = bottom - top, right - left
        return cls(size, top, left, height, width, min(1.0, _SHORT_SIDE / min(height, width)))

    @property
    def work_size(self) -> tuple[int, int]:
        """(height, width) of the scene."""
        return max(1, round(self.height * self.scale)), max(1, round(self.width * self.scale))

    def scene(self, image: Image, prompt: Prompt) -> Scene:
        """Return the part and the prompt at the size of work."""
        height, width = self.work_size
        down, right = height / self.height, width / self.width
        clicks = tuple(
            Click(
                (c.x - self.left + 0.5) * right - 0.5,
                (c.y - self.top + 0.5) * down - 0.5,
                c.positive,
            )
            for c in prompt.clicks
        )
        box = prompt.box and Box(
            (prompt.box.x0 - self.left) * right,
            (prompt.box.y0 - self.top) * down,
            (prompt.box.x1 - self.left) * right,
            (prompt.box.y1 - self.top) * down,
        )
        small = cv2.resize(image[self._part], (width, height), interpolation=cv2.INTER_AREA)
        return Scene(np.asarray(small, np.uint8), clicks, box, self._shrunk(prompt.mask))

    def widened(self, image: Image, mask: BoolMask) -> BoolMask:
        """Return the mask on the whole frame, brought to the edges that are seen there."""
        out = np.zeros(self.frame_size, np.bool_)
        if self.scale == 1:
            out[self._part] = mask
            return out
        solid = mask.astype(np.float32)
        wide = cv2.resize(solid, (self.width, self.height), interpolation=cv2.INTER_LINEAR)
        share = np.zeros(self.frame_size, np.float32)
        share[self._part] = np.asarray(wide, np.float32)
        window = window_of(share > 0, 16)
        if share[window].size:
            radius_px = round(2 / self.scale)
            near = guided(image[window], share[window], radius_px=radius_px, smoothness=1e-4)
            out[window] = near > 0.5
        return out

    @property
    def _part(self) -> tuple[slice, slice]:
        rows = slice(self.top, self.top + self.height)
        return rows, slice(self.left, self.left + self.width)

    def _shrunk(self, mask: BoolMask | None) -> BoolMask | None:
        if mask is None or not mask.any():
            return None
        height, width = self.work_size
        solid = mask[self._part].astype(np.float32)
        share = np.asarray(cv2.resize(solid, (width, height), interpolation=cv2.INTER_AREA))
        return np.asarray(share >= min(0.5, float(share.max())), np.bool_)


def _extent(prompt: Prompt) -> tuple[float, float, float, float]:
    """Return (y0, x0, y1, x1) round all that the prompt holds."""
    rows, columns = [c.y for c in prompt.clicks], [c.x for c in prompt.clicks]
    if prompt.box is not None:
        rows += [prompt.box.y0, prompt.box.y1]
        columns += [prompt.box.x0, prompt.box.x1]
    if prompt.mask is not None and prompt.mask.any():
        down, across = np.nonzero(prompt.mask)
        rows += [float(down.min()), float(down.max()) + 1]
        columns += [float(across.min()), float(across.max()) + 1]
    return min(rows), min(columns), max(rows), max(columns)


def _connected(mask: BoolMask, scene: Scene) -> BoolMask:
    """Drop the pieces that nobody asked for: those far from every click, box or mask given."""
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    wanted = {int(pieces[scene.at(click)]) for click in scene.clicks if click.positive}
    if scene.mask is not None:
        wanted |= set(np.unique(pieces[scene.mask]).tolist())
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    if not wanted - {0} and areas.any():
        wanted = set(np.flatnonzero(areas >= 0.2 * areas.max()).tolist())
    return np.isin(pieces, sorted(wanted - {0}))


def _iou(one: BoolMask, other: BoolMask) -> float:
    union = np.count_nonzero(one | other)
    return float(np.count_nonzero(one & other) / union) if union else 1.0
