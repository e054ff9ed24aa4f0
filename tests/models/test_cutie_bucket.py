"""A bucket of memory tokens beside plain lists: what it keeps, where, and for how long."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.api import Store
from models.cutie.affinity import Affinity, query_terms, similarity
from models.cutie.config import LongTermConfig
from models.cutie.memory.bucket import Bucket, Tokens, new_tokens
from models.cutie.network.network import ImageFeatures

CELLS, KEYS, VALUES, IMAGES = (2, 3), 4, 2, 2
PER_FRAME = 6


def features(seed: int) -> ImageFeatures:
    """Return random features of an image of 2 x 3 cells."""
    rng = torch.Generator().manual_seed(seed)

    def drawn(channels: int) -> Tensor:
        return torch.rand(IMAGES, channels, *CELLS, generator=rng)

    nothing = torch.zeros(0)
    return ImageFeatures(drawn(1), drawn(KEYS), 1 + drawn(1), drawn(KEYS), (nothing, nothing), None)


def tokens_of(frame: int, objects: Sequence[int]) -> Tokens:
    """Return a frame's tokens, of which each object's values say what it is."""
    value = torch.zeros(IMAGES, len(objects), VALUES, *CELLS)
    for slot, number in enumerate(objects):
        value[:, slot, 0] = number
        value[:, slot, 1] = frame + torch.arange(PER_FRAME).view(CELLS) / 10
    return new_tokens(features(frame), value, frame)


def shown(bucket: Bucket) -> list[int]:
    """Return the frames of all tokens, after a look at what they hold."""
    used = bucket.tokens.part(0, bucket.size)
    frames = bucket.frames_of(torch.arange(bucket.size)).tolist()
    for at in range(0, bucket.size, PER_FRAME):
        wanted = tokens_of(frames[at], bucket.objects)
        part = used.part(at, at + PER_FRAME)
        for mine, theirs in zip(part, wanted, strict=True):
            torch.testing.assert_close(mine, theirs)
    return frames[::PER_FRAME]


def shown_from(bucket: Bucket, first: int) -> list[int]:
    """Return the frames of the tokens from one on, which are as many of each."""
    frames = bucket.frames_of(torch.arange(first, bucket.size)).tolist()
    assert frames == [frame for frame in frames[::PER_FRAME] for _ in range(PER_FRAME)]
    return frames[::PER_FRAME]


@dataclass
class Lists:
    """The same in plain lists."""

    permanent: list[int] = field(default_factory=list)
    distractors: list[int] = field(default_factory=list)
    absences: list[int] = field(default_factory=list)
    recent: list[int] = field(default_factory=list)

    def change(self, what: str, frame: int, most: int) -> None:
        if what == "permanent":
            self.permanent.append(frame)
        elif what == "distractor":
            self.distractors = [*self.distractors, frame][-most:]
        elif what == "absence":
            self.absences = [*self.absences, frame][-most:]
        elif what == "working":
            self.absences = []
            self.recent.append(frame)
        else:
            self.recent = self.recent[-most:]

    @property
    def frames(self) -> list[int]:
        return [*self.permanent, *self.distractors, *self.absences, *self.recent]


def changed(bucket: Bucket, what: str, frame: int, most: int) -> None:
    tokens = tokens_of(frame, bucket.objects)
    changes: dict[str, Callable[[], None]] = {
        "permanent": lambda: bucket.add_permanent(tokens, frame),
        "distractor": lambda: bucket.add_distractor(tokens, frame, most),
        "absence": lambda: bucket.add_absence(tokens, frame, most),
        "working": lambda: bucket.add_working(tokens, frame),
        "newest": lambda: bucket.keep_newest(most),
    }
    changes[what]()


KINDS = ("permanent", "distractor", "absence", "working", "working", "newest")
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 3)), max_size=9)


@settings(max_examples=25, deadline=None)
@given(STEPS, STEPS, st.integers(1, 40))
def test_a_bucket_keeps_the_frames_of_plain_lists_also_when_it_is_parted_and_joined(
    first: list[tuple[str, int]], then: list[tuple[str, int]], capacity: int
) -> None:
    bucket, lists = Bucket.empty([1, 2, 3], tokens_of(0, [1, 2, 3]), capacity), Lists()
    for frame, (what, most) in enumerate(first):
        changed(bucket, what, frame, most)
        lists.change(what, frame, most)
        assert shown(bucket) == lists.frames
        assert bucket.size == PER_FRAME * len(lists.frames)
    own = bucket.split([3, 1])
    assert (bucket.objects, own.objects) == ([2], [3, 1])
    assert bucket.remembers_as(own)
    for frame, (what, most) in enumerate(then, len(first)):
        changed(bucket, what, frame, most)
        assert shown(own) == lists.frames
        changed(own, what, frame, most)
        lists.change(what, frame, most)
        assert shown(bucket) == shown(own) == lists.frames
    bucket.join(own)
    assert bucket.objects == [2, 3, 1]
    assert shown(bucket) == lists.frames
    bucket.delete_objects([3, 9])
    assert bucket.objects == [2, 1]
    assert shown(bucket) == lists.frames
    assert bucket.anchors == set(lists.permanent)
    assert (bucket.distractors, bucket.recent) == (lists.distractors, lists.recent)


@pytest.mark.parametrize("what", ["permanent", "distractor", "absence", "working"])
def test_buckets_that_remember_other_frames_are_not_joined(what: str) -> None:
    one, other = (Bucket.empty([n], tokens_of(0, [n]), 12) for n in (1, 2))
    assert one.remembers_as(other)
    changed(one, what, 4, 2)
    assert not one.remembers_as(other)
    assert not other.remembers_as(one)
    changed(other, what, 4, 2)
    assert one.remembers_as(other)


def filled(count: int) -> Bucket:
    """Return a bucket with one permanent frame, 100, and so many recent ones from 0 on."""
    bucket = Bucket.empty([5], tokens_of(0, [5]), 12)
    changed(bucket, "permanent", 100, 1)
    for frame in range(count):
        changed(bucket, "working", frame, 1)
    return bucket


def test_what_is_read_is_counted_and_only_what_is_remembered() -> None:
    bucket = filled(2)
    token = torch.tensor([[[0, 7]], [[12, 7]]])
    weight = torch.tensor([[[0.25, 0.75]], [[0.5, 0.5]]])
    for _ in range(2):
        bucket.count_usage(Affinity(token, weight))
    record = bucket.tokens.record[:, 0, : bucket.size]
    used = torch.zeros(IMAGES, 18)
    used[0, 0], used[0, 7], used[1, 12], used[1, 7] = 0.5, 1.5, 1.0, 1.0
    torch.testing.assert_close(record[..., 0], used)
    torch.testing.assert_close(record[..., 1], torch.full((IMAGES, 18), 2.0))
    read = bucket.readout(Affinity(token, weight))
    assert read.shape == (IMAGES, 1, 1, VALUES)
    torch.testing.assert_close(read[0, 0, 0], torch.tensor([5, 0.25 * 100 + 0.75 * 0.1]))


def test_a_pixel_reads_what_is_most_like_it_of_what_is_remembered() -> None:
    bucket = filled(2)
    query = query_terms(*(torch.rand(IMAGES, 3, KEYS) for _ in range(2)))
    found = bucket.affinity(query, 4)
    like = similarity(query, bucket.tokens.terms[:, 0, : bucket.size])
    assert torch.equal(found.token, like.topk(4, dim=2).indices)


def test_where_a_token_lies_and_which_cell_it_is() -> None:
    bucket = filled(2)
    assert [bucket.store_of(at) for at in (0, 5, 6, 17)] == [Store.ANCHOR] * 2 + [Store.WORKING] * 2
    assert [bucket.cell_of(at) for at in (0, 5, 6, 17)] == [0, 5, 0, 5]
    bucket.consolidate(LongTermConfig(prototypes=4, most_tokens=40, buffer_tokens=10), keep=1)
    assert (bucket.long_term, bucket.permanent, bucket.recent) == (4, 6, [1])
    stores = [bucket.store_of(at) for at in (0, 3, 4, 9, 10, 15)]
    assert stores == [Store.LONG_TERM] * 2 + [Store.ANCHOR] * 2 + [Store.WORKING] * 2
    assert [bucket.cell_of(at) for at in (0, 3, 4, 9, 10, 15)] == [None, None, 0, 5, 0, 5]
    assert not bucket.remembers_as(bucket)


def test_frames_that_were_seen_in_more_pixels_have_more_tokens() -> None:
    bucket = filled(0)
    fine = Tokens(*(torch.cat([part, part], dim=2) for part in tokens_of(7, [5])))
    for frame in (7, 8, 9):
        tokens = tokens_of(frame, [5]) if frame == 8 else fine
        bucket.add_absence(tokens, frame, 2)
    bucket.add_distractor(fine, 6, 1)
    assert bucket.size == 6 + 12 + 6 + 12
    assert [bucket.cell_of(at) for at in (5, 6, 17, 18, 23, 24, 35)] == [5, 0, 11, 0, 5, 0, 11]
    bucket.add_distractor(tokens_of(5, [5]), 5, 1)
    bucket.add_working(fine, 1)
    for frame in (2, 3):
        bucket.add_working(tokens_of(frame, [5]), frame)
    assert (bucket.working, bucket.size) == (24, 6 + 6 + 24)
    assert [bucket.store_of(at) for at in (5, 6)] == [Store.ANCHOR, Store.WORKING]
    bucket.consolidate(LongTermConfig(prototypes=4, most_tokens=40, buffer_tokens=10), keep=2)
    assert (bucket.long_term, bucket.working) == (4, 12)
    assert shown_from(bucket, 4) == [100, 5, 2, 3]
    bucket.forget_newest(2)
    assert shown_from(bucket, 4) == [100, 5, 2, 3]
    bucket.forget_newest(3)
    assert shown_from(bucket, 4) == [100, 5, 2]


def test_a_prototype_is_a_token_that_was_read_most_with_what_it_reads_of_all() -> None:
    bucket = filled(3)
    before = bucket.tokens.part(0, bucket.size)
    candidates = Tokens(*(part.clone() for part in before.part(6, 18)))
    record = bucket.tokens.record
    record[:, 0, :18, 0] = torch.tensor([[*range(18)], [*range(18, 0, -1)]]) * 1.0
    record[:, 0, :18, 1] = 2.0
    record[0, 0, 8, 1] = 0.5  # read for a quarter of the time
    rest = Tokens(*(part.clone() for part in bucket.tokens.part(18, 24)))
    bucket.consolidate(LongTermConfig(prototypes=3, most_tokens=40, buffer_tokens=10), keep=1)
    best = torch.tensor([[2, 11, 10], [0, 1, 2]])  # of the 12 candidates
    assert bucket.long_term == 3
    made = bucket.tokens.part(0, 3)
    for image in range(IMAGES):
        shrinkage = candidates.terms[image, 0, :, -1] * math.sqrt(KEYS)
        keys = candidates.terms[image, 0, :, :KEYS] / candidates.terms[image, 0, :, -1:]
        for slot, at in enumerate(best[image].tolist()):
            selection = candidates.selection[image, 0, at]
            like = -(selection * (keys - keys[at]) ** 2).sum(-1) * shrinkage / math.sqrt(KEYS)
            weight = like.softmax(0)
            value = (weight[:, None] * candidates.value[image, 0]).sum(0)
            torch.testing.assert_close(made.value[image, 0, slot], value)
            weighted = (weight * shrinkage).sum() / math.sqrt(KEYS)
            wanted = torch.cat([weighted * keys[at], weighted * keys[at] ** 2, weighted[None]])
            torch.testing.assert_close(made.terms[image, 0, slot], wanted)
            torch.testing.assert_close(made.selection[image, 0, slot], selection)
    assert made.record[..., 0].eq(0).all()
    torch.testing.assert_close(made.record[..., 1], torch.full((IMAGES, 1, 3), 1e-7))
    for mine, theirs in zip(bucket.tokens.part(9, 15), rest, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_of_too_many_long_term_tokens_those_stay_that_were_read_most() -> None:
    config = LongTermConfig(prototypes=4, most_tokens=12, buffer_tokens=3)
    bucket = filled(3)
    for frame in (10, 20):
        bucket.consolidate(config, keep=1)
        changed(bucket, "working", frame, 1)
    assert (bucket.long_term, bucket.recent) == (8, [10, 20])
    used = torch.arange(8.0).flip(0)
    bucket.tokens.record[:, 0, :8, 0], bucket.tokens.record[:, 0, :8, 1] = used, 1.0
    values = bucket.tokens.value[:, 0, :5].clone()
    kept = Tokens(*(part.clone() for part in bucket.tokens.part(8, bucket.size)))
    bucket.consolidate(config, keep=2)  # 8 is as many as there is room for: 5 stay
    assert (bucket.long_term, bucket.recent) == (5, [10, 20])
    torch.testing.assert_close(bucket.tokens.value[:, 0, :5], values)
    for mine, theirs in zip(bucket.tokens.part(5, bucket.size), kept, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_fewer_long_term_tokens_than_there_is_room_for_all_stay() -> None:
    bucket = filled(3)
    bucket.consolidate(LongTermConfig(prototypes=4, most_tokens=13, buffer_tokens=3), keep=1)
    changed(bucket, "working", 10, 1)
    bucket.consolidate(LongTermConfig(prototypes=4, most_tokens=9, buffer_tokens=3), keep=1)
    assert bucket.long_term == 8
