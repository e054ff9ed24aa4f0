"""SAM 2 through video, behind the Tracker protocol.

Ravi et al., 2024. The package's predictor keeps every frame and every memory; here frames are read
when they are reached, and memories that no later frame can read are dropped.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from models.api import Anchors, BoolMask, Frames, Prediction, PromptError, Tracked
from models.sam.choice import stability
from models.sam.compute import computing, normalised
from models.weights.checkpoint import load_strict, read_state

Predictor = Any  # sam2.sam2_video_predictor.SAM2VideoPredictor, which has no annotations

_CONFIGS = {"tiny": "t", "small": "s", "base-plus": "b+", "large": "l"}
_SIDE = 1024
# Anchors of an object that condition one frame, the nearest: each costs as much attention as a
# memory of the last frames does, of which there are six.
_MOST_ANCHORS = 16


def build_predictor(size: str, *, side: int | None = None) -> Predictor:
    """Return the package's video predictor with random weights, for squares of `side` pixels."""
    from sam2.build_sam import build_sam2_video_predictor  # noqa: PLC0415

    predictor = build_sam2_video_predictor(
        f"configs/sam2.1/sam2.1_hiera_{_CONFIGS[size]}.yaml",
        device="cpu",
        hydra_overrides_extra=[f"++model.image_size={_whole(side or _SIDE)}"],
    )
    # It needs a compiled extension, and warns on each frame where there is none.
    predictor.fill_hole_area = 0
    return predictor


class Sam2Tracker:
    """SAM 2's video predictor, bound to one video. Owned by one thread."""

    def __init__(self, predictor: Predictor, frames: Frames) -> None:
        self._predictor = predictor
        self._frames = frames

    @classmethod
    def load(
        cls, size: str, path: Path, frames: Frames, *, device: torch.device, side: int | None
    ) -> "Sam2Tracker":
        """Return the tracker of a SAM 2.1 file, which sees frames as squares of `side` pixels.

        Raises WeightsInvalidError where the file is of another model.
        """
        predictor = build_predictor(size, side=side)
        load_strict(predictor, read_state(path), path)
        return cls(predictor.to(device), frames)

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        """Yield the masks on `frames`, in that order; see models.api.Tracker.

        Of an object's anchors, the 16 nearest condition a frame.
        """
        if not any(anchors.values()):
            raise PromptError("There is no anchor to start from: draw or verify a mask first.")
        run = _Run(self._predictor, self._frames, anchors, frames)
        for frame in frames:
            with computing(self._predictor.device):
                found = run.visit(frame, probabilities=probabilities)
            yield frame, found


class _Run:
    """One pass over neighbouring frames: which objects are followed, and what is remembered."""

    def __init__(
        self,
        predictor: Predictor,
        frames: Frames,
        anchors: Anchors,
        visited: Sequence[int],
    ) -> None:
        self._predictor = predictor
        self._anchors = anchors
        self._size = frames.size
        self._reverse = len(visited) > 1 and visited[-1] < visited[0]
        self._state = _new_state(predictor, frames)
        self._anchor_frames: dict[int, list[int]] = {}
        for frame in anchors:
            for number in anchors[frame]:
                self._anchor_frames.setdefault(number, []).append(frame)
        within = set(visited)
        self._followed = {
            number for number, where in self._anchor_frames.items() if not within.issuperset(where)
        }

    def visit(self, frame: int, *, probabilities: bool) -> Mapping[int, Prediction]:
        """Return the masks on the next frame, and remember them."""
        given = self._anchors.get(frame, {})
        self._followed |= given.keys()
        self._condition(frame)
        outputs = {
            number: self._predict(number, frame) for number in sorted(self._followed - given.keys())
        }
        self._forget(frame)
        predictions = predictions_of(
            outputs, given.values(), self._size, probabilities=probabilities
        )
        for number, mask in given.items():
            predictions[number] = Prediction.certain(mask, probabilities=probabilities)
        return predictions

    def _condition(self, frame: int) -> None:
        """Memorise the nearest anchors of each followed object, and drop those now far."""
        wanted = {
            number: set(nearest_anchors(self._anchor_frames[number], frame))
            for number in self._followed
        }
        new: dict[int, list[int]] = {}
        for number, near in wanted.items():
            for anchor in near - self._memory(number, "cond_frame_outputs").keys():
                new.setdefault(anchor, []).append(number)
        # Frame by frame, so that each anchor's image is encoded once for all its objects.
        for anchor in sorted(new):
            masks = self._anchors[anchor]
            for number in new[anchor]:
                mask = checked_mask(masks[number], self._size)
                self._predictor.add_new_mask(self._state, anchor, number, mask)
            self._predictor.propagate_in_video_preflight(self._state)
            for number in new[anchor]:
                self._widen(self._memory(number, "cond_frame_outputs")[anchor])
        for number, near in wanted.items():
            remembered = self._memory(number, "cond_frame_outputs")
            for far in remembered.keys() - near:
                del remembered[far]

    def _predict(self, number: int, frame: int) -> dict[str, Tensor]:
        index = self._state["obj_id_to_idx"][number]
        output, _ = self._predictor._run_single_frame_inference(  # noqa: SLF001
            self._state,
            self._state["output_dict_per_obj"][index],
            frame_idx=frame,
            batch_size=1,
            is_init_cond_frame=False,
            point_inputs=None,
            mask_inputs=None,
            reverse=self._reverse,
            run_mem_encoder=True,
        )
        self._widen(output)
        self._memory(number, "non_cond_frame_outputs")[frame] = output
        return dict(output)

    def _widen(self, output: dict[str, Tensor]) -> None:
        """Keep a memory as numbers that the device computes in.

        The predictor stores bfloat16, which without autocast fits no layer where a frame reads
        nothing but memories (all its anchors lie ahead).
        """
        if self._predictor.device.type != "cuda":
            output["maskmem_features"] = output["maskmem_features"].float()

    def _forget(self, frame: int) -> None:
        """Drop the memories that no later frame can read: a pointer is read longest."""
        reach = self._predictor.max_obj_ptrs_in_encoder
        for number in self._followed:
            remembered = self._memory(number, "non_cond_frame_outputs")
            for far in [other for other in remembered if abs(other - frame) >= reach]:
                del remembered[far]

    def _memory(self, number: int, kind: str) -> dict[int, dict[str, Tensor]]:
        index = self._state["obj_id_to_idx"].get(number)
        if index is None:
            return {}
        memory: dict[int, dict[str, Tensor]] = self._state["output_dict_per_obj"][index][kind]
        return memory


