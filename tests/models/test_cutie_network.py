"""The network equals the published one, part by part, on random weights."""

import math
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from models.cutie.affinity import (
    memory_terms,
    query_terms,
    readout,
    similarity,
    top_k_affinity,
    usage,
)
from models.cutie.config import CSS, CUTIE_BASE, CUTIE_SMALL, LITE, NetworkConfig
from models.cutie.cpu.fold import fold_batch_norms
from models.cutie.cpu.fuse import FusedBlock, use_fused_blocks
from models.cutie.cpu.winograd import WinogradConv2d, use_winograd
from models.cutie.network.layers import (
    PositionalEncoding,
    aggregate,
    as_map,
    flatten_objects,
    side_by_side,
    split_objects,
)
from models.cutie.network.mask_decoder import EdgeDecoder, MaskDecoder
from models.cutie.network.mask_encoder import SamMaskEncoder
from models.cutie.network.network import ClipMemory, Network
from tests.models.cutie_oracle import index_mask, moving_clip, oracle_network, pair

SIZE = (80, 96)
# Raised by the oracle, which spells autocast in the old way.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


@pytest.mark.parametrize(("config", "count"), [(CUTIE_BASE, 527), (CUTIE_SMALL, 359)])
def test_the_state_dict_has_as_many_entries_as_the_official_one(
    config: NetworkConfig, count: int
) -> None:
    assert len(Network(config).state_dict()) == count


@pytest.mark.parametrize("size", ["small", "base"])
@torch.no_grad()
def test_every_part_equals_the_published_network(size: str) -> None:
    pytest.importorskip("cutie")
    oracle, ours = pair(size)
    image = next(moving_clip(1, SIZE))[None]
    generator = torch.Generator().manual_seed(3)
    masks = torch.rand(1, 2, *SIZE, generator=generator)
    sensory = torch.randn(1, 2, 256, 5, 6, generator=generator)

    levels, pix_feat = oracle.encode_image(image)
    features = ours.encode_image(image)
    _close(features.pix_feat, pix_feat)
    for mine, theirs in zip(features[1:4], oracle.transform_key(levels[0]), strict=True):
        _close(mine, theirs)
    value, deep, summary, _ = oracle.encode_mask(image, pix_feat, sensory, masks)
    encoded = ours.encode_mask(image, features.pix_feat, masks)
    _close(encoded.value, value)
    _close(encoded.summary, summary)
    _close(ours.deep_update(encoded.value, sensory), deep)
    fused = oracle.pixel_fusion(pix_feat, value, sensory, masks)
    readout, _ = oracle.readout_query(fused, summary.unsqueeze(2))
    enriched, _ = ours.enrich(
        pix_feat, value.flatten(3).transpose(2, 3), sensory, masks, encoded.summary
    )
    _close(enriched, readout)
    shallow, logits, probability = oracle.segment(levels, readout, sensory)
    result = ours.segment(features, enriched, sensory)
    assert result.sensory is not None
    _close(result.sensory, shallow)
    _close(result.logits, logits)
    _close(result.probability, probability)


@torch.no_grad()
def test_the_differentiable_read_equals_the_published_training_read(
    request: pytest.FixtureRequest,
) -> None:
    pytest.importorskip("cutie")
    oracle, ours = pair("small")
    oracle.train()
    ours.train()
    request.addfinalizer(oracle.eval)
    request.addfinalizer(ours.eval)
    image = torch.stack(list(moving_clip(3, SIZE)))
    levels, pix_feat = oracle.encode_image(image)
    key, shrinkage, selection = oracle.transform_key(levels[0])
    masks = torch.stack([(index_mask(SIZE, (1, 2)) == slot).float() for slot in (1, 2)])[None]
    memory_masks = masks.expand(2, -1, -1, -1)
    sensory = torch.zeros(1, 2, 256, 5, 6)
    value, _, summary, _ = oracle.encode_mask(
        image[:2], pix_feat[:2], sensory.expand(2, -1, -1, -1, -1), memory_masks
    )
    selector = torch.tensor([[1.0, 0.0]])
    expected, aux = oracle.read_memory(
        key[2:], selection[2:], key[:2].transpose(0, 1)[None],
        shrinkage[:2].transpose(0, 1)[None], value.permute(1, 2, 0, 3, 4)[None].contiguous(),
        summary.transpose(0, 1)[None], pix_feat[2:], sensory, masks, selector[..., None, None],
    )  # fmt: skip
    features = ours.encode_image(image)
    last = features._replace(pix_feat=pix_feat[2:], key=key[2:], selection=selection[2:])
    memory = ClipMemory(
        key[None, :2], shrinkage[None, :2], value[None], summary.sum(dim=0, keepdim=True)
    )
    enriched, steering = ours.read(last, memory, sensory, masks, selector)
    _close(enriched, expected)
    for mine, theirs in zip(steering, aux["q_logits"], strict=True):
        _close(mine, theirs)
    heads = oracle.compute_aux(pix_feat[2:], aux, selector[..., None, None])
    own = ours.auxiliary(last, sensory, steering, selector)
    _close(own[0], heads["sensory_logits"])
    for level, logits in enumerate(own[1:]):
        _close(logits, heads["q_logits"][:, :, level])


