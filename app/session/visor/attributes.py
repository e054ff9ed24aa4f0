"""The attributes of VISOR's annotations as they are shown, and their edits: each one undo step."""

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from app.commands import EditAttributes
from app.core.attributes import CONTACT, EXHAUSTIVE, WORN_ON, Attributes, Value
from app.core.document import Key, ObjectInfo
from app.session.state.context import SessionContext
from app.session.state.imported import ImportedFile
from app.storage.classes import noun_classes
from app.storage.formats.visor.annotations.contacts import (
    GLOVE_ANSWERS,
    HAND_ANSWERS,
    INCONCLUSIVE,
    NONE_OF_THE_ABOVE,
    is_glove,
    is_hand,
)
from app.storage.formats.visor.validation.masks import border, visible

EXHAUSTIVE_VALUES = ("y", "n", INCONCLUSIVE)
WORN_VALUES: tuple[Value, ...] = (
    ("left hand",), ("right hand",), ("left hand", "right hand"), INCONCLUSIVE, None,
)  # fmt: skip
_MOST_FRAMES_NAMED = 3


@dataclass(frozen=True, slots=True)
class Row:
    """What is said of one mask of a frame; `hidden` is the share of it under later ones."""

    info: ObjectInfo
    class_name: str
    exhaustive: str
    is_hand: bool
    is_glove: bool
    contact: Value  # an object's id, a special answer, or None
    worn_on: Value
    hidden: float
    hidden_by: tuple[int, ...]


