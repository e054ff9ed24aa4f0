"""The edits over many frames: merge objects, split a part off, carry a correction on."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Slot

from app.core.block import Block
from app.core.document import Changes, Entry, Key
from app.core.exclusion import exclude, keepers
from app.core.mask import Mask
from app.core.parts import carried, split
from app.session.edits.masks import MaskEdits, to_the_next_anchor
from app.session.edits.objects import ObjectEdits
from app.session.jobs.runner import JobRunner
from app.session.state.context import SessionContext
from app.session.state.interactions import interaction


class RangeEdits(QObject):
    """What is done to a block of frames and objects at once; each is one undo step."""

    def __init__(
        self,
        context: SessionContext,
        jobs: JobRunner,
        objects: ObjectEdits,
        edit: MaskEdits,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._interactions = context.interactions
        self._masks, self._view, self._status = context.masks, context.view, context.status
        self._video = context.video
        self._jobs, self._objects, self._edit = jobs, objects, edit
        self._arrived: dict[int, Mask] = {}  # the masks here when the person came to this frame
        context.view.frame_changed.connect(self._on_moved)
        context.video.opened.connect(self._on_moved)

    @interaction("ranges")
    def merge(self, block: Block, into: int) -> None:
        """Give the masks of the block's objects to one of them; the others lose them there."""
        others = [number for number in block.objects if number != into]
        if not others:
            self._status.report("warning", "Choose two objects or more: drag over their lanes.")
            return
        if any(self._edit.refuses(number) for number in block.objects):
            return
        if not self._merged(block, into):
            self._status.report("warning", "There is nothing to merge on these frames.")
            return
        names = ", ".join(self._masks.name_of(number) for number in others)
        text = f"Merge {names} into {self._masks.name_of(into)}, {_where(block.frames)}"
        self._edit.make_anew(lambda: self._merged(block, into), text, marks=False)

    def _merged(self, block: Block, into: int) -> Changes:
        """Return what gives the masks of the block's objects to one of them."""
        others = [number for number in block.objects if number != into]
        changes: dict[Key, Entry | None] = {}
        for frame in block.frames:
            shown = self._masks.shown(frame)
            given = [each for n in (into, *others) if (each := shown.get(n)) is not None]
            if any(number in shown for number in others):
                changes |= dict.fromkeys([Key(frame, n) for n in others if n in shown])
                changes[Key(frame, into)] = _united(given)
        return changes

    @interaction("ranges")
    def take_over(self, into: int, other: int) -> None:
        """Give one object the masks of another, which has none then, from the current frame on.

        That is up to the next anchor of either. The masks at both ends become anchors, so that no
        propagation from outside brings the wrong ones back.
        """
        if any(self._edit.refuses(number) for number in (into, other)):
            return
        rest = range(self._view.frame, self._video.frame_count)
        span = to_the_next_anchor(self._masks.document, (into, other), rest)
        taken = self._of(other, span)
        if not taken:
            name = self._masks.name_of(other)
            self._status.report("warning", f"{name} has no masks from here on to take over.")
            return
        names = f"{self._masks.name_of(other)} by {self._masks.name_of(into)}"
        where = _where(range(min(taken), max(taken) + 1))
        self._edit.make_anew(
            lambda: self._taken_over(into, other, span),
            f"Take over {names}, {where}",
            marks=False,
        )

    def _taken_over(self, into: int, other: int, span: range) -> Changes:
        """Return what gives one object the masks of another; both ends become anchors."""
        taken = self._of(other, span)
        changes: dict[Key, Entry | None] = {}
        for frame, entry in taken.items():
            ends = frame in {min(taken), max(taken)}
            held = replace(entry, verified=True, stale=False, conflict=False) if ends else entry
            changes |= {Key(frame, into): held, Key(frame, other): None}
        return changes

    def _of(self, number: int, frames: range) -> dict[int, Entry]:
        """Return frame -> what the object has there."""
        found = ((frame, self._masks.entry(Key(frame, number))) for frame in frames)
        return {frame: entry for frame, entry in found if entry is not None}

    @interaction("ranges")
    def split_off(self, block: Block) -> None:
        """Give the pieces that lie apart from an object to a new one, on the block's frames."""
        if len(block.objects) != 1:
            self._status.report("warning", "Choose one object to split a part off.")
            return
        (number,) = block.objects
        if self._edit.refuses(number):
            return
        name = self._masks.name_of(number)
        if not self._parts(number, block.frames):
            self._status.report("warning", f"{name} is in one piece on these frames.")
            return
        with self._jobs.making_way([Key(frame, number) for frame in block.frames]):
            # Anew: what a job has found by the time that it stops stands there, too.
            if parts := self._parts(number, block.frames):
                with self._masks.one_step(f"Split part of {name}, {_where(block.frames)}"):
                    self._split(number, parts, f"part of {name}")

    def _parts(self, number: int, frames: range) -> dict[int, tuple[Mask, Mask]]:
        """Return frame -> what stays of an object, and what lies apart from it."""
        entries = self._of(number, frames).items()
        return split((frame, entry.mask) for frame, entry in entries if entry.mask is not None)

    def _split(self, number: int, parts: Mapping[int, tuple[Mask, Mask]], name: str) -> None:
        """Give parts of an object to a new one of this name."""
        new = self._objects.add(name)
        if new is None:
            return
        changes: dict[Key, Entry | None] = {}
        for frame, (stays, part) in parts.items():
            entry = self._masks.entry(Key(frame, number))
            assert entry is not None, "there is something to split"
            clean = replace(entry, clicks=())
            changes |= {
                Key(frame, number): replace(clean, mask=stays),
                Key(frame, new): replace(clean, mask=part),
            }
        self._edit.make(changes, "Split", marks=False)

    @interaction("ranges")
    def copy_on(self, block: Block) -> None:
        """Carry the correction that was made here on to the block's other frames.

        That is what was added to the mask and taken from it since the person came to this frame.
        Anchors stay as they are.
        """
        here = self._view.frame
        for number in block.objects:
            before, now = self._arrived.get(number), self._masks.entry(Key(here, number))
            if before is None or now is None or now.mask is None or now.mask == before:
                continue
            frames = [frame for frame in block.frames if frame != here]
            plan = partial(self._corrected, number, frames, before, now.mask)
            text = f"Copy correction of {self._masks.name_of(number)}, {_where(block.frames)}"
            if self._edit.make_anew(plan, text, marks=False):
                return
        text = "There is no correction to copy on: change a mask here, and choose frames beside it."
        self._status.report("warning", text)

    def _corrected(self, number: int, frames: Iterable[int], before: Mask, now: Mask) -> Changes:
        """Return what changes where an object's correction is made on other frames, too.

        What it adds there the others give, but none of their anchors.
        """
        changes: dict[Key, Entry | None] = {}
        for frame in frames:
            key, shown = Key(frame, number), self._masks.shown(frame)
            entry = shown.get(number)
            if entry is None or entry.mask is None or entry.is_anchor:
                continue
            mask = carried(before, now, entry.mask)
            if mask is not None and mask != entry.mask:
                keeping = keepers(shown, (), fixed=self._edit.fixed) - {number}
                new = replace(entry, mask=mask, stale=False)
                overlap = self._edit.overlap
                changes |= exclude(shown, key, new, keeping=keeping, overlap=overlap)
        return changes

    @Slot()
    def _on_moved(self) -> None:
        shown = self._masks.shown(self._view.frame)
        self._arrived = {n: entry.mask for n, entry in shown.items() if entry.mask is not None}


def _united(entries: Iterable[Entry]) -> Entry | None:
    """Return the first entry with the masks of all; an anchor where one of them is."""
    given = list(entries)
    seen = [each for each in given if each.mask is not None]
    if not seen:
        return given[0] if given else None
    pixels = seen[0].mask.decode()  # type: ignore[union-attr]
    for each in seen[1:]:
        pixels = pixels | each.mask.decode()  # type: ignore[union-attr]
    anchor = any(each.is_anchor for each in seen)
    return replace(
        seen[0], mask=Mask.encode(pixels), clicks=(), verified=anchor, stale=False, conflict=False
    )


def _where(frames: range) -> str:
    return f"frame {frames[0]}" if len(frames) == 1 else f"frames {frames[0]}-{frames[-1]}"