@torch.no_grad()
def test_folding_batch_norms_changes_no_output() -> None:
    network = Network(CUTIE_SMALL)
    generator = torch.Generator().manual_seed(0)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_mean"):
            tensor.normal_(0, 0.1, generator=generator)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 2, generator=generator)
    network.eval()
    image = torch.rand(1, 3, *SIZE, generator=generator)
    masks = torch.rand(1, 1, *SIZE, generator=generator)
    features = network.encode_image(image)
    value = network.encode_mask(image, features.pix_feat, masks).value
    fold_batch_norms(network)
    folded = network.encode_image(image)
    _close(folded.pix_feat, features.pix_feat, tolerance=1e-4)
    _close(folded.key, features.key, tolerance=1e-4)
    _close(network.encode_mask(image, folded.pix_feat, masks).value, value, tolerance=1e-4)
    assert not any("running" in name for name in network.state_dict())


@pytest.mark.parametrize("config", [CUTIE_SMALL, CUTIE_BASE])
@torch.no_grad()
def test_fused_blocks_change_no_output(config: NetworkConfig) -> None:
    torch.manual_seed(0)
    plain = Network(config).eval().to(memory_format=torch.channels_last)
    fold_batch_norms(plain)
    fused = deepcopy(plain)
    use_fused_blocks(fused)
    assert sum(isinstance(module, FusedBlock) for module in fused.modules()) >= 14
    image = torch.rand(1, 3, *SIZE).contiguous(memory_format=torch.channels_last)
    masks = torch.rand(1, 2, *SIZE)
    features, expected = fused.encode_image(image), plain.encode_image(image)
    for own, other in zip(features.skips, expected.skips, strict=True):
        _close(own, other)
    _close(features.key, expected.key)
    value = plain.encode_mask(image, expected.pix_feat, masks).value
    _close(fused.encode_mask(image, expected.pix_feat, masks).value, value)
    sensory = plain.initial_sensory(1, 2, (value.shape[-2], value.shape[-1]))
    chances, renewed = fused.decode(expected, value, sensory)
    wanted, wanted_renewed = plain.decode(expected, value, sensory)
    _close(chances, wanted)
    assert renewed is not None
    assert wanted_renewed is not None
    _close(renewed, wanted_renewed)


@pytest.mark.parametrize("size", [(8, 12), (7, 9), (1, 2)])
@torch.no_grad()
def test_winograd_convolutions_equal_plain_ones(size: tuple[int, int]) -> None:
    plain = nn.Conv2d(256, 256, 3, padding=1).to(memory_format=torch.channels_last)
    x = torch.randn(2, 256, *size).contiguous(memory_format=torch.channels_last)
    network = nn.Sequential(plain, nn.Conv2d(256, 8, 3, padding=1))
    expected, narrow = plain(x), network[1]
    use_winograd(network)
    assert isinstance(network[0], WinogradConv2d)
    assert network[1] is narrow
    _close(network[0](x), expected)


class _SmallEncoder(nn.Module):
    """Stands in for an image encoder with lite's widths."""

    channels = (256, 64, 32)
    multiple = 16

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(3, width, stride, stride=stride)
            for width, stride in zip(self.channels, (16, 8, 4), strict=True)
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        return [convolution(image) for convolution in self.convolutions]


