"""The prompts: what the model is asked for a click or a box, with all that stands on its frame."""

from collections.abc import Collection
from dataclasses import dataclass

from app.core.document import Key
from app.core.exclusion import keepers
from app.core.mask import Mask
from app.engine.jobs import Segment
from app.session.edits.masks import MaskEdits
from app.session.state.masks import Masks
from models.api import Box, Click
from models.prompt import lies_in


@dataclass(frozen=True, slots=True)
class Question:
    """A click, or a box, that is not answered yet."""

    key: Key
    click: Click | None = None
    box: Box | None = None


class Prompts:
    """Tells what stands on a frame, and where the clicks so far made a mask from nothing."""

    def __init__(self, masks: Masks, edit: MaskEdits) -> None:
        self._masks, self._edit = masks, edit
        self._drafted: set[Key] = set()

    def request(self, question: Question, job_id: int, *, hover: bool = False) -> Segment:
        """Return what the model is to be asked, beside what stands on the frame now."""
        key, click, box = question.key, question.click, question.box
        entry = self._masks.entry(key)
        # A box says the whole extent, so what was there before does not count.
        mask = entry.mask if entry is not None and box is None else None
        earlier = entry.clicks if entry is not None else ()
        clicks = (*earlier, click) if click is not None else ()
        if mask is None and not hover:
            self._drafted.add(key)
        others, kept = self._beside(key, clicks, box)
        return Segment(
            job_id, key, clicks, box, mask, hover, others, kept, drafted=key in self._drafted
        )

    def keeping(self, key: Key, clicks: tuple[Click, ...], box: Box | None) -> frozenset[int]:
        """Return the objects that give nothing to what this prompt makes."""
        shown = self._masks.shown(key.frame)
        return keepers(shown, clicks, box, fixed=self._edit.fixed) - {key.object}

    def owner(self, key: Key, click: Click) -> str:
        """Return the name of the locked or hidden object that a click lies in, empty for none."""
        shown = self._masks.shown(key.frame)
        fixed = () if self._edit.overlap or not click.positive else self._edit.fixed - {key.object}
        for number in fixed:
            mask = shown[number].mask if number in shown else None
            if mask is not None and lies_in(click, mask.decode()):
                return self._masks.name_of(number)
        return ""

    def forget(self, keys: Collection[Key]) -> None:
        """Take the masks at `keys` for what they are now: something else has changed them."""
        self._drafted.difference_update(keys)

    def clear(self) -> None:
        """Forget everything."""
        self._drafted.clear()

    def _beside(
        self, key: Key, clicks: tuple[Click, ...], box: Box | None
    ) -> tuple[tuple[Mask, ...], tuple[Mask, ...]]:
        """Return the masks beside an object: of those that give, and of those that do not."""
        if self._edit.overlap:
            return (), ()
        keeping = self.keeping(key, clicks, box)
        masks = {
            number: entry.mask
            for number, entry in self._masks.shown(key.frame).items()
            if number != key.object and entry.mask is not None
        }
        others = tuple(mask for number, mask in masks.items() if number not in keeping)
        return others, tuple(mask for number, mask in masks.items() if number in keeping)
