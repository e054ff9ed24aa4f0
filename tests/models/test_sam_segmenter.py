"""Masks from prompts: what a segmenter makes of them, and that the networks are the packages'."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.api import (
    BoolMask,
    Box,
    Click,
    Image,
    LoadOptions,
    Prompt,
    PromptError,
    Segmenter,
    WeightsInvalidError,
    WeightsMissingError,
)
from models.encoders.hiera import HieraEncoder, Levels
from models.sam.heads import PromptHeads
from models.sam.hq_network import HqNetwork, build_sam
from models.sam.loader import load_segmenter
from models.sam.prompts import BOX_END, BOX_START, NEGATIVE, POSITIVE, Points
from models.sam.sam2_network import Sam2Network
from models.sam.segmenter import PromptSegmenter
from models.sam.video.tracker import build_predictor
from tests.models.contract import ODD_SIZES

CPU = torch.device("cpu")
SIZE = (40, 60)


class Stills:
    """Some frames of noise, and which of them were read."""

    def __init__(self, size: tuple[int, int] = SIZE, length: int = 5) -> None:
        self.size = size
        self._length = length
        self.read: list[int] = []

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Image:
        self.read.append(index)
        return np.random.default_rng(index).integers(0, 256, (*self.size, 3), np.uint8)


@dataclass
class Kept:
    """An embedding of 1000 bytes."""

    tensors: tuple[Tensor, ...]


class Scripted:
    """A network with the answers written down, which notes what it was asked."""

    device = CPU

    def __init__(self, *, sharpness: tuple[float, ...], ious: tuple[float, ...]) -> None:
        self.sharpness, self.ious = sharpness, ious
        self.embedded = 0
        self.encoder = torch.nn.Sequential(torch.nn.Identity(), torch.nn.Identity())
        self.points: Points | None = None
        self.mask: Tensor | None = None

    def embed(self, image: Image) -> Kept:
        embedding = Kept((self.encoder(torch.zeros(250)),))
        self.embedded += 1
        return embedding

    def mask_size(self, embedding: Kept) -> tuple[int, int]:
        return (10, 15)

    def decode(self, embedding: Kept, points: Points, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return discs of radius 5.5, 8.5, 11.5 and 14.5, their edges as sharp as told."""
        self.points, self.mask = points, mask
        y, x = torch.meshgrid(torch.arange(SIZE[0]), torch.arange(SIZE[1]), indexing="ij")
        distance = ((y - 20) ** 2 + (x - 30) ** 2).sqrt()
        logits = [
            (5.5 + 3 * index - distance) * sharpness
            for index, sharpness in enumerate(self.sharpness)
        ]
        return torch.stack(logits), torch.tensor(self.ious)

    def enlarge(self, embedding: Kept, logits: Tensor) -> Tensor:
        return logits


def scripted(
    sharpness: tuple[float, ...] = (9, 9, 9, 9), ious: tuple[float, ...] = (0.5, 0.6, 0.9, 0.7)
) -> Scripted:
    return Scripted(sharpness=sharpness, ious=ious)


def sizes(segmenter: Segmenter, prompt: Prompt) -> list[int]:
    """Return which discs are answered, by rank: 0 is the single mask."""
    areas = [float(prediction.mask.sum()) for prediction in segmenter.segment(0, prompt)]
    return [round(((area / np.pi) ** 0.5 - 5.5) / 3) for area in areas]


ONE = Prompt((Click(30, 20),))
CLEAR = Prompt((Click(30, 20), Click(2, 2, positive=False)))


def test_one_click_gives_three_candidates_the_likeliest_first() -> None:
    assert sizes(PromptSegmenter(scripted(), Stills()), ONE) == [2, 3, 1]


def test_of_candidates_nearly_as_good_the_largest_goes_first_if_it_is_stable() -> None:
    near = (0.5, 0.9, 0.88, 0.87)
    assert sizes(PromptSegmenter(scripted(ious=near), Stills()), ONE) == [3, 2, 1]
    blurred = scripted((9, 9, 9, 0.1), near)
    assert sizes(PromptSegmenter(blurred, Stills()), ONE) == [2, 1, 3]


