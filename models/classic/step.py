"""One step of the classic tracker: objects from one frame to the next."""

from dataclasses import dataclass

import cv2
import numpy as np

from models.api import BoolMask, FloatMap, Image
from models.classic.colour import Bins, ColourModel, PlaceColours, fine_bins
from models.classic.edges import guided, window_of
from models.classic.flow import FlowField, GreyImage, OpticalFlow, carried, consistency

_SEEN = 1.0, 0.5  # trust in the warped mask: where the flow is consistent, and where it is not
_PLACE = 0.5  # weight of the colours of this place, against log-odds of the warped mask
_COLOUR = 0.6  # weight of the colours of the anchors
_ORIGIN = 0.4  # weight of the picture of the anchor itself
_MATCH = 12.0  # grey levels by which a pixel may differ from the anchor's
_REACH_PX = 20  # how far an outline can move beside the flow in one frame
_LOST_LIKENESS = 0.35
_LOST_PX = 12
_FOUND_LIKENESS = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A frame at the size of work, with what is asked of it again and again."""

    frame: int
    image: Image
    grey: GreyImage
    bins: Bins

    @classmethod
    def of(cls, frame: int, image: Image) -> "View":
        """Look at a frame."""
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        return cls(frame, image, grey, fine_bins(image))


@dataclass(slots=True, eq=False)
class Following:
    """Where one object is: the only thing that goes from frame to frame.

    `home` and `mask` are the frame it started from; `flow` leads from the present frame to it.
    `area` is the last area that was believed.
    """

    colours: ColourModel
    home: View
    mask: BoolMask
    flow: FlowField
    probability: FloatMap
    score: float
    area: int


def restart(view: View, mask: BoolMask, colours: ColourModel, usual: int) -> Following:
    """Follow an object from a mask given on this frame.

    With an empty one it waits for the object's return, about as large as `usual` pixels.
    """
    return Following(
        colours=colours,
        home=view,
        mask=mask,
        flow=np.zeros((*mask.shape, 2), np.float32),
        probability=mask.astype(np.float32),
        score=1.0,
        area=int(np.count_nonzero(mask)) or usual,
    )


def lose(each: Following) -> None:
    """Take an object for absent on this frame; what is known of it stays, for its return."""
    each.probability = np.zeros_like(each.probability)
    each.score = 1.0


def advance(following: dict[int, Following], before: View, view: View) -> None:
    """Bring all objects from the frame before to this one."""
    passage = _Passage(before, view)
    for each in following.values():
        each.flow = passage.home_flow(each)
        if not each.probability.any():
            _look_for(each, view)
            continue
        each.probability = _settled(view, passage.votes(each))
        _judge(each, view)


class _Passage:
    """What all objects share between two frames."""

    def __init__(self, before: View, view: View) -> None:
        self._view = view
        self._search = OpticalFlow()
        self._flow = self._search.between(view.grey, before.grey)
        back = self._search.between(before.grey, view.grey)
        self._trust = consistency(self._flow, back)
        seen = carried(before.image, self._flow, edge=True)
        self._places = PlaceColours(view.image, seen, self._trust)
        self._home_flows: dict[int, FlowField] = {}

    def home_flow(self, each: Following) -> FlowField:
        """Return the flow to the frame that the object started from."""
        home = each.home
        if home.frame not in self._home_flows:
            rough = self._flow + carried(each.flow, self._flow, edge=True)
            self._home_flows[home.frame] = self._search.between(self._view.grey, home.grey, rough)
        return self._home_flows[home.frame]

    def votes(self, each: Following) -> FloatMap:
        """Return the object's probability before it is brought to the edges."""
        warped = carried(each.probability, self._flow)
        sure, unsure = _SEEN
        votes = _log_odds(warped) * (unsure + (sure - unsure) * self._trust)
        votes += _PLACE * _log_odds(self._places.probability(warped))
        votes += _COLOUR * _log_odds(each.colours.probability(self._view.bins))
        votes += _ORIGIN * self._match(each) * _log_odds(carried(_float(each.mask), each.flow))
        side = 2 * _REACH_PX + 1
        disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        near = np.asarray(cv2.dilate((warped > 0.3).astype(np.uint8), disk), np.bool_)
        return np.where(near, 1 / (1 + np.exp(-votes)), 0).astype(np.float32)

    def _match(self, each: Following) -> FloatMap:
        """Return how far each pixel looks like the one of the anchor that it came from."""
        then = carried(each.home.image, each.flow, edge=True).astype(np.float32)
        missed = np.asarray(np.abs(then - self._view.image).mean(axis=-1), np.float32)
        missed = np.asarray(cv2.blur(missed, (7, 7)), np.float32)
        return np.asarray(np.exp(-((missed / _MATCH) ** 2)), np.float32)


def _settled(view: View, probability: FloatMap) -> FloatMap:
    """Return the probability brought to the image's edges and steepened."""
    window = window_of(probability > 0.05, 16)
    if not probability[window].size:
        return np.zeros_like(probability)
    settled = np.zeros_like(probability)
    smooth = guided(view.image[window], probability[window], radius_px=6, smoothness=1e-3)
    settled[window] = np.clip(0.5 + 2 * (smooth - 0.5), 0, 1)
    return settled


def _judge(each: Following, view: View) -> None:
    """Score the object on this frame; let it go where it is no longer the same thing."""
    mask = each.probability > 0.5
    area = int(np.count_nonzero(mask))
    likeness = each.colours.likeness(view.bins, mask)
    unsure = (each.probability > 0.1) & (each.probability < 0.9)
    clear = max(0.0, 1 - np.count_nonzero(unsure) / max(area, 1))
    each.score = float(likeness * (0.5 + 0.5 * clear))
    if area < _LOST_PX or likeness < _LOST_LIKENESS:
        each.probability = np.zeros_like(each.probability)
        each.score = min(each.score, 0.1)
    else:
        each.area = area


def _look_for(each: Following, view: View) -> None:
    """Take an object up again where a patch of its size has its colours."""
    each.score = 0.0
    likely = each.colours.probability(view.bins)
    reach = max(3, round(each.area**0.5 / 6)) | 1
    patch = (np.asarray(cv2.blur(likely, (reach, reach))) > 0.6).astype(np.uint8)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(patch)
    fitting = [
        piece
        for piece in range(1, count)
        if each.area / 3 <= stats[piece, cv2.CC_STAT_AREA] <= each.area * 2 and each.area >= 64
    ]
    found = [(each.colours.likeness(view.bins, pieces == piece), piece) for piece in fitting]
    if found and max(found)[0] >= _FOUND_LIKENESS:
        likeness, piece = max(found)
        each.probability = _settled(view, 0.8 * _float(pieces == piece))
        each.score = 0.5 * likeness


def _float(mask: BoolMask) -> FloatMap:
    return mask.astype(np.float32)


def _log_odds(probability: FloatMap) -> FloatMap:
    bounded = np.clip(probability, 0.1, 0.9)
    return np.asarray(np.log(bounded / (1 - bounded)), np.float32)
