"""SAM 2 through video, behind the Tracker protocol.

Ravi et al., 2024. The package's predictor keeps every frame and every memory; here frames are read
when they are reached, and memories that no later frame can read are dropped.
"""

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.api import Anchors, BoolMask, Frames, Tracked
from models.prompt import check_anchors
from models.sam.compute import normalised
from models.sam.video.passes import Output, follow
from models.weights.checkpoint import load_strict, read_state

Predictor = Any  # sam2.sam2_video_predictor.SAM2VideoPredictor, which has no annotations

_CONFIGS = {"tiny": "t", "small": "s", "base-plus": "b+", "large": "l"}
_SIDE = 1024


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
        check_anchors(anchors, frames, self._frames)
        memory = _Memory(self._predictor, self._frames)
        return follow(memory, anchors, frames, self._frames.size, probabilities=probabilities)


class _Memory:
    """The predictor's state of one pass, see models.sam.video.passes.Memory."""

    def __init__(self, predictor: Predictor, frames: Frames) -> None:
        self.device: torch.device = predictor.device
        self._predictor = predictor
        self._state = _new_state(predictor, frames)

    def conditioning(self, number: int) -> dict[int, dict[str, Tensor]]:
        """Return the anchors that condition an object, by frame."""
        return self._outputs(number, "cond_frame_outputs")

    def memorise(self, frame: int, masks: Mapping[int, BoolMask]) -> None:
        """Let the masks given on a frame condition their objects from here on."""
        for number, mask in masks.items():
            self._predictor.add_new_mask(self._state, frame, number, mask)
        self._predictor.propagate_in_video_preflight(self._state)
        for number in masks:
            self._widen(self.conditioning(number)[frame])

    def predict(self, number: int, frame: int, *, reverse: bool) -> Output:
        """Return an object's mask on the next frame, and remember it."""
        index = self._state["obj_id_to_idx"][number]
        output, _ = self._predictor._run_single_frame_inference(  # noqa: SLF001
            self._state,
            self._state["output_dict_per_obj"][index],
            frame_idx=frame,
            batch_size=1,
            is_init_cond_frame=False,
            point_inputs=None,
            mask_inputs=None,
            reverse=reverse,
            run_mem_encoder=True,
        )
        self._widen(output)
        self._outputs(number, "non_cond_frame_outputs")[frame] = output
        return Output(output["pred_masks"], output["object_score_logits"])

    def forget(self, frame: int) -> None:
        """Drop the memories that no later frame can read: a pointer is read longest."""
        reach = self._predictor.max_obj_ptrs_in_encoder
        for number in self._state["obj_ids"]:
            remembered = self._outputs(number, "non_cond_frame_outputs")
            for far in [other for other in remembered if abs(other - frame) >= reach]:
                del remembered[far]

    def _widen(self, output: dict[str, Tensor]) -> None:
        """Keep a memory as numbers that the device computes in.

        The predictor stores bfloat16, which without autocast fits no layer where a frame reads
        nothing but memories (all its anchors lie ahead).
        """
        if self._predictor.device.type != "cuda":
            output["maskmem_features"] = output["maskmem_features"].float()

    def _outputs(self, number: int, kind: str) -> dict[int, dict[str, Tensor]]:
        index = self._state["obj_id_to_idx"].get(number)
        if index is None:
            return {}
        outputs: dict[int, dict[str, Tensor]] = self._state["output_dict_per_obj"][index][kind]
        return outputs


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


def _whole(side: int) -> int:
    return max(64, round(side / 32) * 32)
