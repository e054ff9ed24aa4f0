"""Finding by words: twenty scenes with a detector that knows its boxes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from app.batch.masks.finding import find, taken
from app.core.mask import Mask
from app.core.proposals import Existing, FindRequest, Proposal
from models.api import (
    BoolMask,
    Box,
    Click,
    Detector,
    Finding,
    Frames,
    Image,
    Prediction,
    Prompt,
    PromptError,
    Segmenter,
)

SIZE = (60, 100)
RED, BLUE, GREEN = (200, 30, 30), (30, 30, 200), (30, 170, 30)
Place = tuple[int, int]  # x, y of the top left corner


@dataclass(frozen=True)
class Thing:
    """A square in the video: where it is on which frame, and what a detector calls it."""

    kind: str
    color: tuple[int, int, int]
    places: Mapping[int, Place]
    score: float = 0.9
    clicks: tuple[Click, ...] = ()

    def box(self, frame: int) -> Box:
        x, y = self.places[frame]
        return Box(x, y, x + 14, y + 14)

    def mask(self, frame: int) -> BoolMask:
        return filled(self.box(frame))


def filled(box: Box) -> BoolMask:
    mask = np.zeros(SIZE, np.bool_)
    mask[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = True
    return mask


@dataclass
class Scene:
    """A video of things, and the detector and the segmenter that see them as they are."""

    things: tuple[Thing, ...]
    size: tuple[int, int] = SIZE
    asked: list[Prompt] = field(default_factory=list)

    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> Image:
        image = np.full((*SIZE, 3), 110, np.uint8)
        for thing in self.things:
            if index in thing.places:
                image[thing.mask(index)] = thing.color
        return image

    def find(self, frame: int, phrases: Sequence[str]) -> tuple[Finding, ...]:
        if "nonsense" in phrases:
            raise PromptError("no")
        return tuple(
            Finding(thing.box(frame), thing.kind, thing.score, thing.clicks)
            for thing in self.things
            if thing.kind in phrases and frame in thing.places
        )

    def segment(self, frame: int, prompt: Prompt) -> tuple[Prediction, ...]:
        self.asked.append(prompt)
        assert prompt.box is not None
        return (Prediction(filled(prompt.box), 0.9),)

    def prepare(self, frame: int, *, wanted: object = None) -> None:
        """Do nothing."""


def still(kind: str, color: tuple[int, int, int], x: int, score: float = 0.9) -> Thing:
    return Thing(kind, color, dict.fromkeys(range(40), (x, 5)), score)


def existing(masks: Mapping[tuple[int, int], BoolMask | None], **names: str) -> Existing:
    """Return what exists: (frame, object) -> mask, and the names as o1="cup"."""
    packed: dict[int, dict[int, Mask | None]] = {}
    for (frame, number), mask in masks.items():
        packed.setdefault(frame, {})[number] = None if mask is None else Mask.encode(mask)
    return Existing(packed, {int(key[1:]): name for key, name in names.items()})


CUP, RED_CUP, BLUE_CUP = still("cup", RED, 5), still("cup", RED, 5), still("cup", BLUE, 40)
LATE_CUP = Thing("cup", BLUE, dict.fromkeys(range(20, 40), (40, 5)), 0.8)
KNIFE = still("knife", GREEN, 70)
TWIN = still("cup", RED, 60)
MOVING = Thing("cup", RED, {frame: (2 * frame, 30) for frame in range(40)})
LEAPING = Thing("cup", RED, {0: (5, 5), 10: (60, 40), 20: (5, 40)})
GONE_BLUE = Thing("cup", BLUE, {0: (40, 5), 20: (70, 40)})

Found = dict[int, dict[int, tuple[str, Thing]]]  # frame -> object -> its name, and what it is

CASES: dict[str, tuple[FindRequest, tuple[Thing, ...], Existing, Found]] = {
    "one thing": (
        FindRequest(("cup",), [3]), (CUP,), Existing(), {3: {1: ("cup", CUP)}},
    ),
    "nothing of the kind": (FindRequest(("spoon",), [3]), (CUP,), Existing(), {3: {}}),
    "nothing on this frame": (FindRequest(("cup",), [3]), (LATE_CUP,), Existing(), {3: {}}),
    "several of a kind": (
        FindRequest(("cup",), [0]), (RED_CUP, BLUE_CUP), Existing(),
        {0: {1: ("cup", RED_CUP), 2: ("cup 2", BLUE_CUP)}},
    ),
    "the best of several": (
        FindRequest(("cup",), [0], all_of_kind=False),
        (still("cup", BLUE, 40, score=0.5), RED_CUP), Existing(), {0: {1: ("cup", RED_CUP)}},
    ),
    "several phrases": (
        FindRequest(("cup", "knife"), [0]), (CUP, KNIFE), Existing(),
        {0: {1: ("cup", CUP), 2: ("knife", KNIFE)}},
    ),
    "one of each phrase": (
        FindRequest(("cup", "knife"), [0], all_of_kind=False),
        (RED_CUP, still("cup", BLUE, 40, score=0.5), KNIFE), Existing(),
        {0: {1: ("cup", RED_CUP), 2: ("knife", KNIFE)}},
    ),
    "a range": (
        FindRequest(("cup",), range(3, 6)), (MOVING,), Existing(),
        {frame: {1: ("cup", MOVING)} for frame in (3, 4, 5)},
    ),
    "every tenth frame, by its looks": (
        FindRequest(("cup",), range(0, 21, 10)), (LEAPING,), Existing(),
        {frame: {1: ("cup", LEAPING)} for frame in (0, 10, 20)},
    ),
    "a range backwards": (
        FindRequest(("cup",), range(5, 2, -1)), (MOVING,), Existing(),
        {frame: {1: ("cup", MOVING)} for frame in (5, 4, 3)},
    ),
    "a late comer": (
        FindRequest(("cup",), [0, 20]), (RED_CUP, LATE_CUP), Existing(),
        {0: {1: ("cup", RED_CUP)}, 20: {1: ("cup", RED_CUP), 2: ("cup 2", LATE_CUP)}},
    ),
    "a late comer where one is wanted": (
        FindRequest(("cup",), [0, 20], all_of_kind=False), (RED_CUP, LATE_CUP), Existing(),
        {0: {1: ("cup", RED_CUP)}, 20: {1: ("cup", RED_CUP)}},
    ),
    "one that goes and comes back elsewhere": (
        FindRequest(("cup",), [0, 10, 20]), (RED_CUP, GONE_BLUE), Existing(),
        {0: {1: ("cup", RED_CUP), 2: ("cup 2", GONE_BLUE)}, 10: {1: ("cup", RED_CUP)},
         20: {1: ("cup", RED_CUP), 2: ("cup 2", GONE_BLUE)}},
    ),
    "two that look alike are told apart by where they were": (
        FindRequest(("cup",), [0, 1]),
        (Thing("cup", RED, {0: (5, 5)}), TWIN, Thing("cup", RED, {1: (6, 5)})), Existing(),
        {0: {1: ("cup", CUP), 2: ("cup 2", TWIN)},
         1: {1: ("cup", Thing("cup", RED, {1: (6, 5)})), 2: ("cup 2", TWIN)}},
    ),
    "what has a mask here is left alone": (
        FindRequest(("cup",), [0]), (CUP,), existing({(0, 4): CUP.mask(0)}, o4="mug"), {0: {}},
    ),
    "an object without a mask here is filled": (
        FindRequest(("cup",), [0, 30]), (MOVING,),
        existing({(0, 4): MOVING.mask(0)}, o4="cup"), {0: {}, 30: {4: ("cup", MOVING)}},
    ),
    "a name of the same class is the same thing": (
        FindRequest(("cup",), [0, 30]), (MOVING,),
        existing({(0, 4): MOVING.mask(0)}, o4="mug"), {0: {}, 30: {4: ("mug", MOVING)}},
    ),
    "another kind of thing is a new one, with a number that is free": (
        FindRequest(("cup",), [30]), (MOVING,),
        existing({(0, 1): MOVING.mask(0)}, o1="knife"), {30: {2: ("cup", MOVING)}},
    ),
    "another look is a new one, with a name that is free": (
        FindRequest(("cup",), [30]), (BLUE_CUP, still("plate", RED, 5)),
        existing({(0, 1): RED_CUP.mask(0)}, o1="cup"), {30: {2: ("cup 2", BLUE_CUP)}},
    ),
    "an object said to be absent stays so": (
        FindRequest(("cup",), [30]), (MOVING,),
        existing({(0, 1): MOVING.mask(0), (30, 1): None}, o1="cup"),
        {30: {2: ("cup 2", MOVING)}},
    ),
}  # fmt: skip


def run(scene: Scene, request: FindRequest, there: Existing) -> dict[int, tuple[Proposal, ...]]:
    detector: Detector = scene
    segmenter: Segmenter = scene
    frames: Frames = scene
    return dict(find(detector, segmenter, frames, request, there))


@pytest.mark.parametrize("case", CASES)
def test_scene(case: str) -> None:
    request, things, there, expected = CASES[case]
    found = run(Scene(things), request, there)
    named = {
        frame: {each.key.object: each.name for each in proposals}
        for frame, proposals in found.items()
    }
    assert named == {
        frame: {number: name for number, (name, _) in objects.items()}
        for frame, objects in expected.items()
    }
    for frame, proposals in found.items():
        for each in proposals:
            assert each.key.frame == frame
            thing = expected[frame][each.key.object][1]
            assert np.array_equal(each.mask.decode(), thing.mask(frame))


def test_there_are_twenty_scenes() -> None:
    assert len(CASES) == 20


def test_the_box_and_the_points_prompt_the_segmenter_and_come_along() -> None:
    click = Click(9, 9)
    scene = Scene((replace(CUP, clicks=(click,)),))
    (proposal,) = run(scene, FindRequest(("cup",), [2]), Existing())[2]
    assert scene.asked[0].clicks == (click,)
    assert scene.asked[0].box == Box(5, 5, 19, 19)
    assert proposal.clicks == (click,)
    assert proposal.score == 0.9


def test_a_find_gives_way_where_another_object_has_its_mask() -> None:
    hand = filled(Box(12, 5, 26, 19))
    there = existing({(0, 3): hand}, o3="hand")
    (proposal,) = run(Scene((CUP,)), FindRequest(("cup",), [0]), there)[0]
    assert np.array_equal(proposal.mask.decode(), CUP.mask(0) & ~hand)


def test_a_thing_that_is_found_twice_is_proposed_once() -> None:
    scene = Scene((CUP, still("cup", RED, 6, score=0.5)))
    assert len(run(scene, FindRequest(("cup",), [0]), Existing())[0]) == 1


def test_proposals_are_taken_as_anchors() -> None:
    found = run(Scene((CUP, KNIFE)), FindRequest(("cup", "knife"), [0, 5]), Existing())
    anchors = taken([each for proposals in found.values() for each in proposals])
    assert {frame: set(masks) for frame, masks in anchors.items()} == {0: {1, 2}, 5: {1, 2}}


def test_what_cannot_be_looked_for_is_said() -> None:
    with pytest.raises(PromptError):
        run(Scene((CUP,)), FindRequest(("nonsense",), [0]), Existing())
