"""The video classes of `transformers` behind the Tracker protocol.

EdgeTAM (Zhou et al., 2025) and the tracker of SAM 3 share the session of SAM 2 and its memory. The
library keeps every frame and every memory; here frames are read when they are reached, and memories
that no later frame can read are dropped.
"""

import sys
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from models.api import Anchors, BoolMask, Frames, Prediction, PromptError, Tracked
from models.hub.kinds import Kind
from models.runtime.pixels import standardised
from models.sam.compute import computing
from models.sam.tracker import checked_mask, nearest_anchors, predictions_of

Model = Any  # a video model of transformers, which mypy does not see
Session = Any  # its inference session

_CONDITIONING, _TRACKED = "cond_frame_outputs", "non_cond_frame_outputs"


class HubTracker:
    """A video model of the library, bound to one video. Owned by one thread."""

    def __init__(self, model: Model, kind: Kind, frames: Frames) -> None:
        self._model, self._kind, self._frames = model, kind, frames

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        """Yield the masks on `frames`, in that order; see models.api.Tracker.

        Of an object's anchors, the 16 nearest condition a frame.
        """
        if not any(anchors.values()):
            raise PromptError("There is no anchor to start from: draw or verify a mask first.")
        for masks in anchors.values():
            for mask in masks.values():
                checked_mask(mask, self._frames.size)
        pass_ = _Pass(self._model, self._kind, self._frames, anchors, frames)
        for frame in frames:
            with computing(self._model.device):
                found = pass_.visit(frame, probabilities=probabilities)
            yield frame, found


class _Pass:
    """One pass over neighbouring frames: which objects are followed, and what is remembered."""

    def __init__(
        self, model: Model, kind: Kind, frames: Frames, anchors: Anchors, visited: Sequence[int]
    ) -> None:
        self._model, self._anchors, self._size = model, anchors, frames.size
        self._side: int = model.config.image_size
        self._reverse = len(visited) > 1 and visited[-1] < visited[0]
        # A session each, so that memorising an object's anchor predicts no other object there; the
        # features of a frame are shared.
        self._kind, self._frames = kind, frames
        self._sessions: dict[int, Session] = {}
        self._anchor_frames: dict[int, list[int]] = {}
        for frame in anchors:
            for number in anchors[frame]:
                self._anchor_frames.setdefault(number, []).append(frame)
        within = set(visited)
        self._absent = {
            number
            for number, where in self._anchor_frames.items()
            if not any(anchors[frame][number].any() for frame in where)
        }
        self._followed = {
            number for number, where in self._anchor_frames.items() if not within.issuperset(where)
        }

    def visit(self, frame: int, *, probabilities: bool) -> Mapping[int, Prediction]:
        """Return the masks on the next frame, and remember them."""
        given = self._anchors.get(frame, {})
        self._followed |= given.keys()
        self._condition(frame)
        asked = self._followed - given.keys()
        outputs = {number: self._predict(number, frame) for number in sorted(asked - self._absent)}
        self._forget(frame)
        predictions = predictions_of(
            outputs, given.values(), self._size, probabilities=probabilities
        )
        for number in asked & self._absent:
            nothing = np.zeros(self._size, np.bool_)
            predictions[number] = Prediction.certain(nothing, 0.0, probabilities=probabilities)
        for number, mask in given.items():
            predictions[number] = Prediction.certain(mask, probabilities=probabilities)
        return predictions

    def _condition(self, frame: int) -> None:
        """Memorise the nearest anchors of each followed object, and drop those now far."""
        new: dict[int, list[int]] = {}
        for number in self._followed - self._absent:
            remembered = self._session(number).output_dict_per_obj[0][_CONDITIONING]
            wanted = set(nearest_anchors(self._anchor_frames[number], frame))
            for anchor in wanted - remembered.keys():
                new.setdefault(anchor, []).append(number)
            for far in remembered.keys() - wanted:
                del remembered[far]
        # Frame by frame, so that each anchor's image is encoded once for all its objects.
        for anchor in sorted(new):
            for number in new[anchor]:
                self._memorise(number, anchor)

    def _memorise(self, number: int, anchor: int) -> None:
        session, mask = self._session(number), self._anchors[anchor][number]
        pixels = _squeezed(mask, self._side, self._model.device)
        session.add_mask_inputs(0, anchor, pixels)
        session.obj_with_new_inputs = [number]
        # An anchor conditions whatever comes, also where a frame was predicted before.
        session.frames_tracked_per_obj[0].pop(anchor, None)
        session.output_dict_per_obj[0][_TRACKED].pop(anchor, None)
        self._model(session, frame_idx=anchor)
        session.remove_mask_inputs(0, anchor)

    def _predict(self, number: int, frame: int) -> dict[str, Tensor]:
        output = self._model(self._session(number), frame_idx=frame, reverse=self._reverse)
        presence = output.object_score_logits.reshape(1, 1)
        return {"pred_masks": output.pred_masks, "object_score_logits": presence}

    def _forget(self, frame: int) -> None:
        """Drop the memories that no later frame can read, as features or as pointers."""
        config = self._model.config
        reach = max(config.max_object_pointers_in_encoder, config.num_maskmem)
        for session in self._sessions.values():
            for remembered in (
                session.output_dict_per_obj[0][_TRACKED],
                session.frames_tracked_per_obj[0],
            ):
                for far in [other for other in remembered if abs(other - frame) >= reach]:
                    del remembered[far]

    def _session(self, number: int) -> Session:
        if number not in self._sessions:
            session = _new_session(self._model, self._kind, self._frames)
            session.obj_id_to_idx(number)
            for other in self._sessions.values():
                session.cache = other.cache
                break
            self._sessions[number] = session
        return self._sessions[number]


class _Images:
    """The video as a session takes it: each frame read and resized when it is asked for."""

    def __init__(self, frames: Frames, side: int, kind: Kind, device: torch.device) -> None:
        self._frames, self._side, self._kind, self._device = frames, side, kind, device

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Tensor:
        image = self._frames[index]
        pixels = torch.from_numpy(image).to(self._device).permute(2, 0, 1)[None].float() / 255
        size = (self._side, self._side)
        pixels = interpolate(pixels, size, mode="bilinear", align_corners=False, antialias=True)
        return standardised(pixels, self._kind.mean, self._kind.deviation)[0]


def _new_session(model: Model, kind: Kind, frames: Frames) -> Session:
    """Return an empty session of the model's own class, on frames that are read when reached."""
    module = sys.modules[type(model).__module__]
    height, width = frames.size
    session = getattr(module, kind.session)(
        video=None,
        video_height=height,
        video_width=width,
        inference_device=model.device,
        inference_state_device=model.device,
        video_storage_device=model.device,
        dtype=model.dtype,
    )
    session.processed_frames = _Images(frames, model.config.image_size, kind, model.device)
    return session


def _squeezed(mask: BoolMask, side: int, device: torch.device) -> Tensor:
    """Return a mask (H, W) as the model takes it, (1, 1, side, side), 0 or 1."""
    pixels = torch.from_numpy(mask)[None, None].to(device).float()
    size = (side, side)
    pixels = interpolate(pixels, size, mode="bilinear", align_corners=False, antialias=True)
    return (pixels >= 0.5).float()
