"""Which masks a click or a box among labelled neighbours could mean, the likeliest first.

A segmenter sees one object. What lies round it speaks, too: a click mends a mask near by and leaves
the rest as it is, and what belongs to another object is not meant unless the click lies in it. The
weights were fitted with `lite` on crossing pairs of objects and checked on other pairs.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from app.core.exclusion import points_into
from app.core.shreds import dusted, shreds, widened, without_specks
from models.api import BoolMask, Box, Click, Prediction, Prompt
from models.prompt import lies_in, pixel_of

_MOST = 6  # candidates that a person is offered
_SAME = 0.95  # IoU above which two candidates are one
_RANK = 0.05  # how much confidence a mask loses for each that the model puts before it
_CHANGE = 0.1  # ... for changing as much as the mask so far holds
_TAKEN = 1.0  # ... for taking all of another object
_SWALLOWED = 0.8  # share of an object from which on a mask holds it
_ALL_TAKEN = 0.7  # share of another object from which on a change takes all of it
_PART = 0.25  # share of a mask below which an object that it holds is a part of it
_LIKE = 0.4  # share of a mask from which on a piece is a thing like it
_JOINED = 1.0  # for joining two objects rather than being where the other one is
_REMINDERS = 3  # neighbours of which a segmenter is told
_DISC = 0.01  # radius of a dab, as a share of the frame's short side


@dataclass(frozen=True, eq=False)
class Scene:
    """What a person asked for one object on one frame, and what stands there.

    All masks are (H, W). `before`: the object's mask so far. `others`: the masks of the objects
    that give what a click takes; `kept`: of those that give nothing. `drafted`: whether this series
    of clicks made the mask so far from nothing. Then it is the segmenter's own, which may do all of
    it again: on stills a second click gives IoU .88 so, .84 where it changes but one part.
    """

    clicks: tuple[Click, ...]
    box: Box | None = None
    before: BoolMask | None = None
    others: Sequence[BoolMask] = ()
    kept: Sequence[BoolMask] = ()
    drafted: bool = False

    @cached_property
    def mends(self) -> BoolMask | None:
        """The mask that the last click mends, None where it is a new one that is asked for."""
        if self.before is None or self.drafted or self.box is not None or not self.clicks:
            return None
        return self.before if self.before.any() else None

    @cached_property
    def closed(self) -> Sequence[BoolMask]:
        """The masks that the object must not enter: kept ones, and those nobody points into."""
        spared = (mask for mask in self.others if not points_into(mask, self.clicks, self.box))
        return (*self.kept, *spared)


def prompt_among(scene: Scene) -> Prompt:
    """Return what a segmenter is to be asked.

    Where a positive click mends a mask, negative ones on the middle of the neighbours go before it.
    For a new mask they do harm: it is better cut afterwards.
    """
    clicks = scene.clicks
    if scene.mends is not None and clicks[-1].positive:
        clicks = (*_reminders(scene), *clicks)
    return Prompt(clicks, scene.box, scene.before)


def candidates(scene: Scene, predictions: Sequence[Prediction]) -> tuple[Prediction, ...]:
    """Return the masks that a person may have meant, the likeliest first.

    `predictions` are a segmenter's answer to `prompt_among(scene)`, best first. Those that satisfy
    all clicks come first, and there is always one, unless a click lies in what gives nothing.
    Where a mask is mended, its smallest changes come before the model's own masks.
    """
    if scene.mends is None:
        found = _new(scene, predictions)
    else:
        found = [*_mended(scene, scene.mends, predictions), *_whole(scene, predictions)]
    found = [_tidied(scene, each) for each in found if each.mask.any()]
    satisfying = [each for each in found if _satisfies(each.mask, scene.clicks)]
    if not satisfying and (found or scene.mends is not None):
        satisfying = [_dabbed(scene, found)]
    missing = [each for each in found if not _satisfies(each.mask, scene.clicks)]
    return _distinct([*satisfying, *missing])[:_MOST] or tuple(predictions[:1])


def _new(scene: Scene, predictions: Sequence[Prediction]) -> list[Prediction]:
    """Return the model's masks, cut; of one click, at the scale of what is labelled already.

    Where the model's best mask holds a labelled object that is a small part of it, a person labels
    parts: masks of about that part's size come first. Last come those that take another object.
    """
    found = _whole(scene, predictions)
    if scene.box is None and len(scene.clicks) == 1:
        part = _part_held(scene, predictions[0].mask)
        if part is not None:
            found.sort(key=lambda each: abs(np.log(max(1, _area(each.mask)) / part)))
        found.sort(key=lambda each: _taken(scene, each.mask) > 0.5)
    return found


def _whole(scene: Scene, predictions: Iterable[Prediction]) -> list[Prediction]:
    """Return the model's masks, clean and without what they may not enter; what was so far stays.

    Of one that lies in it for the most part only what is clicked is left: it meant another thing.
    """
    masks = [_cut(scene, dusted(each.mask, scene.clicks)) for each in predictions]
    if scene.box is None:
        pairs = zip(masks, predictions, strict=True)
        masks = [
            mask if 2 * _area(mask) >= _area(each.mask) else _clicked(mask, scene.clicks)
            for mask, each in pairs
        ]
    if scene.mends is not None:
        pairs = zip(masks, predictions, strict=True)
        masks = [mask | each.mask & scene.mends for mask, each in pairs]
    return [replace(each, mask=mask) for mask, each in zip(masks, predictions, strict=True)]


def _mended(
    scene: Scene, before: BoolMask, predictions: Sequence[Prediction]
) -> Iterator[Prediction]:
    """Yield the mask so far with what changes at the last click alone, the best change first.

    Where that takes all of another object, or lies in one apart from this one, it is not to become
    a part of it: the two were taken for each other, and the object is where the other one was said
    to be. That comes last where it takes a part of one that it touches.
    """
    click = scene.clicks[-1]
    place = _place_of(scene, before, click) if click.positive else None
    if place is not None and predictions and not _touch(place, before):
        yield replace(predictions[0], mask=place)
    found: list[tuple[float, Prediction]] = []
    for rank, each in enumerate(predictions):
        near = _changed(scene, before, each.mask)
        if near.any():
            taken = _taken(scene, near) if click.positive else 0.0
            loss = _RANK * rank + _CHANGE * _area(near) / _area(before) + _TAKEN * taken
            mask = before | near if click.positive else before & ~near
            if place is not None and (taken > _ALL_TAKEN or not _touch(near, before)):
                found.append((each.score - loss, replace(each, mask=place)))
                loss += _JOINED
            found.append((each.score - loss, replace(each, mask=mask)))
    yield from (each for _, each in sorted(found, key=lambda pair: -pair[0]))
    if predictions:
        yield from (replace(predictions[0], mask=mask) for mask in _by_pieces(scene, before, click))
    if place is not None and predictions:
        yield replace(predictions[0], mask=place)


def _changed(scene: Scene, before: BoolMask, mask: BoolMask) -> BoolMask:
    """Return what a mask changes at the last click, nothing where it leaves that as it is."""
    click = scene.clicks[-1]
    change = _cut(scene, mask & ~before) if click.positive else before & ~mask
    beside = not click.positive and not lies_in(click, before)
    near = _round(change, click) if beside else _piece(change, click)
    if not near.any():
        return near
    if not click.positive and not beside:
        near = _off(before, near, click)
    return near | _crumbs(scene.others if click.positive else (before,), near, change)


def _off(before: BoolMask, change: BoolMask, click: Click) -> BoolMask:
    """Return what goes off a mask: of a piece apart from others that goes mostly, all of it."""
    piece = _piece(before, click)
    is_apart = bool((without_specks(before) & ~piece).any())
    return piece if is_apart and 2 * _area(change) > _area(piece) else change


def _by_pieces(scene: Scene, before: BoolMask, click: Click) -> Iterator[BoolMask]:
    """Yield the mask with the loose piece of another object, or without its own, at a click."""
    if not click.positive:
        if lies_in(click, before):
            yield before & ~_piece(before, click)
        return
    for other in scene.others:
        piece = _piece(other, click)
        if 0 < _area(piece) <= _area(other) / 2:
            yield before | piece


def _crumbs(givers: Iterable[BoolMask], near: BoolMask, change: BoolMask) -> BoolMask:
    """Return the loose pieces round `near`, of what it takes from, that the change has, too.

    Masks that were mixed up are so in patches: who takes one means the smaller ones beside it. The
    largest of what is left is the giver itself.
    """
    left, top, width, height = cv2.boundingRect(near.astype(np.uint8))
    middle, reach = (left + width / 2, top + height / 2), (width, height)
    crumbs = np.zeros_like(near)
    for giver in givers:
        _, labels, stats, centroids = cv2.connectedComponentsWithStats(
            (giver & ~near).astype(np.uint8), connectivity=4
        )
        areas = stats[:, cv2.CC_STAT_AREA]
        areas[0] = 0
        changed = np.bincount(labels[change], minlength=len(areas))
        is_crumb = (areas <= _area(near & giver)) & (2 * changed > areas)
        is_crumb &= (np.abs(centroids - middle) <= reach).all(axis=1)
        is_crumb[0] = is_crumb[int(areas.argmax())] = False
        crumbs |= is_crumb[labels]
    return crumbs


def _place_of(scene: Scene, before: BoolMask, click: Click) -> BoolMask | None:
    """Return the thing that a click lies in and another object has; None = it is but a part."""
    pieces = (_piece(other, click) for other in scene.others)
    return next((piece for piece in pieces if _area(piece) > _LIKE * _area(before)), None)


def _touch(one: BoolMask, other: BoolMask) -> bool:
    """Whether two masks come as near to each other as edges are exact, but for specks of either."""
    return bool((widened(without_specks(one)) & without_specks(other)).any())


def _part_held(scene: Scene, mask: BoolMask) -> int | None:
    """Return the area of the largest neighbour that is a small part of a mask, None without one."""
    areas = [
        _area(other)
        for other in (*scene.others, *scene.kept)
        if _area(other & mask) > _SWALLOWED * _area(other)
        and _area(other & mask) < _PART * _area(mask)
    ]
    return max(areas, default=0) or None


def _taken(scene: Scene, change: BoolMask) -> float:
    """Return the largest share of another object that a change takes."""
    shares = [_area(change & other) / max(1, _area(other)) for other in scene.others]
    return max(shares, default=0.0)


def _cut(scene: Scene, mask: BoolMask) -> BoolMask:
    """Return a mask without what it must not enter, and without the shreds that this leaves."""
    rest, cut = mask, np.zeros_like(mask)
    for closed in scene.closed:
        rest, cut = rest & ~closed, cut | mask & closed
    return rest & (~shreds(rest, cut) | _clicked(rest, scene.clicks))


def _clicked(mask: BoolMask, clicks: Iterable[Click]) -> BoolMask:
    """Return the pieces of a mask that positive clicks lie in."""
    found = np.zeros_like(mask)
    for click in clicks:
        if click.positive:
            found |= _piece(mask, click)
    return found


def _tidied(scene: Scene, prediction: Prediction) -> Prediction:
    """Return a mask that leaves no shreds of what it takes of others.

    A loose piece that a click lies in goes as a whole where the mask has most of it already.
    """
    mask = prediction.mask
    for other in scene.others:
        for click in scene.clicks:
            piece = _piece(other, click)
            is_loose = 0 < _area(piece) < _ALL_TAKEN * _area(other)
            if click.positive and is_loose and 2 * _area(piece & mask) > _area(piece):
                mask = mask | piece
        mask = mask | shreds(other & ~mask, other & mask)
    missed = any(lies_in(each, mask) for each in scene.clicks if not each.positive)
    return prediction if missed else replace(prediction, mask=mask)


def _dabbed(scene: Scene, found: Sequence[Prediction]) -> Prediction:
    """Return the mask so far, or the best one, with a dab of the brush on each click it misses."""
    base = scene.mends if scene.mends is not None else found[0].mask
    score = found[0].score if found else 0.0
    mask = base
    for click in scene.clicks:
        if lies_in(click, mask) != click.positive:
            dab = _dab(mask.shape, click, scene.clicks)
            mask = mask | _cut(scene, dab) if click.positive else mask & ~dab
    return Prediction(mask, score)


def _dab(shape: tuple[int, ...], click: Click, clicks: Iterable[Click]) -> BoolMask:
    """Return a disc on a click that reaches none of those that say the opposite."""
    row, column = pixel_of(click, shape)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    distance = np.hypot(rows - row, columns - column)
    others = [each for each in clicks if each.positive != click.positive]
    against = [far for each in others if (far := float(distance[pixel_of(each, shape)]))]
    disc: BoolMask = distance < min([max(1.0, _DISC * min(shape)), *against])
    return disc


def _reminders(scene: Scene) -> list[Click]:
    """Return negative clicks on the middle of the neighbours nearest to the last click."""
    click = scene.clicks[-1]
    found = [_middle(other, scene.clicks) for other in (*scene.others, *scene.kept)]
    return sorted(
        (each for each in found if each is not None),
        key=lambda each: np.hypot(each.x - click.x, each.y - click.y),
    )[:_REMINDERS]


def _middle(mask: BoolMask, clicks: Iterable[Click]) -> Click | None:
    """Return a negative click on a neighbour's innermost point, well away from what is asked of it.

    Where a click lies in the neighbour, it is asked for the part round the click; what is farther
    off than that part is thick is still its own.
    """
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    depth = _depth(mask[top : top + height, left : left + width])
    if not depth.size:
        return None
    for click in clicks:
        if click.positive and lies_in(click, mask):
            row, column = pixel_of(click, mask.shape)
            rows, columns = np.ogrid[:height, :width]
            reach = 2 * depth[row - top, column - left] + 1
            depth = depth * (np.hypot(rows - (row - top), columns - (column - left)) > reach)
    row, column = (int(at) for at in np.unravel_index(int(depth.argmax()), depth.shape))
    return Click(left + column, top + row, positive=False) if depth[row, column] > 2 else None


def _depth(mask: BoolMask) -> cv2.typing.MatLike:
    """Return each set pixel's distance to the edge of its mask or of the frame."""
    return cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]


