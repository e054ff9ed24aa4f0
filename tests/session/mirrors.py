"""What a view would show that follows a session's signals alone."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import SignalInstance

from app.core.document import Entry
from app.session.session import Session
from app.session.state.masks import Masks


class Mirror:
    """A value as it was when one of its signals was sent last."""

    def __init__(self, read: Callable[[], object], *signals: SignalInstance) -> None:
        self._read = read
        self._announced = read()
        for signal in signals:
            signal.connect(self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self._announced = self._read()

    def check(self, name: str) -> None:
        assert self._announced == self._read(), f"{name} changed and nobody was told"


def shown(masks: Masks, count: int) -> dict[int, Mapping[int, Entry]]:
    """Return the entries of every frame, in the document or pending."""
    return {frame: dict(masks.shown(frame)) for frame in range(count)}


def follow(session: Session) -> dict[str, Mirror]:
    """Return a mirror of everything that a session announces, by what it is called."""
    masks, view, finding = session.masks, session.view, session.finding
    compare, history = session.compare, session.history
    watched: dict[str, tuple[SignalInstance, Callable[[], object]]] = {
        "objects": (masks.objects_changed, lambda: masks.objects),
        "masks": (masks.entries_changed, lambda: shown(masks, session.video.frame_count)),
        "frame": (view.frame_changed, lambda: view.frame),
        "selection": (view.selection_changed, lambda: view.selected),
        "range": (view.range_changed, lambda: (view.in_point, view.out_point)),
        "block": (view.block_changed, lambda: view.block),
        "state": (session.status.state_changed, lambda: session.status.state),
        "settings": (session.preferences.changed, lambda: session.preferences.settings),
        "video": (session.video.opened, lambda: session.video.title),
        "history": (history.changed, lambda: (history.group.undoText(), history.redo_text)),
        "candidates": (session.clicks.candidates_changed, lambda: session.clicks.candidates),
        "proposals": (finding.changed, lambda: (finding.proposals, finding.progress)),
        "waiting jobs": (session.jobs.queue.changed, lambda: session.jobs.queue.waiting),
        "clipboard": (session.clipboard.changed, lambda: session.clipboard.has_mask),
        "changes": (session.changes.changed, lambda: session.changes.open),
        "reference": (
            compare.changed,
            lambda: (compare.reference, compare.shows_reference, compare.has_truth),
        ),
        "suspects": (session.review.suspects_changed, lambda: session.review.suspects),
    }
    opened = session.video.opened  # which says that all of it is another video's
    mirrors = {name: Mirror(read, signal, opened) for name, (signal, read) in watched.items()}
    return mirrors | _told_of_another_video(session)


def _told_of_another_video(session: Session) -> dict[str, Mirror]:
    """Return mirrors of what announces by itself that it is of another video."""
    visor, inspection, jobs = session.files.exchange.visor, session.inspection, session.jobs
    rules, parts = visor.validation, visor.subsequences
    runs, memory, data_set = inspection.runs, inspection.memory, inspection.data_set
    clicks, correction = session.clicks, session.correction
    watched: dict[str, tuple[SignalInstance, Callable[[], object]]] = {
        "rules": (
            rules.changed,
            lambda: (rules.findings, rules.is_checking, rules.is_current, rules.was_checked),
        ),
        "bounds": (parts.bounding_changed, lambda: parts.bounds),
        "runs": (runs.changed, lambda: (runs.infos, runs.truth, runs.shown, runs.object)),
        "results": (runs.measured, lambda: runs.results),
        "votes": (memory.changed, lambda: (memory.votes, memory.at)),
        "data set": (data_set.changed, lambda: (data_set.paths, data_set.names)),
        "running job": (jobs.progress_changed, lambda: jobs.running[0]),
        "clicks": (clicks.waiting_changed, lambda: clicks.asked),
        "refinement": (correction.preview_changed, lambda: correction.has_refinement),
    }
    return {name: Mirror(read, signal) for name, (signal, read) in watched.items()}


def check(mirrors: Mapping[str, Mirror]) -> None:
    """Check that all changes were announced."""
    for name, mirror in mirrors.items():
        mirror.check(name)