def test_a_click_at_the_edge_of_a_mask_was_not_meant_for_it() -> None:
    sure_of_the_smallest = scripted(ious=(0.5, 0.9, 0.6, 0.6))
    segmenter = PromptSegmenter(sure_of_the_smallest, Stills())
    assert sizes(segmenter, Prompt((Click(30, 20),)))[0] == 1
    assert sizes(segmenter, Prompt((Click(38, 20),)))[0] == 3


def disc(radius: float) -> BoolMask:
    y, x = np.ogrid[: SIZE[0], : SIZE[1]]
    found: BoolMask = np.hypot(y - 20, x - 30) < radius
    return found


def test_a_mask_alone_puts_the_single_mask_first_unless_that_is_unstable() -> None:
    for alone in (Prompt(mask=disc(8)), Prompt(box=Box(15, 5, 46, 36), mask=disc(8))):
        assert sizes(PromptSegmenter(scripted(), Stills()), alone) == [0, 2, 3, 1]
        network = scripted(sharpness=(0.2, 9, 9, 9))
        assert sizes(PromptSegmenter(network, Stills()), alone) == [2, 3, 1]


def test_a_click_beside_a_thin_error_does_not_throw_the_mask_away() -> None:
    sure_of_another = scripted(ious=(0.9, 0.4, 0.5, 0.6))
    segmenter = PromptSegmenter(sure_of_another, Stills())
    negative = Prompt((Click(30, 20), Click(43, 20, positive=False)), mask=disc(14))
    assert sizes(segmenter, negative)[0] == 3
    positive = Prompt((Click(30, 20), Click(43, 20)), mask=disc(11.5))
    assert sizes(segmenter, positive)[0] == 3


def test_a_positive_click_far_off_may_change_much() -> None:
    sure_of_the_largest = scripted(ious=(0.5, 0.6, 0.6, 0.9))
    segmenter = PromptSegmenter(sure_of_the_largest, Stills())
    assert sizes(segmenter, Prompt((Click(30, 20), Click(42, 20)), mask=disc(5.5)))[0] == 3


def test_of_masks_nearly_as_good_the_one_that_fills_the_box_goes_first() -> None:
    segmenter = PromptSegmenter(scripted(ious=(0.8, 0.8, 0.8, 0.8)), Stills())
    for rank, radius in enumerate((5.5, 8.5, 11.5, 14.5)):
        box = Box(30 - radius, 20 - radius, 31 + radius, 21 + radius)
        assert sizes(segmenter, Prompt(box=box))[0] == rank


def test_scores_are_the_predicted_ious_within_0_and_1() -> None:
    network = scripted(ious=(0.5, 0.6, 1.4, -0.2))
    found = PromptSegmenter(network, Stills()).segment(0, ONE)
    assert [round(prediction.score, 3) for prediction in found] == [1.0, 0.6, 0.0]


def test_clicks_and_box_reach_the_network_in_pixels_of_the_frame() -> None:
    network = scripted()
    prompt = Prompt((Click(3, 4), Click(5, 6, positive=False)), Box(1, 2, 30, 20))
    PromptSegmenter(network, Stills()).segment(0, prompt)
    assert network.points is not None
    assert network.points.xy.tolist() == [[[1, 2], [30, 20], [3, 4], [5, 6]]]
    assert network.points.labels.tolist() == [[BOX_START, BOX_END, POSITIVE, NEGATIVE]]


def test_a_box_is_shown_again_with_the_mask_that_was_found_in_it() -> None:
    network = scripted(ious=(0.5, 0.6, 0.9, 0.7))
    found = PromptSegmenter(network, Stills()).segment(0, Prompt(box=Box(18, 8, 43, 33)))
    assert network.mask is not None
    assert int((network.mask > 0).sum()) == found[0].mask.sum()


