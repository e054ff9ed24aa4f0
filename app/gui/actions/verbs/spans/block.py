"""The verbs of a block: what is done to frames and objects that are chosen on the timeline."""

from dataclasses import replace

from app.core.block import Block
from app.core.plan import Direction
from app.session.edits.masks import MaskEdits
from app.session.edits.objects import ObjectEdits
from app.session.edits.ranges import RangeEdits
from app.session.jobs.runner import JobRunner
from app.session.state.masks import Masks
from app.session.state.status import Status
from app.session.state.view import ViewState


class BlockVerbs:
    """Edits of the block; where none is chosen, of the selected object from in to out, or here."""

    def __init__(
        self,
        view: ViewState,
        masks: Masks,
        status: Status,
        objects: ObjectEdits,
        edit: MaskEdits,
        ranges: RangeEdits,
        jobs: JobRunner,
    ) -> None:
        self._view, self._masks, self._status = view, masks, status
        self._objects, self._edit, self._ranges, self._jobs = objects, edit, ranges, jobs

    def clear(self) -> None:
        """Remove the masks."""
        self._edit.clear(self._block().keys)

    def absent(self) -> None:
        """Say that the objects are not in the picture."""
        self._edit.mark_absent(self._block().keys)

    def verify(self) -> None:
        """Make the masks anchors as they are."""
        self._edit.verify(self._block().keys)

    def unanchor(self) -> None:
        """Let models overwrite the masks again."""
        self._edit.unanchor(self._block().keys)

    def lock(self) -> None:
        """Lock the objects, or unlock them where all are locked."""
        chosen = [info for info in self._masks.objects if info.id in self._block().objects]
        locked = not all(info.locked for info in chosen)
        self._objects.edit(*(replace(info, locked=locked) for info in chosen))

    def propagate(self) -> None:
        """Fill the frames anew from the nearest anchors, which stay as they are."""
        block = self._block()
        self._jobs.propagate(
            Direction.BOTH,
            objects=block.objects,
            first=block.frames.start,
            last=block.last,
            to_nearest_anchor=False,
        )

    def make_consistent(self) -> None:
        """Let the masks and a tracker vote; where nothing is chosen, over the whole video."""
        block = self._block()
        if len(block.frames) == 1:
            block = replace(block, frames=range(self._view.first, self._view.last + 1))
        self._jobs.make_consistent(block.objects, block.frames)

    def exchange(self) -> None:
        """Give each of two objects the masks of the other on these frames."""
        if pair := self._pair():
            self._edit.exchange(*pair, self._block().frames)

    def exchange_on(self) -> None:
        """Give each of two objects the masks of the other from here to the next anchor."""
        if pair := self._pair():
            self._view.go_to(self._block().frames.start)
            self._edit.exchange(*pair)

    def take_over_on(self) -> None:
        """Give the selected object the masks of the other from here to the next anchor."""
        if pair := self._pair():
            into = self._view.selected if self._view.selected in pair else pair[0]
            (other,) = (number for number in pair if number != into)
            self._view.go_to(self._block().frames.start)
            self._ranges.take_over(into, other)

    def merge(self) -> None:
        """Give all masks to the selected object, or to the first of the block."""
        block, selected = self._block(), self._view.selected
        into = selected if selected in block.objects else next(iter(block.objects), None)
        if into is not None:
            self._ranges.merge(block, into)

    def split_off(self) -> None:
        """Give the pieces that lie apart to a new object."""
        self._ranges.split_off(self._block())

    def copy_on(self) -> None:
        """Carry the correction made here on: over the block or the range, or from here on."""
        block, here = self._block(), self._view.frame
        if self._view.block is None and len(block.frames) == 1:
            block = replace(block, frames=range(here, max(here, self._view.last) + 1))
        self._ranges.copy_on(block)

    def _block(self) -> Block:
        view = self._view
        if view.block is not None:
            return view.block
        chosen = () if view.selected is None else (view.selected,)
        limited = view.in_point is not None or view.out_point is not None
        frames = range(view.first, view.last + 1) if limited else range(view.frame, view.frame + 1)
        return Block(chosen, frames)

    def _pair(self) -> tuple[int, int] | None:
        """Return the two objects that are meant; None after saying that two must be chosen."""
        chosen, there = self._block().objects, [info.id for info in self._masks.objects]
        if len(chosen) == 1 and len(there) == 2:
            chosen = (*chosen, *(number for number in there if number not in chosen))
        if len(chosen) == 2:
            return chosen[0], chosen[1]
        self._status.report("warning", "Choose two objects: drag over two lanes of the timeline.")
        return None
