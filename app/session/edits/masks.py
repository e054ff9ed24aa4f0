"""The edits of masks: each is one undo step."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from PySide6.QtCore import QObject

from app.core.document import Changes, Document, Entry, Key, Origin, why_not_editable
from app.core.exclusion import exclude
from app.core.heal import stale_marks
from app.core.mask import Mask
from app.core.plan import anchor_frames
from app.session.edits.edit import Edit, masks_of
from app.session.edits.unhealed import Unhealed
from app.session.jobs.runner import JobRunner
from app.session.state.context import SessionContext
from app.session.state.interactions import interaction
from app.session.state.masks import Masks
from models.api import BoolMask


class MaskEdits(QObject):
    """What a person does to masks: strokes, verifications, absences, exchanges.

    An edit marks what was propagated from the masks around it as stale, and takes what it adds from
    the other objects of its frame unless masks may overlap: all within the same step. Locked
    objects are left alone, which is said.
    """

    def __init__(self, context: SessionContext, jobs: JobRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._interactions = context.interactions
        self._video, self._masks, self._view = context.video, context.masks, context.view
        self._jobs, self._status = jobs, context.status
        self._preferences = context.preferences
        self.unhealed = Unhealed(context.masks)
        self._hidden: dict[Key, Edit] = {}  # by which an object was marked as not visible
        context.video.opened.connect(self._hidden.clear)

    @property
    def overlap(self) -> bool:
        """Whether masks of one frame may overlap."""
        return self._preferences.settings.overlap

    @property
    def fixed(self) -> frozenset[int]:
        """The objects that give nothing to any other: locked and hidden ones."""
        objects = self._masks.objects
        return frozenset(info.id for info in objects if info.locked or not info.visible)

    def editable(self) -> int | None:
        """Return the selected object; None where none is, or after saying why it is refused."""
        selected = self._view.selected
        chosen = next((info for info in self._masks.objects if info.id == selected), None)
        obstacle = why_not_editable(chosen) if chosen else None
        if obstacle is None:
            return selected
        self._status.report("warning", obstacle)
        return None

    @interaction("edit", clicks=1)
    def draw_mask(self, frame: int, object_id: int, pixels: BoolMask, text: str) -> None:
        """Set a mask as drawn: brush, eraser, polygon, fill. All False = absent."""
        self.put(Key(frame, object_id), Entry(Mask.encode(pixels), Origin.DRAWN), text)

    def put(
        self,
        key: Key,
        entry: Entry,
        text: str,
        *,
        keeping: Collection[int] | None = None,
        series: object = None,
        marks: bool = True,
        instead_of: Edit | None = None,
    ) -> Edit | None:
        """Give an object a mask; the others lose what it adds, unless masks may overlap.

        Objects of `keeping`, by default the `fixed` ones, give nothing. Where that leaves nothing
        of the mask, or the object is locked, it is said and None returned. For the others see
        `make`.
        """
        if self.refuses(key.object):
            return None
        keeping = self.fixed if keeping is None else keeping
        was = (instead_of.before if instead_of else {key: self._masks.entry(key)}).get(key)
        if instead_of is not None:
            self.unhealed.forget_exchange(key.frame)
        with self._jobs.making_way(self._taking(key, entry, keeping, instead_of)):
            # Anew: what a job has found by the time that it stops stands on the frame, too.
            taken = self._taking(key, entry, keeping, instead_of)
            if key not in taken:
                self._status.report("warning", _kept(self._masks, key, entry, keeping, self.fixed))
                return None
            made = self.make(taken, text, series=series, marks=marks, instead_of=instead_of)
        before = instead_of.before if instead_of else {}  # of others, put back and not taken from
        for each, left in taken.items() if made is not None else ():
            if each != key and left is not None and left != before.get(each):
                self.unhealed.note_giver(each, left)
                if was is not None and left.mask == was.mask:
                    self.unhealed.note_exchange(*key, each.object)
                    self._status.report("info", _exchanged(self._masks, key.object, each.object))
        return made

    @interaction("edit")
    def clear(self, keys: Iterable[Key]) -> None:
        """Remove the entries; a job that runs or waits does not bring them back."""
        given = list(keys)
        present = [key for key in given if self._masks.entry(key)]
        if (left_out := self._jobs.leave_out(given)) and not present:
            self._status.report("info", f"{left_out:,} frames are left out of what is under way.")
        self.make(dict.fromkeys(present), _text(self._masks, "Clear", present))

    @interaction("edit")
    def mark_absent(self, keys: Iterable[Key]) -> None:
        """Say that the object is not in the picture."""
        self._hide(keys, Entry(None, Origin.DRAWN), "Absent")

    @interaction("edit")
    def mark_occluded(self, keys: Iterable[Key]) -> None:
        """Say that the object is behind something."""
        self._hide(keys, Entry(None, Origin.DRAWN, occluded=True), "Occluded")

    @interaction("edit")
    def show_again(self, keys: Iterable[Key]) -> None:
        """Take back that the object is not visible: what stood there before stands there again."""
        given = list(keys)
        found = {key: edit for key in given if (edit := self._hidden.get(key)) is not None}
        whole = Edit()
        for edit in {id(each): each for each in found.values()}.values():
            if edit.hides <= set(given):
                whole = whole.then(edit)
        allowed = {key: edit for key, edit in found.items() if not self._refused(key)}

        def changed() -> Changes:
            shown = _shown_among(self._masks, allowed, self.fixed, overlap=self.overlap)
            return {**dict.fromkeys(given), **shown}

        with self._jobs.making_way(changed()):
            changes = changed()  # anew, as in `put`
            made = self.make(changes, _text(self._masks, "Show", given), instead_of=whole)
        for key in found if made is not None else ():
            self._hidden.pop(key, None)

    @interaction("edit")
    def verify(
        self, keys: Iterable[Key], *, changed: Mapping[Key, Collection[Key]] | None = None
    ) -> None:
        """Make the masks anchors as they are shown, also those that a job would not keep.

        What was propagated around those that were `changed` before is stale then, but for what was
        put right with them, which is given for each.
        """
        spared = changed or {}
        shown = {
            key: entry
            for key in keys
            if (entry := self._masks.entry(key)) is not None and not entry.verified
        }
        others = [key for key in spared if key in shown]

        def verified() -> Changes:
            held = {
                key: _verified(entry, changed=key in spared) if entry and key in shown else entry
                for key, entry in self._as_shown(shown).items()
            }
            marks: dict[Key, Entry] = {}
            for each in others:
                around = stale_marks(self._masks.document, [each])
                marks |= {key: mark for key, mark in around.items() if key not in spared[each]}
            return {**marks, **held}

        self.make_anew(verified, _text(self._masks, "Approve", shown))

    @interaction("edit")
    def unanchor(self, keys: Iterable[Key]) -> None:
        """Let models overwrite the masks again."""
        changes = {
            key: replace(entry, origin=Origin.PROPAGATED, verified=False, clicks=(), stale=True)
            for key in keys
            if (entry := self._masks.entry(key)) is not None and entry.is_anchor
        }
        self.make(changes, _text(self._masks, "Unanchor", changes))

    @interaction("edit")
    def exchange(self, one: int, other: int, frames: range | None = None) -> None:
        """Give each of two objects the masks of the other on `frames`.

        By default from the current frame to the next anchor of either. The masks at both ends
        become anchors, so that no propagation from outside brings the wrong ones back; and what
        lies outside stays as it is: it was right. Where nothing lies behind the last frame, or an
        anchor does, nobody has said of it that it is right.
        """
        masks = self._masks
        if any(self.refuses(number) for number in (one, other)):
            return
        span = frames
        if span is None:
            rest = range(self._view.frame, self._video.frame_count)
            span = to_the_next_anchor(masks.document, (one, other), rest)
        changes = _given_to_each_other(masks, one, other, span)
        if not changes:
            self._status.report("warning", "Neither has a mask on these frames.")
            return
        names = f"{masks.name_of(one)} and {masks.name_of(other)}"
        where = f"frames {min(changes).frame}-{max(changes).frame}"
        self.make_anew(
            lambda: _given_to_each_other(masks, one, other, span),
            f"Exchange {names}, {where}",
            marks=False,
        )

    def refuses(self, object_id: int) -> bool:
        """Whether an object must not be touched, which is said."""
        if self._masks.is_locked(object_id):
            name = self._masks.name_of(object_id)
            self._status.report("warning", f"{name} is locked. Unlock it first.")
            return True
        return False

    @interaction("edit")
    def make(
        self,
        changes: Changes,
        text: str,
        *,
        series: object = None,
        marks: bool = True,
        renews: bool = False,
        instead_of: Edit | None = None,
    ) -> Edit | None:
        """Make an edit of a person; return it, or None where nothing may be changed.

        Edits of the same `series` (not None) that follow each other are one undo step; one that
        changes nothing is none, unless it `renews` what is there. Without `marks` nothing is made
        stale. The edit `instead_of` is taken back first, as part of the same step, where nothing
        came after it.
        """
        allowed = {key: entry for key, entry in changes.items() if not self._refused(key)}
        there = {info.id for info in self._masks.objects}
        if locked := there & {key.object for key in changes if key not in allowed}:
            names = ", ".join(self._masks.name_of(number) for number in sorted(locked))
            self._status.report("warning", f"{names} is locked. Unlock it to edit its masks.")
        if not allowed:
            return None
        with self._jobs.making_way(allowed):
            series = self._take_back(instead_of, text, series)
            self.unhealed.forget_carried_on()
            whole = {**(_stale(self._masks.document, allowed) if marks else {}), **allowed}
            before = {key: self._masks.document.get(key) for key in whole}
            frames = {key.frame for key in allowed}
            beside = {f: masks_of(self._masks.document.on_frame(f)) for f in frames}
            self._masks.change(whole, text, series=series, renews=renews)
        self.unhealed.note_anchors(
            key for key, entry in allowed.items() if entry and entry.is_anchor
        )
        return Edit(before, whole, beside)

    def make_anew(
        self,
        plan: Callable[[], Changes],
        text: str,
        *,
        marks: bool = True,
        renews: bool = False,
    ) -> Edit | None:
        """Make the edit that `plan` says once a job that works there has ended; see `make`.

        What the job has found by then stands on the frames, too, so `plan` is asked again.
        """
        if self._interactions.is_inside:
            with self._jobs.making_way(plan()):
                return self.make(plan(), text, marks=marks, renews=renews)
        given: dict[str, object] = {"text": text, "marks": marks, "renews": renews}
        with self._interactions.making("edit.make", 0, given), self._jobs.making_way(plan()):
            given["changes"] = changes = plan()  # which a log tells, not how they came about
            return self.make(changes, text, marks=marks, renews=renews)

    def _taking(
        self, key: Key, entry: Entry, keeping: Collection[int], instead_of: Edit | None
    ) -> Changes:
        """Return what changes on a frame where an object gets `entry`, another edit taken back."""
        back = instead_of.undone_in(self._masks.document) if instead_of else {}
        back = {each: old for each, old in back.items() if each.frame == key.frame}
        here: dict[int, Entry | None] = dict(self._masks.shown(key.frame))
        here |= {each.object: old for each, old in back.items()}
        present = {number: found for number, found in here.items() if found is not None}
        taken = exclude(present, key, entry, keeping=keeping, overlap=self.overlap, exchanges=True)
        return {**back, **taken} if taken else {}

    def _as_shown(self, shown: Mapping[Key, Entry]) -> Changes:
        """Return what changes where entries stand as they were shown before a job made way.

        What it does not keep, half of a part, takes from the others now what it had taken.
        """
        changes: dict[Key, Entry | None] = {}
        for key, entry in shown.items():
            if self._masks.entry(key) is entry or self._refused(key):
                changes[key] = entry
                continue
            here = {
                number: left
                for number, each in self._masks.shown(key.frame).items()
                if (left := changes.get(Key(key.frame, number), each)) is not None
            }
            changes |= exclude(here, key, entry, keeping=self.fixed, overlap=self.overlap)
        return changes

    def _hide(self, keys: Iterable[Key], entry: Entry, verb: str) -> None:
        """Say that the object is not to be seen, and remember what stood there before."""
        given = list(keys)
        edit = self.make(dict.fromkeys(given, entry), _text(self._masks, verb, given))
        if edit is None:
            return
        for key in edit.hides.intersection(given):
            before, earlier = edit.before[key], self._hidden.get(key)
            is_hidden = before is not None and before.mask is None
            # Of one that was hidden already, what stood there before that.
            self._hidden[key] = earlier.then(edit) if earlier and is_hidden else edit

    def _take_back(self, edit: Edit | None, text: str, series: object) -> object:
        """Take an edit back where nothing came after it; return the series to go on with."""
        back = edit.undone_in(self._masks.document) if edit is not None else {}
        back = {key: entry for key, entry in back.items() if not self._refused(key)}
        if not back:
            return series
        series = object() if series is None else series
        self._masks.change(back, text, series=series)
        return series

    def _refused(self, key: Key) -> bool:
        return self._masks.is_locked(key.object) or not (0 <= key.frame < self._video.frame_count)


def _stale(document: Document, changes: Changes) -> dict[Key, Entry]:
    """Return the marks of what the edits make stale: only where an anchor changes."""
    changed = [key for key, entry in changes.items() if _changes_anchor(document, key, entry)]
    return stale_marks(document, changed)


def _exchanged(masks: Masks, one: int, other: int) -> str:
    names = f"{masks.name_of(one)} and {masks.name_of(other)}"
    return f"{names} change places here. Enter puts both right from here on."


def _verified(entry: Entry, *, changed: bool) -> Entry:
    """Return an entry as an anchor; the score of one that was `changed` was another mask's."""
    score = None if changed else entry.score
    return replace(entry, verified=True, stale=False, conflict=False, score=score)


