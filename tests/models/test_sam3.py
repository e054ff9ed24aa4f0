"""SAM 3 by words: a tiny random network by the path of the real one, beside the library's own."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from models import registry
from models.api import Image, LoadOptions, OptionError, PromptError, WeightsInvalidError
from models.text import sam3
from models.text.clip_vocabulary import ClipVocabulary
from models.text.sam3 import Sam3, load_network, pixels_of

MERGES = ("c u", "cu p</w>", "t a", "ta p</w>", "a p", "r e", "re d</w>")
SIDE = 112


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of merges, as CLIP's is, with few of them."""
    path = tmp_path_factory.mktemp("clip") / "merges.txt.gz"
    path.write_bytes(gzip.compress("\n".join(("version", *MERGES)).encode()))
    return path


def tiny_config() -> Any:  # noqa: ANN401 - the library has no types
    from transformers import (
        CLIPTextConfig,
        Sam3Config,
        Sam3DETRDecoderConfig,
        Sam3DETREncoderConfig,
        Sam3GeometryEncoderConfig,
        Sam3MaskDecoderConfig,
        Sam3VisionConfig,
        Sam3ViTConfig,
    )

    width = 32
    small = {"hidden_size": width, "num_attention_heads": 2}
    backbone = Sam3ViTConfig(
        **small, intermediate_size=64, num_hidden_layers=2, image_size=SIDE,
        pretrain_image_size=SIDE, window_size=4, global_attn_indexes=[1],
    )  # fmt: skip
    return Sam3Config(
        vision_config=Sam3VisionConfig(
            backbone_config=backbone,
            fpn_hidden_size=width,
            backbone_feature_sizes=[[32, 32], [16, 16], [8, 8]],
        ),
        text_config=CLIPTextConfig(
            **small,
            vocab_size=600,
            intermediate_size=32,
            num_hidden_layers=1,
            max_position_embeddings=32,
            projection_dim=16,
        ),
        geometry_encoder_config=Sam3GeometryEncoderConfig(
            **small, num_layers=1, intermediate_size=32
        ),
        detr_encoder_config=Sam3DETREncoderConfig(**small, num_layers=1, intermediate_size=32),
        detr_decoder_config=Sam3DETRDecoderConfig(
            **small, num_layers=2, num_queries=12, intermediate_size=32
        ),
        mask_decoder_config=Sam3MaskDecoderConfig(**small),
    )


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random network, in a file that holds a tracker, too, as the official one does."""
    from transformers import Sam3Model

    torch.manual_seed(6)
    state = Sam3Model(tiny_config()).state_dict()
    path = tmp_path_factory.mktemp("sam3") / "sam3.safetensors"
    whole = {f"detector_model.{name}": value.contiguous() for name, value in state.items()}
    save_file({**whole, "tracker_model.no_memory": torch.zeros(3)}, path)
    return path


class Still:
    """A video of one picture, wider than high."""

    size = (60, 90)

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Image:
        return np.random.default_rng(index).integers(0, 255, (*self.size, 3), np.uint8)


def test_a_phrase_becomes_the_byte_pairs_of_clip(vocabulary: Path) -> None:
    read = ClipVocabulary(vocabulary)
    first = 512  # after the letters, alone and at a word's end
    start, end = first + len(MERGES), first + len(MERGES) + 1
    cup, tap, red = (first + MERGES.index(each) for each in ("cu p</w>", "ta p</w>", "re d</w>"))
    assert read.prompt("Cup") == [start, cup, end]
    assert read.prompt("  red   cup.") == [start, red, cup, end]
    assert read.prompt("tap") == [start, tap, end]


@pytest.mark.parametrize("phrases", [[], [" "], ["cup", "."]])
def test_what_has_no_word_is_refused(vocabulary: Path, phrases: list[str]) -> None:
    with pytest.raises(PromptError, match="without a word"):
        ClipVocabulary(vocabulary).checked(phrases)


def test_a_phrase_that_is_too_long_is_refused(vocabulary: Path) -> None:
    with pytest.raises(PromptError, match="too long"):
        ClipVocabulary(vocabulary).prompt("cup " * 40)


@pytest.mark.parametrize(
    "content",
    [b"", b"no zip", gzip.compress(b"a\nb c d\n", mtime=0)],
    ids=["empty", "another", "no-pairs"],
)
def test_a_file_that_is_no_vocabulary_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "merges.txt.gz"
    path.write_bytes(content)
    with pytest.raises(WeightsInvalidError, match="clip-vocabulary"):
        ClipVocabulary(path)


def test_boxes_and_scores_are_those_of_the_library(weights: Path, vocabulary: Path) -> None:
    from transformers import Sam3ImageProcessor

    network, read, image = (
        load_network(weights, tiny_config()),
        ClipVocabulary(vocabulary),
        Still()[0],
    )
    processor = Sam3ImageProcessor()
    ids = torch.tensor([read.prompt("red cup")])
    with torch.inference_mode():
        output = network(
            pixel_values=pixels_of(image, SIDE, torch.device("cpu")),
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
        )
    (expected,) = processor.post_process_instance_segmentation(
        output, threshold=0.0, target_sizes=[Still.size]
    )
    found = Sam3(network, read, Still(), 0.0).find(0, ["red cup"])
    best = int(expected["scores"].argmax())
    assert found[0].score == pytest.approx(float(expected["scores"][best]), abs=1e-5)
    height, width = Still.size
    box = expected["boxes"][best].clamp(min=0).tolist()
    assert found[0].box == pytest.approx(
        (box[0], box[1], min(box[2], width), min(box[3], height)), abs=1e-2
    )
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_pixels_are_those_of_the_library() -> None:
    from transformers import Sam3ImageProcessor

    image = Still()[0]
    processor = Sam3ImageProcessor(size={"height": SIDE, "width": SIDE})
    expected = processor(image, return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(
        pixels_of(image, SIDE, torch.device("cpu")), expected, atol=2 / 127, rtol=0
    )


def test_it_is_loaded_by_its_name(
    weights: Path, vocabulary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "models.text.loader.weights.find", lambda name, path=None: path or vocabulary
    )
    monkeypatch.setattr(
        "models.text.loader.load_sam3", lambda path: sam3.load_network(path, tiny_config())
    )
    detector = registry.load_detector(
        "sam3", Still(), LoadOptions("cpu", weights=weights, threshold=0.0)
    )
    found = detector.find(0, ["red cup", "tap"])
    assert {each.phrase for each in found} <= {"red cup", "tap"}
    assert found
    with pytest.raises(OptionError, match="size"):
        registry.load_detector("sam3", Still(), LoadOptions("cpu", weights=weights, size=500))


def test_another_models_file_is_refused(weights: Path, tmp_path: Path) -> None:
    state = load_file(weights)
    state.pop("detector_model.text_projection.weight")
    other = tmp_path / "other.safetensors"
    save_file(state, other)
    with pytest.raises(WeightsInvalidError, match="text_projection"):
        load_network(other, tiny_config())
