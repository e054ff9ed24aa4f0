"""Trackers of the library: its own masks, without its memory."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from models import registry
from models.api import (
    BoolMask,
    Frames,
    Image,
    LoadOptions,
    OptionError,
    Tracker,
    WeightsInvalidError,
)
from models.hub import loader
from models.hub.kinds import KINDS, Kind
from models.hub.tracker import HubTracker, _Images, _squeezed
from tests.models.contract import Clip as ContractClip
from tests.models.contract import NarrowFramesContract, TrackerContract

Model = Any  # of transformers


def tiny_edgetam() -> Any:  # noqa: ANN401
    """The official shape at the smallest size that its memory allows."""
    return short(KINDS["edgetam"].config(256))


def short(config: Any) -> Any:  # noqa: ANN401
    """Return the configuration with a memory that a short clip outlives."""
    config.max_object_pointers_in_encoder, config.num_maskmem = 5, 4
    return config


def tiny_sam3() -> Any:  # noqa: ANN401
    from transformers import (
        Sam3TrackerVideoConfig,
        Sam3TrackerVideoMaskDecoderConfig,
        Sam3TrackerVideoPromptEncoderConfig,
        Sam3VisionConfig,
        Sam3ViTConfig,
    )

    side, width = 112, 128
    backbone = Sam3ViTConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        image_size=side, pretrain_image_size=side, window_size=4, global_attn_indexes=[1],
    )  # fmt: skip
    config = Sam3TrackerVideoConfig(
        vision_config=Sam3VisionConfig(
            backbone_config=backbone,
            fpn_hidden_size=width,
            backbone_feature_sizes=[[32, 32], [16, 16], [8, 8]],
        ),
        prompt_encoder_config=Sam3TrackerVideoPromptEncoderConfig(
            hidden_size=width, image_size=side
        ),
        mask_decoder_config=Sam3TrackerVideoMaskDecoderConfig(
            hidden_size=width, mlp_dim=32, num_attention_heads=2, iou_head_hidden_dim=32
        ),
        image_size=side,
        memory_attention_hidden_size=width,
        memory_attention_feed_forward_hidden_size=32,
        memory_attention_num_layers=1,
        memory_attention_rope_feat_sizes=[8, 8],
        memory_encoder_hidden_size=width,
        mask_downsampler_embed_dim=width,
        memory_fuser_embed_dim=width,
        memory_fuser_intermediate_dim=32,
    )
    return short(config)


TINY = {"edgetam": tiny_edgetam, "sam3-tracker": tiny_sam3}


def made(name: str) -> Model:
    """Return a random model whose weights see their objects."""
    import transformers

    torch.manual_seed(3)
    model = getattr(transformers, KINDS[name].model)(TINY[name]()).eval()
    # Random weights say of most objects that they are gone: then every mask would be empty.
    torch.nn.init.constant_(model.mask_decoder.pred_obj_score_head.proj_out.bias, 5.0)
    return model


@pytest.fixture(scope="module", params=list(TINY))
def named(request: pytest.FixtureRequest) -> tuple[Kind, Model]:
    return KINDS[request.param], made(request.param)


_MODELS: dict[str, Model] = {}


def contract_tracker(name: str, frames: Frames) -> Tracker:
    if name not in _MODELS:
        _MODELS[name] = made(name)
    return HubTracker(_MODELS[name], KINDS[name], frames)


class TestEdgeTamContract(TrackerContract, NarrowFramesContract):
    load = staticmethod(lambda frames: contract_tracker("edgetam", frames))
    floor = 0.0


class TestSam3TrackerContract(TrackerContract, NarrowFramesContract):
    load = staticmethod(lambda frames: contract_tracker("sam3-tracker", frames))
    floor = 0.0


class Clip(ContractClip):
    """The contract's clip, which remembers what was read."""

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.read: list[int] = []

    def __getitem__(self, index: int) -> Image:
        self.read.append(index)
        return super().__getitem__(index % 20 if index < len(self) else index)

    def mask(self, number: int, index: int) -> BoolMask:
        return super().mask(number, index % 20)


def library_masks(
    kind: Kind, model: Model, clip: Clip, anchors: dict[int, dict[int, BoolMask]], *, reverse: bool
) -> dict[int, dict[int, BoolMask]]:
    """Return the masks of the library's own session, which holds the whole video."""
    import sys

    images = _Images(clip, model.config.image_size, kind, torch.device("cpu"))
    session = getattr(sys.modules[type(model).__module__], kind.session)(
        video=torch.stack([images[index] for index in range(len(clip))]), dtype=torch.float32
    )
    for frame, masks in anchors.items():
        for number, mask in masks.items():
            pixels = _squeezed(mask, model.config.image_size, torch.device("cpu"))
            session.add_mask_inputs(session.obj_id_to_idx(number), frame, pixels)
        session.obj_with_new_inputs = list(masks)
        with torch.inference_mode():
            model(session, frame_idx=frame)
    start = len(clip) - 1 if reverse else 0
    found = {}
    for output in model.propagate_in_video_iterator(session, start, reverse=reverse):
        logits = torch.nn.functional.interpolate(output.pred_masks, clip.size, mode="bilinear")
        owner = logits[:, 0].argmax(dim=0)
        found[output.frame_idx] = {
            number: ((logits[k, 0] > 0) & (owner == k)).numpy()
            for k, number in enumerate(output.object_ids)
        }
    return found