def _piece(mask: BoolMask, click: Click) -> BoolMask:
    """Return the connected piece of a mask that a click lies in, nothing where it lies beside."""
    if not lies_in(click, mask):
        return np.zeros_like(mask)
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    piece: BoolMask = labels == labels[pixel_of(click, mask.shape)]
    return piece


def _round(mask: BoolMask, click: Click) -> BoolMask:
    """Return the pieces of a mask between whose edges a click lies, as in a hole."""
    row, column = pixel_of(click, mask.shape)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    left, top, width, height, _ = stats.T
    is_round = (left <= column) & (column < left + width) & (top <= row) & (row < top + height)
    is_round[0] = False
    pieces: BoolMask = is_round[labels]
    return pieces


def _distinct(found: Iterable[Prediction]) -> tuple[Prediction, ...]:
    kept: list[Prediction] = []
    for each in found:
        if not any(_alike(each.mask, other.mask) for other in kept):
            kept.append(each)
    return tuple(kept)


def _alike(one: BoolMask, other: BoolMask) -> bool:
    shared = _area(one & other)
    return shared > _SAME * (_area(one) + _area(other) - shared)


def _satisfies(mask: BoolMask, clicks: Iterable[Click]) -> bool:
    return all(lies_in(click, mask) == click.positive for click in clicks)


def _area(mask: BoolMask) -> int:
    return int(np.count_nonzero(mask))
