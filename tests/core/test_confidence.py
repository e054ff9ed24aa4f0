"""Confidence: a calibrated score, which rises with the model's and never speaks for a person."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.confidence import Calibration, calibration_of, confidence, log_odds, probability
from app.core.document import Entry, Origin
from app.core.mask import Mask
from tests.fakes import square

LITE = calibration_of("lite", objects=1)
SEVERAL = calibration_of("lite", objects=2)
ENTRY = Entry(Mask.encode(square(10)), Origin.PROPAGATED, score=0.9)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_higher_score_is_never_less_sure(one: float, other: float) -> None:
    low, high = (confidence(replace(ENTRY, score=s), LITE) for s in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert 0 <= low <= high <= 1


def test_a_score_that_a_drift_has_too_is_not_shown_as_certain() -> None:
    assert (confidence(replace(ENTRY, score=0.86), SEVERAL) or 0) < 0.8
    assert (confidence(replace(ENTRY, score=0.86), LITE) or 0) < 0.85


@pytest.mark.parametrize("calibration", [LITE, SEVERAL])
def test_no_score_makes_a_mask_certain(calibration: Calibration) -> None:
    """Of the model's surest masks, one in thirty is wrong all the same."""
    surest, sure = (confidence(replace(ENTRY, score=score), calibration) for score in (1.0, 0.95))
    assert surest == sure
    assert 0.9 < (surest or 0) < 0.975


@given(st.floats(0, 1))
def test_one_of_several_objects_is_less_sure_than_one_that_is_alone(score: float) -> None:
    """It may have been taken for another: the mask is as sharp then."""
    assert probability(score, SEVERAL) < probability(score, LITE)
    assert calibration_of("lite", objects=5) == SEVERAL


@pytest.mark.parametrize("facts", [{"verified": True}, {"origin": Origin.DRAWN}])
def test_what_a_person_made_or_verified_is_certain(facts: dict[str, object]) -> None:
    assert confidence(replace(ENTRY, score=0.1, **facts), LITE) == 1.0  # type: ignore[arg-type]


def test_nothing_is_said_of_a_mask_without_a_score() -> None:
    assert confidence(replace(ENTRY, score=None), LITE) is None


def test_nothing_is_said_where_there_is_no_mask() -> None:
    """A score says how sharp a mask is, not whether the object is away."""
    assert confidence(replace(ENTRY, mask=None, score=0.0), LITE) is None
    assert confidence(replace(ENTRY, mask=None, verified=True), LITE) is None


def test_a_tracker_that_was_never_measured_is_taken_for_lite() -> None:
    assert [calibration_of("unknown", objects=count) for count in (1, 2)] == [LITE, SEVERAL]


def test_log_odds_stay_finite_and_are_the_same_for_and_against() -> None:
    assert log_odds(0.5) == 0
    assert log_odds(0.9) == pytest.approx(math.log(9))
    for score in (0.0, 0.004, 0.01):
        assert log_odds(score) == pytest.approx(-math.log(99))
        assert log_odds(1 - score) == pytest.approx(math.log(99))


def test_a_probability_is_the_logistic_of_the_log_odds() -> None:
    calibration = Calibration(bias=-1.0, slope=0.5, most=0.8)
    for score, counted in ((0.3, 0.3), (0.8, 0.8), (0.9, 0.8)):
        weighed = math.exp(-1.0) * (counted / (1 - counted)) ** 0.5
        assert probability(score, calibration) == pytest.approx(weighed / (1 + weighed))