def _text(masks: Masks, verb: str, keys: Iterable[Key]) -> str:
    """Return what an edit at `keys` is called."""
    given = list(keys)
    objects = {key.object for key in given}
    name = masks.name_of(next(iter(objects))) if len(objects) == 1 else "objects"
    frames = sorted({key.frame for key in given})
    where = f"frame {frames[0]}" if len(frames) == 1 else f"{len(frames):,} frames"
    return f"{verb} {name}, {where}"


def to_the_next_anchor(document: Document, objects: Iterable[int], span: range) -> range:
    """Return the frames of `span` up to the next anchor of any of these objects."""
    found = (anchor_frames(document, number) for number in objects)
    later = (frame for frames in found for frame in frames if frame > span.start)
    return range(span.start, min(later, default=span.stop))


def _changes_anchor(document: Document, key: Key, entry: Entry | None) -> bool:
    """Whether what a model may build on is another mask after the edit.

    A propagated mask that is verified as it is agrees with its neighbours as before.
    """
    before = document.get(key)
    if entry is not None and entry.is_anchor:
        return before is None or before.mask != entry.mask
    return before is not None and before.is_anchor


def _given_to_each_other(masks: Masks, one: int, other: int, span: range) -> Changes:
    """Return what gives each of two objects the masks of the other."""
    changes: dict[Key, Entry | None] = {}
    for frame in span:
        mine, theirs = (masks.entry(Key(frame, number)) for number in (one, other))
        if mine is not None or theirs is not None:
            changes |= {Key(frame, one): theirs, Key(frame, other): mine}
    ends = {min(changes).frame} if changes else set()
    if changes and _goes_on(masks, (one, other), max(changes).frame + 1):
        ends.add(max(changes).frame)
    for key, entry in changes.items():
        if entry is not None and key.frame in ends:
            changes[key] = replace(entry, verified=True, stale=False, conflict=False)
    return changes


