"""The tracker that follows masks through video without any weights."""

from collections.abc import Generator, Iterable, Mapping, Sequence

import cv2
import numpy as np

from models.api import Anchors, BoolMask, FloatMap, Frames, Prediction, Tracked
from models.classic.colour import ColourModel
from models.classic.step import Following, View, advance, lose, restart
from models.prompt import check_anchors

_SHORT_SIDE = 360
_SHOWN = 12  # anchors whose colours are learnt, spread over the video
_WALKED = 32  # frames that are looked at on the way between two that are asked for


class ClassicTracker:
    """Warps each mask along the optical flow and mends it by colour and edges. Needs no torch.

    It sees every anchor's colours, and the picture of the anchor that it started from. It is the
    floor that the learnt models must beat, and works on any machine.
    """

    def __init__(self, frames: Frames, *, short_side: int | None = None) -> None:
        self._frames = frames
        self._size = frames.size
        self._work_size = _scaled(frames.size, _SHORT_SIDE if short_side is None else short_side)

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        """Yield the masks on `frames`; see `models.api.Tracker`."""
        check_anchors(anchors, frames, self._frames)
        return self._track(anchors, frames, probabilities=probabilities)

    def _track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool
    ) -> Generator[Tracked, None, None]:
        if not frames:
            return
        colours, usual = self._learn(anchors, frames[0]), self._areas(anchors, frames[0])
        following = self._start(anchors, frames, colours, usual)
        view = self._view(frames[0])
        for index, frame in enumerate(frames):
            if index:
                view = self._go(following, view, self._way(frames[index - 1], frame))
            given = anchors.get(frame, {})
            for number, mask in given.items():
                if number in following and not mask.any():
                    lose(following[number])
                    continue
                shrunk = self._shrunk(mask)
                following[number] = restart(view, shrunk, colours[number], usual[number])
            yield frame, self._predictions(following, given, probabilities=probabilities)

    def _learn(self, anchors: Anchors, start: int) -> dict[int, ColourModel]:
        """Return each object's colours on its anchors, on the nearest ones where there are many."""
        places: dict[int, list[int]] = {}
        for frame in sorted(anchors, key=lambda frame: abs(frame - start)):
            for number in anchors[frame]:
                places.setdefault(number, []).append(frame)
        return {
            number: ColourModel.of(
                [
                    (self._view(frame).bins, self._shrunk(anchors[frame][number]))
                    for frame in shown[:_SHOWN]
                ]
            )
            for number, shown in places.items()
        }

    def _areas(self, anchors: Anchors, start: int) -> dict[int, int]:
        """Return how large each object is on its nearest anchor that shows it; 0 = on none."""
        areas: dict[int, int] = {}
        for frame in sorted(anchors, key=lambda frame: abs(frame - start)):
            for number, mask in anchors[frame].items():
                if not areas.get(number):
                    areas[number] = int(np.count_nonzero(self._shrunk(mask)))
        return areas

    def _start(
        self,
        anchors: Anchors,
        frames: Sequence[int],
        colours: Mapping[int, ColourModel],
        usual: Mapping[int, int],
    ) -> dict[int, Following]:
        """Bring the objects that have an anchor outside `frames` to the first of them.

        Those that are shown there need not be brought.
        """
        visited = set(frames)
        shown = {number for number, mask in anchors.get(frames[0], {}).items() if mask.any()}
        nearest: dict[int, int] = {}
        for frame in sorted(set(anchors) - visited, key=lambda frame: abs(frame - frames[0])):
            for number in anchors[frame]:
                if number not in shown:
                    nearest.setdefault(number, frame)
        following: dict[int, Following] = {}
        for origin in sorted(set(nearest.values())):
            view = self._view(origin)
            group = {
                number: restart(
                    view, self._shrunk(anchors[origin][number]), colours[number], usual[number]
                )
                for number, frame in nearest.items()
                if frame == origin
            }
            self._go(group, view, self._way(origin, frames[0]))
            following.update(group)
        return following

    def _go(self, following: dict[int, Following], view: "View", way: Iterable[int]) -> "View":
        for frame in way:
            before, view = view, self._view(frame)
            advance(following, before, view)
        return view

    def _way(self, origin: int, goal: int) -> list[int]:
        """Return the frames to look at from `origin`, not included, to `goal`."""
        count = min(abs(goal - origin), _WALKED)
        return [origin + round((goal - origin) * k / count) for k in range(1, count + 1)]

    def _view(self, frame: int) -> "View":
        image = self._frames[frame]
        height, width = self._work_size
        if image.shape[:2] != self._work_size:
            image = np.asarray(
                cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8
            )
        return View.of(frame, image)

    def _shrunk(self, mask: BoolMask) -> BoolMask:
        if mask.shape == self._work_size:
            return mask
        height, width = self._work_size
        share = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
        # A thing thinner than a pixel at this size is still there.
        return np.asarray(share, np.float32) > min(0.5, 0.5 * float(np.max(share)))

    def _predictions(
        self,
        following: Mapping[int, Following],
        given: Mapping[int, BoolMask],
        *,
        probabilities: bool,
    ) -> dict[int, Prediction]:
        maps = {number: self._widened(each.probability) for number, each in following.items()}
        taken = np.zeros(self._size, np.bool_)
        for mask in given.values():
            taken |= mask
        best = np.full(self._size, 0.5, np.float32)
        owner = np.zeros(self._size, np.int32)
        for number in sorted(set(maps) - set(given)):
            better = (maps[number] > best) & ~taken
            best[better], owner[better] = maps[number][better], number
        return {
            number: Prediction.certain(given[number], probabilities=probabilities)
            if number in given
            else Prediction(owner == number, each.score, maps[number] if probabilities else None)
            for number, each in following.items()
        }

    def _widened(self, probability: FloatMap) -> FloatMap:
        if probability.shape == self._size:
            return probability
        height, width = self._size
        wide = cv2.resize(probability, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(wide, np.float32)


def _scaled(size: tuple[int, int], short_side: int) -> tuple[int, int]:
    """Return the size at which the short side is at most `short_side` pixels, 0 = as it is."""
    factor = short_side / min(size)
    if short_side == 0 or factor >= 1:
        return size
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
