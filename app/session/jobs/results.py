"""The results of jobs: shown as they come, and kept as undo steps."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from app.core.document import Document, Entry, Key
from app.core.exclusion import settle
from app.core.plan import permitted
from app.session.jobs.job import Job
from app.session.jobs.progress import Meter
from app.session.state.context import SessionContext
from app.session.state.masks import Masks


@dataclass
class RunningJob:
    """The job that was asked for, and how far it is."""

    job: Job
    id: int
    title: str
    meter: Meter
    since: int  # how many undo steps there were when it began, or changed something last
    began: float  # seconds of the monotonic clock
    before: dict[Key, Entry | None] = field(default_factory=dict)  # what stood where it found some
    changed: dict[Key, Entry] = field(default_factory=dict)
    half: set[Key] | None = None  # what is pending of a part that is not whole yet
    touched: set[int] = field(default_factory=set)  # frames that others changed since it began
    found: set[Key] = field(default_factory=set)  # other masks: what else is pending gave to them


class Within:
    """Whether something is under way; entered again from within, it holds until the outer end."""

    def __init__(self) -> None:
        self._depth = 0

    @property
    def is_on(self) -> bool:
        """Whether it is under way."""
        return self._depth > 0

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1


class Results:
    """What the running job has found: pending, until it is turned into undo steps."""

    def __init__(self, context: SessionContext) -> None:
        self._video, self._masks = context.video, context.masks
        self._preferences = context.preferences
        self.before: dict[Key, Entry | None] = {}  # what the last job replaced
        self.changing = Within()  # the document, from here or by what makes way for it
        self._keeping = Within()

    @property
    def undo_index(self) -> int:
        """How many undo steps are done."""
        return self._video.now.undo_stack.index() if self._video.now else 0

    def is_newest(self, running: RunningJob) -> bool:
        """Whether nothing was done since a job began, but what it has done itself."""
        return self._keeping.is_on or running.since == self.undo_index

    @property
    def _can_redo(self) -> bool:
        return self._video.now is not None and self._video.now.undo_stack.canRedo()

    def show(self, running: RunningJob, found: Mapping[Key, Entry]) -> None:
        """Show what was found by a step; where that ends a part of the job, keep the part."""
        is_whole = running.job.count_step()
        given = _permitted_entries(self._masks.document, running.job.given(found))
        for key, entry in given.items():
            if _stands(self._masks.document, key, entry):
                running.found.discard(key)
            else:
                running.found.add(key)
        if not self._preferences.settings.overlap:
            given = _settled(self._masks, given, running.found)
        self._masks.add_pending(given)
        if not is_whole:
            running.half = (running.half or set()) | given.keys()
        elif running.half is not None:
            running.half = None
            # A new step would cut off what can be redone: then the part waits for a later one.
            if not self._can_redo:
                self.keep(running)

    def finish(self, running: RunningJob, *, keeps: bool) -> None:
        """Keep what is pending at the end of a job; what was edited since is no change of it."""
        self.keep(running, keeps=keeps)
        for key, entry in running.changed.items():
            if self._masks.document.get(key) is not entry:
                self.before.pop(key, None)

    def keep(self, running: RunningJob, *, keeps: bool = True) -> None:
        """Turn what is pending into an undo step: that of the job, where nothing came in between.

        What is half done, or without `keeps` all of it, is dropped.
        """
        document, taken = self._masks.document, self._masks.take_pending()
        half, shown = running.half or set(), frozenset(taken)
        # One that was locked since gives nothing any more, whatever was cut out of it.
        refused = taken.keys() - permitted(document, taken).keys()
        frames = running.touched | {key.frame for key in refused}
        if frames and not self._preferences.settings.overlap:
            gave = {k for k in taken if k.frame in frames and k not in running.found}
            for key in gave:  # they give anew, to what is kept
                del taken[key]
            taken |= self._settled_anew(frames, taken.keys() - half - refused, taken)
        running.before = {key: document.get(key) for key in taken} | running.before
        changes = {
            key: entry
            for key, entry in permitted(document, taken).items()
            if keeps and key not in half and document.get(key) != entry
        }
        if changes:
            if not running.changed:
                self.before.clear()
            running.changed |= {key: taken[key] for key in changes}
            self.before.update({key: running.before[key] for key in changes})
            with self.changing, self._keeping:
                self._masks.change(changes, running.title, series=f"job {running.id}")
            running.since = self.undo_index
        if unused := shown - frozenset(changes):
            self._masks.entries_changed.emit(unused)

    def _settled_anew(
        self, frames: Collection[int], keys: Collection[Key], taken: dict[Key, Entry]
    ) -> dict[Key, Entry]:
        """Return what is left of pending masks where something else stands on their frames now.

        An undo or a redo puts masks there that the job knew nothing of, and a lock keeps some that
        had given. Those at `keys` on these frames are taken out of `taken`.
        """
        document, settled = self._masks.document, dict[Key, Entry]()
        fixed = _fixed(self._masks)
        found: dict[int, dict[int, Entry]] = {}
        for key in keys:
            if key.frame in frames and not _stands(document, key, taken[key]):
                found.setdefault(key.frame, {})[key.object] = taken.pop(key)
        for frame, here in found.items():
            there = document.on_frame(frame)
            outside, kept = there.keys() - here.keys(), fixed - here.keys()
            settled |= settle(there, frame, here, fixed=kept, outside=outside)
        return settled


def _fixed(masks: Masks) -> set[int]:
    """Return the objects that give nothing: locked and hidden ones."""
    return {info.id for info in masks.objects if info.locked or not info.visible}


def _settled(masks: Masks, found: Mapping[Key, Entry], known: Collection[Key]) -> dict[Key, Entry]:
    """Return what masks of a model change on their frames, where masks exclude each other.

    What gave to one that is replaced now gives anew; those at `known` were found, and gave nothing.
    """
    frames: dict[int, dict[int, Entry]] = {}
    for key, entry in found.items():
        frames.setdefault(key.frame, {})[key.object] = entry
    changed: dict[Key, Entry] = {}
    for frame, here in sorted(frames.items()):
        gave, took = _given_back(masks, frame, here, known)
        wanted = {**took, **here}
        anew = _settled_on(masks, frame, wanted, gave) if gave else {}
        # One that finds no place now stays as it is, with what it took.
        whole = all(Key(frame, number) in anew for number in wanted)
        changed |= anew if whole else _settled_on(masks, frame, here, {})
    return changed


def _settled_on(
    masks: Masks, frame: int, found: Mapping[int, Entry], back: Mapping[int, Entry]
) -> dict[Key, Entry]:
    """Return what masks change on one frame, where those `back` are as they were at first.

    Masks that stand there already are in nobody's way: most of those that a heal confirms do. One
    that stood there before the job, and holds, takes nothing of what the job has found of others.
    """
    fixed = _fixed(masks)
    changed = {Key(frame, number): entry for number, entry in back.items()}
    new: dict[bool, dict[int, Entry]] = {}
    for number, entry in found.items():
        key = Key(frame, number)
        before = masks.entry(key)
        if before is not None and before.mask is entry.mask and not back:
            changed[key] = entry
        else:
            new.setdefault(_stands(masks.document, key, entry), {})[number] = entry
    for holds, here in sorted(new.items()):
        shown = {**masks.shown(frame), **{key.object: entry for key, entry in changed.items()}}
        kept = (fixed | (_found(masks.document, frame, shown) if holds else set())) - here.keys()
        outside = shown.keys() - found.keys()
        changed |= settle(shown, frame, here, fixed=kept, outside=outside)
    return changed


def _given_back(
    masks: Masks, frame: int, here: Collection[int], known: Collection[Key]
) -> tuple[dict[int, Entry], dict[int, Entry]]:
    """Return what others had before they gave to the job on a frame, and what they gave it to."""
    shown, old = masks.shown(frame), masks.document.on_frame(frame)
    pending = _found(masks.document, frame, shown) - set(here)
    own = {number for number in pending if Key(frame, number) in known}
    return (
        {number: old[number] for number in pending - own if number in old},
        {number: shown[number] for number in own},
    )


def _found(document: Document, frame: int, shown: Mapping[int, Entry]) -> set[int]:
    """Return the objects whose masks on a frame are others than those of the document."""
    return {n for n, entry in shown.items() if not _stands(document, Key(frame, n), entry)}


def _stands(document: Document, key: Key, entry: Entry) -> bool:
    """Whether an entry has the mask that the document has there."""
    old = document.get(key)
    return old is not None and old.mask is entry.mask


def _permitted_entries(document: Document, found: Mapping[Key, Entry]) -> dict[Key, Entry]:
    """Return those entries that may be shown and kept."""
    allowed = permitted(document, found)
    return {key: entry for key, entry in found.items() if key in allowed}