def test_a_mask_is_given_along_as_logits_and_alone_with_the_box_round_it() -> None:
    network = scripted()
    mask = np.zeros(SIZE, np.bool_)
    mask[8:24, 12:32] = True
    segmenter = PromptSegmenter(network, Stills())
    segmenter.segment(0, Prompt((Click(15, 10),), mask=mask))
    assert network.mask is not None
    assert network.points is not None
    assert network.points.labels.tolist() == [[POSITIVE]]
    assert network.mask.shape == (1, 1, 10, 15)
    inside = network.mask[0, 0] > 0
    assert inside[2:6, 3:8].all()
    assert inside.sum() == 20
    segmenter.segment(0, Prompt(mask=mask))
    assert network.points.xy.tolist() == [[[12, 8], [32, 24]]]


def test_a_mask_that_no_click_supports_goes_with_one_on_its_innermost_point() -> None:
    network = scripted()
    mask = np.zeros(SIZE, np.bool_)
    mask[8:24, 12:52] = True
    outside, negative = Click(5, 30), Click(30, 15, positive=False)
    PromptSegmenter(network, Stills()).segment(0, Prompt((outside, negative), mask=mask))
    assert network.points is not None
    assert network.points.labels.tolist() == [[POSITIVE, POSITIVE, NEGATIVE]]
    x, y = network.points.xy[0, 0].tolist()
    assert mask[int(y), int(x)]
    assert 14 <= y <= 17
    assert abs(x - 30) > 7


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt(),
        Prompt(mask=np.zeros(SIZE, np.bool_)),
        Prompt((Click(1, 1),), mask=np.zeros((3, 3), np.bool_)),
        Prompt((Click(60, 1),)),
        Prompt((Click(float("nan"), 1),)),
        Prompt(box=Box(5, 5, 5, 9)),
        Prompt(box=Box(70, 5, 90, 9)),
    ],
    ids=["empty", "empty mask", "mask size", "outside", "nan", "flat box", "box outside"],
)
def test_prompts_that_do_not_fit_are_refused(prompt: Prompt) -> None:
    network = scripted()
    with pytest.raises(PromptError):
        PromptSegmenter(network, Stills()).segment(0, prompt)
    assert network.embedded == 0


def test_a_prepared_frame_is_not_computed_again() -> None:
    network = scripted()
    segmenter = PromptSegmenter(network, Stills())
    segmenter.prepare(0)
    segmenter.segment(0, ONE)
    segmenter.segment(0, CLEAR)
    assert network.embedded == 1


def test_preparing_is_left_in_the_middle_when_it_is_not_wanted_any_more() -> None:
    network = scripted()
    segmenter = PromptSegmenter(network, Stills())
    answers = iter([True, True, False])  # the encoder, its first layer, its second
    segmenter.prepare(0, wanted=lambda: next(answers))
    assert network.embedded == 0
    segmenter.segment(0, ONE)
    segmenter.prepare(1, wanted=lambda: True)
    assert network.embedded == 2


def test_clicks_given_at_once_are_answered_one_after_the_other() -> None:
    network = scripted(ious=(0.5, 0.9, 0.88, 0.87))
    segmenter = PromptSegmenter(network, Stills())
    negative = Click(2, 2, positive=False)
    segmenter.segment(0, Prompt((negative, Click(30, 20), Click(35, 20))))
    assert network.points is not None
    assert network.points.labels.tolist() == [[NEGATIVE, POSITIVE, POSITIVE]]
    assert network.mask is not None
    single = np.pi * 5.5**2  # of the clicks before the last
    assert int((network.mask > 0).sum()) == pytest.approx(single, rel=0.05)
    segmenter.segment(0, Prompt((negative,)))
    assert network.mask is None


def test_embeddings_stay_within_their_bytes_the_last_used_kept() -> None:
    network = scripted()
    stills = Stills()
    segmenter = PromptSegmenter(network, stills, cache_bytes=2000)
    for frame in (0, 1, 0, 2, 0, 1):
        segmenter.prepare(frame)
    assert stills.read == [0, 1, 2, 1]


def test_one_embedding_is_kept_however_large_it_is() -> None:
    network = scripted()
    segmenter = PromptSegmenter(network, Stills(), cache_bytes=1)
    segmenter.prepare(0)
    segmenter.segment(0, ONE)
    assert network.embedded == 1


# SAM 2


