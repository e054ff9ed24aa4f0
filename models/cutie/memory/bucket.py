"""The tokens of objects that are remembered alike: one set of keys, a value of each object's own.

Memory is kept in tokens, one per pixel at stride 16. A bucket's tokens lie one after the other as
[long-term | permanent | distractor | absence | working]. Permanent tokens are anchors and stay.
Working tokens come from recent frames and go, or are consolidated into long-term tokens (XMem,
section 3.3). Outside that queue lie the few frames on which something came close to being taken for
an object (as in DAM4SAM), and those on which the objects were not there. One frame may have more
tokens than another, which was seen in fewer pixels.

Shapes: B images (2 with the mirrored one), K objects of the bucket, M tokens, D key channels.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

from models.api import Store
from models.cutie.affinity import (
    Affinity,
    full_readout,
    memory_terms,
    query_terms,
    readout,
    top_k_affinity,
    usage,
)
from models.cutie.config import LongTermConfig
from models.cutie.network.network import ImageFeatures, pixels

_USED, _LIFE, _FRAME = range(3)  # columns of a record
_NEWBORN = 1e-7  # life of a token that was never read, so that usage / life is defined


class Tokens(NamedTuple):
    """Memory tokens; the third axis counts them."""

    terms: Tensor  # (B, 1, M, 2D + 1), see `affinity.memory_terms`
    selection: Tensor  # (B, 1, M, D)
    value: Tensor  # (B, K, M, V)
    record: Tensor  # (B, 1, M, 3): how much it was read, for how many frames, where it is from

    def part(self, start: int, stop: int) -> "Tokens":
        """Return views of the tokens from `start` up to `stop`."""
        return Tokens(*(tensor[:, :, start:stop] for tensor in self))

    def of_objects(self, slots: Sequence[int]) -> "Tokens":
        """Return the tokens with the values of some of the objects."""
        return self._replace(value=self.value[:, list(slots)])

    def write(self, at: int, tokens: "Tokens") -> None:
        """Put tokens in place of those from `at` on."""
        for mine, theirs in zip(self, tokens, strict=True):
            target = mine[:, :, at : at + tokens.length]
            # The source may overlap the target, when tokens move within the bucket.
            target.copy_(theirs.clone() if theirs.data_ptr() != target.data_ptr() else theirs)

    @property
    def length(self) -> int:
        """M."""
        return self.terms.shape[2]


class Lengths(list[int]):
    """How many tokens each frame has, as the frames lie in a bucket."""

    def place(self, *newer: Sequence[int]) -> int:
        """Return the place of the first of these frames, which are all up to the end."""
        return len(self) - sum(map(len, newer))

    def before(self, place: int) -> int:
        """Return how many tokens lie before those of the frame at a place."""
        return sum(self[:place])

    def cell(self, token: int) -> int:
        """Return which of its own frame's tokens one of all is."""
        return token - max(each for each in accumulate(self, initial=0) if each <= token)


def new_tokens(features: ImageFeatures, value: Tensor, frame: int) -> Tokens:
    """Return the tokens of one frame, from its features and values (B, K, V, h, w)."""
    terms = memory_terms(pixels(features.key.float()), pixels(features.shrinkage.float()))
    record = terms.new_empty(*terms.shape[:2], 3)
    record[..., _USED], record[..., _LIFE], record[..., _FRAME] = 0, _NEWBORN, frame
    selection = pixels(features.selection.float())
    return Tokens(
        terms.unsqueeze(1),
        selection.unsqueeze(1),
        value.flatten(3).transpose(2, 3),
        record.unsqueeze(1),
    )


