"""The simulated annotator at work: whole sequences through the public session, with no window."""

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import shiboken6
from PySide6.QtCore import QCoreApplication

from app.cli.bench.healing.play import QUEUE, Clip, Play, Player
from app.cli.bench.waiting import spin_until
from app.core.document import Document, Entry, Key
from app.core.plan import Direction
from app.core.suspects import Suspect
from app.engine.inference import Choice, Models
from app.session.session import Session
from app.session.state.status import SessionState
from app.storage.formats.importing import Imported
from app.storage.project.exchange import create_project
from app.storage.settings import Settings
from app.storage.video.opening import Video
from models.api import Box, Click, Frames, Prediction, Prompt, Segmenter, Tracker

_PATIENCE_S = 3_600.0
_LOOK_MS = 20
_TRIES = 3  # clicks, and then a box and clicks after it, before a person gives up


class _Unasked:
    """What stands for a segmenter where masks are drawn: nothing is computed ahead."""

    def segment(self, _frame: int, _prompt: Prompt) -> tuple[Prediction, ...]:
        return ()

    def prepare(self, _frame: int, *, wanted: Callable[[], bool] | None = None) -> None:
        del wanted


class _Given(Models):
    """Models that are loaded already."""

    def __init__(self, frames: Frames, tracker: Tracker, segmenter: Segmenter | None) -> None:
        super().__init__(frames, Choice())
        self._tracker, self._segmenter = tracker, segmenter or _Unasked()

    @property
    def tracker(self) -> Tracker:
        return self._tracker

    @property
    def segmenter(self) -> Segmenter:
        return self._segmenter


class SessionPlayer(Player):
    """Plays one clip by one strategy as a person does: queue, clicks or a box, Enter.

    What was taken for each other is exchanged, as the queue offers it. Where no segmenter is given
    the true mask is drawn.
    """

    def __init__(
        self,
        clip: Clip,
        tracker: Tracker,
        segmenter: Segmenter | None,
        strategy: str,
    ) -> None:
        super().__init__(clip, tracker, segmenter, strategy)
        self._strategy = strategy
        self._application = QCoreApplication.instance() or QCoreApplication(["maskwright"])
        self._folder = Path(tempfile.mkdtemp(prefix="maskwright-bench-"))
        # Nothing of this person's: neither their settings nor their projects.
        settings = Settings(autosave_folder=str(self._folder))
        self._session = Session(
            settings, lambda cache, _settings: _Given(cache, self._tracker, segmenter)
        )

    def play(self, masks: Mapping[Key, Entry], rounds: int) -> Play:
        """Correct and propagate at most `rounds` times, beginning with `masks`."""
        try:
            return super().play(masks, rounds)
        finally:
            self._session.files.close()
            shiboken6.delete(self._session)
            shutil.rmtree(self._folder)

    def _begin(self, masks: Mapping[Key, Entry]) -> Document:
        video = cast("Video", self._clip.video)
        project = self._folder / "clip.maskwright"
        begun = Document(self._clip.objects, masks)
        create_project(project, Imported(begun, video, None, ()))
        self._session.files.open(project)
        self._session.view.set_range(0, self._clip.count - 1)
        self._wait()
        return self._session.masks.document

    def _queue(self, _document: Document) -> tuple[Suspect, ...]:
        return self._session.review.suspects

    def _worst(self, document: Document, found: Sequence[Suspect]) -> Key | None:
        """Return what to correct: first what one key puts right, then the worst."""
        swaps = (each for each in found[:QUEUE] if self._strategy == "heal")
        keys = (Key(each.frame, each.object) for each in swaps)
        swapped = next((key for key in keys if self._swap_at(key) is not None), None)
        return swapped or super()._worst(document, found)

    def _interact(self, document: Document, key: Key, play: Play) -> None:
        session = self._session
        session.view.select(key.object)
        session.view.go_to(key.frame)
        computed = self._tracker.frames
        if self._strategy == "heal" and self._exchanges(key):
            clicks, begun = 0, time.perf_counter()
        else:
            clicks = self._put_right(document, key)
            begun = time.perf_counter()
            _GO_ON[self._strategy](session)
        self._wait()
        play.edited.add(key)
        play.clicks.append(max(1, clicks))
        play.seconds.append(time.perf_counter() - begun)
        play.recomputed.append(self._tracker.frames - computed)

    def _exchanges(self, key: Key) -> bool:
        """Give two objects their masks back where the queue knows them as swapped, and they are."""
        session, swap = self._session, self._swap_at(key)
        if swap is None or swap.other is None:
            return False
        session.view.go_to(swap.first)
        session.edit.exchange(swap.object, swap.other, session.review.swapped(swap))
        return True

    def _swap_at(self, key: Key) -> Suspect | None:
        """Return the swap that the queue has there, where a person sees that it is one."""
        swap = self._session.review.swap_at(*key)
        if swap is None or swap.other is None:
            return None
        shown = self._session.masks.shown(key.frame)
        for number, other in ((swap.object, swap.other), (swap.other, swap.object)):
            mask = self._clip.pixels(shown[other].mask if other in shown else None)
            own = self._clip.pixels(shown[number].mask if number in shown else None)
            at = (key.frame, number)
            if self._annotator.iou(*at, mask) <= max(0.5, self._annotator.iou(*at, own)):
                return None
        return swap

    def _put_right(self, document: Document, key: Key) -> int:
        """Correct a mask; return how many clicks and boxes it took."""
        session = self._session
        if not self._annotator.sees(*key):
            session.edit.mark_absent([key])
            return 1
        if self._segmenter is None:
            session.edit.draw_mask(*key, self._clip.truth(*key), "Draw")
            return 1
        asked = 0
        for box in (None, self._annotator.box(*key)):
            for attempt in range(_TRIES):
                entry = document.get(key)
                now = self._clip.pixels(entry.mask if entry else None)
                if asked and self._annotator.is_content(*key, now):
                    return asked
                whole = box if attempt == 0 else None
                self._ask(whole or self._annotator.click(*key, now))
                asked += 1
        return asked

    def _ask(self, prompt: Box | Click) -> None:
        clicks = self._session.clicks
        if isinstance(prompt, Box):
            clicks.set_box(prompt)
        else:
            clicks.click(prompt)
        self._wait()

    def _wait(self) -> None:
        """Wait until all that was asked for is done, and looked through."""
        session = self._session

        def is_done() -> bool:
            return (
                session.status.state is SessionState.IDLE
                and not session.clicks.asked
                and not session.jobs.queue.waiting
                and session.review.is_up_to_date
            )

        spin_until(is_done, seconds=_PATIENCE_S, every_ms=_LOOK_MS)


def _heal(session: Session) -> None:
    session.correction.verify_and_heal()


def _forward(session: Session) -> None:
    session.jobs.propagate(Direction.FORWARD, to_nearest_anchor=False)


def _whole(session: Session) -> None:
    session.view.go_to(0)
    session.jobs.propagate(Direction.FORWARD, to_nearest_anchor=False)


_GO_ON: Mapping[str, Callable[[Session], None]] = {
    "heal": _heal,
    "forward": _forward,
    "whole": _whole,
}