@pytest.mark.parametrize("reverse", [False, True])
def test_the_masks_are_those_of_the_library(named: tuple[Kind, Model], reverse: bool) -> None:
    kind, model = named
    clip = Clip(9)  # longer than any memory reaches
    first = 8 if reverse else 0
    anchors = {frame: {n: clip.mask(n, frame) for n in (1, 2)} for frame in (first, 4)}
    expected = library_masks(kind, model, clip, anchors, reverse=reverse)
    order = sorted(range(len(clip)), reverse=reverse)
    areas = set()
    for frame, found in HubTracker(model, kind, clip).track(anchors, order):
        if frame not in anchors:
            for number in (1, 2):
                mask = found[number].mask
                # Sums are taken in another order on another machine, and with random weights some
                # pixels lie just at the threshold.
                assert np.mean(mask != expected[frame][number]) < 0.005, (frame, number)
                areas.add(int(mask.sum()))
    assert len(areas) > 4, "the masks of this test say nothing: they hardly differ"


def test_memory_does_not_grow_and_frames_are_read_when_they_are_reached(
    named: tuple[Kind, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    kind, model = named
    sessions: list[Any] = []
    made_session = getattr(sys.modules[type(model).__module__], kind.session)

    def watched(*arguments: Any, **named_ones: Any) -> Any:  # noqa: ANN401
        sessions.append(made_session(*arguments, **named_ones))
        return sessions[-1]

    monkeypatch.setattr(sys.modules[type(model).__module__], kind.session, watched)
    clip = Clip(24)
    anchors = {frame: {1: clip.mask(1, frame)} for frame in range(0, 24, 6)}
    held = []
    for frame, _ in HubTracker(model, kind, clip).track(anchors, range(1, 24)):
        assert {index for index in clip.read if index not in anchors} <= set(range(frame + 1))
        (session,) = sessions
        held.append(
            sum(map(len, session.output_dict_per_obj[0].values()))
            + len(session.frames_tracked_per_obj[0])
            + len(session.mask_inputs_per_obj[0])
        )
        assert len(session.cache._vision_features) == 1
    assert max(held[12:]) <= max(held[:12])


def test_the_tracker_is_loaded_from_a_file_and_no_other(
    named: tuple[Kind, Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, model = named
    model.save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    config = TINY[kind.name]()
    monkeypatch.setitem(KINDS, kind.name, replace(kind, config=lambda _: config))
    clip = ContractClip(2)
    anchors = {0: {1: clip.mask(1, 0)}}
    options = LoadOptions("cpu", weights=file)
    tracker = registry.load_tracker(kind.name, clip, options)
    found = dict(tracker.track(anchors, range(2)))
    expected = dict(HubTracker(model, kind, clip).track(anchors, range(2)))
    assert np.array_equal(found[1][1].mask, expected[1][1].mask)

    state = {name: each for name, each in load_file(file).items() if "memory_att" not in name}
    save_file(state, file)
    with pytest.raises(WeightsInvalidError, match="memory_attention"):
        registry.load_tracker(kind.name, clip, options)


def test_missing_weights_name_the_page_and_the_licence(home: Path) -> None:
    assert "huggingface.co/yonigozlan/EdgeTAM-hf" in (registry.available("edgetam") or "")
    reason = registry.available("sam3-tracker") or ""
    assert "huggingface.co/facebook/sam3" in reason
    assert "SAM License" in reason
    assert "forbids" in reason


@pytest.mark.parametrize("options", [LoadOptions(flip=True), LoadOptions(scales=(1.2,))])
def test_fusion_of_scales_is_refused(options: LoadOptions) -> None:
    with pytest.raises(OptionError, match="leave them out"):
        loader.load_tracker("edgetam", ContractClip(2), options)


def test_sizes_are_those_that_a_model_can_see() -> None:
    assert KINDS["edgetam"].config(700).image_size == 768
    assert KINDS["edgetam"].config(None).image_size == 1024
    with pytest.raises(OptionError, match="1008"):
        KINDS["sam3-tracker"].config(512)


def test_an_old_library_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    file.write_bytes(b"")
    old = replace(KINDS["edgetam"], model="NotThereYet")
    monkeypatch.setitem(KINDS, "edgetam", old)
    with pytest.raises(OptionError, match="has no NotThereYet"):
        loader.load_tracker("edgetam", ContractClip(2), LoadOptions(weights=file))