def _goes_on(masks: Masks, numbers: tuple[int, int], frame: int) -> bool:
    """Whether either has a mask on a frame, and neither an anchor."""
    found = [entry for number in numbers if (entry := masks.entry(Key(frame, number))) is not None]
    return bool(found) and not any(entry.is_anchor for entry in found)


def _shown_among(
    masks: Masks, found: Mapping[Key, Edit], fixed: Collection[int], *, overlap: bool
) -> dict[Key, Entry | None]:
    """Return what changes where hidden masks stand again: others give what they got since."""
    changes: dict[Key, Entry | None] = {}
    for key, edit in found.items():
        before = edit.before[key]
        if before is None:
            continue
        here: dict[int, Entry | None] = dict(masks.shown(key.frame))
        here |= {each.object: left for each, left in changes.items() if each.frame == key.frame}
        since = {
            number: entry
            for number, entry in here.items()
            if entry is not None
            and number != key.object
            and entry.mask != edit.beside[key.frame].get(number)
        }
        changes |= exclude(since, key, before, keeping=fixed, overlap=overlap)
    return changes


def _kept(
    masks: Masks, key: Key, entry: Entry, keeping: Collection[int], fixed: Collection[int]
) -> str:
    """Say whose all of a mask is."""
    here = masks.shown(key.frame)
    over = sorted(
        number
        for number in set(keeping) & here.keys()
        if (mask := here[number].mask) and entry.mask and mask.iou(entry.mask) > 0
    )
    names = ", ".join(masks.name_of(number) for number in over)
    if set(fixed) & set(over):
        return f"All of it belongs to {names}, which is locked or hidden. Unlock or show it."
    return f"All of it belongs to {names}. Click inside that mask to take a part of it."
