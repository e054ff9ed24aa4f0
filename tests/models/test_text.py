"""Boxes by words: Grounding DINO with a tiny random network, by the path of the real one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from models import registry
from models.api import Box, Finding, Image, LoadOptions, PromptError, WeightsInvalidError
from models.text import grounding_dino
from models.text.grounding_dino import GroundingDino, Thresholds, distinct, load_network, named
from models.text.prompt import TextPrompt, Vocabulary

WORDS = ("a", "chest", "of", "draw", "##ers", "cup", "the")
MARKS = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 1012: ".", 1029: "?"}


def tokens() -> list[str]:
    """Return a vocabulary with BERT's marks where they belong, and a few words."""
    made = [f"[unused{number}]" for number in range(1030)]
    for number, mark in MARKS.items():
        made[number] = mark
    return [*made, *WORDS]


@pytest.fixture
def vocabulary(tmp_path: Path) -> Path:
    path = tmp_path / "vocabulary.txt"
    path.write_text("\n".join(tokens()) + "\n", encoding="utf-8")
    return path


def tiny_config() -> Any:  # noqa: ANN401 - the library has no types
    from transformers import BertConfig, GroundingDinoConfig, SwinConfig

    return GroundingDinoConfig(
        backbone_config=SwinConfig(
            image_size=64,
            embed_dim=12,
            depths=[1, 1, 1, 1],
            num_heads=[1, 2, 3, 4],
            window_size=4,
            out_indices=[2, 3, 4],
        ),
        text_config=BertConfig(
            vocab_size=1040,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
        ),
        num_queries=20,
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
    )


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random network, written as the library writes the official one."""
    from transformers import GroundingDinoForObjectDetection

    torch.manual_seed(4)
    folder = tmp_path_factory.mktemp("dino")
    GroundingDinoForObjectDetection(tiny_config()).save_pretrained(folder)
    return folder / "model.safetensors"


class Still:
    """A video of one picture, wider than high."""

    size = (60, 90)

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Image:
        return np.random.default_rng(index).integers(0, 255, (*self.size, 3), np.uint8)


# The text


def test_phrases_become_tokens_each_of_one_phrase(vocabulary: Path) -> None:
    prompt = Vocabulary.load(vocabulary).prompt(["A chest of drawers", "cup."])
    words = [tokens()[number] for number in prompt.ids]
    assert words == ["[CLS]", "a", "chest", "of", "draw", "##ers", ".", "cup", ".", "[SEP]"]
    assert [[words[k] for k in span] for span in prompt.spans] == [words[1:6], ["cup"]]


@pytest.mark.parametrize("phrases", [[], [" "], ["cup", "."], ["cup"] * 200])
def test_text_that_cannot_be_read_is_refused(vocabulary: Path, phrases: list[str]) -> None:
    with pytest.raises(PromptError):
        Vocabulary.load(vocabulary).prompt(phrases)


def test_a_file_that_is_no_vocabulary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("a\nb\n")
    with pytest.raises(WeightsInvalidError, match="bert-vocabulary"):
        Vocabulary.load(path)


# The naming of boxes

PROMPT = TextPrompt(tuple(range(8)), (range(1, 4), range(5, 6)))  # three tokens, and one


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0, 0.9, 0.1, 0.1, 0, 0.2, 0, 0], (0, 0.9)),  # "a chest" alone still is the whole phrase
        ([0, 0.1, 0.1, 0.4, 0, 0.8, 0, 0], (1, 0.8)),
        ([0, 0.1, 0.1, 0.2, 0, 0.2, 0, 0], None),  # nothing fits well
        ([0.9, 0.1, 0.1, 0.2, 0, 0.2, 0, 0.5], None),  # only marks fit
        ([0.9, 0.1, 0.26, 0.2, 0, 0.2, 0, 0], (0, 0.26)),
    ],
)
def test_a_box_is_named_by_the_phrase_of_its_best_token(
    scores: list[float], expected: tuple[int, float] | None
) -> None:
    found = named(torch.tensor(scores), PROMPT, Thresholds(box=0.3, text=0.25))
    if expected is None:
        assert found is None
    else:
        assert found == pytest.approx(expected)


def test_a_thing_seen_twice_is_one() -> None:
    box, near, far = Box(0, 0, 10, 10), Box(0, 0, 10, 9), Box(5, 5, 15, 15)
    found = [Finding(near, "cup", 0.5), Finding(box, "cup", 0.8), Finding(far, "cup", 0.6)]
    assert [each.box for each in distinct(found)] == [box, far]


# The network


def test_boxes_are_those_of_the_library(weights: Path, vocabulary: Path) -> None:
    """The library's own choice of boxes, from the same pixels, names aside."""
    from transformers import GroundingDinoForObjectDetection, GroundingDinoProcessor

    network = load_network(weights, tiny_config())
    frames, words = Still(), Vocabulary.load(vocabulary)
    threshold = 0.3
    found = GroundingDino(network, words, frames, Thresholds(threshold, threshold), side=64).find(
        0, ["a chest of drawers", "cup"]
    )

    ids = torch.tensor([words.prompt(["a chest of drawers", "cup"]).ids])
    pixels = grounding_dino._pixels(frames[0], 64, torch.device("cpu"))
    assert pixels.shape == (1, 3, 64, 96)
    with torch.inference_mode():
        output = GroundingDinoForObjectDetection.forward(
            network,
            pixel_values=pixels,
            pixel_mask=torch.ones(1, 64, 96, dtype=torch.long),
            input_ids=ids,
            token_type_ids=torch.zeros_like(ids),
            attention_mask=torch.ones_like(ids),
        )
    library = GroundingDinoProcessor.__new__(GroundingDinoProcessor)
    library.batch_decode = lambda ids: ids
    (expected,) = library.post_process_grounded_object_detection(
        output, ids, threshold, threshold, [Still.size]
    )
    boxes = {tuple(np.round(box, 2)) for box in expected["boxes"].clamp(min=0).tolist()}
    assert found
    assert {finding.phrase for finding in found} <= {"a chest of drawers", "cup"}
    scores = [finding.score for finding in found]
    assert scores == sorted(scores, reverse=True)
    for finding in found:
        low = tuple(np.round(finding.box[:2], 2))
        assert any(low == box[:2] for box in boxes), finding