class _Images:
    """The video as the predictor takes it: each frame read and resized when it is asked for."""

    def __init__(self, frames: Frames, side: int, device: torch.device) -> None:
        self._frames, self._side, self._device = frames, side, device

    def __getitem__(self, index: int) -> Tensor:
        return normalised(self._frames[index], (self._side, self._side), self._device)[0]


def _new_state(predictor: Predictor, frames: Frames) -> dict[str, Any]:
    """Return what the predictor's `init_state` does, without reading the video."""
    # The pruning relies on memories being read from the frames just before, without gaps.
    assert predictor.memory_temporal_stride_for_eval == 1
    device = predictor.device
    height, width = frames.size
    return {
        "images": _Images(frames, predictor.image_size, device),
        "num_frames": len(frames),
        "offload_video_to_cpu": False,
        "offload_state_to_cpu": False,
        "video_height": height,
        "video_width": width,
        "device": device,
        "storage_device": device,
        "point_inputs_per_obj": {},
        "mask_inputs_per_obj": {},
        "cached_features": {},
        "constants": {},
        "obj_id_to_idx": {},
        "obj_idx_to_id": {},
        "obj_ids": [],
        "output_dict_per_obj": {},
        "temp_output_dict_per_obj": {},
        "frames_tracked_per_obj": {},
    }


def predictions_of(
    outputs: Mapping[int, Mapping[str, Tensor]],
    given: Iterable[BoolMask],
    size: tuple[int, int],
    *,
    probabilities: bool,
) -> dict[int, Prediction]:
    """Return the predicted masks, none over another or over a given one."""
    if not outputs:
        return {}
    coarse = torch.cat([output["pred_masks"] for output in outputs.values()]).float()
    presence = torch.cat([output["object_score_logits"] for output in outputs.values()])
    scores = (presence[:, 0].float().sigmoid() * stability(coarse[:, 0])).tolist()
    logits = interpolate(coarse, size, mode="bilinear", align_corners=False)[:, 0]
    free = np.ones(size, np.bool_)
    for mask in given:
        free &= ~mask
    owner = logits.argmax(dim=0)
    own = torch.stack([owner == index for index in range(len(logits))])
    masks = ((logits > 0) & own).cpu().numpy() & free
    shares: Iterable[Any] = [None] * len(masks)
    if probabilities:
        of_objects = logits.sigmoid()
        shares = (of_objects / of_objects.sum(dim=0).clamp(min=1)).cpu().numpy() * free
    return {
        number: Prediction(mask, score, share)
        for number, mask, score, share in zip(outputs, masks, scores, shares, strict=True)
    }


def nearest_anchors(anchor_frames: Iterable[int], frame: int) -> list[int]:
    """Return the anchors of an object that condition a frame: the nearest, nearest first."""
    return sorted(anchor_frames, key=lambda other: abs(other - frame))[:_MOST_ANCHORS]


def checked_mask(mask: BoolMask, size: tuple[int, int]) -> BoolMask:
    """Return an anchor's mask; raises PromptError where it is not of the frames' (H, W)."""
    if mask.shape != size:
        raise PromptError(
            f"An anchor's mask is {mask.shape[1]} x {mask.shape[0]}, "
            f"the frames {size[1]} x {size[0]}."
        )
    return mask


def _whole(side: int) -> int:
    return max(64, round(side / 32) * 32)
