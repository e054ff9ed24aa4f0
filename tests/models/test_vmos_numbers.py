"""What a small VMOS network computes, written down while it agreed with the official one."""

import math
import zlib
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from models.vmos.config import MemoryRules, VmosConfig
from models.vmos.engine import Engine, split_labels
from models.vmos.geometry import network_image, network_labels
from models.vmos.network import attention, deformable
from models.vmos.network.attention import attend, attend_nearby
from models.vmos.network.deformable import deform
from models.vmos.network.network import Vmos, merge

SIZE = (33, 161)  # 11 cells of stride 16 in a row, more than a window reaches
SLIM = VmosConfig(channels=(16, 32, 32, 32), depths=(1, 1, 1, 1), groups=(2, 4, 4, 4), layers=2)
_GAINS = {"offset.weight": 1.2, "bank.weight": 3.0, "bank_s8.weight": 3.0, "output2.weight": 4.0,
          "projection.weight": 3.0}  # fmt: skip


def noise(name: str, *shape: int) -> Tensor:
    """Return standard normal noise of that name, the same on every machine."""
    generator = np.random.Generator(np.random.Philox(key=zlib.crc32(name.encode())))
    return torch.from_numpy(generator.standard_normal(shape).astype(np.float32))


def small_network() -> Vmos:
    """Return a network in which each part changes what comes out."""
    made = Vmos(SLIM).eval().requires_grad_(False)
    for name, parameter in made.named_parameters():
        value = noise(name, *parameter.shape)
        if parameter.ndim > 1:
            gain = next((gain for end, gain in _GAINS.items() if name.endswith(end)), 1.0)
            value *= gain / math.sqrt(math.prod(parameter.shape[1:]))
        elif "gamma" in name:
            value = 0.5 + 0.1 * value
        else:
            value = float(name.endswith("weight")) + 0.2 * value
        parameter.copy_(value)
    return made


def labels(frame: int) -> Tensor:
    """Return two objects that part, and meet at first, at the network's size."""
    drawn = np.zeros((66, 322), np.uint8)
    drawn[8:40, 20 : 140 - 10 * frame], drawn[20:60, 130 + 20 * frame : 300] = 1, 2
    return network_labels(drawn, SIZE, torch.device("cpu"))


def test_a_small_network_computes_what_it_did_beside_the_official_one() -> None:
    network = small_network()
    engine = Engine(network, MemoryRules(long_gap=1, short_skip=2))
    found = []
    for frame in range(4):
        image = (128 + 50 * noise(f"image {frame}", *SIZE, 3)).clamp(0, 255).to(torch.uint8)
        maps = network.encode(network_image(image.numpy(), SIZE, torch.device("cpu")))
        if frame == 0:
            engine.refer(maps, labels(0), frame=0)
            continue
        engine.advance()
        logits = engine.propagate(maps)[0]
        engine.update(labels(frame))
        pattern = noise("pattern", 4, *logits.shape) / math.sqrt(logits.numel())
        found.append((pattern * logits).sum(dim=(1, 2, 3)))
    assert logits.shape == (11, 9, 41)
    expected = [
        [-1.179513, -1.459981, 1.598156, -2.299757],
        [3.633068, 1.518919, 5.368218, 0.595769],
        [2.074381, 2.327369, 1.972746, 0.25177],
    ]
    np.testing.assert_allclose(torch.stack(found).numpy(), expected, rtol=0, atol=2e-3)


def test_what_is_large_is_computed_in_parts_and_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size = (18, 10)
    query, key, value = (noise(name, 180, 1, 4) for name in ("query", "key", "value"))
    bias, x = noise("bias", 180, 1, 225), noise("x", 1, *size, 8)
    offset, weight = 3 * noise("offset", 1, *size, 36), noise("weight", 1, *size, 18)
    works: tuple[Callable[[], Tensor], ...] = (
        lambda: attend(query, key, value),
        lambda: attend_nearby(query, key, value, bias, size),
        lambda: deform(x, offset, weight, 2),
    )
    whole = [work() for work in works]
    monkeypatch.setattr(attention, "_MOST_SIMILARITIES", 4000)
    monkeypatch.setattr(deformable, "_MOST_SAMPLES", 4000)
    for work, expected in zip(works, whole, strict=True):
        torch.testing.assert_close(work(), expected)


def test_engines_are_merged_by_what_all_take_for_background() -> None:
    one, other = torch.zeros(1, 11, 2, 2), torch.zeros(1, 11, 2, 2)
    one[:, :3] = torch.tensor([0.5, 0.3, 0.2]).log()[:, None, None]
    other[:, :2, :, 0] = torch.tensor([0.4, 0.6]).log()[:, None]
    other[:, :2, :, 1] = torch.tensor([0.8, 0.2]).log()[:, None]
    merged = merge([one, other], [2, 1], (3, 5))
    assert merged.shape == (4, 3, 5)
    np.testing.assert_allclose(merged[:, 1, 0], [0.5 * 0.4, 0.3, 0.2, 0.6], atol=1e-6)
    np.testing.assert_allclose(merged[:, 1, 4], [0.5 * 0.8, 0.3, 0.2, 0.2], atol=1e-6)


def test_an_engine_knows_its_own_objects_by_their_place() -> None:
    labels = torch.tensor([[0, 3, 3], [5, 4, 1]])
    assert split_labels(labels, [4, 3, 9]).tolist() == [[0, 2, 2], [0, 1, 0]]


def test_an_image_is_seen_at_the_network_s_size_as_imagenet_is() -> None:
    image = np.full((20, 30, 3), (0, 128, 255), np.uint8)
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = (np.array([0, 128, 255]) / 255 - mean) / deviation
    for size in ((20, 30), (33, 49)):
        seen = network_image(image, size, torch.device("cpu"))
        assert seen.shape == (1, 3, *size)
        for channel in range(3):
            np.testing.assert_allclose(seen[0, channel], expected[channel], rtol=1e-5)
    edge = np.zeros((8, 8, 3), np.uint8)
    edge[:, 4:] = 200
    cubic = network_image(edge, (16, 16), torch.device("cpu"))[0, 0, 0]
    assert float(cubic.max()) > float(cubic[-1])  # it swings over at an edge
