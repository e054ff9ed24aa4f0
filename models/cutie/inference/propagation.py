"""The propagation of masks through a video: the memory carried from frame to frame.

Shapes: B images (2 with the mirrored one), K objects, H and W as the network sees the frame.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from models.api import ModelError, Place, Store, Vote
from models.cutie.affinity import query_terms
from models.cutie.config import MemoryConfig
from models.cutie.inference.geometry import Geometry
from models.cutie.inference.presence.evidence import FrameMaps
from models.cutie.inference.presence.learned import LearnedPresence
from models.cutie.inference.presence.showing import Showing
from models.cutie.inference.presence.usual import Presence, rivalled
from models.cutie.memory.bank import Bank, select_objects
from models.cutie.network.layers import aggregate, side_by_side
from models.cutie.network.network import ImageFeatures, MaskFeatures, Network, join, pixels


class EncodedFrame(NamedTuple):
    """A frame and what the network knows of it; the second image, if any, is the mirrored one."""

    number: int
    image: Tensor  # (B, 3, H, W), 0 to 1
    features: ImageFeatures
    geometry: Geometry  # what was seen of it


class Segmented(NamedTuple):
    """A frame's objects as the network predicts them; the maps are those of the first image."""

    own: Tensor  # (B, K, ...) each object's own probability, at stride 4 or 2
    sensory: dict[int, Tensor]  # object -> its sensory memory, renewed: (B, S, h, w)
    steering: Tensor  # (K, h, w) logits
    enriched: Tensor  # (K, E, h, w)

    def probability(self, size: tuple[int, int], claims: Tensor | None = None) -> Tensor:
        """Return the objects joined, (K + 1, H, W); `claims` (B, K, ...) are 0 where none is."""
        own = self.own if claims is None else self.own * claims
        joined = join(own, size, None).probability
        if joined.shape[0] == 1:
            return joined[0]
        return (joined[0] + joined[1].flip(-1)) / 2


class FrameSizeError(ModelError):
    """A frame has another size than those before it."""