@dataclass(slots=True)
class Bucket:
    """The tokens of objects that share them; the tensors are longer than what is used."""

    objects: list[int]
    tokens: Tokens
    long_term: int = 0  # tokens
    permanent: int = 0
    anchors: set[int] = field(default_factory=set)  # frames that are permanent
    distractors: list[int] = field(default_factory=list)  # frames, oldest first
    absences: list[int] = field(default_factory=list)  # frames, oldest first
    recent: list[int] = field(default_factory=list)  # frames of working memory, oldest first
    lengths: Lengths = field(default_factory=Lengths)  # of all of these frames

    @classmethod
    def empty(cls, objects: Sequence[int], like: Tokens, capacity: int) -> "Bucket":
        """Return a bucket with room for `capacity` tokens; `like` are those of one frame."""
        tokens = Tokens(*(_longer(part, capacity) for part in like))
        return cls(list(objects), tokens)

    @property
    def size(self) -> int:
        """How many tokens are remembered."""
        return self.long_term + sum(self.lengths)

    @property
    def working(self) -> int:
        """How many tokens come from recent frames."""
        return sum(self.lengths[self.lengths.place(self.recent) :])

    def affinity(self, query: Tensor, top_k: int) -> Affinity:
        """Return the tokens that each pixel reads; `query` is (B, P, 2D + 1)."""
        return top_k_affinity(query, self._used().terms[:, 0], top_k)

    def count_usage(self, affinity: Affinity) -> None:
        """Count what was read, for consolidation."""
        record = self._used().record[:, 0]
        record[..., _USED] += usage(affinity, self.size)
        record[..., _LIFE] += 1

    def readout(self, affinity: Affinity) -> Tensor:
        """Return what each of the bucket's objects reads, (B, K, P, V)."""
        return readout(affinity, self.tokens.value)

    def add_permanent(self, tokens: Tokens, frame: int) -> None:
        """Keep an anchor's tokens for good."""
        self._add(self.lengths.place(self.distractors, self.absences, self.recent), tokens)
        self.permanent += tokens.length
        self.anchors.add(frame)

    def add_distractor(self, tokens: Tokens, frame: int, most: int) -> None:
        """Keep a frame with a distractor; of these frames at most the newest `most`."""
        self._add(self.lengths.place(self.absences, self.recent), tokens)
        self.distractors.append(frame)
        self._keep_last(self.distractors, most, self.absences, self.recent)

    def add_absence(self, tokens: Tokens, frame: int, most: int) -> None:
        """Keep a frame on which the objects are not there; of these at most the newest `most`."""
        self._add(self.lengths.place(self.recent), tokens)
        self.absences.append(frame)
        self._keep_last(self.absences, most, self.recent)

    def add_working(self, tokens: Tokens, frame: int) -> None:
        """Remember a frame's tokens for a while; the objects are there again."""
        self._keep_last(self.absences, 0, self.recent)
        self._add(len(self.lengths), tokens)
        self.recent.append(frame)

    def forget_newest(self, frame: int) -> None:
        """Forget a frame where it is the newest of working memory."""
        if self.recent[-1:] == [frame]:
            del self.recent[-1], self.lengths[-1]

    def keep_newest(self, count: int) -> None:
        """Forget all but the newest `count` frames of working memory."""
        self._keep_last(self.recent, count)

    def consolidate(self, config: LongTermConfig, keep: int) -> None:
        """Turn all but the newest `keep` frames of working memory into a few long-term tokens."""
        room = config.most_tokens - config.prototypes
        if self.long_term >= room:
            self._keep_most_used(room - config.buffer_tokens)
        stay = self.recent[max(len(self.recent) - keep, 0) :]
        old = self.lengths[self.lengths.place(self.recent) : self.lengths.place(stay)]
        begin = self.size - self.working
        candidates = self.tokens.part(begin, begin + sum(old))
        prototypes = _prototypes(candidates, min(config.prototypes, candidates.length))
        self.keep_newest(keep)
        self._insert(self.long_term, prototypes)
        self.long_term += prototypes.length

    def split(self, objects: Sequence[int]) -> "Bucket":
        """Move some of the objects into a bucket of their own, which remembers the same so far."""
        slots = [self.objects.index(object_id) for object_id in objects]
        own = replace(
            self,
            objects=list(objects),
            tokens=Tokens(*(part.clone() for part in self.tokens.of_objects(slots))),
            anchors=set(self.anchors),
            distractors=list(self.distractors),
            absences=list(self.absences),
            recent=list(self.recent),
            lengths=Lengths(self.lengths),
        )
        self.delete_objects(objects)
        return own

    def remembers_as(self, other: "Bucket") -> bool:
        """Return whether another bucket remembers the same frames, and nothing consolidated."""
        mine, theirs = (
            (each.anchors, each.distractors, each.absences, each.recent) for each in (self, other)
        )
        return mine == theirs and not self.long_term and not other.long_term

    def join(self, other: "Bucket") -> None:
        """Take over the objects of a bucket that remembers the same frames."""
        count = min(self.tokens.length, other.tokens.length)
        parts = [each.tokens.value[:, :, :count] for each in (self, other)]
        self.tokens = self.tokens.part(0, count)._replace(value=torch.cat(parts, dim=1))
        self.objects += other.objects

    def delete_objects(self, objects: Iterable[int]) -> None:
        """Forget objects altogether."""
        gone = set(objects)
        kept = [slot for slot, object_id in enumerate(self.objects) if object_id not in gone]
        if len(kept) == len(self.objects):
            return
        self.objects = [self.objects[slot] for slot in kept]
        self.tokens = self.tokens.of_objects(kept)

    def store_of(self, token: int) -> Store:
        """Return which part of memory a token lies in."""
        if token < self.long_term:
            return Store.LONG_TERM
        return Store.ANCHOR if token < self.long_term + self.permanent else Store.WORKING

    def cell_of(self, token: int) -> int | None:
        """Return which of its frame's cells a token is, row by row; None of a summary."""
        return None if token < self.long_term else self.lengths.cell(token - self.long_term)

    def frames_of(self, index: Tensor) -> Tensor:
        """Return the frames that the tokens `index` (n,) come from, (n,)."""
        return self.tokens.record[0, 0, index, _FRAME].long()

    def _used(self) -> Tokens:
        return self.tokens.part(0, self.size)

    def _add(self, place: int, tokens: Tokens) -> None:
        """Put a frame's tokens before those of the frame at a place."""
        self._insert(self.long_term + self.lengths.before(place), tokens)
        self.lengths.insert(place, tokens.length)

    def _insert(self, at: int, tokens: Tokens) -> None:
        """Put tokens before the one at `at`; the caller counts them."""
        needed = self.size + tokens.length
        if needed > self.tokens.length:
            old = self._used()
            self.tokens = Tokens(*(_longer(part, needed * 3 // 2) for part in old))
            self.tokens.write(0, old)
        self.tokens.write(at + tokens.length, self.tokens.part(at, self.size))
        self.tokens.write(at, tokens)

    def _keep_last(self, frames: list[int], count: int, *newer: Sequence[int]) -> None:
        """Forget all but the last `count` of some frames; those `newer` lie behind them."""
        gone = max(len(frames) - count, 0)
        if gone:
            first = self.lengths.place(frames, *newer)
            begin = self.long_term + self.lengths.before(first)
            kept = begin + sum(self.lengths[first : first + gone])
            self.tokens.write(begin, self.tokens.part(kept, self.size))
            del frames[:gone], self.lengths[first : first + gone]

    def _keep_most_used(self, count: int) -> None:
        """Keep the `count` long-term tokens that were read most per frame of their life."""
        start = self.long_term
        best = _rate(self.tokens.part(0, start)).topk(min(max(count, 0), start), dim=1).indices
        survivors = _gather(self.tokens, best)
        rest = Tokens(*(part.clone() for part in self.tokens.part(start, self.size)))
        self.long_term = survivors.length
        self.tokens.write(0, survivors)
        self.tokens.write(self.long_term, rest)


def _prototypes(candidates: Tokens, count: int) -> Tokens:
    """Return the most used candidates, each with what it reads among all candidates.

    A prototype looks up the candidates with its own key and selection ("potentiation").
    """
    best = _rate(candidates).topk(count, dim=1).indices
    chosen = _gather(candidates, best)
    _, shrinkage = _decode(candidates.terms[:, 0])
    own_key, _ = _decode(chosen.terms[:, 0])
    query, memory = query_terms(own_key, chosen.selection[:, 0]), candidates.terms[:, 0]
    value = full_readout(query, memory, candidates.value)
    shrinkage = full_readout(query, memory, shrinkage.unsqueeze(1))[:, 0]
    record = chosen.record.clone()
    record[..., _USED], record[..., _LIFE] = 0, _NEWBORN
    return Tokens(memory_terms(own_key, shrinkage).unsqueeze(1), chosen.selection, value, record)


def _rate(tokens: Tokens) -> Tensor:
    """Return how much each token was read per frame of its life, (B, M)."""
    return tokens.record[:, 0, :, _USED] / tokens.record[:, 0, :, _LIFE]


def _gather(tokens: Tokens, index: Tensor) -> Tokens:
    """Return the tokens `index` (B, m), picked for each image on its own."""
    where = index[:, None, :, None]
    return Tokens(*(torch.take_along_dim(part, where, dim=2) for part in tokens))


def _decode(terms: Tensor) -> tuple[Tensor, Tensor]:
    """Return the keys (B, M, D) and shrinkage (B, M, 1) of memory terms."""
    width, weight = terms.shape[-1] // 2, terms[..., -1:]
    return terms[..., :width] / weight, weight * math.sqrt(width)


def _longer(part: Tensor, count: int) -> Tensor:
    """Return an empty tensor like `part`, for `count` tokens."""
    return part.new_empty(*part.shape[:2], count, part.shape[3])
