"""The vote over a video's label maps: each object's coarse masks become unions of masklets."""

from collections.abc import Mapping

import numpy as np

from app.batch.masks.anchors import ids_in
from app.core.mask import Mask
from app.core.refine import paint_masks
from app.core.vote import VoteFrame, VoteRules, vote
from app.storage.formats.palette import VOID, Labels
from models.api import BoolMask


def voted(
    coarse: Mapping[int, Labels], masklets: Mapping[int, Labels], rules: VoteRules
) -> dict[int, Labels]:
    """Return the label maps of the frames in `coarse`, made consistent window by window.

    `masklets` are the label maps of a tracker; a frame that has none votes for nothing. Where
    objects overlap the one of the higher id lies on top. Pixels that are ignored stay so.
    """
    frames = sorted(coarse)
    elected: dict[int, dict[int, Mask]] = {frame: {} for frame in frames}
    for number in sorted({number for labels in coarse.values() for number in ids_in(labels)}):
        ballots = (
            VoteFrame(coarse[frame] == number, _masks_of(masklets.get(frame))) for frame in frames
        )
        masks = (mask for window in vote(ballots, rules) for mask in window.masks)
        for frame, mask in zip(frames, masks, strict=True):
            if (packed := Mask.encode(mask)) is not None:
                elected[frame][number] = packed
    return {
        frame: paint_masks(_ignored(coarse[frame]), masks, sorted(masks))
        for frame, masks in elected.items()
    }


def _masks_of(labels: Labels | None) -> dict[int, BoolMask]:
    return {} if labels is None else {number: labels == number for number in ids_in(labels)}


def _ignored(labels: Labels) -> Labels:
    return np.where(labels == VOID, labels, 0).astype(np.uint8)
