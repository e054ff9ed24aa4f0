"""Which masks are shown: not those of objects that have left, nor what they leave behind."""

import torch
from torch import Tensor

from models.cutie.config import ShownConfig
from models.cutie.inference.presence.showing import Showing
from models.cutie.inference.presence.usual import scores
from tests.models.test_cutie_presence import SIZE, probabilities

USUAL = 1_000.0  # pixels
CONFIG = ShownConfig(least_score=0.4, least_again=0.8, least_share=0.1, least_back=0.2)
FULL, SMALL, TINY, FAINT = (32, 0.95), (12, 0.95), (8, 0.95), (32, 0.2)  # 1.02, .14, .06 of usual
UNSURE = (12, 0.7)


def show(given: Tensor, least: float) -> Tensor:
    objects = list(range(1, len(given)))
    return Showing(ShownConfig(least)).show(given, objects, lambda _: 0.0, [])


def told(*boxes: tuple[int, float], config: ShownConfig = CONFIG) -> str:
    """Return on which frames the mask of an object is shown, "+", and on which it is not."""
    showing = Showing(config)
    frames = (showing.show(probabilities(box), [1], lambda _: USUAL, []) for box in boxes)
    return "".join("+" if frame[1].any() else "-" for frame in frames)


def test_a_mask_that_is_not_sure_enough_is_not_shown() -> None:
    given = probabilities((20, 0.95), (20, 0.6))
    found = show(given, 0.7)
    assert torch.equal(found[1], given[1])
    assert not found[2].any()
    assert torch.allclose(found.sum(dim=0), torch.ones(SIZE))


def test_what_is_not_shown_goes_to_the_background() -> None:
    given = probabilities((20, 0.95), (20, 0.6))
    least = float(scores(given)[1])
    assert torch.allclose(show(given, least), given)
    hidden = show(given, least + 1e-4)
    assert torch.equal(hidden[1], given[1])
    assert torch.allclose(hidden[0], given[0] + given[2])


def test_what_remains_where_nearly_all_goes_at_once_is_hidden_until_it_is_larger() -> None:
    assert told(FULL, TINY, TINY, SMALL, TINY, FULL, SMALL) == "+----++"


def test_an_object_that_becomes_small_is_shown() -> None:
    assert told(FULL, SMALL, SMALL) == "+++"


def test_what_comes_again_is_shown_though_it_is_small_if_it_is_sure() -> None:
    assert told(FULL, FAINT, TINY, SMALL, TINY, FULL, TINY) == "+-++++-"


def test_what_comes_again_unsure_is_shown_only_if_it_is_large() -> None:
    assert told(FULL, FAINT, UNSURE, UNSURE) == "+---"
    assert told(FULL, FAINT, (32, 0.7), UNSURE) == "+-++"


def test_what_remains_is_taken_for_gone_once_it_is_faint() -> None:
    assert told(FULL, TINY, FAINT, TINY) == "+--+"


def test_a_mask_that_was_given_is_shown_and_begins_anew() -> None:
    showing = Showing(CONFIG)
    for box, given, shown in ((FULL, [], True), (TINY, [], False), (TINY, [1], True)):
        found = showing.show(probabilities(box), [1], lambda _: USUAL, given)
        assert bool(found[1].any()) is shown
    found = showing.show(probabilities(SMALL), [1], lambda _: USUAL, [])
    assert found[1].any()


def test_each_object_is_judged_alone() -> None:
    showing = Showing(CONFIG)
    showing.show(probabilities(FULL, FULL), [1, 2], lambda _: USUAL, [])
    found = showing.show(probabilities(TINY, FULL), [1, 2], lambda _: USUAL, [])
    assert not found[1].any()
    assert found[2].any()


def test_where_no_usual_area_is_known_the_score_alone_decides() -> None:
    showing = Showing(CONFIG)
    for box in (FULL, TINY):
        assert showing.show(probabilities(box), [1], lambda _: 0.0, [])[1].any()
