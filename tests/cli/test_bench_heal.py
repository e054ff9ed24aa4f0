"""`bench heal`: faults are put in where they are said to be, and corrections are counted."""

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from app.cli.bench.healing.command import clips
from app.cli.bench.healing.desk import SessionPlayer
from app.cli.bench.healing.drifts import KINDS, inject
from app.cli.bench.healing.play import Clip, Play, Player
from app.cli.bench.healing.report import Plays, calibration_error, reliability
from app.cli.main import run
from app.core.confidence import calibration_of, probability
from app.core.document import Document, Entry, Key, Origin
from app.core.events import Event, Reason
from app.core.mask import Mask
from app.core.suspects import Suspect
from app.storage.formats.palette import encode_palette_png
from models.api import Anchors, BoolMask, Prediction, Tracked
from tests.fakes import FakeFrames, FakeSegmenter, FakeTracker, square

COUNT = 20


def labels() -> list[np.ndarray]:
    """Return two squares that stand still."""
    drawn = np.where(square(5), 1, np.where(square(40), 2, 0)).astype(np.uint8)
    return [drawn] * COUNT


def clip() -> Clip:
    return Clip("squares", FakeFrames(COUNT), labels())


def first_masks(made: Clip) -> Mapping[Key, Entry]:
    return made.first_propagation(FakeTracker(FakeFrames(COUNT)))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_drift_makes_masks_wrong_in_the_middle_of_the_clip_only(kind: str) -> None:
    made = clip()
    masks = first_masks(made)
    changed = inject(kind, masks, made.truth, made.numbers, COUNT)
    wrong = {key.frame for key, e in changed.items() if made.quality(key, e.mask).j < 0.85}
    assert wrong
    assert wrong <= set(range(8, 12))
    assert changed == inject(kind, masks, made.truth, made.numbers, COUNT)


def test_a_swap_gives_each_of_two_objects_the_other_s_place() -> None:
    made = clip()
    changed = inject("swap", first_masks(made), made.truth, made.numbers, COUNT)
    assert (made.pixels(changed[Key(9, 1)].mask) == made.truth(9, 2)).all()
    assert (made.pixels(changed[Key(9, 2)].mask) == made.truth(9, 1)).all()


@pytest.mark.parametrize("strategy", ["heal", "forward", "whole"])
def test_one_correction_puts_a_drift_right(strategy: str) -> None:
    made = clip()
    first = first_masks(made)
    masks = {**first, **inject("loss", first, made.truth, made.numbers, COUNT)}
    play = Player(made, FakeTracker(FakeFrames(COUNT)), None, strategy).play(masks, 4)
    assert play.jf[0] < 0.95
    assert play.jf[-1] == 1.0
    assert play.wrong == 0
    assert sum(play.spoiled) == 0


class _Breaking(FakeTracker):
    """Loses the second object for good as soon as a second anchor is given."""

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        for frame, found in super().track(anchors, frames):
            yield (
                frame,
                {
                    number: self._lost(each.mask) if number == 2 and frame else each
                    for number, each in found.items()
                }
                if len(anchors) > 1
                else found,
            )

    def _lost(self, mask: BoolMask) -> Prediction:
        return Prediction(np.zeros_like(mask), 0.1)


def test_masks_that_a_propagation_makes_worse_are_counted_as_spoiled() -> None:
    made = clip()
    first = first_masks(made)
    masks = {**first, **inject("loss", first, made.truth, made.numbers, COUNT)}
    play = Player(made, _Breaking(FakeFrames(COUNT)), None, "whole").play(masks, 1)
    assert play.spoiled == [COUNT - 1]
    assert play.recomputed == [COUNT - 1]  # all but the one that was given


