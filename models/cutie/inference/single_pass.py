"""One pass through a video, at one scale."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.api import BoolMask, Part, Place, Vote
from models.cutie.inference.geometry import Geometry
from models.cutie.inference.plan import Plan
from models.cutie.inference.presence.usual import scores
from models.cutie.inference.propagation import EncodedFrame, Propagation
from models.cutie.inference.reader import FrameReader, half_precision, upload
from models.cutie.inference.view import Follower, View, box_in, box_of
from models.cutie.network.network import Network
from models.runtime.memory import give_back_memory


@dataclass(frozen=True, slots=True)
class Views:
    """The views that follow an object: what chooses them, and where they are kept by frames.

    `near` is what one is seen in that is not the whole frame.
    """

    near: Geometry
    follower: Follower
    kept: dict[int, Part]


class Pass:
    """One pass through the video, at one scale."""

    def __init__(
        self,
        network: Network,
        reader: FrameReader,
        plan: Plan,
        propagation: Propagation,
        *,
        bfloat16: bool,
        views: Views | None = None,
    ) -> None:
        """The view follows the object where `views` are given; else whole frames are seen."""
        self._network = network
        self._geometry = self._whole = reader.geometry
        self._views = views
        if views is not None:
            view_of = views.follower.view_of
            reader.look_at = lambda frame: self._looking_at(view_of(frame))
        self._looked: dict[int, Geometry] = {}  # frame -> what was seen of it
        self._latest: int | None = None  # the frame on which the objects were last
        self._device = network.pixel_mean.device
        self._plan = plan
        self._reader = reader
        self._bfloat16 = bfloat16
        self._propagation = propagation
        self._add_anchors()

    @property
    def objects(self) -> list[int]:
        """The objects followed now, in the order of the probabilities."""
        return self._propagation.objects

    @property
    def sees_whole(self) -> bool:
        """Whether the latest frame was seen whole."""
        return self._geometry == self._whole

    def step(self, frame: int) -> tuple[Tensor, Tensor]:
        """Return probabilities (K + 1, H, W) at the frame's size, and scores (K,)."""
        anchor, before = self._plan.anchors.get(frame), self._geometry
        seen = self._look(frame, anchor)
        given, geometry = self._masks(anchor), self._geometry
        if not given and before.padded != geometry.padded:
            self._see_again()
        with half_precision(self._device, on_cpu=self._bfloat16):
            last = frame == self._plan.frames[-1]
            probability = self._propagation.step(seen, given, last=last)
        probability = geometry.inside(probability)
        if self._views is not None and not given:
            self._views.follower.see(box_in(probability[1:], geometry.view))
        self._latest = frame
        return geometry.out(probability), scores(probability)

    @torch.inference_mode()
    def take(self, frame: int, masks: Mapping[int, BoolMask]) -> None:
        """Take it that objects are here on a frame, object -> (H, W), and go on from there."""
        if self._views is None:  # nothing is ahead yet
            seen = self._reader.read_as(frame, self._geometry)
        else:
            before = self._looked.get(frame, self._geometry)
            seen = self._look(frame, masks)
            if before.padded != self._geometry.padded:
                self._propagation.bank.forget_newest(frame)
        given = self._masks(masks)
        with half_precision(self._device, on_cpu=self._bfloat16):
            self._propagation.forget_places(seen)
            self._propagation.step(seen, given)
        self._latest = frame

    @torch.inference_mode()
    def recognise(
        self, frame: int, *, place: BoolMask | None = None, ahead: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return what `step` does, by how the objects look, wherever they were; keep nothing.

        A pass whose view follows looks at a `place`, (H, W). With `ahead` the next frames will be
        asked for, too.
        """
        geometry = self._geometry
        box = None if place is None else box_of([place])
        if box is not None:
            geometry = self._looking_at(View.on(box, geometry.frame))
        reader = self._reader
        seen = reader.read(frame) if ahead else reader.read_as(frame, geometry)
        with half_precision(self._device, on_cpu=self._bfloat16):
            probability = geometry.inside(self._propagation.recognise(seen))
        return geometry.out(probability), scores(probability)

    def rest(self) -> None:
        """Encode nothing ahead, and keep nothing encoded, until a frame is asked for again."""
        self._reader.clear()

    def _look(self, frame: int, given: Mapping[int, BoolMask] | None) -> EncodedFrame:
        """Return a frame's features, and bring what is remembered to its view.

        Where masks are `given`, the view is chosen by them.
        """
        if self._views is None:
            return self._reader.read(frame)
        follower = self._views.follower
        if given:
            follower.start(box_of(given.values()))
        follower.turn_to(frame)
        seen = self._reader.read(frame)
        if follower.may_miss(seen.geometry.view):
            seen = self._reader.read_as(frame, self._looking_at(follower.view))
        if seen.geometry != self._geometry:
            self._propagation.move(self._geometry, seen.geometry)
            self._geometry = seen.geometry
        self._looked[frame] = seen.geometry
        self._views.kept[frame] = seen.geometry.view
        return seen

    def _looking_at(self, view: View) -> Geometry:
        """Return how a view is seen: the whole frame in all of its pixels."""
        whole = self._whole
        if self._views is None or view == whole.view:
            return whole
        return self._views.near.looking_at(view)

    def _see_again(self) -> None:
        """Remember the frame before in the pixels in which frames are seen from here on.

        What lay beyond the view is known so before it might be taken for the object.
        """
        if self._latest is None or self._latest in self._plan.anchors:
            return
        give_back_memory()  # maps of other sizes hardly fit where the old ones were
        seen = self._reader.read_as(self._latest, self._geometry)
        with half_precision(self._device, on_cpu=self._bfloat16):
            if self._propagation.remember(seen):
                self._looked[self._latest] = self._geometry

    @torch.inference_mode()
    def explain(self, frame: int, x: float, y: float, object_id: int | None) -> tuple[Vote, ...]:
        """Return the votes for a pixel of the frame."""
        geometry = self._geometry_at(frame, x, y)
        column, row = geometry.cell(x, y)
        features = self._reader.read_as(frame, geometry).features
        votes = self._propagation.explain(features, row, column, object_id)
        return tuple(each._replace(places=self._in_frame(each)) for each in votes)

    def _geometry_at(self, frame: int, x: float, y: float) -> Geometry:
        """Return what was seen of a frame, or its whole where the pixel was not."""
        geometry = self._looked.get(frame)
        if geometry is not None and geometry.view.contains(x, y):
            return geometry
        return self._whole

    def _in_frame(self, vote: Vote) -> tuple[Place, ...]:
        """Return a vote's places of the network's grid in pixels of the frame it is for."""
        seen = self._looked.get(vote.frame, self._geometry)
        return tuple(
            Place(*seen.centre(int(place.x), int(place.y)), place.weight) for place in vote.places
        )

    def stop(self) -> None:
        """Encode nothing ahead from here on; `explain` still works."""
        self._reader.stop()

    def _add_anchors(self) -> None:
        plan = self._plan
        self._reader.plan([*plan.anchors, *plan.frames])
        for frame in plan.anchors:
            seen = self._look(frame, plan.anchors[frame])
            masks = self._masks(plan.anchors[frame])
            assert masks is not None
            with half_precision(self._device, on_cpu=self._bfloat16):
                groups, starting = plan.groups(frame), plan.starting(frame)
                self._propagation.add_anchor(seen, masks, groups, starting=starting)
        self._propagation.start()
        if self._views is not None:
            for frame in plan.starts.values():  # the last anchor need not be the nearest
                self._views.follower.start(box_of(plan.anchors[frame].values()))
        self._reader.plan(plan.frames)

    def _masks(self, given: Mapping[int, BoolMask] | None) -> dict[int, Tensor] | None:
        """Return masks as the network sees them."""
        if not given:
            return None
        stacked = np.stack(list(given.values())).astype(np.float32)
        masks = self._geometry.masks_in(upload(stacked, self._device))
        return dict(zip(given, masks, strict=True))