class Propagation:
    """Segments frame after frame by what it remembers; see Cutie, section 3, and XMem, section 3.

    `objects` lists the objects that are followed now, in the order of the probabilities' channels.
    `learned` judges by the network's presence head who is there, where it has one.
    """

    def __init__(
        self,
        network: Network,
        config: MemoryConfig,
        *,
        anchor_frames: int = 1,
        left_out: Collection[int] = (),
    ) -> None:
        """`left_out` are frames that are never remembered, unless they are anchors."""
        self.network = network
        self.config = config
        self.bank = Bank(config, anchor_frames=anchor_frames)
        self.objects: list[int] = []
        self._last_masks: Tensor | None = None  # (B, K, H, W)
        self._starting: dict[int, Tensor] = {}  # object -> mask (B, H, W) to start from
        self._size: tuple[int, ...] | None = None
        self._columns: dict[int, int] = {}  # frame -> of its cells, as it was remembered
        head = network.presence_head
        self._presence = Presence(config.presence) if config.presence else None
        self._showing = Showing(config.shown) if config.shown else None
        self.learned: LearnedPresence | None = None
        if config.presence is not None and head is not None:
            self.learned = LearnedPresence(head, config.presence)
        self._left_out = frozenset(left_out)
        self._time = -1
        self._last_memory = 0  # time of the last frame that was remembered
        self._sensory_times = _sensory_times(config)

    def add_anchor(
        self,
        frame: EncodedFrame,
        masks: Mapping[int, Tensor],
        groups: Sequence[Sequence[int]],
        *,
        starting: Sequence[int] = (),
    ) -> None:
        """Keep an anchor for good, wherever it lies: object -> mask (H, W) of 0 and 1.

        `groups` are the objects that have all their anchors in common, so that they can share a
        bucket. `start` will follow the `starting` objects from here, with no frame in between.
        """
        objects = list(masks)
        stacked = _mirrored(torch.stack(list(masks.values())), frame)
        encoded = self._encode(frame, stacked)
        self.bank.add_summary(encoded.summary, objects, objects)
        for group in groups:
            value = select_objects(encoded.value, objects, group)
            self.bank.add_anchor(frame.features, value, group, frame.number)
        for object_id in starting:
            slot = objects.index(object_id)
            empty = self._empty_sensory(frame)
            value = encoded.value[:, slot : slot + 1]
            if self.learned is not None:
                with _single_precision(stacked):
                    self.learned.start(stacked[0, slot], frame.features.pix_feat[0], object_id)
            self.bank.sensory[object_id] = self.network.deep_update(value, empty[:, None])[:, 0]
            self._starting[object_id] = stacked[:, slot]

    def start(self) -> None:
        """Follow the objects that `add_anchor` was told to start, as if their anchors came last."""
        if self._starting:
            self.objects = list(self._starting)
            masks = torch.stack(list(self._starting.values()), dim=1)
            self._last_masks = aggregate(masks).softmax(dim=1)[:, 1:]
            self._starting = {}
            self._time = 0

    def step(
        self,
        frame: EncodedFrame,
        given: Mapping[int, Tensor] | None = None,
        *,
        permanent: bool = False,
        last: bool = False,
    ) -> Tensor:
        """Segment the next frame and remember it where it is due; return (K + 1, H, W), sum 1.

        `given` masks, object -> (H, W) of 0 and 1, are taken as truth; objects without one are
        predicted; new objects are followed from here on. `permanent` keeps the frame for good.
        `last` saves the work that only later frames need.
        """
        self._check_size(frame)
        self._time += 1
        since = self._time - self._last_memory
        predicted: dict[int, Tensor] = {}
        probability, absent = _background(frame), list[int]()
        if self.objects and (given is None or given.keys() != set(self.objects)):
            segmented = self._segment(frame, renew=since in self._sensory_times and not last)
            probability, absent = self._judged(frame, segmented, given or {})
            renewed = segmented.sensory.items()
            self.bank.sensory.update(each for each in renewed if each[0] not in absent)
            predicted = dict(zip(self.objects, probability[1:], strict=True))
        if given:
            probability = self._merge(predicted, given)
        before = self._last_masks
        self._last_masks = _mirrored(probability[1:], frame)
        due = bool(self.objects) and (
            ((since >= self.config.every or given) and not last) or permanent
        )
        present: Sequence[int] = []
        if due or self.learned is not None:
            known = self.objects if permanent else given or {}
            present = self._present(frame, probability, known, absent)
        if due:
            confusing = self._confusing(probability, before)
            self._add_memory(frame, present, confusing, permanent=permanent)
        return self._shown(probability, given or {})

    def remember(self, frame: EncodedFrame) -> bool:
        """Remember the frame of the last step as the view shows it to which `move` has led.

        That takes the place of what was remembered of it. Return whether an object is there.
        """
        if self._last_masks is None or not self.objects:
            return False
        masks = self._last_masks[0]
        probability = torch.cat([1 - masks.sum(dim=0, keepdim=True), masks])
        present = self._present(frame, probability, {}, [])
        if present:
            self.bank.forget_newest(frame.number)
            self._add_memory(frame, present, [], permanent=False)
        return bool(present)

    def recognise(self, frame: EncodedFrame) -> Tensor:
        """Return the objects by how they look, wherever they were, (K + 1, H, W); keep nothing."""
        last, sensory = self._last_masks, self.bank.sensory
        assert last is not None
        self._last_masks = last.new_zeros(*last.shape[:2], *frame.image.shape[-2:])
        self.forget_places(frame)
        try:
            return self._segment(frame, renew=False).probability(frame.features.size)
        finally:
            self._last_masks, self.bank.sensory = last, sensory

    def forget_places(self, frame: EncodedFrame) -> None:
        """Let the sensory memory, which knows where the objects were, begin anew."""
        self.bank.sensory = {each: self._empty_sensory(frame) for each in self.objects}

    def move(self, before: Geometry, after: Geometry) -> None:
        """Bring what is known from just before to the view in which the next frame is seen.

        That may have other pixels; what is remembered of frames stays as they were seen.
        """
        self._size = after.padded
        if self._last_masks is not None:
            self._last_masks = after.resampled(self._last_masks, before)
        for object_id, mask in self._starting.items():
            self._starting[object_id] = after.resampled(mask[:, None], before)[:, 0]
        for object_id, sensory in self.bank.sensory.items():
            moved = after.resampled(sensory, before)
            self.bank.sensory[object_id] = moved.to(memory_format=torch.channels_last)
        if self._presence is not None:
            self._presence.enlarge(math.prod(after.scale) / math.prod(before.scale))

    def delete_objects(self, objects: Sequence[int]) -> None:
        """Stop following objects, and keep nothing of them."""
        kept = [object_id for object_id in self.objects if object_id not in objects]
        if self._last_masks is not None and kept:
            self._last_masks = select_objects(self._last_masks, self.objects, kept)
        self.objects = kept
        self.bank.delete_objects(objects)
        if self.learned is not None:
            self.learned.forget(objects)

    def explain(
        self, features: ImageFeatures, row: int, column: int, object_id: int | None
    ) -> list[Vote]:
        """Return which remembered frames vote for the pixel at (row, column) of stride 16.

        Strongest first; the weights sum to 1. Memory is as it is now. None asks for all objects.
        Places are (column, row) of stride 16, too, of the pixels that the frame was seen in.
        """
        buckets = [
            bucket
            for bucket in self.bank.buckets
            if object_id is None or object_id in bucket.objects
        ]
        asked = sum(len(bucket.objects) for bucket in buckets)
        at = features.key.shape[-1] * row + column
        query = query_terms(pixels(features.key.float()), pixels(features.selection.float()))
        shares: dict[tuple[int, Store], dict[int | None, float]] = {}
        for bucket in buckets:
            affinity = bucket.affinity(query[:1, at : at + 1], self.config.top_k)
            tokens, weights = affinity.token[0, 0], affinity.weight[0, 0].tolist()
            frames = bucket.frames_of(tokens).tolist()
            for token, frame, weight in zip(tokens.tolist(), frames, weights, strict=True):
                share = shares.setdefault((frame, bucket.store_of(token)), {})
                cell = bucket.cell_of(token)
                share[cell] = share.get(cell, 0.0) + weight * len(bucket.objects) / asked
        votes = [
            Vote(*key, sum(cells.values()), _places(cells, self._columns[key[0]]))
            for key, cells in shares.items()
        ]
        return sorted(votes, key=lambda vote: vote.weight, reverse=True)

    def _segment(self, frame: EncodedFrame, *, renew: bool) -> Segmented:
        """Predict all objects; renew the sensory memory where asked, but keep that nowhere."""
        assert self._last_masks is not None
        features = frame.features
        query = query_terms(pixels(features.key.float()), pixels(features.selection.float()))
        readouts = self.bank.readout(query, self.objects)
        enriched: dict[int, Tensor] = {}
        steering: dict[int, Tensor] = {}
        for group in self.bank.groups(self.objects):
            result, steered = self.network.enrich(
                features.pix_feat,
                torch.stack([readouts[object_id] for object_id in group], dim=1),
                self._sensory(group),
                select_objects(self._last_masks, self.objects, group),
                torch.stack([self.bank.summary[object_id] for object_id in group], dim=1),
            )
            enriched |= dict(zip(group, result.unbind(1), strict=True))
            steering |= dict(zip(group, steered[-1][0], strict=True))
        own, sensory = self._decode(features, enriched, renew=renew)
        return Segmented(
            own,
            sensory,
            torch.stack([steering[each] for each in self.objects]),
            torch.stack([enriched[each][0] for each in self.objects]),
        )

    def _decode(
        self, features: ImageFeatures, enriched: Mapping[int, Tensor], *, renew: bool
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Return each object's own probability (B, K, ...), and its sensory memory if renewed."""
        decoded: list[Tensor] = []
        renewed: dict[int, Tensor] = {}
        step = self._chunk(len(self.objects))
        for first in range(0, len(self.objects), step):
            group = self.objects[first : first + step]
            stacked = side_by_side([enriched[object_id] for object_id in group])
            sensory = self._sensory(group) if renew else None
            probabilities, sensory = self.network.decode(features, stacked, sensory)
            decoded.append(probabilities)
            if sensory is not None:
                renewed |= zip(group, sensory.unbind(1), strict=True)
        return torch.cat(decoded, dim=1), renewed

    def _judged(
        self, frame: EncodedFrame, segmented: Segmented, given: Collection[int]
    ) -> tuple[Tensor, list[int]]:
        """Return the probability (K + 1, H, W), and whom the presence head takes for absent.

        These have an empty mask; what they claimed goes to whoever else claims it.
        """
        probability = segmented.probability(frame.features.size)
        if self.learned is None:
            return probability, []
        maps = FrameMaps(
            probability,
            segmented.own[0],
            segmented.steering,
            segmented.enriched,
            frame.features.pix_feat[0],
        )
        with _single_precision(probability):
            absent = self.learned.absent(maps, self.objects, given)
            claims = self.learned.claims(segmented.own, self.objects, absent)
        if claims.numel() > 1:
            probability = segmented.probability(frame.features.size, claims)
        return probability, absent

    def _merge(self, predicted: Mapping[int, Tensor], given: Mapping[int, Tensor]) -> Tensor:
        """Put given masks over predicted probabilities; return (K + 1, H, W), sum 1."""
        taken = torch.stack(list(given.values())).amax(dim=0) > 0.5
        merged = {object_id: mask.masked_fill(taken, 0) for object_id, mask in predicted.items()}
        merged.update(given)
        self.objects += [object_id for object_id in given if object_id not in self.objects]
        stacked = torch.stack([merged[object_id] for object_id in self.objects])
        return aggregate(stacked[None]).softmax(dim=1)[0]

    def _shown(self, probability: Tensor, given: Collection[int]) -> Tensor:
        """Return the probability (K + 1, H, W) of the masks that are shown."""
        if self._showing is None or not self.objects:
            return probability
        usual = self._presence.usual_area if self._presence is not None else lambda _: 0.0
        return self._showing.show(probability, self.objects, usual, given)

    def _present(
        self,
        frame: EncodedFrame,
        probability: Tensor,
        given: Collection[int],
        absent: Collection[int],
    ) -> Sequence[int]:
        """Return the objects that are present, by their probability (K + 1, H, W), or `given`.

        All of them where the config does not ask. With a presence head nobody who is `absent`, and
        it learns of the others.
        """
        if self._presence is None:
            return self.objects
        known = self._presence.judge(probability, self.objects, given)
        present = [each for each in known if each in given or each not in absent]
        if self.learned is not None and self.objects:
            pix_feat = frame.features.pix_feat[0]
            with _single_precision(pix_feat):
                self.learned.learn(probability, pix_feat, self.objects, present, absent)
        return present

    def _confusing(self, probability: Tensor, before: Tensor | None) -> list[int]:
        """Return the objects that something else was close to be taken for.

        By their probability (K + 1, H, W), and that of the frame `before`, (B, K, H, W).
        """
        presence = self.config.presence
        if presence is None or not presence.distractors or before is None:
            return []
        if before.shape[1] != len(self.objects):
            return []  # new objects came in
        found = rivalled(probability[1:], before[0], presence).tolist()
        return [each for each, rival in zip(self.objects, found, strict=True) if rival]

    def _add_memory(
        self,
        frame: EncodedFrame,
        present: Sequence[int],
        confusing: Collection[int],
        *,
        permanent: bool,
    ) -> None:
        assert self._last_masks is not None
        self._last_memory = self._time
        absent = self._absent(present)
        if frame.number in self._left_out or not (present or absent):
            return
        encoded = self._encode(frame, self._last_masks)
        if absent:
            value = select_objects(encoded.value, self.objects, absent)
            self.bank.add_absence(frame.features, value, absent, frame.number)
        if present:
            self._learn(frame, encoded, present, confusing, permanent=permanent)

    def _absent(self, present: Collection[int]) -> list[int]:
        """Return the objects whose absence is remembered, where only some are `present`."""
        presence = self.config.presence
        if presence is None or not presence.absences:
            return []
        return [object_id for object_id in self.objects if object_id not in present]

    def _learn(
        self,
        frame: EncodedFrame,
        encoded: MaskFeatures,
        present: Sequence[int],
        confusing: Collection[int],
        *,
        permanent: bool,
    ) -> None:
        """Add to the memory of the objects that are present: bank, summary and sensory memory."""
        for object_id in self.objects:
            self.bank.sensory.setdefault(object_id, self._empty_sensory(frame))
        bank, features = self.bank, frame.features
        value = select_objects(encoded.value, self.objects, present)
        if permanent:
            bank.add_permanent(features, value, present, frame.number)
            learned = present
        else:
            learned = bank.add_frame(features, value, present, frame.number, confusing=confusing)
        bank.add_summary(encoded.summary, self.objects, learned)
        sensory = self.network.deep_update(value, self._sensory(present))
        bank.sensory.update(zip(present, sensory.unbind(1), strict=True))

    def _encode(self, frame: EncodedFrame, masks: Tensor) -> MaskFeatures:
        """Encode masks (B, K, H, W)."""
        self._columns[frame.number] = frame.features.key.shape[-1]
        return self.network.encode_mask(
            frame.image, frame.features.pix_feat, masks, at_once=self._chunk(masks.shape[1])
        )

    def _chunk(self, objects: int) -> int:
        """Return how many objects to take through the finer maps together.

        They do not meet there. A CPU takes one after the other: its cache holds no more.
        """
        if self.network.pixel_mean.device.type == "cpu":
            return 1
        return self.config.chunk or objects

    def _sensory(self, objects: Sequence[int]) -> Tensor:
        return side_by_side([self.bank.sensory[object_id] for object_id in objects])

    def _empty_sensory(self, frame: EncodedFrame) -> Tensor:
        key = frame.features.key
        return self.network.initial_sensory(key.shape[0], 1, (key.shape[2], key.shape[3]))[:, 0]

    def _check_size(self, frame: EncodedFrame) -> None:
        size = tuple(frame.image.shape[-2:])
        if self._size not in (None, size):
            raise FrameSizeError(
                f"Frame {frame.number} has another size than those before it: "
                f"{size} for {self._size}. Start a new propagation for it."
            )
        self._size = size


def _mirrored(masks: Tensor, frame: EncodedFrame) -> Tensor:
    """Return masks (K, H, W) as (B, K, H, W), the second one mirrored."""
    if frame.image.shape[0] == 1:
        return masks[None]
    return torch.stack([masks, masks.flip(-1)])


def _background(frame: EncodedFrame) -> Tensor:
    return torch.ones((1, *frame.image.shape[-2:]), device=frame.image.device)


def _places(cells: Mapping[int | None, float], width: int) -> tuple[Place, ...]:
    """Return the cells of a frame that are known, as (column, row), strongest first."""
    known = sorted((weight, cell) for cell, weight in cells.items() if cell is not None)
    return tuple(Place(cell % width, cell // width, weight) for weight, cell in reversed(known))


def _single_precision(near: Tensor) -> torch.autocast:
    """Return a context in which likeness is told to more digits than two."""
    return torch.autocast(near.device.type, enabled=False)


def _sensory_times(config: MemoryConfig) -> set[int]:
    """Return how many frames after a remembered one the sensory memory is renewed."""
    if config.sensory_updates >= config.every:
        return set(range(1, config.every + 1))
    spaced = torch.linspace(1, config.every, config.sensory_updates, dtype=torch.float64)
    return {round(time) for time in spaced.tolist()}