def test_the_slim_head_is_slim_and_learns_through_every_parameter() -> None:
    network = Network(LITE, _SmallEncoder()).train()
    heads = sum(
        parameter.numel()
        for name, parameter in network.named_parameters()
        if not name.startswith("pixel_encoder.")
    )
    assert 3e6 < heads < 4e6
    image = torch.rand(2, 3, 64, 96)
    masks = torch.rand(2, 3, 64, 96)
    features = network.encode_image(image)
    sensory = network.initial_sensory(2, 3, (4, 6))
    encoded = network.encode_mask(image, features.pix_feat, masks)
    sensory = network.deep_update(encoded.value, sensory)
    memory = ClipMemory(
        features.key.unsqueeze(1),
        features.shrinkage.unsqueeze(1),
        encoded.value.unsqueeze(1),
        encoded.summary,
    )
    enriched, steering = network.read(features, memory, sensory, masks)
    result = network.segment(features, enriched, sensory)
    assert result.logits.shape == (2, 4, 64, 96)
    assert result.sensory is not None
    aside = network.auxiliary(features, sensory, steering)
    total = result.logits.mean() + result.sensory.mean() + sum(level.mean() for level in aside)
    torch.autograd.backward(total)
    assert [name for name, each in network.named_parameters() if each.grad is None] == []


def test_the_sam_mask_encoder_has_an_embedding_for_no_mask() -> None:
    network = Network(CSS, _SmallEncoder()).eval()
    masks = torch.zeros(1, 2, 64, 64)
    masks[0, 1, 10:30, 10:30] = 1
    encoder = network.mask_encoder
    assert isinstance(encoder, SamMaskEncoder)
    embedded = encoder.embed(torch.rand(1, 3, 64, 64), masks, masks.flip(1))
    nothing = encoder.no_mask_embed.weight.view(-1, 1, 1).expand(-1, 4, 4)
    assert torch.equal(embedded[0], nothing)
    assert not torch.equal(embedded[1], nothing)


@pytest.mark.parametrize("objects", [1, 3])
def test_maps_of_objects_stay_in_the_order_that_a_cpu_is_quick_in(objects: int) -> None:
    rows = torch.rand(objects, 6 * 8, 16)
    maps = split_objects(as_map(rows, 6), objects)
    back = flatten_objects(side_by_side(maps.unbind(1)))
    assert torch.equal(back.flatten(2).transpose(1, 2), rows)
    larger = interpolate(back, scale_factor=2, mode="bilinear")
    assert larger.stride(1) == 1, "a pixel's channels lie side by side"


def test_one_uncertain_object_leaves_an_uncertain_background() -> None:
    probability = aggregate(torch.tensor([[[[0.5]]]])).softmax(dim=1)
    assert probability.flatten().tolist() == pytest.approx([0.5, 0.5])


def test_aggregated_probabilities_sum_to_one() -> None:
    probability = aggregate(torch.rand(2, 5, 4, 4)).softmax(dim=1)
    assert torch.allclose(probability.sum(dim=1), torch.ones(2, 4, 4))


def test_positions_of_a_single_row_are_finite() -> None:
    assert torch.isfinite(PositionalEncoding(16)(1, 5)).all()


