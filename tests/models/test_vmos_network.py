"""The VMOS network gives what the official one gives with the same weights."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.vmos.config import MemoryRules
from models.vmos.engine import Engine, split_labels
from models.vmos.network.attention import attend, attend_nearby
from models.vmos.network.cascade import Maps
from models.vmos.network.deformable import DeformableConv, deform
from models.vmos.network.encoder import Stage
from models.vmos.network.network import Vmos, merge
from models.vmos.network.propagation import GatedPropagation, Remembered
from tests.models.vmos_vectors import array, assert_close, needs_vectors, network, rule, wanted

pytestmark = needs_vectors
SIZE = (113, 145)


def test_every_official_name_is_there_in_its_shape() -> None:
    own = {name: tuple(each.shape) for name, each in Vmos().state_dict().items()}
    assert own == {name: shape for name, shape, _ in rule().read_keys()}
    assert len(own) == 957


@pytest.mark.parametrize("groups", [4, 16])
def test_deformable_sampling(groups: int) -> None:
    given = {
        part: torch.from_numpy(wanted()[f"a/g{groups}/{part}"])
        for part in ("input", "offset", "mask")
    }
    found = deform(given["input"], given["offset"], given["mask"], groups)
    assert_close(found, f"a/g{groups}/output", 2e-5)


def test_deformable_convolution() -> None:
    stage = network().encoder.levels[0]
    assert isinstance(stage, Stage)
    module = stage.blocks[0].dcn
    assert isinstance(module, DeformableConv)
    assert_close(module(array("a/module", 1, 9, 11, 64)), "a/module/output", 2e-5)


def test_encoder() -> None:
    image = torch.from_numpy(rule().normalise(rule().clip("clip-b", 2, 1, 129, 161)[0]))
    encoder = network().encoder
    assert_close(encoder.patch_embed(image)[0, ..., ::8].permute(2, 0, 1), "b/stem", 5e-5)
    maps = network().encode(image)
    for name, found in (("s4", maps.s4), ("s8", maps.s8), ("projected", maps.s16)):
        assert_close(found[0, ::4], f"b/{name}", 5e-5)


def modules() -> dict[str, tuple[GatedPropagation, tuple[int, int], int]]:
    mem, s8 = network().LSTT.layers[1], network().LSTT.layer_s8
    assert isinstance(mem, GatedPropagation)
    return {"mem": (mem, (9, 17), 3), "s8": (s8, (17, 21), 7)}


def test_a_reference_reads_itself() -> None:
    layer = network().LSTT.layers[0]
    assert isinstance(layer, GatedPropagation)
    embedding = array("c/ref/id_emb", 153, 1, 256)
    visual, identity, seen = layer(array("c/ref/tgt", 153, 1, 256), None, (9, 17), given=embedding)
    assert_close(visual[::3], "c/ref/out", 2e-5)
    assert_close(identity[::3], "c/ref/out_id", 2e-5)
    kept = layer.remember(seen, embedding)
    for name, part in zip(("K", "V", "ID_V"), kept, strict=True):
        assert_close(part[::9], f"c/ref/{name}", 2e-5)


@pytest.mark.parametrize("name", ["mem", "s8"])
def test_a_frame_reads_both_memories(name: str) -> None:
    module, size, step = modules()[name]
    cells, width = size[0] * size[1], 256 if name == "mem" else 128
    at = f"c/{name}"

    def sequence(part: str, channels: int) -> Tensor:
        return array(f"{at}/short_{part}", 1, channels, *size).flatten(2).permute(2, 0, 1)

    long = Remembered(
        array(f"{at}/long_K", 2 * cells, 1, width // 2),
        0.5 * array(f"{at}/long_V", 2 * cells, 1, 2 * width),
        0.5 * array(f"{at}/long_ID_V", 2 * cells, 1, 2 * width),
    )
    short = Remembered(
        sequence("K", width // 2), 0.5 * sequence("V", 2 * width), 0.5 * sequence("ID_V", 2 * width)
    )
    visual, identity, seen = module(
        array(f"{at}/tgt", cells, 1, width),
        array(f"{at}/tgt_id", cells, 1, width),
        size,
        long=long,
        short=short,
    )
    assert_close(visual[::step], f"{at}/out", 2e-5)
    assert_close(identity[::step], f"{at}/out_id", 2e-5)
    if name == "mem":
        kept = module.remember(seen, array("c/mem/id_emb", cells, 1, width))
        assert_close(kept.identity[::9], "c/mem/stored_ID_V", 2e-5)


def labels_of(name: str) -> list[Tensor]:
    return [torch.from_numpy(each.astype(np.int64)) for each in wanted()[name]]


def shrunk(labels: Tensor) -> Tensor:
    whole = torch.nn.functional.interpolate(labels[None, None].float(), SIZE, mode="nearest")
    return whole[0, 0].long()


@pytest.mark.parametrize(
    ("part", "gap", "steps"),
    [("d1", 2, (8, 6, 4, 2, 0)), ("d2", 1, (9, 8, 7, 6, 5, 0))],
)
def test_two_objects_through_a_clip(part: str, gap: int, steps: tuple[int, ...]) -> None:
    frames, masks = rule().clip("clip-d", 2, 10, *SIZE), rule().masks(2, 10, *SIZE)
    engine = Engine(network(), MemoryRules(long_gap=gap))
    engine.refer(maps_of(frames[0]), torch.from_numpy(masks[0].astype(np.int64)), frame=0)
    fed = labels_of(f"{part}/labels")
    for frame in range(1, 10):
        engine.advance()
        logits = engine.propagate(maps_of(frames[frame]))
        expected = wanted()[f"{part}/logits_s4"][frame - 1]
        np.testing.assert_allclose(logits[0, :3].numpy(), expected, rtol=0, atol=1e-4)
        found = merge([logits], [2], SIZE).argmax(dim=0)
        assert (found != fed[frame - 1]).float().mean() <= 0.001
        engine.update(shrunk(fed[frame - 1]))
    assert engine.steps == steps


def maps_of(frame: NDArray[np.uint8]) -> Maps:
    return network().encode(torch.from_numpy(rule().normalise(frame)))


def test_an_object_that_comes_later_is_a_further_reference() -> None:
    frames, masks = rule().clip("clip-e", 3, 8, *SIZE), rule().masks(3, 8, *SIZE)
    first = masks[0].astype(np.int64)
    first[first == 3] = 0
    engine = Engine(network(), MemoryRules(long_gap=2))
    engine.refer(maps_of(frames[0]), torch.from_numpy(first), frame=0)
    fed = labels_of("e/labels")
    for frame in range(1, 8):
        engine.advance()
        logits = engine.propagate(maps_of(frames[frame]))[0].numpy()
        early, place = frame < 5, frame - 1 if frame < 5 else frame - 5
        expected = wanted()["e/logits_s4_t1to4" if early else "e/logits_s4_t5to7"][place]
        np.testing.assert_allclose(logits[: len(expected)], expected, rtol=0, atol=1e-4)
        if frame == 4:
            pasted = torch.from_numpy(wanted()["e/pasted"].astype(np.int64))
            engine.refer(maps_of(frames[4]), pasted, frame=4)
        else:
            engine.update(fed[frame - 1])
    assert engine.steps == (6, 4, 2, 0)


def test_eleven_objects_are_two_engines() -> None:
    frames, masks = rule().clip("clip-f", 11, 3, *SIZE), rule().masks(11, 3, *SIZE)
    ids = [list(range(1, 11)), [11]]
    engines = [Engine(network(), MemoryRules(long_gap=1)) for _ in ids]
    given = torch.from_numpy(masks[0].astype(np.int64))
    for engine, own in zip(engines, ids, strict=True):
        engine.refer(maps_of(frames[0]), split_labels(given, own), frame=0)
    fed = labels_of("f/labels")
    merged = []
    for frame in (1, 2):
        logits = []
        for engine in engines:
            engine.advance()
            logits.append(engine.propagate(maps_of(frames[frame])))
        if frame == 1:
            np.testing.assert_allclose(
                logits[0][0].numpy(), wanted()["f/t1/engine0_logits"], rtol=0, atol=1e-4
            )
            np.testing.assert_allclose(
                logits[1][0, :2].numpy(), wanted()["f/t1/engine1_logits"], rtol=0, atol=1e-4
            )
        merged.append(torch.logit(merge(logits, [10, 1], (100, 130)).clamp(1e-5, 1 - 1e-5)))
        for engine, own in zip(engines, ids, strict=True):
            engine.update(split_labels(shrunk(fed[frame - 1]), own))
    found = torch.stack(merged)[:, :, ::3, ::3].numpy()
    np.testing.assert_allclose(found, wanted()["f/merged_sub"][:, :12], rtol=0, atol=1e-4)


def test_attention_in_parts_is_attention_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    query, key, value = (array(f"parts/{n}", 63, 1, c) for n, c in (("q", 8), ("k", 8), ("v", 4)))
    bias = array("parts/b", 63, 1, 225)
    found = []
    for most in (1 << 25, 500):
        monkeypatch.setattr("models.vmos.network.attention._MOST_SIMILARITIES", most)
        near = attend_nearby(query, key, value, bias, (7, 9))
        found.append(torch.cat([attend(query, key, value), near]))
    for one, other in pairwise(found):
        torch.testing.assert_close(one, other)
