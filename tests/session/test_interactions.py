"""Interactions: each is told once, and a log of them makes the same masks again."""

import contextlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from app import paths
from app.core.attributes import EXHAUSTIVE
from app.core.block import Block
from app.core.document import Document, Key
from app.core.effort import Interaction, Tally
from app.core.plan import Direction
from app.errors import FormatError
from app.session.replay import Replay
from app.session.state.interactions import VIEW, Interactions
from app.storage.interactions import decode, digest, encode, read_log
from app.storage.settings import Settings
from models.api import Box, Click, Finding
from tests.fakes import FakeModels, square, write_frames
from tests.session.desk import Desk, begin_propagation, draw

Idle = Callable[[], None]


@pytest.fixture
def told(desk: Desk) -> list[Interaction]:
    """Return what is told of the interactions."""
    found: list[Interaction] = []
    desk.session.files.log.interactions.made.connect(found.append)
    return found


@pytest.fixture
def logged(desk: Desk, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a desk whose interactions are logged from now on; two objects are there already."""
    monkeypatch.setenv("MASKWRIGHT_HOME", str(tmp_path / "home"))
    draw(desk, 0)
    draw(desk, 0, 2, x=40)
    session = desk.session
    session.preferences.apply(replace(session.preferences.settings, interaction_log=True))
    session.files.close()
    session.files.open(clip)
    desk.prepare()
    return desk


def end(desk: Desk) -> tuple[Path, Document]:
    """Close the video; return the log and the masks that were there."""
    path, masks = desk.session.files.log.path, desk.session.masks.snapshot()
    assert path is not None
    desk.session.files.close()
    return path, masks


def replayed(path: Path, folder: Path, video: Path | None = None) -> Document:
    replay = Replay(read_log(path), folder, video, lambda cache, _settings: FakeModels(cache))
    try:
        return replay.play().snapshot()
    finally:
        replay.close()


def test_what_an_interaction_does_on_the_way_is_none_of_its_own(
    desk: Desk, told: list[Interaction], idle: Idle
) -> None:
    desk.session.clicks.click(Click(20, 20))  # makes an object, selects it, and is answered later
    idle()
    desk.session.correction.verify_and_heal()
    assert [each.what for each in told] == ["clicks.click", "correction.verify_and_heal"]
    assert (told[0].object, told[0].clicks) == (1, 1)
    assert [answer.kind for answer in told[1].after] == ["masks"]


def test_of_a_way_through_the_video_only_the_end_is_told(
    desk: Desk, told: list[Interaction]
) -> None:
    for frame in (3, 4, 5):
        desk.session.view.go_to(frame)
    draw(desk, 5)
    assert [each.what for each in told] == ["objects.add", VIEW, "edit.draw_mask"] or [
        each.what for each in told
    ] == [VIEW, "objects.add", "edit.draw_mask"]
    assert next(each for each in told if each.what == VIEW).given["frame"] == 5


def test_the_tally_counts_clicks_frames_and_time_by_object(desk: Desk) -> None:
    draw(desk, 0)
    draw(desk, 7)
    draw(desk, 7, 2, x=40)
    desk.session.edit.verify([Key(0, 1)])
    tally = desk.session.files.log.interactions.tally
    assert (tally.whole.clicks, tally.whole.frames) == (3, {0, 7})
    assert tally.whole.interactions == 6  # two objects were added
    assert (tally.objects[2].clicks, tally.objects[2].frames) == (1, {7})


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({}, (0, None)),
        ({"frame": 7, "object_id": 2}, (7, 2)),
        ({"frame": "all", "object_id": None}, (0, None)),
        ({"keys": [Key(4, 3), Key(5, 1)], "frame": 9}, (4, 3)),
        ({"keys": []}, (0, None)),
        ({"keys": [4], "frame": 9}, (9, None)),
    ],
)
def test_an_interaction_before_a_video_is_open_is_of_what_it_names_alone(
    qapp: QCoreApplication, given: dict[str, object], place: tuple[int, int | None]
) -> None:
    interactions, told = Interactions(qapp), list[Interaction]()
    interactions.made.connect(told.append)
    with interactions.making("preferences.apply", 0, given):
        assert interactions.is_inside
    assert [(each.what, each.frame, each.object) for each in told] == [
        ("preferences.apply", *place)
    ]
    assert not interactions.is_inside


def test_a_pause_is_no_work() -> None:
    tally = Tally([Interaction("edit.verify", 0, 1, 2.0), Interaction("edit.verify", 0, 1, 9e3)])
    assert tally.whole.seconds == 62.0


def test_nothing_is_logged_unless_that_was_chosen(
    desk: Desk, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWRIGHT_HOME", str(tmp_path / "home"))
    draw(desk, 0)
    desk.session.files.close()
    assert not paths.interactions_folder().exists()
    desk.session.files.open(clip)
    assert desk.session.files.log.path is None


def test_a_replay_ends_with_equal_masks(
    logged: Desk, idle: Idle, qtbot: QtBot, tmp_path: Path
) -> None:
    session = logged.session
    session.view.select(1)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.view.go_to(12)
    session.clicks.click(Click(30, 30))
    session.correction.verify_and_heal()  # waits for the answer
    idle()
    session.clicks.set_box(Box(5, 5, 20, 20))
    qtbot.waitUntil(lambda: session.clicks.candidates[1] == 2)
    session.clicks.next_candidate()
    session.history.undo()
    session.history.redo()
    session.edit.mark_absent([Key(20, 2), Key(21, 2)])
    session.edit.exchange(1, 2, range(22, 25))
    session.ranges.merge(Block((1, 2), range(26, 28)), 1)
    session.objects.edit(replace(session.masks.objects[1], locked=True))
    session.jobs.propagate(Direction.BOTH, objects=[1], to_nearest_anchor=False)
    idle()
    session.history.stack.setIndex(session.history.stack.index() - 2)  # as the list of steps does
    path, masks = end(logged)
    assert len(masks) > 40
    assert digest(replayed(path, tmp_path)) == digest(masks)


def test_a_replay_stops_a_job_where_the_person_did(
    logged: Desk, qtbot: QtBot, idle: Idle, tmp_path: Path
) -> None:
    session = logged.session
    begin_propagation(logged, qtbot)
    session.edit.draw_mask(3, 1, square(25), "Brush")  # what is finished goes on from here
    logged.made.fake_tracker.gate.let(8)
    qtbot.waitUntil(lambda: session.masks.shown(6) != {})
    session.jobs.cancel()
    logged.made.fake_tracker.gate.open()
    idle()
    path, masks = end(logged)
    assert session_frames(masks) != set(range(30))
    assert digest(replayed(path, tmp_path)) == digest(masks)


def test_a_replay_takes_in_the_answers_that_a_log_ends_with(
    logged: Desk, idle: Idle, tmp_path: Path
) -> None:
    logged.session.view.select(1)
    logged.session.jobs.propagate(Direction.FORWARD, objects=[1])
    idle()
    path, masks = end(logged)
    log = read_log(path)
    *others, last = log.interactions
    assert last.what == "jobs.cancel"  # it comes with the end
    assert log.end is not None
    ended = log.end._replace(after=last.after)
    replay = Replay(
        replace(log, interactions=tuple(others), end=ended), tmp_path,
        loader=lambda cache, _settings: FakeModels(cache),
    )  # fmt: skip
    try:
        assert digest(replay.play().snapshot()) == digest(masks)
    finally:
        replay.close()
    assert session_frames(masks) == set(range(30))


def session_frames(masks: Document) -> set[int]:
    return set(masks.frames())


def test_an_undo_of_what_a_job_builds_on_is_replayed(
    logged: Desk, qtbot: QtBot, idle: Idle, tmp_path: Path
) -> None:
    session = logged.session
    session.edit.draw_mask(0, 1, square(5), "Brush")
    begin_propagation(logged, qtbot)
    session.edit.draw_mask(29, 2, square(5), "Brush")
    logged.made.fake_tracker.gate.open()
    session.history.undo()
    session.history.undo()
    idle()
    path, masks = end(logged)
    assert digest(replayed(path, tmp_path)) == digest(masks)


def test_a_step_that_changes_no_mask_is_counted_by_what_is_undone_after_it(
    logged: Desk, tmp_path: Path
) -> None:
    session = logged.session
    session.edit.draw_mask(3, 1, square(5), "Brush")
    session.files.exchange.visor.attributes.say(EXHAUSTIVE, "y", [1])
    session.edit.draw_mask(4, 1, square(5), "Brush")
    session.history.stack.setIndex(1)
    path, masks = end(logged)
    assert [Key(frame, 1) for frame in masks.of_object(1)] == [Key(0, 1), Key(3, 1)]
    assert digest(replayed(path, tmp_path)) == digest(masks)


def test_a_step_of_several_changes_of_which_none_is_of_a_mask_is_counted_too(
    logged: Desk, tmp_path: Path
) -> None:
    session, say = logged.session, logged.session.files.exchange.visor.attributes.say
    session.edit.draw_mask(3, 1, square(5), "Brush")
    with session.masks.one_step("Mend"):
        say(EXHAUSTIVE, "y", [1])
        say(EXHAUSTIVE, "n", [1])
    with session.masks.one_step("Mend nothing"):
        say(EXHAUSTIVE, "n", [1])
    session.edit.draw_mask(4, 1, square(5), "Brush")
    for _ in range(2):
        session.history.undo()
    path, masks = end(logged)
    assert [Key(frame, 1) for frame in masks.of_object(1)] == [Key(0, 1), Key(3, 1)]
    assert digest(replayed(path, tmp_path)) == digest(masks)


def test_a_log_holds_what_was_asked_for_and_no_image(logged: Desk, idle: Idle) -> None:
    logged.session.view.select(1)
    logged.session.clicks.click(Click(30.5, 30, positive=False))
    idle()
    path, _ = end(logged)
    log = read_log(path)
    click = next(each for each in log.interactions if each.what == "clicks.click")
    assert click.given == {"click": {"click": [30.5, 30, False]}}
    assert [entry for _, entry in log.head.document.items()]
    assert log.end is not None
    assert path.stat().st_size < 10_000


def test_a_log_that_was_cut_off_is_played_to_where_it_ends(logged: Desk, tmp_path: Path) -> None:
    draw(logged, 4)
    draw(logged, 5)
    path, _ = end(logged)
    path.write_bytes(b"\n".join(path.read_bytes().splitlines()[:2]) + b"\n")
    log = read_log(path)
    assert (log.end, len(log.interactions)) == (None, 1)
    assert session_frames(replayed(path, tmp_path)) == {0, 4}


def test_a_log_of_another_video_is_refused(logged: Desk, tmp_path: Path) -> None:
    path, _ = end(logged)
    other = write_frames(tmp_path / "other", 3)
    with pytest.raises(FormatError, match="30 frames"):
        replayed(path, tmp_path / "again", other)


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]\n", b'{"format": "another"}', b"\xff\xfe"])
def test_a_file_that_is_no_log_is_refused(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_bytes(text)
    with pytest.raises(FormatError, match="no log"):
        read_log(path)


def test_a_log_can_call_nothing_but_interactions(logged: Desk, tmp_path: Path) -> None:
    draw(logged, 4)
    path, _ = end(logged)
    path.write_bytes(path.read_bytes().replace(b"edit.draw_mask", b"files.close"))
    with pytest.raises(FormatError, match=r"files\.close"):
        replayed(path, tmp_path)


def test_arguments_that_are_numpys_are_as_python_has_them() -> None:
    assert encode([np.int64(3), Box(*np.arange(4))]) == [3, {"box": (0, 1, 2, 3)}]


@pytest.mark.parametrize(
    "value",
    [
        None, 3, 2.5, "words", True, Key(3, 1), Click(1.5, 2), Box(1, 2, 3, 4), range(2, 9),
        Direction.BOTH, Block((1, 2), range(3, 5)), Settings(overlap=True), [Key(1, 2), Key(3, 4)],
    ],
)  # fmt: skip
def test_arguments_are_as_they_were(value: object) -> None:
    assert decode(encode(value)) == value


def test_with_a_replay_ends_its_session(logged: Desk, tmp_path: Path) -> None:
    path, _ = end(logged)
    replay = Replay(read_log(path), tmp_path, loader=lambda cache, _settings: FakeModels(cache))
    replay.play()
    session = replay.session
    replay.close()
    assert not shiboken6.isValid(session)
    replay.close()  # there is nothing left to close


def test_what_was_done_is_in_the_log_at_once(logged: Desk) -> None:
    path = logged.session.files.log.path
    assert path is not None
    lines = [len(path.read_bytes().splitlines())]
    for frame in (3, 4):
        draw(logged, frame)
        lines.append(len(path.read_bytes().splitlines()))
    assert lines[0] >= 1
    assert lines[0] < lines[1] < lines[2]


def test_a_log_that_cannot_be_kept_is_said_and_nothing_else_is_lost(
    desk: Desk, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").write_bytes(b"")  # no folder can be made there
    session = desk.session
    session.preferences.apply(replace(session.preferences.settings, interaction_log=True))
    session.files.close()
    monkeypatch.setattr(paths, "interactions_folder", lambda: tmp_path / "home" / "logs")
    session.files.open(clip)
    assert desk.said("No log of interactions is kept: ")
    assert session.files.log.path is None
    draw(desk, 0)
    assert len(session.masks.document) == 1


def test_a_change_that_is_rejected_is_told_with_what_stands_then_and_replayed(
    logged: Desk, idle: Idle, qtbot: QtBot, tmp_path: Path
) -> None:
    session, found = logged.session, list[Interaction]()
    session.jobs.propagate(Direction.FORWARD, objects=[1])
    idle()
    qtbot.waitUntil(lambda: Key(8, 1) in session.changes.of_object(1))
    session.files.log.interactions.made.connect(found.append)
    session.changes.reject([Key(8, 1), Key(9, 1)])
    assert [each.what for each in found] == ["edit.make"]
    assert found[0].given["text"] == "Reject the change of object 1, 2 frames"
    assert found[0].given["marks"] is False
    assert "changes" in found[0].given
    path, masks = end(logged)
    assert masks.get(Key(8, 1)) is None
    assert masks.get(Key(7, 1)) is not None
    assert dict(replayed(path, tmp_path / "replay").items()) == dict(masks.items())


class _FullDisk(io.BytesIO):
    """A file that takes no more."""

    name = "log.jsonl"

    def write(self, _content: object) -> int:
        raise OSError("The disk is full.")


def test_a_log_that_cannot_go_on_ends_and_is_said_once(logged: Desk) -> None:
    session = logged.session
    with contextlib.closing(session.files.log._file):  # type: ignore[type-var]
        session.files.log._file = _FullDisk()
    draw(logged, 3)
    draw(logged, 4)
    assert session.files.log.path is None
    ends = [r for r in logged.reports if r.text.startswith("The log of interactions ends here")]
    assert [(report.level, report.text.rpartition(": ")[2]) for report in ends] == [
        ("warning", "The disk is full.")
    ]
    assert {3, 4} <= set(session.masks.document.frames())


def test_a_look_that_an_answer_came_after_is_told_apart_from_the_next(
    desk: Desk, told: list[Interaction], idle: Idle
) -> None:
    session = desk.session
    session.clicks.click(Click(20, 25))
    session.view.go_to(3)
    idle()
    session.view.go_to(4)
    session.view.go_to(5)
    draw(desk, 5)
    assert [(each.what, each.frame) for each in told][1:] == [
        (VIEW, 3), (VIEW, 5), ("edit.draw_mask", 5),
    ]  # fmt: skip


def answers(made: Interaction) -> list[tuple[str, int]]:
    return [(each.kind, each.request) for each in (*made.after, *made.within)]


def test_each_answer_that_is_used_is_told_with_what_is_done_after_it(
    desk: Desk, told: list[Interaction], idle: Idle, qtbot: QtBot
) -> None:
    session = desk.session
    there = {0: [Finding(Box(5, 20, 15, 30), "cup", 0.9)]}
    desk.made.fake_detector.things = there
    session.finding.look(["cup"], [0, 1])
    qtbot.waitUntil(lambda: session.finding.progress is None)
    session.finding.take()
    assert answers(told[-1]) == [("found", 0), ("end", 0), ("found", 1), ("end", 1)]
    session.clicks.click(Click(40, 25))
    idle()
    session.jobs.propagate(Direction.FORWARD, objects=[1], last=4)
    assert answers(told[-1]) == [("masks", 2)]
    idle()
    session.view.go_to(3)
    session.correction.refine()
    qtbot.waitUntil(lambda: session.correction.has_refinement)
    session.correction.accept_refinement()
    draw(desk, 5)
    requests = [[kind for each in told for kind, n in answers(each) if n == k] for k in (3, 4)]
    assert set(requests[0][:-1]) == {"step"}
    assert [each[-1] for each in requests] == ["end", "end"]
    assert requests[1] == ["step", "end"]


def test_an_answer_that_nobody_waits_for_any_more_is_not_told(
    desk: Desk, told: list[Interaction], idle: Idle, qtbot: QtBot
) -> None:
    session, gate = desk.session, desk.made.fake_segmenter.gate
    gate.close()
    session.clicks.click(Click(40, 25))
    gate.wait_for_arrival()
    session.clicks.take_back()
    gate.open()
    qtbot.wait(30)
    draw(desk, 0)
    assert all(not answers(each) for each in told)
