"""The memory bank of a video: plain tensors, held by whoever tracks.

Objects that have the same anchors start in one bucket of tokens, and are computed together. Where
one of them is remembered on a frame and another is not, their buckets part.

Shapes: B images (2 with the mirrored one), K objects, P pixels of the query.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from models.cutie.config import MemoryConfig, PresenceConfig
from models.cutie.memory.bucket import Bucket, Tokens, new_tokens
from models.cutie.network.network import ImageFeatures


class Bank:
    """All that is remembered: buckets of tokens, and per object a sensory and an object memory."""

    def __init__(self, config: MemoryConfig, *, anchor_frames: int = 1) -> None:
        self.config = config
        self.buckets: list[Bucket] = []
        self.sensory: dict[int, Tensor] = {}  # object -> (B, S, h, w)
        self.summary: dict[int, Tensor] = {}  # object -> (B, Q, E + 1), summed over frames
        self._groups: list[list[int]] = []  # objects with the same anchors
        self._anchor_frames = anchor_frames
        self._presence = config.presence or PresenceConfig(least_score=0)

    def bucket_of(self, object_id: int) -> Bucket | None:
        """Return the bucket of an object, or None where nothing of it is remembered."""
        return next((bucket for bucket in self.buckets if object_id in bucket.objects), None)

    def add_anchor(
        self, features: ImageFeatures, value: Tensor, objects: Sequence[int], frame: int
    ) -> None:
        """Keep an anchor for good: `value` (B, K, V, h, w) of objects with the same anchors."""
        if self.bucket_of(objects[0]) is None:
            self._new_bucket(objects, new_tokens(features, value, frame))
        for bucket in self._buckets_of(objects):
            own = select_objects(value, objects, bucket.objects)
            bucket.add_permanent(new_tokens(features, own, frame), frame)

    def add_frame(
        self,
        features: ImageFeatures,
        value: Tensor,
        objects: Sequence[int],
        frame: int,
        *,
        confusing: Collection[int] = (),
    ) -> list[int]:
        """Remember a frame: `value` (B, K, V, h, w) of these objects; return which are new to it.

        A frame that is an anchor of a bucket is remembered there already. Objects seen for the
        first time get a bucket of their own, and the frame is permanent in it. Where one of the
        `confusing` objects is in a bucket, the frame is kept there outside the queue.
        """
        fresh = [object_id for object_id in objects if self.bucket_of(object_id) is None]
        learned = list(fresh)
        for bucket in self._buckets_of(objects):
            if frame in bucket.anchors:
                continue
            learned += bucket.objects
            tokens = new_tokens(features, select_objects(value, objects, bucket.objects), frame)
            if any(object_id in confusing for object_id in bucket.objects):
                bucket.add_distractor(tokens, frame, self._presence.distractors)
            else:
                bucket.add_working(tokens, frame)
        if fresh:
            self.add_anchor(features, select_objects(value, objects, fresh), fresh, frame)
        for bucket in self.buckets:
            self._tidy(bucket)
        self._rejoin()
        return learned

    def add_absence(
        self, features: ImageFeatures, value: Tensor, objects: Sequence[int], frame: int
    ) -> None:
        """Keep a frame on which these objects are not there: `value` (B, K, V, h, w)."""
        for bucket in self._buckets_of(objects):
            tokens = new_tokens(features, select_objects(value, objects, bucket.objects), frame)
            bucket.add_absence(tokens, frame, self._presence.absences)

    def forget_newest(self, frame: int) -> None:
        """Forget a frame where it is the newest that is remembered for a while."""
        for bucket in self.buckets:
            bucket.forget_newest(frame)

    def add_permanent(
        self, features: ImageFeatures, value: Tensor, objects: Sequence[int], frame: int
    ) -> None:
        """Keep a frame for good: `value` (B, K, V, h, w) of these objects, new or known."""
        known = [bucket.objects for bucket in self.buckets]
        fresh = [object_id for object_id in objects if self.bucket_of(object_id) is None]
        for group in [*known, *([fresh] if fresh else [])]:
            self.add_anchor(features, select_objects(value, objects, group), group, frame)

    def readout(self, query: Tensor, objects: Sequence[int]) -> dict[int, Tensor]:
        """Return what each pixel reads of each object, (B, P, V); `query` is (B, P, 2D + 1)."""
        found: dict[int, Tensor] = {}
        for bucket in self.buckets:
            if bucket.objects[0] in objects:
                affinity = bucket.affinity(query, self.config.top_k)
                bucket.count_usage(affinity)
                found |= zip(bucket.objects, bucket.readout(affinity).unbind(1), strict=True)
        return found

    def add_summary(self, summary: Tensor, objects: Sequence[int], of: Iterable[int]) -> None:
        """Add summaries (B, K, Q, E + 1) of `objects` to the object memory of some of them."""
        for object_id in of:
            fresh = summary[:, objects.index(object_id)]
            known = self.summary.get(object_id)
            self.summary[object_id] = fresh.clone() if known is None else known + fresh

    def delete_objects(self, objects: Iterable[int]) -> None:
        """Forget objects altogether: tokens, sensory and object memory."""
        gone = list(objects)
        for bucket in self.buckets:
            bucket.delete_objects(gone)
        self.buckets = [bucket for bucket in self.buckets if bucket.objects]
        kept = ([each for each in group if each not in gone] for group in self._groups)
        self._groups = [group for group in kept if group]
        for object_id in gone:
            self.sensory.pop(object_id, None)
            self.summary.pop(object_id, None)

    def groups(self, active: Sequence[int]) -> Iterator[list[int]]:
        """Yield the objects to compute at once: those with the same anchors, in chunks."""
        for group in self._groups:
            if group[0] not in active:
                continue
            step = self.config.chunk or len(group)
            for start in range(0, len(group), step):
                yield group[start : start + step]

    def _buckets_of(self, objects: Sequence[int]) -> list[Bucket]:
        """Return the buckets that hold these objects alone; those that hold others, too, part."""
        for bucket in list(self.buckets):
            own = [object_id for object_id in bucket.objects if object_id in objects]
            if own and len(own) < len(bucket.objects):
                self.buckets.append(bucket.split(own))
        return [bucket for bucket in self.buckets if bucket.objects[0] in objects]

    def _rejoin(self) -> None:
        """Join parted buckets that remember the same again."""
        kept: list[Bucket] = []
        for bucket in self.buckets:
            group = next(each for each in self._groups if bucket.objects[0] in each)
            twins = (each for each in kept if each.objects[0] in group)
            twin = next((each for each in twins if each.remembers_as(bucket)), None)
            if twin is None:
                kept.append(bucket)
            else:
                twin.join(bucket)
        self.buckets = kept

    def _new_bucket(self, objects: Sequence[int], tokens: Tokens) -> None:
        long_term = self.config.long_term
        frames = long_term.most_frames if long_term else self.config.frames
        frames += self._anchor_frames + self._presence.distractors + self._presence.absences
        capacity = frames * tokens.length
        capacity += long_term.most_tokens if long_term else 0
        bucket = Bucket.empty(objects, tokens, capacity)
        self.buckets.append(bucket)
        self._groups.append(list(objects))

    def _tidy(self, bucket: Bucket) -> None:
        """Forget or consolidate what is too much.

        The published settings count the first, permanent frame as working memory: hence the 1.
        """
        long_term = self.config.long_term
        if long_term is None:
            bucket.keep_newest(self.config.frames - 1)
        elif len(bucket.recent) >= long_term.most_frames - 1:
            bucket.consolidate(long_term, long_term.least_frames - 1)


def select_objects(tensor: Tensor, objects: Sequence[int], wanted: Sequence[int]) -> Tensor:
    """Return the slots of `wanted` out of a tensor (B, K, ...) whose slots are `objects`."""
    if list(objects) == list(wanted):
        return tensor
    return torch.stack([tensor[:, objects.index(object_id)] for object_id in wanted], dim=1)