def test_the_detector_is_loaded_by_name_and_finds_in_the_frame(
    weights: Path, vocabulary: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "models get grounding-dino-tiny" in (registry.available("grounding-dino-tiny") or "")
    folder = home / "weights" / "grounding-dino-tiny"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(weights.read_bytes())
    assert "models get bert-vocabulary" in (registry.available("grounding-dino-tiny") or "")
    vocabulary.rename(folder / "vocab.txt")
    assert registry.available("grounding-dino-tiny") is None

    import transformers

    config = tiny_config()
    monkeypatch.setattr(transformers, "GroundingDinoConfig", lambda: config)
    options = LoadOptions("cpu", size=64, threshold=0.1)
    frames = Still()
    detector = registry.load_detector("grounding-dino-tiny", frames, options)
    found = detector.find(0, ["the cup", "a chest of drawers"])
    assert found
    for finding in found:
        assert finding.phrase in {"the cup", "a chest of drawers"}
        assert 0.1 <= finding.score <= 1
        assert 0 <= finding.box.x0 <= finding.box.x1 <= 90
        assert 0 <= finding.box.y0 <= finding.box.y1 <= 60
    assert found == detector.find(0, ["the cup", "a chest of drawers"])


def test_a_file_of_another_network_is_refused(weights: Path, tmp_path: Path) -> None:
    state = load_file(weights)
    lacking = {name: tensor for name, tensor in state.items() if "decoder" not in name}
    save_file(lacking, tmp_path / "lacking.safetensors")
    with pytest.raises(WeightsInvalidError, match=r"missing .*decoder"):
        load_network(tmp_path / "lacking.safetensors", tiny_config())
    save_file({**state, "mine": torch.ones(1)}, tmp_path / "more.safetensors")
    with pytest.raises(WeightsInvalidError, match="1 not of this model"):
        load_network(tmp_path / "more.safetensors", tiny_config())
    name = next(name for name in state if name.endswith("level_embed"))
    save_file({**state, name: torch.ones(4, 8)}, tmp_path / "shape.safetensors")
    with pytest.raises(WeightsInvalidError, match="1 of another shape"):
        load_network(tmp_path / "shape.safetensors", tiny_config())
