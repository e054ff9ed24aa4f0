"""The memory, frame by frame: equal to the published one, without its defects."""

from copy import deepcopy
from dataclasses import replace
from itertools import islice

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from models.api import Store
from models.cutie.config import (
    CUTIE_SMALL,
    LongTermConfig,
    MemoryConfig,
    PresenceConfig,
    ShownConfig,
)
from models.cutie.inference.geometry import Geometry
from models.cutie.inference.propagation import EncodedFrame, FrameSizeError, Propagation
from models.cutie.network.network import Network
from tests.models.cutie_oracle import Untyped, index_mask, moving_clip, oracle_config, pair

SIZE = (80, 96)
# In double precision: in single, a rounding error can turn a pixel of the object transformer's
# attention, which is a yes or no, and two runs of equal code differ by 1e-3.
TOLERANCE = 1e-9
LONG_TERM = LongTermConfig(
    most_frames=3, least_frames=2, prototypes=20, most_tokens=45, buffer_tokens=5
)
ORACLE_LONG_TERM = {
    "use_long_term": True,
    "mem_every": 1,
    "long_term": {
        "max_mem_frames": 3,
        "min_mem_frames": 2,
        "num_prototypes": 20,
        "max_num_tokens": 45,
        "buffer_tokens": 5,
    },
}
# Raised by the oracle: the old spelling of autocast, and features that it leaves in its store.
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    network = Network(CUTIE_SMALL).eval().requires_grad_(False)
    network.key_proj.key_proj.weight.mul_(30)  # so that keys tell places apart
    return network


def encode(network: Network, number: int, image: Tensor, *, mirrored: bool = False) -> EncodedFrame:
    images = image[None]
    if mirrored:
        images = torch.cat([images, images.flip(-1)])
    geometry = Geometry.of((image.shape[1], image.shape[2]), short_side=0, scale=1, multiple=16)
    return EncodedFrame(number, images, network.encode_image(images), geometry)


def given(mask: Tensor, objects: tuple[int, ...]) -> dict[int, Tensor]:
    return {object_id: (mask == object_id).float() for object_id in objects}


