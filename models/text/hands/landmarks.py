"""The 21 landmarks of a hand: where to look for them, and what they say.

Landmark 0 is the wrist; 1 to 4 the thumb, 5 to 8 the index finger, and so on, root to tip.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from models.api import Image
from models.text.hands.palm import Floats, Palm

SIDE = 224  # pixels of the square that the network sees
_PALM_SCALE, _PALM_SHIFT = 2.6, 0.5  # of a palm's box to the whole hand's, towards the fingers
_HAND_SCALE, _HAND_SHIFT = 2.0, 0.1
_STEADY = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]  # without the finger tips, which swing
_ROOTS = [5, 9, 13]  # the middle of these lies over the palm's middle line


@dataclass(frozen=True, slots=True)
class Square:
    """A turned square of the image: its centre and side in pixels, and its turn in radians.

    At turn 0 it is upright; the fingers of the hand in it point up, as it sees them.
    """

    x: float
    y: float
    side: float
    turn: float

    def to_image(self) -> Floats:
        """Return the map (2, 3) from pixels of the network's square to those of the image."""
        scale = self.side / SIDE
        cos, sin = np.cos(self.turn) * scale, np.sin(self.turn) * scale
        turned = np.array([[cos, -sin], [sin, cos]])
        middle = (SIDE - 1) / 2
        shift = np.array([self.x, self.y]) - turned @ [middle, middle]
        return np.column_stack([turned, shift]).astype(np.float32)

    def cut(self, image: Image) -> Image:
        """Return what is in the square as (SIDE, SIDE, 3); black beyond the image."""
        return np.asarray(
            cv2.warpAffine(
                image, self.to_image(), (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            ),
            np.uint8,
        )


def square_of_palm(palm: Palm) -> Square:
    """Return where the hand of a palm is to be looked for."""
    wrist, middle_finger = palm.points[0], palm.points[2]
    x0, y0, x1, y1 = palm.box
    return _moved(
        Square((x0 + x1) / 2, (y0 + y1) / 2, max(x1 - x0, y1 - y0), _turn(wrist, middle_finger)),
        _PALM_SCALE,
        _PALM_SHIFT,
    )


def square_of_landmarks(points: Floats) -> Square:
    """Return where a hand is to be looked for again, from its landmarks (21, 2) in pixels."""
    turn = _turn(points[0], points[_ROOTS].mean(axis=0))
    upright = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    seen = points[_STEADY] @ upright.T
    low, high = seen.min(axis=0), seen.max(axis=0)
    x, y = upright.T @ ((low + high) / 2)
    return _moved(Square(x, y, float((high - low).max()), turn), _HAND_SCALE, _HAND_SHIFT)


def placed(raw: Floats, square: Square) -> Floats:
    """Return the network's landmarks (63) as (21, 2) in pixels of the image."""
    matrix = square.to_image()
    placed_points: Floats = raw.reshape(21, 3)[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    return placed_points


def _turn(wrist: Floats, fingers: Floats) -> float:
    """Return how far a hand is turned clockwise from pointing up, in radians."""
    x, y = fingers - wrist
    return float(np.arctan2(x, -y))


def _moved(square: Square, scale: float, shift: float) -> Square:
    """Return the square moved towards the fingers by a share of its side, then enlarged."""
    up = square.side * shift
    return Square(
        square.x + up * np.sin(square.turn),
        square.y - up * np.cos(square.turn),
        square.side * scale,
        square.turn,
    )