@pytest.fixture(scope="module")
def sam2() -> Any:  # noqa: ANN401
    """The package's tiny model with random weights, for images of 64 x 64."""
    torch.manual_seed(1)
    model = build_predictor("tiny", side=64)
    # Random weights say of most objects that they are not there, and the package blanks them.
    torch.nn.init.constant_(model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias, 5.0)
    torch.nn.init.normal_(model.no_mem_embed)
    return model


@pytest.fixture(scope="module")
def sam2_file(sam2: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ANN401
    path = tmp_path_factory.mktemp("sam2") / "sam2.pt"
    torch.save({"model": sam2.state_dict()}, path)
    return path


@pytest.mark.parametrize("with_mask", [False, True])
def test_sam2_answers_as_its_package_does(sam2: Any, with_mask: bool) -> None:  # noqa: ANN401
    state = sam2.state_dict()
    encoder, heads = HieraEncoder("tiny", Levels.DECODER).eval(), PromptHeads().eval()
    encoder.load_state_dict(encoder.select(state))
    heads.load_state_dict(heads.select(state))
    image = torch.randn(1, 3, 64, 64)
    points = Points(
        torch.tensor([[[4.0, 5.0], [50.0, 40.0], [20.0, 30.0]]]),
        torch.tensor([[BOX_START, BOX_END, POSITIVE]], dtype=torch.int32),
    )
    mask = torch.randn(1, 1, 16, 16) if with_mask else None
    with torch.inference_mode():
        f4, f8, f16 = sam2.forward_image(image)["backbone_fpn"]
        answers = [
            sam2._forward_sam_heads(
                f16 + sam2.no_mem_embed.reshape(1, -1, 1, 1),
                point_inputs={"point_coords": points.xy, "point_labels": points.labels},
                mask_inputs=mask,
                high_res_features=[f4, f8],
                multimask_output=several,
            )
            for several in (False, True)
        ]
        logits, ious = heads(encoder(image), points, mask)
    torch.testing.assert_close(logits[1:], answers[1][0][0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ious[1:], answers[1][2][0], rtol=1e-4, atol=1e-5)
    if torch.equal(answers[0][2], ious[None, :1]):  # else the package fell back to another
        torch.testing.assert_close(logits[:1], answers[0][0][0], rtol=1e-4, atol=1e-5)


def test_sam2_keeps_an_images_shape_at_a_given_side(sam2_file: Path) -> None:
    stills = Stills((45, 81))
    network = Sam2Network.load("tiny", sam2_file, device=CPU, side=64)
    with torch.inference_mode():
        embedding = network.embed(stills[0])
    assert embedding.input_size == (64, 128)
    segmenter = PromptSegmenter(network, stills)
    found = segmenter.segment(0, Prompt((Click(80, 44),), Box(0, 0, 81, 45)))
    assert all(prediction.mask.shape == (45, 81) for prediction in found)


@pytest.mark.parametrize("side", [None, 64, 1024])
@pytest.mark.parametrize("size", ODD_SIZES)
def test_sam2_answers_on_a_small_or_narrow_image(
    sam2_file: Path, size: tuple[int, int], side: int | None
) -> None:
    network = Sam2Network.load("tiny", sam2_file, device=CPU, side=side)
    network._square = 64
    assert_answers(PromptSegmenter(network, Stills(size)), size)


def assert_answers(segmenter: Segmenter, size: tuple[int, int]) -> None:
    height, width = size
    for prompt in (Prompt((Click(width - 1, height - 1),)), Prompt(box=Box(0, 0, width, height))):
        found = segmenter.segment(0, prompt)
        assert {prediction.mask.shape for prediction in found} == {size}


def test_sam2_is_loaded_by_name_without_its_memory(sam2_file: Path, tmp_path: Path) -> None:
    state = torch.load(sam2_file)["model"]
    kept = ("image_encoder.", "sam_prompt_encoder.", "sam_mask_decoder.", "no_mem_embed")
    image_only = {
        name: tensor
        for name, tensor in state.items()
        if name.startswith(kept) and "pred_obj_score_head" not in name
    }
    path = tmp_path / "image.pt"
    torch.save(image_only, path)
    options = LoadOptions("cpu", weights=path, size=0)
    segmenter = load_segmenter("sam2.1-tiny", Stills((64, 64)), options)
    assert len(segmenter.segment(0, ONE)) == 3
    del image_only["sam_mask_decoder.iou_token.weight"]
    torch.save(image_only, path)
    with pytest.raises(WeightsInvalidError, match="iou_token"):
        load_segmenter("sam2.1-tiny", Stills(), options)
    with pytest.raises(WeightsInvalidError):
        load_segmenter("sam2.1-small", Stills(), LoadOptions("cpu", weights=sam2_file))


# HQ-SAM and MobileSAM


@pytest.fixture(scope="module")
def hq_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of HQ-SAM tiny."""
    torch.manual_seed(2)
    path = tmp_path_factory.mktemp("hq") / "hq.pth"
    torch.save(build_sam("vit_tiny", sharpens=True).state_dict(), path)
    return path


@pytest.mark.parametrize("size", ODD_SIZES)
def test_hq_sam_answers_on_a_small_or_narrow_image(hq_file: Path, size: tuple[int, int]) -> None:
    network = HqNetwork.load("vit_tiny", hq_file, device=CPU)
    assert_answers(PromptSegmenter(network, Stills(size)), size)


def test_hq_sam_answers_as_its_package_does(hq_file: Path) -> None:
    from segment_anything_hq import SamPredictor

    network = HqNetwork.load("vit_tiny", hq_file, device=CPU)
    assert network.sharpens
    stills = Stills((512, 1024))  # the long side that SAM resizes to: nothing is interpolated
    predictor = SamPredictor(network._sam)
    predictor.set_image(stills[0])
    xy, box = np.array([[300.0, 200.0], [700.0, 90.0]]), np.array([100.0, 50.0, 800.0, 400.0])
    points = Points(
        torch.tensor(np.concatenate([box.reshape(2, 2), xy])[None], dtype=torch.float32),
        torch.tensor([[BOX_START, BOX_END, POSITIVE, NEGATIVE]]),
    )
    mask = torch.randn(1, 1, 256, 256)
    with torch.inference_mode():
        embedding = network.embed(stills[0])
        for given, several in ((None, True), (mask[..., :128, :], False)):
            if given is not None:
                mask[..., 128:, :] = given.min()
            logits, ious = network.decode(embedding, points, given)
            theirs, score, _ = predictor.predict(
                xy,
                np.array([1, 0]),
                box,
                None if given is None else mask[0].numpy(),
                multimask_output=several,
                return_logits=True,
            )
            ours = int(ious[1:].argmax()) + 1 if several else 0
            np.testing.assert_allclose(ious[ours], score[0], rtol=1e-4)
            enlarged = network.enlarge(embedding, logits[ours : ours + 1])[0].numpy()
            # Not the last two rows, into which the package blends what lies in the padding.
            np.testing.assert_allclose(enlarged[:-2], theirs[0][:-2], rtol=1e-3, atol=1e-4)


def test_weights_without_an_hq_token_answer_as_plain_sam(
    hq_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hq_parts = ("hf_token", "hf_mlp", "compress_vit_feat", "embedding_encoder", "maskfeature")
    state = torch.load(hq_file)
    plain = {name: t for name, t in state.items() if not any(part in name for part in hq_parts)}
    path = tmp_path / "mobile.pt"
    torch.save(plain, path)
    with caplog.at_level("WARNING"):
        network = HqNetwork.load("vit_tiny", path, device=CPU)
    assert not network.sharpens
    assert "plain SAM" in caplog.text
    segmenter = PromptSegmenter(network, Stills())
    assert len(segmenter.segment(0, ONE)) == 3
    with pytest.raises(WeightsInvalidError):
        HqNetwork.load("vit_b", path, device=CPU)


def test_a_segmenter_without_its_weights_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWRIGHT_HOME", str(tmp_path))
    for name in ("mobile-sam", "hq-sam-base", "sam2.1-large"):
        with pytest.raises(WeightsMissingError, match=f"maskwright models get {name}"):
            load_segmenter(name, Stills(), LoadOptions())


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)
