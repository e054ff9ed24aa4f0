"""The finding of objects by words: boxes of a detector become masks, and these proposals.

Nothing is written here. A proposal is for an object on a frame where it has no mask yet, or for a
new object; what a person or a tracker made is never replaced.
"""

from collections.abc import Generator, Sequence

import numpy as np

from app.core.document import Key
from app.core.mask import Mask
from app.core.proposals import Existing, FindRequest, Proposal
from app.core.recognition import (
    Sighting,
    kind_of,
    look_of,
    recognise,
)
from app.storage.classes import noun_classes
from models.api import BoolMask, Detector, Finding, Frames, Prompt, Segmenter

_UNNAMED = frozenset({"", "object"})
_SAME = 0.8  # IoU above which two masks of one frame are one thing
_LEFT_OVER = 0.2  # share of a mask below which others have taken it


def find(
    detector: Detector,
    segmenter: Segmenter,
    video: Frames,
    request: FindRequest,
    existing: Existing | None = None,
) -> Generator[tuple[int, tuple[Proposal, ...]], None, None]:
    """Yield the proposals for each frame of the request, in its order.

    Raises PromptError where a phrase cannot be looked for.
    """
    search = _Search(segmenter, video, request, existing or Existing())
    for frame in request.frames:
        yield frame, search.visit(frame, detector.find(frame, request.phrases))


def taken(proposals: Sequence[Proposal]) -> dict[int, dict[int, Mask | None]]:
    """Return proposals as anchors: frame -> object -> mask."""
    anchors: dict[int, dict[int, Mask | None]] = {}
    for proposal in proposals:
        anchors.setdefault(proposal.key.frame, {})[proposal.key.object] = proposal.mask
    return anchors


class _Search:
    """One run over frames: what was seen of each object, and the names of the new ones."""

    def __init__(
        self, segmenter: Segmenter, video: Frames, request: FindRequest, existing: Existing
    ) -> None:
        self._segmenter, self._video = segmenter, video
        self._request, self._existing = request, existing
        self._names = dict(existing.names)
        for masks in existing.masks.values():
            self._names |= {n: f"object {n}" for n in masks if n not in self._names}
        self._seen: dict[int, list[Sighting]] = {}
        self._made: dict[Key, Sighting] = {}  # of masks that exist, so that each is looked at once

    def visit(self, frame: int, findings: Sequence[Finding]) -> tuple[Proposal, ...]:
        """Return the proposals for a frame, best first, and remember them."""
        here = self._existing.masks.get(frame, {})
        found = self._segmented(frame, findings)
        known = {number: self._sightings(number, frame) for number in self._names}
        sightings = [sighting for _, sighting in found]
        kin = _are_kin if self._request.may_be_unnamed else _are_named_alike
        named = recognise(sightings, known, here, self._request.rules, kin)
        settled = np.zeros(self._video.size, np.bool_)
        for mask in here.values():
            if mask is not None:
                settled |= mask.decode()
        proposals = []
        for index, (finding, sighting) in enumerate(found):
            number = named.get(index) or self._new(finding.phrase)
            if number is None or number in here:
                continue
            left = _uncovered(sighting.mask, settled)
            if left is None:
                continue
            settled |= left.decode()
            self._names.setdefault(number, self._name(finding.phrase))
            self._seen.setdefault(number, []).append(sighting)
            name, key = self._names[number], Key(frame, number)
            proposals.append(Proposal(key, left, name, finding.score, finding.clicks))
        return tuple(proposals)

    def _segmented(self, frame: int, findings: Sequence[Finding]) -> list[tuple[Finding, Sighting]]:
        """Return the mask of each finding, each thing once; best first."""
        image, found = self._video[frame], list[tuple[Finding, Sighting]]()
        for finding in sorted(findings, key=lambda finding: -finding.score):
            prompt = Prompt(finding.clicks, finding.box)
            mask = Mask.encode(self._segmenter.segment(frame, prompt)[0].mask)
            if mask is None or any(mask.iou(other.mask) > _SAME for _, other in found):
                continue
            sighting = Sighting(frame, mask, look_of(image, mask), kind_of(finding.phrase))
            found.append((finding, sighting))
        return found

    def _sightings(self, number: int, frame: int) -> list[Sighting]:
        """Return what is known of an object: its nearest mask that exists, and what was found."""
        seen = list(self._seen.get(number, ()))
        frames = [f for f, masks in self._existing.masks.items() if masks.get(number) is not None]
        if frames:
            nearest = min(frames, key=lambda other: abs(other - frame))
            seen.insert(0, self._made_at(Key(nearest, number)))
        return seen

    def _made_at(self, key: Key) -> Sighting:
        if key not in self._made:
            mask = self._existing.masks[key.frame][key.object]
            assert mask is not None
            look, kind = look_of(self._video[key.frame], mask), kind_of(self._names[key.object])
            self._made[key] = Sighting(key.frame, mask, look, kind)
        return self._made[key]

    def _new(self, phrase: str) -> int | None:
        """Return the number of a new object, or None where no other one is wanted."""
        if not self._request.all_of_kind and self._has_one(phrase):
            return None
        return next((n for n in self._request.numbers if n not in self._names), None)

    def _has_one(self, phrase: str) -> bool:
        kind = kind_of(phrase)
        return any(kind_of(name) == kind for name in self._names.values())

    def _name(self, phrase: str) -> str:
        """Return a name that no object has: `cup`, then `cup 2`."""
        taken_names = set(self._names.values())
        plain = phrase.strip().rstrip(".").lower()
        name, count = plain, 1
        while name in taken_names:
            count += 1
            name = f"{plain} {count}"
        return name


def _uncovered(mask: Mask, settled: BoolMask) -> Mask | None:
    """Return what others have left of a mask, or None where that is next to nothing."""
    pixels = mask.decode() & ~settled
    return Mask.encode(pixels) if pixels.sum() >= _LEFT_OVER * mask.area else None


def _are_kin(one: str, other: str) -> bool:
    """Whether two kinds can be one: equal, unnamed, or names of one class of VISOR."""
    return one in _UNNAMED or other in _UNNAMED or _are_named_alike(one, other)


def _are_named_alike(one: str, other: str) -> bool:
    """Whether two kinds are equal, or names of one class of VISOR."""
    if one == other:
        return True
    classes = noun_classes()
    return bool(set(classes.all_of_name(one)) & set(classes.all_of_name(other)))