class AttributeEdits(QObject):
    """Shows and changes what is said of masks besides their pixels.

    What nobody has said is as the imported file has it. While `lighting`, the objects that border
    the selected hand are told by `lit`.
    """

    lit = Signal(object)  # tuple[int, ...]: the objects that border the selected hand
    changed = Signal()

    def __init__(self, context: SessionContext, parent: QObject) -> None:
        super().__init__(parent)
        self._video, self._masks = context.video, context.masks
        self._view, self._status = context.view, context.status
        self._interactions = context.interactions
        self._lighting = False
        masks, view = context.masks, context.view
        masks.document_changed.connect(self._on_document_changed)
        for signal in (
            context.video.opened, view.frame_changed, view.selection_changed,
            masks.entries_changed, masks.objects_changed, masks.attributes_changed,
        ):  # fmt: skip
            signal.connect(self._refresh)

    @property
    def imported(self) -> ImportedFile | None:
        """What the imported file says; None where no video is open."""
        return self._video.now.imported if self._video.now else None

    def set_lighting(self, *, lighting: bool) -> None:
        """Tell which objects border the selected hand, or no longer."""
        self._lighting = lighting
        self._refresh()

    def rows(self, frame: int) -> tuple[Row, ...]:
        """Return what is said of the masks of a frame, the topmost first."""
        shown = self._masks.shown(frame)
        infos = [info for info in self._video.ordered(frame) if info.id in shown]
        drawn = [shown[info.id].mask for info in infos]
        seen = visible(drawn)
        rows = []
        for place, info in enumerate(infos):
            mask = drawn[place]
            if mask is None:
                continue
            hidden = 1 - seen[place] / mask.area
            above = zip(infos[place + 1 :], drawn[place + 1 :], strict=True)
            by = tuple(o.id for o, m in above if hidden and m is not None and mask.iou(m) > 0)
            rows.append(self._row(Key(frame, info.id), info, hidden, by))
        return tuple(reversed(rows))

    def _row(self, key: Key, info: ObjectInfo, hidden: float, by: tuple[int, ...]) -> Row:
        classes = noun_classes()
        known = info.class_id is not None and info.class_id in classes
        return Row(
            info,
            classes[info.class_id].name if known and info.class_id is not None else "",
            str(self.value(key, EXHAUSTIVE)),
            is_hand(info.name, info.class_id),
            is_glove(info.name, info.class_id),
            self.value(key, CONTACT),
            self.value(key, WORN_ON),
            hidden,
            by,
        )

    def value(self, key: Key, name: str) -> Value:
        """Return what is said of a mask; what is touched and has no mask here is none of these."""
        said = self._masks.document.attributes.of(key)
        value = said[name] if name in said else self._as_imported(key, name)
        if name == CONTACT and isinstance(value, int) and not self._is_touchable(key, value):
            return NONE_OF_THE_ABOVE
        return value

    def answers(self, row: Row) -> tuple[Value, ...]:
        """Return what a hand or glove may be said to touch: those that border it come first."""
        frame = self._view.frame
        near = self.bordering(frame, row.info.id)
        others = [r.info.id for r in self.rows(frame) if r.info.id not in (*near, row.info.id)]
        special = HAND_ANSWERS if row.is_hand else GLOVE_ANSWERS
        loose: tuple[Value, ...] = () if row.is_hand else (None,)
        return (*near, *sorted(special, key=len), *loose, *others)

    def bordering(self, frame: int, object_id: int) -> tuple[int, ...]:
        """Return the objects that border another on a frame, those that share most of it first."""
        shown = self._masks.shown(frame)
        own = shown[object_id].mask if object_id in shown else None
        if own is None:
            return ()
        found = [
            (-border(own, entry.mask), number)
            for number, entry in shown.items()
            if number != object_id and entry.mask is not None
        ]
        return tuple(number for shared, number in sorted(found) if shared)

    def say(self, name: str, value: Value, objects: Iterable[int] | None = None) -> None:
        """Say something of masks of this frame, by default of the selected object's."""
        frame = self._view.frame
        chosen = (self._view.selected,) if objects is None else tuple(objects)
        shown = self._masks.shown(frame)
        attributes, names = self._masks.document.attributes, []
        for number in chosen:
            if number is None or number not in shown or self._is_refused(number):
                continue
            key = Key(frame, number)
            if self.value(key, name) != value:
                attributes = attributes.saying(key, name, value)
                names.append(self._masks.name_of(number))
        if names:
            text = f"{_WORDS[name]} of {', '.join(names)}: {self.text(value)}, frame {frame}"
            self.change(attributes, text)

    def change(self, attributes: Attributes, text: str) -> None:
        """Replace all that is said of masks as one undo step, where it differs."""
        opened = self._video.now
        if opened is None or attributes == opened.document.attributes:
            return
        told = self._masks.attributes_changed.emit
        command = EditAttributes(opened.document, attributes, text, told)
        if self._interactions.is_inside:
            opened.push(command)
        else:  # a log tells no attributes: a step that changes no mask stands for this one there
            with self._interactions.making("history.hold_place", 0, {}):
                opened.push(command)

    def cycle_exhaustive(self) -> None:
        """Say the next of y, n and inconclusive of the selected object on this frame."""
        if self._view.selected is not None:
            now = self.value(Key(self._view.frame, self._view.selected), EXHAUSTIVE)
            place = EXHAUSTIVE_VALUES.index(str(now)) if now in EXHAUSTIVE_VALUES else -1
            self.say(EXHAUSTIVE, EXHAUSTIVE_VALUES[(place + 1) % len(EXHAUSTIVE_VALUES)])

    def take_touched(self, under: int | None = None) -> None:
        """Say that the selected hand touches the object `under` the pointer.

        Elsewhere it is the one that borders it most; once more takes the next one.
        """
        row = self.selected_row()
        if row is None or not (row.is_hand or row.is_glove):
            self._status.report("warning", "Select a hand or a glove first.")
            return
        near = self.bordering(self._view.frame, row.info.id)
        if (
            under is not None
            and under != row.info.id
            and under in self._masks.shown(self._view.frame)
        ):
            self.say(CONTACT, under)
        elif not near:
            self._status.report("warning", f"Nothing borders {row.info.name} on this frame.")
        else:
            place = near.index(row.contact) + 1 if row.contact in near else 0
            self.say(CONTACT, near[place % len(near)])

    def touch_nothing(self) -> None:
        """Say that the selected hand or glove touches nothing."""
        row = self.selected_row()
        if row is not None and (row.is_hand or row.is_glove):
            self.say(CONTACT, "hand-not-in-contact" if row.is_hand else "glove-not-in-contact")

    def lift(self, steps: int | None = None) -> None:
        """Draw the selected object so many places higher on this frame; None = above all."""
        frame, selected = self._view.frame, self._view.selected
        order = [info.id for info in self._video.ordered(frame)]
        shown = self._masks.shown(frame)
        if selected not in order or selected not in shown or self._is_refused(selected):
            return
        here = [n for n in order if n in shown and shown[n].mask is not None]
        if selected not in here:
            return
        place = here.index(selected)
        target = len(here) - 1 if steps is None else max(0, min(place + steps, len(here) - 1))
        if target == place:
            return
        beside, raised = here[target], target > place
        order.remove(selected)
        order.insert(order.index(beside) + raised, selected)
        name = self._masks.name_of(selected)
        attributes = self._masks.document.attributes.ordered(frame, order)
        verb = "Raise" if raised else "Lower"
        self.change(attributes, f"{verb} {name}, frame {frame}")

    def selected_row(self) -> Row | None:
        """Return what is said of the selected object on this frame."""
        rows = self.rows(self._view.frame)
        return next((row for row in rows if row.info.id == self._view.selected), None)

    def text(self, value: Value) -> str:
        """Return what is said, in words: objects by their names."""
        if isinstance(value, int):
            return self._masks.name_of(value) or str(value)
        if isinstance(value, tuple):
            return " and ".join(value)
        return "nothing" if value is None else value

    def _as_imported(self, key: Key, name: str) -> Value:
        imported = self.imported
        annotation = imported.annotations.get(key) if imported else None
        if name == CONTACT:
            if imported is not None and annotation is not None and name in annotation.raw:
                return imported.touched(key)
            info = next((o for o in self._masks.objects if o.id == key.object), None)
            return INCONCLUSIVE if info and is_hand(info.name, info.class_id) else None
        found = annotation.raw.get(name) if annotation else None
        if name == EXHAUSTIVE:
            return found if isinstance(found, str) else INCONCLUSIVE
        if isinstance(found, list):
            return tuple(str(each) for each in found)
        return found if isinstance(found, str) else None

    def _is_touchable(self, key: Key, target: int) -> bool:
        """Whether a mask is there to be touched, or one was written without any pixel."""
        entry = self._masks.shown(key.frame).get(target)
        if entry is not None and entry.mask is not None:
            return True
        imported = self.imported
        annotation = imported.annotations.get(Key(key.frame, target)) if imported else None
        return entry is None and annotation is not None and not any(map(len, annotation.polygons))

    def _is_refused(self, number: int) -> bool:
        if self._masks.is_locked(number):
            name = self._masks.name_of(number)
            self._status.report("warning", f"{name} is locked. Unlock it first.")
            return True
        return False

    @Slot()
    def _refresh(self) -> None:
        selected, frame = self._view.selected, self._view.frame
        info = next((o for o in self._masks.objects if o.id == selected), None)
        near: tuple[int, ...] = ()
        if self._lighting and info is not None:
            touches = is_hand(info.name, info.class_id) or is_glove(info.name, info.class_id)
            near = self.bordering(frame, info.id) if touches else ()
        self.lit.emit(near)
        self.changed.emit()

    @Slot(object)
    def _on_document_changed(self, keys: frozenset[Key]) -> None:
        """Name the hands whose contact has lost its mask: they say none-of-the-above now."""
        document = self._masks.document
        gone = {key for key in keys if (found := document.get(key)) is None or found.mask is None}
        hands = [o.id for o in document.objects if is_hand(o.name, o.class_id)]
        hands += [o.id for o in document.objects if is_glove(o.name, o.class_id)]
        if not gone or not hands:
            return
        lost: dict[tuple[int, int], list[int]] = {}
        for key in gone:
            for hand in (Key(key.frame, number) for number in hands if number != key.object):
                entry = document.get(hand)
                if (
                    entry is not None
                    and entry.mask is not None
                    and self._stated(hand) == key.object
                ):
                    lost.setdefault((hand.object, key.object), []).append(key.frame)
        for (hand_id, target), frames in sorted(lost.items()):
            self._status.report("warning", self._lost(hand_id, target, sorted(frames)))

    def _stated(self, key: Key) -> Value:
        said = self._masks.document.attributes.of(key)
        return said[CONTACT] if CONTACT in said else self._as_imported(key, CONTACT)

    def _lost(self, hand: int, target: int, frames: list[int]) -> str:
        named = ", ".join(map(str, frames[:_MOST_FRAMES_NAMED]))
        more = len(frames) - _MOST_FRAMES_NAMED
        where = f"frame {named}" if len(frames) == 1 else f"frames {named}"
        where += f" and {more} more" if more > 0 else ""
        name, touched = self._masks.name_of(hand), self._masks.name_of(target)
        return f"{name} touched {touched} on {where}: its contact is {NONE_OF_THE_ABOVE} now."


_WORDS = {EXHAUSTIVE: "Exhaustive", CONTACT: "Contact", WORN_ON: "Worn on"}