def _memory(tokens: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return key, shrinkage, query key and selection: (1, tokens, D) and (1, 50, D)."""
    generator = torch.Generator().manual_seed(seed)
    key = torch.randn(1, tokens, 8, generator=generator)
    shrinkage = 1 + torch.rand(1, tokens, 1, generator=generator)
    query = torch.randn(1, 50, 8, generator=generator)
    return key, shrinkage, query, torch.rand(1, 50, 8, generator=generator)


def test_similarity_is_the_weighted_distance_of_keys() -> None:
    key, shrinkage, query, selection = _memory(20)
    distance = (selection[:, :, None] * (key[:, None] - query[:, :, None]) ** 2).sum(-1)
    expected = -distance * shrinkage[..., 0].unsqueeze(1) / math.sqrt(8)
    found = similarity(query_terms(query, selection), memory_terms(key, shrinkage))
    assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("fine", [True, False])
def test_fine_keys_tell_apart_what_looks_alike_at_stride_16(*, fine: bool) -> None:
    torch.manual_seed(0)
    network = Network(replace(LITE, fine_keys=fine), _SmallEncoder())
    f16, f8, f4 = torch.randn(1, 256, 4, 6), torch.randn(1, 64, 8, 12), torch.randn(1, 32, 16, 24)
    image = torch.zeros(1, 3, 64, 96)
    first = network.describe(image, f16, f8, f4)
    finer = (f16, f8 + 1, f4), (f16, f8, f4 + 1)
    for other in (network.describe(image, *levels) for levels in finer):
        assert torch.equal(first.key, other.key) is not fine
        assert torch.equal(first.pix_feat, other.pix_feat) is not fine


@torch.no_grad()
def test_edges_leave_masks_as_they_are_until_they_are_learned() -> None:
    torch.manual_seed(0)
    fine, plain = (MaskDecoder(replace(LITE, edge_dim=width), (256, 64, 32)) for width in (16, 0))
    plain.load_state_dict(fine.state_dict(), strict=False)
    skips = torch.randn(1, 128, 8, 12), torch.randn(1, 64, 16, 24)
    given = torch.randn(2, 128, 4, 6), torch.randn(2, 64, 4, 6)
    edges = fine.image_edges(torch.randn(1, 3, 64, 96))
    finer, sensory = fine(skips, edges, *given)
    coarse, expected = plain(skips, None, *given)
    assert torch.equal(finer, interpolate(coarse, scale_factor=2.0, mode="bilinear"))
    assert torch.equal(sensory, expected)


def test_edges_draw_what_stride_4_cannot() -> None:
    """A line two pixels wide: half as wide as a cell of the plain decoder's logits."""
    torch.manual_seed(0)
    decoder = EdgeDecoder(8, 16)
    line = torch.zeros(1, 1, 64, 64)
    line[..., 30:32, :] = 1
    p4, coarse = torch.zeros(1, 8, 16, 16), torch.zeros(1, 1, 16, 16)
    optimiser = torch.optim.Adam(decoder.parameters(), lr=1e-2)
    for _ in range(60):
        logits = decoder(p4, coarse, decoder.look(line.expand(-1, 3, -1, -1)))
        drawn = interpolate(logits, scale_factor=2, mode="bilinear")
        loss = binary_cross_entropy_with_logits(drawn, line)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
    mask, there = drawn > 0, line > 0
    assert float((mask & there).sum()) / float((mask | there).sum()) > 0.9


@pytest.mark.parametrize("tokens", [33, 40, 41, 352, 360, 1004])
def test_the_most_similar_tokens_are_read(tokens: int) -> None:
    key, shrinkage, query, selection = _memory(tokens)
    terms = (query_terms(query, selection), memory_terms(key, shrinkage))
    affinity = top_k_affinity(*terms, 30)
    expected = similarity(*terms).topk(30)
    assert torch.equal(affinity.weight, expected.values.softmax(dim=2))
    assert torch.equal(affinity.token, expected.indices)


def test_looking_up_in_slices_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    key, shrinkage, query, selection = _memory(40)
    terms = (query_terms(query, selection), memory_terms(key, shrinkage))
    whole = top_k_affinity(*terms, 5)
    monkeypatch.setattr("models.cutie.affinity._CORE_SLICE", 40 * 7 / torch.get_num_threads())
    sliced = top_k_affinity(*terms, 5)
    assert torch.equal(whole.token, sliced.token)
    assert torch.allclose(whole.weight, sliced.weight)


def test_a_memory_smaller_than_top_k_is_read_whole() -> None:
    key, shrinkage, query, selection = _memory(3)
    affinity = top_k_affinity(query_terms(query, selection), memory_terms(key, shrinkage), 30)
    assert affinity.token.shape == (1, 50, 3)
    assert torch.allclose(affinity.weight.sum(-1), torch.ones(1, 50))


def test_reading_touches_only_the_best_tokens_of_each_object() -> None:
    key, shrinkage, query, selection = _memory(20)
    affinity = top_k_affinity(query_terms(query, selection), memory_terms(key, shrinkage), 4)
    values = torch.randn(1, 3, 25, 6)  # room for five tokens more than are remembered
    dense = torch.zeros(1, 50, 25).scatter_(2, affinity.token, affinity.weight)
    assert torch.allclose(readout(affinity, values), dense.unsqueeze(1) @ values, atol=1e-6)
    assert torch.allclose(usage(affinity, 25), dense.sum(1), atol=1e-6)


def test_the_oracle_needs_no_download(tmp_path: Path) -> None:
    pytest.importorskip("cutie")
    assert sum(parameter.numel() for parameter in oracle_network("small").parameters()) > 2e7


def _close(mine: Tensor, theirs: Tensor, tolerance: float = 1e-5) -> None:
    assert mine.shape == theirs.shape
    assert torch.isfinite(theirs).all()
    scale = max(float(theirs.abs().max()), 1.0)
    assert float((mine - theirs).abs().max()) <= tolerance * scale