@pytest.fixture
def in_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what asks for single precision have double."""
    for size in ("small", "base"):
        pair(size)  # built in single precision, before
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)


@torch.inference_mode()
def worst_difference(
    length: int,
    masks: dict[int, tuple[int, ...]],
    *,
    size: str = "small",
    memory: MemoryConfig = MemoryConfig(),  # noqa: B008
    permanent: tuple[int, ...] = (),
    deleted: dict[int, list[int]] | None = None,
    **oracle: Untyped,
) -> float:
    """Run both over a clip; `masks`: frame -> objects given there."""
    inference_core = pytest.importorskip("cutie.inference.inference_core")
    theirs, ours = (deepcopy(network).double() for network in pair(size))
    core = inference_core.InferenceCore(theirs, oracle_config(size, **oracle))
    propagation = Propagation(ours, memory)
    worst = 0.0
    for number, single in enumerate(moving_clip(length, SIZE)):
        image = single.double()
        if deleted and number in deleted:
            core.delete_objects(deleted[number])
            propagation.delete_objects(deleted[number])
        keep = number in permanent
        frame = encode(ours, number, image, mirrored=bool(oracle.get("flip_aug")))
        if number in masks:
            objects = masks[number]
            mask = index_mask(SIZE, objects, shift=number)
            expected = core.step(image, mask, list(objects), force_permanent=keep)
            found = propagation.step(frame, given(mask, objects), permanent=keep)
        else:
            expected = core.step(image, force_permanent=keep)
            found = propagation.step(frame, permanent=keep)
        assert torch.isfinite(expected).all()
        worst = max(worst, float((found - expected).abs().max()))
    sizes = [(bucket.permanent, bucket.working) for bucket in propagation.bank.buckets]
    store = core.memory.work_mem
    assert sizes == [(store.perm_size(each), store.non_perm_size(each)) for each in store.buckets]
    return worst


@pytest.mark.usefixtures("in_double")
@pytest.mark.parametrize("size", ["small", "base"])
def test_a_clip_of_two_objects_equals_the_published_run(size: str) -> None:
    assert worst_difference(8, {0: (1, 2)}, size=size) < TOLERANCE


@pytest.mark.usefixtures("in_double")
def test_working_memory_is_forgotten_as_in_the_published_run() -> None:
    assert (
        worst_difference(
            7, {0: (1, 2, 3)}, memory=MemoryConfig(every=1, frames=4), mem_every=1, max_mem_frames=4
        )
        < TOLERANCE
    )


@pytest.mark.usefixtures("in_double")
@pytest.mark.parametrize("mirrored", [False, True])
def test_long_term_memory_equals_the_published_run(mirrored: bool) -> None:
    memory = MemoryConfig(every=1, long_term=LONG_TERM)
    oracle: dict[str, Untyped] = {**ORACLE_LONG_TERM, "flip_aug": mirrored}
    assert worst_difference(7, {0: (1, 2)}, memory=memory, **oracle) < TOLERANCE


@pytest.mark.usefixtures("in_double")
def test_mirrored_frames_equal_the_published_run() -> None:
    assert worst_difference(7, {0: (1, 2)}, flip_aug=True) < TOLERANCE


@pytest.mark.usefixtures("in_double")
def test_objects_in_chunks_equal_the_published_run() -> None:
    memory = MemoryConfig(chunk=2)
    assert worst_difference(7, {0: (1, 2, 3)}, memory=memory, chunk_size=2) < TOLERANCE


@pytest.mark.usefixtures("in_double")
def test_objects_that_come_and_go_equal_the_published_run() -> None:
    # The last one goes: after any other, the published run mistakes one object's mask for the next.
    assert worst_difference(7, {0: (7,), 2: (1, 2, 3)}, deleted={4: [3]}) < TOLERANCE


@pytest.mark.usefixtures("in_double")
def test_permanent_frames_equal_the_published_run() -> None:
    assert worst_difference(7, {0: (1, 2), 2: (1, 2)}, permanent=(2, 4)) < TOLERANCE


@pytest.mark.usefixtures("in_double")
def test_rarer_sensory_updates_equal_the_published_run() -> None:
    memory = MemoryConfig(every=6, sensory_updates=3)
    assert worst_difference(9, {0: (1,)}, memory=memory, mem_every=6, stagger_updates=3) < TOLERANCE


@torch.inference_mode()
def run(
    network: Network,
    masks: dict[int, dict[int, Tensor]],
    length: int = 4,
    size: tuple[int, int] = SIZE,
    memory: MemoryConfig | None = None,
) -> tuple[Propagation, list[Tensor]]:
    propagation = Propagation(network, memory or MemoryConfig())
    frames = enumerate(moving_clip(length, size))
    return propagation, [
        propagation.step(encode(network, number, image), masks.get(number))
        for number, image in frames
    ]


def test_a_frame_with_fewer_tokens_than_top_k_is_segmented(network: Network) -> None:
    size = (32, 48)  # six tokens
    _, results = run(network, {0: given(index_mask(size, (1,)), (1,))}, size=size)
    assert results[-1].shape == (2, *size)
    assert torch.isfinite(results[-1]).all()


def test_fewer_candidates_than_prototypes_are_all_consolidated(network: Network) -> None:
    long_term = LongTermConfig(most_frames=3, least_frames=2, prototypes=128)
    memory = MemoryConfig(every=1, long_term=long_term)
    size = (32, 48)
    propagation, results = run(network, {0: given(index_mask(size, (1,)), (1,))}, 6, size, memory)
    assert propagation.bank.buckets[0].long_term > 0
    assert torch.isfinite(results[-1]).all()


def test_a_mask_of_only_some_objects_is_completed_by_the_network(network: Network) -> None:
    mask = index_mask(SIZE, (1, 2))
    first, later = given(mask, (1, 2)), given(index_mask(SIZE, (1, 2), shift=4), (2,))
    propagation, results = run(network, {0: first, 2: later})
    assert propagation.objects == [1, 2]
    assert torch.equal(results[2].argmax(0) == 2, later[2].bool())
    assert results[2][1].max() > 0.01  # object 1 is predicted where it was not given


def test_the_order_of_objects_does_not_matter(network: Network) -> None:
    mask = index_mask(SIZE, (1, 2, 3))
    _, rising = run(network, {0: given(mask, (1, 2, 3)), 2: given(mask, (1, 2, 3))})
    _, mixed = run(network, {0: given(mask, (3, 1, 2)), 2: given(mask, (2, 3, 1))})
    assert torch.allclose(rising[-1], mixed[-1][[0, 2, 3, 1]], atol=1e-5)


@torch.inference_mode()
def test_a_forgotten_object_leaves_nothing_behind(network: Network) -> None:
    mask = index_mask(SIZE, (1, 2))
    propagation, _ = run(network, {0: given(mask, (1, 2))})
    propagation.delete_objects([1])
    bank = propagation.bank
    assert propagation.objects == [2]
    assert set(bank.sensory) == set(bank.summary) == {2}
    assert [bucket.objects for bucket in bank.buckets] == [[2]]
    assert bank.buckets[0].tokens.value.shape[1] == 1
    propagation.delete_objects([2])
    assert bank.buckets == []
    assert propagation.step(encode(network, 9, next(moving_clip(1, SIZE)))).shape == (1, *SIZE)


@torch.inference_mode()
def test_another_SIZE_is_a_clear_error(network: Network) -> None:
    propagation, _ = run(network, {0: given(index_mask(SIZE, (1,)), (1,))})
    other = encode(network, 4, next(moving_clip(1, (64, 64))))
    with pytest.raises(FrameSizeError, match="another size"):
        propagation.step(other)


@torch.inference_mode()
def test_a_pixel_is_explained_by_the_frames_it_reads(network: Network) -> None:
    mask = given(index_mask(SIZE, (1,)), (1,))
    propagation, _ = run(network, {0: mask}, 8, memory=MemoryConfig(every=2))
    frame = encode(network, 8, next(moving_clip(8, SIZE)))  # looks like frame 0
    votes = propagation.explain(frame.features, 3, 4, object_id=1)
    assert votes[0].frame == 0
    assert votes[0].store is Store.ANCHOR
    assert {vote.frame for vote in votes[1:]} <= {2, 4, 6}
    assert sum(vote.weight for vote in votes) == pytest.approx(1, abs=1e-5)
    assert propagation.explain(frame.features, 3, 4, object_id=5) == []


class _Syncs(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts operations whose result a host must wait for."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[str] = []

    def __torch_dispatch__(
        self, func: Untyped, types: Untyped, args: Untyped = (), kwargs: Untyped = None
    ) -> Untyped:
        name = func.__name__
        if any(
            word in name for word in ("local_scalar", "nonzero", "item", "masked_select", "equal.")
        ):
            self.found.append(name)
        return func(*args, **(kwargs or {}))


@torch.inference_mode()
def test_no_step_of_the_frame_loop_waits_for_the_device(network: Network) -> None:
    mask = index_mask(SIZE, (1, 2))
    memory = MemoryConfig(every=1, long_term=LONG_TERM)
    propagation = Propagation(network, memory)
    frames = [encode(network, *pair) for pair in enumerate(moving_clip(6, SIZE))]
    propagation.step(frames[0], given(mask, (1, 2)))
    with _Syncs() as counter:
        for frame in frames[1:]:
            propagation.step(frame)
    assert propagation.bank.buckets[0].long_term > 0
    assert counter.found == []


@torch.inference_mode()
def test_memory_does_not_grow_with_the_clip(network: Network) -> None:
    size = (48, 64)
    sizes = []
    propagation = Propagation(network, MemoryConfig(every=1))
    for number, image in enumerate(moving_clip(12, size)):
        mask = given(index_mask(size, (1,)), (1,)) if number == 0 else None
        propagation.step(encode(network, number, image), mask)
        bucket = propagation.bank.buckets[0]
        sizes.append((bucket.size, bucket.tokens.length))
    assert len(set(sizes[5:])) == 1
    assert len({allocated for _, allocated in sizes}) == 1


@torch.inference_mode()
def test_half_precision_keeps_the_memory_and_the_masks_in_single(network: Network) -> None:
    mask = given(index_mask(SIZE, (1, 2)), (1, 2))
    memory = MemoryConfig(every=1, long_term=LONG_TERM)
    _, single = run(network, {0: mask}, 5, memory=memory)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        propagation, half = run(network, {0: mask}, 5, memory=memory)
    tokens = propagation.bank.buckets[0].tokens
    assert propagation.bank.buckets[0].long_term > 0
    assert (
        tokens.terms.dtype == propagation.bank.sensory[1].dtype == half[-1].dtype == torch.float32
    )
    assert tokens.value.dtype == torch.bfloat16
    assert float((half[-1] - single[-1]).abs().mean()) < 0.1


def nobody(presence: PresenceConfig = PresenceConfig(least_score=2)) -> MemoryConfig:  # noqa: B008
    """Return a memory for which no predicted object is ever sharp enough to be present."""
    return MemoryConfig(every=1, presence=presence)


@torch.inference_mode()
def absent_from(
    network: Network, at: int, length: int, memory: MemoryConfig, *, back: int | None = None
) -> tuple[Propagation, list[Tensor], EncodedFrame]:
    """Run a clip whose object 1 is given up to `at` and from `back` on, object 2 on every frame."""
    propagation, results = Propagation(network, memory), []
    for number, image in enumerate(islice(moving_clip(30, SIZE), length)):
        there = number <= at or (back is not None and number >= back)
        masks = given(index_mask(SIZE, (1, 2), shift=number % 4), (1, 2) if there else (2,))
        frame = encode(network, number, image)
        results.append(propagation.step(frame, masks))
    return propagation, results, frame


def frames_read(propagation: Propagation, frame: EncodedFrame, object_id: int) -> set[int]:
    cells = [(row, column) for row in range(5) for column in range(6)]
    votes = [propagation.explain(frame.features, *cell, object_id) for cell in cells]
    return {vote.frame for each in votes for vote in each}


@torch.inference_mode()
def test_an_object_that_is_absent_keeps_its_last_good_frames(network: Network) -> None:
    propagation, _, frame = absent_from(network, 3, 24, nobody())
    assert frames_read(propagation, frame, 1) == {0, 1, 2, 3}
    assert frames_read(propagation, frame, 2) == {0, 20, 21, 22, 23}  # goes on meanwhile
    forgetful, _, frame = absent_from(network, 3, 24, MemoryConfig(every=1))
    assert frames_read(forgetful, frame, 1) == {0, 20, 21, 22, 23}


@torch.inference_mode()
def test_nothing_is_learned_of_an_object_that_is_absent(network: Network) -> None:
    before, _, _ = absent_from(network, 3, 4, nobody())
    after, _, _ = absent_from(network, 3, 24, nobody())
    assert torch.equal(before.bank.summary[1], after.bank.summary[1])
    assert not torch.equal(before.bank.summary[2], after.bank.summary[2])


@torch.inference_mode()
def test_an_object_that_is_back_shares_its_memory_with_the_others_again(network: Network) -> None:
    apart, _, _ = absent_from(network, 3, 24, nobody())
    assert sorted(bucket.objects for bucket in apart.bank.buckets) == [[1], [2]]
    together, _, frame = absent_from(network, 3, 24, nobody(), back=20)
    assert [sorted(bucket.objects) for bucket in together.bank.buckets] == [[1, 2]]
    assert frames_read(together, frame, 1) == frames_read(together, frame, 2) == {0, *range(20, 24)}


@torch.inference_mode()
def test_memory_does_not_grow_while_an_object_is_absent(network: Network) -> None:
    def tokens(length: int) -> list[tuple[int, int]]:
        propagation, _, _ = absent_from(network, 3, length, nobody())
        return sorted((each.size, each.tokens.length) for each in propagation.bank.buckets)

    assert tokens(12) == tokens(30)


@torch.inference_mode()
@pytest.mark.parametrize("long_term", [None, LONG_TERM])
def test_objects_that_are_always_present_are_remembered_as_without_the_option(
    network: Network, long_term: LongTermConfig | None
) -> None:
    mask = given(index_mask(SIZE, (1, 2)), (1, 2))
    off = MemoryConfig(every=2, long_term=long_term)
    on = replace(off, presence=PresenceConfig(least_score=0, least_area=0))
    _, expected = run(network, {0: mask}, 9, memory=off)
    _, found = run(network, {0: mask}, 9, memory=on)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


@torch.inference_mode()
def test_a_frame_with_a_rival_is_kept_longer_than_others(network: Network) -> None:
    alone, with_rival = torch.zeros(SIZE), torch.zeros(SIZE)
    alone[:, :16] = 1
    with_rival[:, :16] = with_rival[:, 80:] = 1  # at the other side of the picture
    masks = {number: {1: with_rival if number == 4 else alone} for number in range(12)}
    presence = PresenceConfig(least_score=2, distractors=2, rival=0.3)
    memory = MemoryConfig(every=1, presence=presence)
    propagation, _ = run(network, masks, 12, memory=memory)
    frame = encode(network, 12, next(moving_clip(1, SIZE)))
    assert frames_read(propagation, frame, 1) == {0, 4, 8, 9, 10, 11}


@torch.inference_mode()
def test_the_newest_frames_without_an_object_are_kept_until_it_is_back(network: Network) -> None:
    presence = PresenceConfig(least_score=2, least_area=10**6, absences=2)
    gone, _, frame = absent_from(network, 3, 12, nobody(presence))
    assert frames_read(gone, frame, 1) == {0, 1, 2, 3, 10, 11}
    assert frames_read(gone, frame, 2) == {0, 8, 9, 10, 11}
    there, _, frame = absent_from(network, 3, 12, nobody(presence), back=11)
    assert frames_read(there, frame, 1) == {0, 1, 2, 3, 11}


@torch.inference_mode()
def test_a_mask_that_is_not_sure_enough_is_not_shown(network: Network) -> None:
    _, results, _ = absent_from(
        network, 0, 4, MemoryConfig(every=1, shown=ShownConfig(least_score=2))
    )
    assert not any(result[1].any() for result in results[1:])
    _, expected, _ = absent_from(network, 0, 4, MemoryConfig(every=1))
    assert all(result[1].any() for result in expected)
