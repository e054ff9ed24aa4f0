"""What has been remembered of a video: plain tensors, held by whoever tracks.

Memory is kept in tokens, one per pixel at stride 16. Objects that have the same anchors share a
bucket: one set of keys, and a value of each object's own. A bucket's tokens lie one after the other
as [long-term | permanent | working]: permanent tokens are anchors and stay; working tokens come
from recent frames and go, or are consolidated into long-term tokens (XMem, section 3.3).

Shapes: B images (2 with the mirrored one), K objects of the bucket, M tokens, D key channels.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from models.api import Store
from models.cutie.affinity import (
    Reading,
    look_up,
    memory_code,
    query_code,
    read,
    read_all,
    usage,
)
from models.cutie.config import LongTermConfig, MemoryConfig
from models.cutie.network.network import ImageFeatures, pixels

_USED, _LIFE, _FRAME = range(3)  # columns of a record
_NEWBORN = 1e-7  # life of a token that was never read, so that usage / life is defined


class Tokens(NamedTuple):
    """Memory tokens; the third axis counts them."""

    code: Tensor  # (B, 1, M, 2D + 1), see `affinity.memory_code`
    selection: Tensor  # (B, 1, M, D)
    value: Tensor  # (B, K, M, V)
    record: Tensor  # (B, 1, M, 3): how much it was read, for how many frames, where it is from

    def part(self, start: int, stop: int) -> "Tokens":
        """Return views of the tokens from `start` up to `stop`."""
        return Tokens(*(tensor[:, :, start:stop] for tensor in self))

    @property
    def length(self) -> int:
        """M."""
        return self.code.shape[2]


def new_tokens(features: ImageFeatures, value: Tensor, frame: int) -> Tokens:
    """Return the tokens of one frame, from its features and values (B, K, V, h, w)."""
    code = memory_code(pixels(features.key.float()), pixels(features.shrinkage.float()))
    record = code.new_empty(*code.shape[:2], 3)
    record[..., _USED], record[..., _LIFE], record[..., _FRAME] = 0, _NEWBORN, frame
    selection = pixels(features.selection.float())
    return Tokens(
        code.unsqueeze(1),
        selection.unsqueeze(1),
        value.flatten(3).transpose(2, 3),
        record.unsqueeze(1),
    )


@dataclass(slots=True)
class Bucket:
    """The tokens of objects that share their anchors; the tensors are longer than what is used."""

    objects: list[int]
    tokens: Tokens
    long_term: int = 0  # tokens
    permanent: int = 0
    working: int = 0
    anchors: set[int] = field(default_factory=set)  # frames that are permanent

    @classmethod
    def empty(cls, objects: Sequence[int], like: Tokens, capacity: int) -> "Bucket":
        """Return a bucket that has room for `capacity` tokens."""
        return cls(list(objects), Tokens(*(_longer(part, capacity) for part in like)))

    @property
    def size(self) -> int:
        """How many tokens are remembered."""
        return self.long_term + self.permanent + self.working

    def look_up(self, query: Tensor, top_k: int) -> Reading:
        """Return what each pixel reads, and count it; `query` is a code (B, P, 2D + 1)."""
        reading = self.peek(query, top_k)
        record = self._used().record[:, 0]
        record[..., _USED] += usage(reading, self.size)
        record[..., _LIFE] += 1
        return reading

    def peek(self, query: Tensor, top_k: int) -> Reading:
        """Return what each pixel would read, without counting it."""
        return look_up(query, self._used().code[:, 0], top_k)

    def read(self, reading: Reading, objects: slice) -> Tensor:
        """Return what some of the bucket's objects read, (B, K', P, V)."""
        return read(reading, self.tokens.value[:, objects])

    def add_permanent(self, tokens: Tokens, frame: int) -> None:
        """Keep an anchor's tokens for good."""
        self._reserve(tokens.length)
        end = self.long_term + self.permanent
        self._write(end + tokens.length, self.tokens.part(end, self.size))
        self._write(end, tokens)
        self.permanent += tokens.length
        self.anchors.add(frame)

    def add_working(self, tokens: Tokens) -> None:
        """Remember a frame's tokens for a while."""
        self._reserve(tokens.length)
        self._write(self.size, tokens)
        self.working += tokens.length

    def keep_newest(self, count: int) -> None:
        """Forget all but the newest `count` working tokens."""
        start = self.long_term + self.permanent
        self._write(start, self.tokens.part(max(self.size - count, start), self.size))
        self.working = min(self.working, count)

    def consolidate(self, config: LongTermConfig, keep: int) -> None:
        """Turn all but the newest `keep` working tokens into a few long-term ones."""
        room = config.most_tokens - config.prototypes
        if self.long_term >= room:
            self._keep_most_used(room - config.buffer_tokens)
        start = self.long_term + self.permanent
        candidates = self.tokens.part(start, self.size - keep)
        prototypes = _prototypes(candidates, min(config.prototypes, candidates.length))
        self.keep_newest(keep)
        self._reserve(prototypes.length)
        self._write(self.long_term + prototypes.length, self.tokens.part(self.long_term, self.size))
        self._write(self.long_term, prototypes)
        self.long_term += prototypes.length

    def forget(self, objects: Iterable[int]) -> None:
        """Forget objects altogether."""
        gone = set(objects)
        kept = [slot for slot, object_id in enumerate(self.objects) if object_id not in gone]
        if len(kept) == len(self.objects):
            return
        self.objects = [self.objects[slot] for slot in kept]
        self.tokens = self.tokens._replace(value=self.tokens.value[:, kept])

    def store_of(self, token: int) -> Store:
        """Return which part of memory a token lies in."""
        if token < self.long_term:
            return Store.LONG_TERM
        return Store.ANCHOR if token < self.long_term + self.permanent else Store.WORKING

    def frames_of(self, index: Tensor) -> Tensor:
        """Return the frames that the tokens `index` (n,) come from, (n,)."""
        return self.tokens.record[0, 0, index, _FRAME].long()

    def _used(self) -> Tokens:
        return self.tokens.part(0, self.size)

    def _write(self, at: int, tokens: Tokens) -> None:
        for mine, theirs in zip(self.tokens, tokens, strict=True):
            target = mine[:, :, at : at + tokens.length]
            # The source may overlap the target, when tokens move within the bucket.
            target.copy_(theirs.clone() if theirs.data_ptr() != target.data_ptr() else theirs)

    def _reserve(self, more: int) -> None:
        needed = self.size + more
        if needed > self.tokens.length:
            old = self._used()
            self.tokens = Tokens(*(_longer(part, needed * 3 // 2) for part in old))
            self._write(0, old)

    def _keep_most_used(self, count: int) -> None:
        """Keep the `count` long-term tokens that were read most per frame of their life."""
        start = self.long_term
        best = _rate(self.tokens.part(0, start)).topk(min(max(count, 0), start), dim=1).indices
        survivors = _gather(self.tokens, best)
        rest = Tokens(*(part.clone() for part in self.tokens.part(start, self.size)))
        self.long_term = survivors.length
        self._write(0, survivors)
        self._write(self.long_term, rest)


def _prototypes(candidates: Tokens, count: int) -> Tokens:
    """Return the most used candidates, each with what it reads among all candidates.

    A prototype looks up the candidates with its own key and selection ("potentiation").
    """
    best = _rate(candidates).topk(count, dim=1).indices
    chosen = _gather(candidates, best)
    _, shrinkage = _decode(candidates.code[:, 0])
    own_key, _ = _decode(chosen.code[:, 0])
    query, memory = query_code(own_key, chosen.selection[:, 0]), candidates.code[:, 0]
    value = read_all(query, memory, candidates.value)
    shrinkage = read_all(query, memory, shrinkage.unsqueeze(1))[:, 0]
    record = chosen.record.clone()
    record[..., _USED], record[..., _LIFE] = 0, _NEWBORN
    return Tokens(memory_code(own_key, shrinkage).unsqueeze(1), chosen.selection, value, record)


def _rate(tokens: Tokens) -> Tensor:
    """Return how much each token was read per frame of its life, (B, M)."""
    return tokens.record[:, 0, :, _USED] / tokens.record[:, 0, :, _LIFE]


def _gather(tokens: Tokens, index: Tensor) -> Tokens:
    """Return the tokens `index` (B, m), picked for each image on its own."""
    where = index[:, None, :, None]
    return Tokens(*(torch.take_along_dim(part, where, dim=2) for part in tokens))


def _decode(code: Tensor) -> tuple[Tensor, Tensor]:
    """Return keys (B, M, D) and shrinkage (B, M, 1) of a memory code."""
    width, weight = code.shape[-1] // 2, code[..., -1:]
    return code[..., :width] / weight, weight * math.sqrt(width)


def _longer(part: Tensor, count: int) -> Tensor:
    """Return an empty tensor like `part`, for `count` tokens."""
    return part.new_empty(*part.shape[:2], count, part.shape[3])


class Bank:
    """All that is remembered: buckets of tokens, and per object a sensory and an object memory."""

    def __init__(self, config: MemoryConfig, *, anchor_frames: int = 1) -> None:
        self.config = config
        self.buckets: list[Bucket] = []
        self.sensory: dict[int, Tensor] = {}  # object -> (B, S, h, w)
        self.summary: dict[int, Tensor] = {}  # object -> (B, Q, E + 1), summed over frames
        self._anchor_frames = anchor_frames

    def bucket_of(self, object_id: int) -> Bucket | None:
        """Return the bucket of an object, or None where nothing of it is remembered."""
        return next((bucket for bucket in self.buckets if object_id in bucket.objects), None)

    def add_anchor(
        self, features: ImageFeatures, value: Tensor, objects: Sequence[int], frame: int
    ) -> None:
        """Keep an anchor for good: `value` (B, K, V, h, w) of objects that share a bucket."""
        tokens = new_tokens(features, value, frame)
        bucket = self.bucket_of(objects[0]) or self._new_bucket(objects, tokens)
        bucket.add_permanent(tokens, frame)

    def add_frame(
        self, features: ImageFeatures, value: Tensor, objects: Sequence[int], frame: int
    ) -> list[int]:
        """Remember a frame: `value` (B, K, V, h, w) of these objects; return which are new to it.

        A frame that is an anchor of a bucket is remembered there already. Objects seen for the
        first time get a bucket of their own, and the frame is permanent in it.
        """
        fresh = [object_id for object_id in objects if self.bucket_of(object_id) is None]
        learned = list(fresh)
        for bucket in self.buckets:
            shared = [object_id for object_id in bucket.objects if object_id in objects]
            if not shared or frame in bucket.anchors:
                continue
            learned += shared
            bucket.add_working(new_tokens(features, pick(value, objects, shared), frame))
        if fresh:
            self.add_anchor(features, pick(value, objects, fresh), fresh, frame)
        for bucket in self.buckets:
            self._tidy(bucket, features.key[0, 0].numel())
        return learned

    def add_permanent(
        self, features: ImageFeatures, value: Tensor, objects: Sequence[int], frame: int
    ) -> None:
        """Keep a frame for good: `value` (B, K, V, h, w) of these objects, new or known."""
        known = [bucket.objects for bucket in self.buckets]
        fresh = [object_id for object_id in objects if self.bucket_of(object_id) is None]
        for group in [*known, *([fresh] if fresh else [])]:
            self.add_anchor(features, pick(value, objects, group), group, frame)

    def add_summary(self, summary: Tensor, objects: Sequence[int], of: Iterable[int]) -> None:
        """Add summaries (B, K, Q, E + 1) of `objects` to the object memory of some of them."""
        for object_id in of:
            fresh = summary[:, objects.index(object_id)]
            known = self.summary.get(object_id)
            self.summary[object_id] = fresh.clone() if known is None else known + fresh

    def forget(self, objects: Iterable[int]) -> None:
        """Forget objects altogether: tokens, sensory and object memory."""
        gone = list(objects)
        for bucket in self.buckets:
            bucket.forget(gone)
        self.buckets = [bucket for bucket in self.buckets if bucket.objects]
        for object_id in gone:
            self.sensory.pop(object_id, None)
            self.summary.pop(object_id, None)

    def groups(self, active: Sequence[int]) -> Iterator[tuple[Bucket, slice]]:
        """Yield buckets with the objects to compute at once, as a slice of the bucket's objects."""
        for bucket in self.buckets:
            if bucket.objects[0] not in active:
                continue
            count = len(bucket.objects)
            step = self.config.chunk or count
            for start in range(0, count, step):
                yield bucket, slice(start, min(start + step, count))

    def _new_bucket(self, objects: Sequence[int], tokens: Tokens) -> Bucket:
        config, frame = self.config, tokens.length
        if config.long_term:
            working = config.long_term.most_frames * frame + config.long_term.most_tokens
        else:
            working = config.frames * frame
        bucket = Bucket.empty(objects, tokens, self._anchor_frames * frame + working)
        self.buckets.append(bucket)
        return bucket

    def _tidy(self, bucket: Bucket, frame: int) -> None:
        """Forget or consolidate what is too much; `frame` is the tokens of one frame.

        The published settings count the first, permanent frame as working memory: hence the 1.
        """
        long_term = self.config.long_term
        if long_term is None:
            bucket.keep_newest((self.config.frames - 1) * frame)
        elif bucket.working >= (long_term.most_frames - 1) * frame:
            bucket.consolidate(long_term, (long_term.least_frames - 1) * frame)


def pick(tensor: Tensor, objects: Sequence[int], wanted: Sequence[int]) -> Tensor:
    """Return the slots of `wanted` out of a tensor (B, K, ...) whose slots are `objects`."""
    if list(objects) == list(wanted):
        return tensor
    return torch.stack([tensor[:, objects.index(object_id)] for object_id in wanted], dim=1)