def test_what_is_recomputed_is_said_as_median_and_mean_of_all_interactions() -> None:
    made, plays = clip(), Plays(3, "lite")
    for drift, recomputed in (("own", [3, 6]), ("loss", [COUNT])):
        plays.add(made, drift, "heal", Play(jf=[1.0], recomputed=recomputed))
    figures = plays.as_json()["heal"]
    assert isinstance(figures, dict)
    assert figures["recomputed"] == pytest.approx(6 / COUNT)
    assert figures["recomputed_mean"] == pytest.approx((9 + COUNT) / 3 / COUNT)
    (row,) = [line for line in plays.text().splitlines() if line.startswith("| heal |")]
    assert f"| {6 / COUNT:.1%} | {(9 + COUNT) / 3 / COUNT:.1%} |" in row


def test_what_the_queue_lists_of_the_wrong_stretches_is_counted() -> None:
    made, plays = clip(), Plays(0, "lite")
    first = first_masks(made)
    wrong = {Key(f, n): replace(first[Key(f, n)], mask=Mask.encode(square(20)))
             for f, n in ((5, 1), (6, 1), (7, 1), (9, 2))}  # fmt: skip
    row = Suspect(1, 7, 8, 7, (Reason.LOW_SCORE,), 0.5, 1.0)
    play = _Told(made, (row,)).play({**first, **wrong}, 0)
    assert play.stretches == [(3, True), (1, False)]
    assert play.queue == [True]
    swap = Suspect(1, 9, 9, 9, (Reason.LOW_OVERLAP,), 0.5, 1.0, Event.SWAP, 2)
    more = _Told(made, (swap,)).play({**first, **wrong}, 0)
    assert more.stretches == [(3, False), (1, True)]
    taken = _Told(made, (replace(swap, event=Event.TAKEN),)).play({**first, **wrong}, 0)
    assert taken.stretches == [(3, False), (1, False)]
    plays.add(made, "own", "heal", play)
    plays.add(made, "swap", "heal", taken)
    plays.add(made, "swap", "whole", more)  # the same masks once more
    assert (plays.recall(), plays.recall(by_masks=True)) == (1 / 4, 3 / 8)
    assert "0.25, by their masks 0.38" in plays.text()


class _Told(Player):
    """A player who is told what the queue is."""

    def __init__(self, made: Clip, found: Sequence[Suspect]) -> None:
        super().__init__(made, FakeTracker(FakeFrames(COUNT)), None, "heal")
        self._found = found

    def _queue(self, _document: Document) -> Sequence[Suspect]:
        return self._found


def test_calibration_is_the_mean_distance_of_what_is_said_from_what_is_right() -> None:
    pairs = [(0.95, True)] * 9 + [(0.95, False)] + [(0.25, False)] * 10
    assert calibration_error(pairs) == pytest.approx(0.5 * 0.05 + 0.5 * 0.25)
    assert [row[:2] for row in reliability(pairs)] == [(0.2, 10), (0.9, 10)]


def test_what_is_said_of_a_clip_s_masks_is_what_the_window_would_say() -> None:
    """One of two objects is less sure than one that is alone; of no mask nothing is said."""
    mask, alone = (
        Mask.encode(square(5)),
        Clip("one", FakeFrames(2), [square(5).astype(np.uint8)] * 2),
    )
    sure = Entry(mask, Origin.PROPAGATED, score=0.99)
    for made, objects in ((alone, 1), (clip(), 2)):
        plays = Plays(3, "lite")
        lost = replace(sure, mask=None, score=0.0)
        plays.add(made, "own", "heal", Play(jf=[1.0], made=[(sure, 0.8), (lost, 0.0)]))
        plays.add(made, "own", "whole", Play(jf=[1.0], made=[(sure, 0.0)]))
        plays.add(made, "loss", "heal", Play(jf=[1.0], made=[(sure, 0.0)]))
        said = probability(0.99, calibration_of("lite", objects))
        assert plays.as_json()["calibration"] == pytest.approx(1 - said)


