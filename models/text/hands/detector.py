"""Hands in a frame: palms first, then each one's landmarks, which tell a hand from the like."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from models.api import Box, Click, Finding, Frames, Image, PromptError
from models.text.hands import landmarks, palm
from models.text.hands.graph import Graph
from models.text.hands.landmarks import placed, square_of_landmarks, square_of_palm
from models.text.hands.palm import Floats, Palm, overlap

LEFT, RIGHT = "left hand", "right hand"
_KINDS = {
    "hand": (LEFT, RIGHT),
    "hands": (LEFT, RIGHT),
    LEFT: (LEFT,),
    "left hands": (LEFT,),
    RIGHT: (RIGHT,),
    "right hands": (RIGHT,),
}
# A palm is looked for generously, since its landmarks say afterwards whether it is one.
_LEAST_PALM = 0.2
LEAST_PRESENCE = 0.7
_LONGISH = 1.2  # sides' ratio from which a frame is seen in three squares, too, besides whole
_SAME = 0.3  # IoU above which two boxes are of one hand
_WITHIN = 0.7  # ... or the share of the smaller that lies in the other
_MARGIN = 0.08  # of the box's longer side: landmarks lie within the fingers, not on their edge
_CLICKED = (0, 5, 17, 9)  # the wrist and the palm's corners: skin, whatever the fingers do
_INWARD = 0.35  # how far those are drawn to the palm's middle


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """A hand in the frame: its landmarks (21, 2) in pixels, and two probabilities, 0 to 1.

    `presence`: that it is a hand, `right`: that it is a right one.
    """

    points: Floats
    presence: float
    right: float

    @property
    def box(self) -> Floats:
        """The box (x0, y0, x1, y1) round the landmarks, with room for the fingers' thickness."""
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        margin = _MARGIN * float((high - low).max())
        return np.concatenate([low - margin, high + margin])


class HandDetector:
    """MediaPipe's hands, bound to one video. Owned by one thread."""

    def __init__(
        self,
        palms: Graph,
        marks: Graph,
        frames: Frames,
        device: torch.device,
        *,
        threshold: float | None = None,
    ) -> None:
        self._palms, self._marks = palms, marks
        self._frames, self._device = frames, device
        self._least = LEAST_PRESENCE if threshold is None else threshold

    def find(self, frame: int, phrases: Sequence[str]) -> tuple[Finding, ...]:
        """Return the hands on a frame, best first; all of them where there are no phrases.

        Raises PromptError where a phrase is about anything but hands.
        """
        wanted = _wanted(phrases)
        image = self._frames[frame]
        with torch.inference_mode():
            found = [_finding(hand, image.shape[:2]) for hand in self._hands(image)]
        return tuple(finding for finding in found if finding.phrase in wanted)

    def _hands(self, image: Image) -> list[Hand]:
        hands = []
        for seen in self._palms_in(image):
            first = self._hand(image, square_of_palm(seen))
            # From the palm alone the square is off, and a hand that is looked at twice is surer.
            again = self._hand(image, square_of_landmarks(first.points))
            if again.presence >= self._least:
                hands.append(again)
        return _distinct(hands)

    def _palms_in(self, image: Image) -> list[Palm]:
        palms = []
        for x, y, side in _views(image.shape[0], image.shape[1]):
            raw, logits = self._run(self._palms, _seen(image, x, y, side))
            palms += [
                Palm(found.box * side + (x, y, x, y), found.points * side + (x, y), found.score)
                for found in palm.decoded(raw, logits[:, 0], least=_LEAST_PALM)
            ]
        return palms

    def _hand(self, image: Image, square: landmarks.Square) -> Hand:
        raw, presence, right, _ = self._run(self._marks, square.cut(image))
        return Hand(placed(raw, square), float(presence[0]), float(right[0]))

    def _run(self, network: Graph, picture: Image) -> list[Floats]:
        """Return a network's outputs for one picture; the files' shapes are for no more."""
        images = torch.from_numpy(picture[None]).to(self._device).float() / 255
        return [output[0].cpu().numpy() for output in network.run(images)]


def _views(height: int, width: int) -> Iterator[tuple[float, float, float]]:
    """Yield the squares (x, y, side) in which a frame is seen: whole, and closer from near to far.

    The network sees 192 pixels, in which the hands of a wide frame are small.
    """
    long, short = max(height, width), min(height, width)
    yield (width - long) / 2, (height - long) / 2, long
    if long > _LONGISH * short:
        for share in (0, 0.5, 1):
            yield (width - short) * share, (height - short) * share, short


def _seen(image: Image, x: float, y: float, side: float) -> Image:
    """Return a square of the image as the palm network sees it, black beyond the image."""
    scale = side / palm.SIDE
    if scale > 1:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.4 * scale), np.uint8)
    shift = (scale - 1) / 2
    matrix = np.array([[scale, 0, x + shift], [0, scale, y + shift]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, matrix, (palm.SIDE, palm.SIDE), flags=flags), np.uint8)


def _distinct(hands: Sequence[Hand]) -> list[Hand]:
    """Return each hand once, as it was seen best, best first."""
    kept: list[Hand] = []
    for hand in sorted(hands, key=lambda hand: -hand.presence):
        if not any(_are_one(hand.box, other.box) for other in kept):
            kept.append(hand)
    return kept


def _are_one(one: Floats, other: Floats) -> bool:
    inner = (np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])).clip(min=0).prod()
    smaller = min((one[2:] - one[:2]).prod(), (other[2:] - other[:2]).prod())
    return overlap(one, other) > _SAME or bool(inner > _WITHIN * smaller)


def _finding(hand: Hand, size: tuple[int, ...]) -> Finding:
    height, width = size
    x0, y0, x1, y1 = (float(value) for value in hand.box)
    box = Box(max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height)))
    corners = hand.points[list(_CLICKED)]
    drawn = corners + _INWARD * (corners.mean(axis=0) - corners)
    clicks = tuple(
        Click(float(x), float(y)) for x, y in drawn if 0 <= x <= width - 1 and 0 <= y <= height - 1
    )
    return Finding(box, RIGHT if hand.right > 0.5 else LEFT, hand.presence, clicks)


def _wanted(phrases: Sequence[str]) -> set[str]:
    wanted: set[str] = set()
    for phrase in phrases or ("hands",):
        kinds = _KINDS.get(phrase.strip().rstrip(".").lower())
        if kinds is None:
            raise PromptError(
                f"The detector of hands cannot find {phrase!r}. Ask for hands, left hand or right "
                f"hand, or use a detector that reads words."
            )
        wanted.update(kinds)
    return wanted
