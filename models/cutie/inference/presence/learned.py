"""The presence of each object as a presence head judges it, frame after frame."""

from collections.abc import Collection, Iterable, Sequence

import torch
from torch import Tensor

from models.cutie.config import PresenceConfig
from models.cutie.inference.presence.evidence import (
    CLAIMED,
    NAMES,
    FrameMaps,
    Known,
    Seen,
    measure,
    near,
)
from models.cutie.network.presence_head import PresenceHead


class LearnedPresence:
    """Which objects are there, by the evidence of the frame and of those on which they were."""

    def __init__(self, head: PresenceHead, config: PresenceConfig) -> None:
        self._head = head
        self._config = config
        self._known: dict[int, Known] = {}
        self._enriched: dict[int, Tensor] = {}  # object -> (E,) of the frame at hand
        self._absent: set[int] = set()  # of the frame before

    def start(self, mask: Tensor, pix_feat: Tensor, object_id: int) -> None:
        """Begin to know an object by its mask (H, W) of 0 and 1 on a frame."""
        probability = torch.stack([1 - mask, mask])
        self.learn(probability, pix_feat, [object_id], [object_id], [])

    def absent(self, maps: FrameMaps, objects: Sequence[int], given: Collection[int]) -> list[int]:
        """Return the objects that are not there; those that were `given` are.

        The answer decides what is computed next, so a device is waited for.
        """
        seen = Seen.of(maps.probability, maps.pix_feat, maps.enriched)
        assert seen.enriched is not None
        self._enriched = dict(zip(objects, seen.enriched, strict=True))
        evidence = measure(maps, seen, [self._known[each] for each in objects])
        claimed = evidence[:, NAMES.index(CLAIMED)] >= self._config.least_claimed
        gone = ((self._head(evidence) < self._config.least_presence) & claimed).tolist()
        pairs = zip(objects, gone, strict=True)
        return [object_id for object_id, is_gone in pairs if is_gone and object_id not in given]

    def claims(self, own: Tensor, objects: Sequence[int], absent: Collection[int]) -> Tensor:
        """Return what objects may claim of their own probabilities (B, K, ...), 0 or 1.

        Absent objects nothing. While one is absent, or has been just now, the others claim nothing
        far from where they were: or they would take it as it returns, if they look like it.
        """
        if not absent and not self._absent:
            return torch.ones((), device=own.device)
        cells = torch.stack([self._known[each].cells for each in objects])
        allowed = near(cells, own[0])
        for slot, object_id in enumerate(objects):
            if object_id in absent:
                allowed[slot] = False
            elif object_id in self._absent:
                allowed[slot] = True
        mirrored = [allowed, allowed.flip(-1)]
        return torch.stack(mirrored[: own.shape[0]]).to(own.dtype)

    def learn(
        self,
        probability: Tensor,
        pix_feat: Tensor,
        objects: Sequence[int],
        present: Collection[int],
        absent: Collection[int],
    ) -> None:
        """Take in a frame: probabilities (K + 1, H, W) of the objects.

        Of those that are `present` the looks are learned; the others need not be `absent`.
        """
        seen = Seen.of(probability, pix_feat)
        for slot, object_id in enumerate(objects):
            area, cells, look = (each[slot] for each in (seen.area, seen.cells, seen.look))
            known = self._known.get(object_id)
            if known is None:
                self._known[object_id] = Known(area, cells, look, look)
            elif object_id in present:
                known.learn(area, cells, look, self._enriched.get(object_id))
            elif object_id not in absent:
                known.cells = cells
        self._enriched = {}
        self._absent = set(absent)

    def forget(self, objects: Iterable[int]) -> None:
        """Know nothing of these objects any more."""
        for object_id in objects:
            self._known.pop(object_id, None)