def test_the_masks_of_a_model_are_looked_at_first_and_after_each_interaction() -> None:
    made = clip()
    first = first_masks(made)
    masks = {**first, **inject("loss", first, made.truth, made.numbers, COUNT)}
    play = Player(made, FakeTracker(FakeFrames(COUNT)), None, "heal").play(masks, 1)
    anchors = 2  # the two that are given on the first frame
    assert len(play.made) == 2 * (len(masks) - anchors) - 1  # and the one that was corrected
    assert not any(entry.is_anchor for entry, _ in play.made)
    assert {iou for _, iou in play.made} == {0.0, 1.0}


def test_the_command_prints_each_strategy_and_writes_the_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, masks = tmp_path / "JPEGImages" / "square", tmp_path / "Annotations" / "square"
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    rng = np.random.default_rng(1)
    ground = rng.integers(0, 90, (48, 64, 3), np.uint8)
    for frame in range(6):
        there = square(5 + frame)
        cv2.imwrite(str(images / f"{frame:05d}.jpg"), np.where(there[..., None], 240, ground))
        cv2.imwrite(str(masks / f"{frame:05d}.png"), there.astype(np.uint8) * 255)
    out = tmp_path.with_name(f"{tmp_path.name}-heal.json")
    status = run(
        ["bench", "heal", str(tmp_path), "--model", "classic", "--rounds", "2", "--threads", "1",
         "--drifts", "own,loss", "--annotator", "masks", "--json", str(out)]
    )  # fmt: skip
    assert status == 0
    figures, printed = json.loads(out.read_text()), capsys.readouterr().out
    for strategy in ("heal", "forward", "whole"):
        assert len(figures[strategy]["jf"]) == 3
        assert {"auc", "spoiled", "recomputed", "seconds"} <= figures[strategy].keys()
        assert f"| {strategy} |" in printed
    assert {"precision20", "recall20", "recall20_masks", "calibration"} <= figures.keys()


def drawn_pair(tmp_path: Path, count: int) -> Path:
    """Write a clip of two squares that stand still, in the DAVIS layout."""
    images, masks = tmp_path / "JPEGImages" / "pair", tmp_path / "Annotations" / "pair"
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    for frame in range(count):
        cv2.imwrite(str(images / f"{frame:05d}.png"), np.zeros((48, 64, 3), np.uint8))
        (masks / f"{frame:05d}.png").write_bytes(encode_palette_png(labels()[0]))
    return tmp_path


@pytest.mark.parametrize("strategy", ["heal", "forward", "whole"])
def test_the_annotator_works_through_the_session_as_a_person_does(
    strategy: str, tmp_path: Path, qapp: QApplication
) -> None:
    (made,) = clips(drawn_pair(tmp_path, COUNT), None, None)
    first = first_masks(made)
    masks = {**first, **inject("loss", first, made.truth, made.numbers, COUNT)}
    tracker = FakeTracker(FakeFrames(COUNT))
    play = SessionPlayer(made, tracker, FakeSegmenter(FakeFrames(COUNT)), strategy).play(masks, 4)
    assert play.jf[0] < 0.95
    assert play.jf[-1] == 1.0
    assert play.clicks[0] == 4  # the fake's squares miss by a pixel; the box that follows fits
    assert (play.wrong, sum(play.spoiled)) == (0, 0)


def test_two_that_were_taken_for_each_other_are_exchanged_without_a_click(
    tmp_path: Path, qapp: QApplication
) -> None:
    (made,) = clips(drawn_pair(tmp_path, COUNT), None, None)
    first = first_masks(made)
    masks = {**first, **inject("swap", first, made.truth, made.numbers, COUNT)}
    tracker = FakeTracker(FakeFrames(COUNT))
    play = SessionPlayer(made, tracker, None, "heal").play(masks, 4)
    assert play.jf[-1] == 1.0
    assert play.recomputed == [0]


def test_a_folder_that_is_not_in_the_davis_layout_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", "heal", str(tmp_path)]) == 2
    assert "JPEGImages" in capsys.readouterr().err
