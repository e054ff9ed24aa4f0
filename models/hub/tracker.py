"""The video classes of `transformers` behind the Tracker protocol.

EdgeTAM (Zhou et al., 2025) and the tracker of SAM 3 share the session of SAM 2 and its memory. The
library keeps every frame and every memory; here frames are read when they are reached, and memories
that no later frame can read are dropped.
"""

import sys
from collections.abc import Generator, Mapping, MutableMapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from models.api import Anchors, BoolMask, Frames, Tracked
from models.hub.kinds import Kind
from models.prompt import check_anchors
from models.runtime.pixels import standardised
from models.sam.video.passes import Output, follow

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
        check_anchors(anchors, frames, self._frames)
        memory = _Memory(self._model, self._kind, self._frames)
        return follow(memory, anchors, frames, self._frames.size, probabilities=probabilities)


class _Memory:
    """The library's sessions of one pass, see models.sam.video.passes.Memory.

    A session each, so that memorising an object's anchor predicts no other object there; the
    features of a frame are shared.
    """

    def __init__(self, model: Model, kind: Kind, frames: Frames) -> None:
        self.device: torch.device = model.device
        self._model, self._kind, self._frames = model, kind, frames
        self._sessions: dict[int, Session] = {}

    def conditioning(self, number: int) -> MutableMapping[int, Any]:
        """Return the anchors that condition an object, by frame."""
        session = self._session(number)
        anchors: MutableMapping[int, Any] = session.output_dict_per_obj[0][_CONDITIONING]
        return anchors

    def memorise(self, frame: int, masks: Mapping[int, BoolMask]) -> None:
        """Let the masks given on a frame condition their objects from here on."""
        for number, mask in masks.items():
            self._memorise(number, frame, mask)

    def predict(self, number: int, frame: int, *, reverse: bool) -> Output:
        """Return an object's mask on the next frame, and remember it."""
        output = self._model(self._session(number), frame_idx=frame, reverse=reverse)
        return Output(output.pred_masks, output.object_score_logits.reshape(1, 1))

    def forget(self, frame: int) -> None:
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

    def _memorise(self, number: int, anchor: int, mask: BoolMask) -> None:
        session = self._session(number)
        pixels = _squeezed(mask, self._model.config.image_size, self.device)
        session.add_mask_inputs(0, anchor, pixels)
        session.obj_with_new_inputs = [number]
        # An anchor conditions whatever comes, also where a frame was predicted before.
        session.frames_tracked_per_obj[0].pop(anchor, None)
        session.output_dict_per_obj[0][_TRACKED].pop(anchor, None)
        self._model(session, frame_idx=anchor)
        session.remove_mask_inputs(0, anchor)

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
