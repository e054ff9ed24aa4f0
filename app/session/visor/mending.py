"""The mends of common defects: what one button changes, as an undo step."""

from collections.abc import Callable
from dataclasses import replace

from app.core.attributes import CONTACT, EXHAUSTIVE, SEGMENTS, TRACED, WORN_ON, Value
from app.core.document import Key
from app.session.edits.objects import ObjectEdits
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.visor.attributes import AttributeEdits
from app.storage.classes import noun_classes
from app.storage.formats.visor.annotations.contacts import HAND_NAMES, INCONCLUSIVE

_TYPOS = {"rigth hand": "right hand", "left hnad": "left hand"}


class Mending:
    """Mends defects of masks that can be told by their rule alone."""

    def __init__(
        self,
        video: CurrentVideo,
        masks: Masks,
        attributes: AttributeEdits,
        objects: ObjectEdits,
    ) -> None:
        self._video = video
        self._masks, self._attributes, self._objects = masks, attributes, objects
        self._mends: dict[str, Callable[[Key], bool]] = {
            "exhaustive": lambda key: self._say(key, EXHAUSTIVE, INCONCLUSIVE),
            "contact": lambda key: self._say(key, CONTACT, INCONCLUSIVE),
            "worn on": self._mend_worn,
            "class": self._mend_class,
            "name": self._mend_name,
            "covered": self._raise,
            "overlap": self._raise,
            "short polygon": lambda key: self._say(key, SEGMENTS, TRACED),
            "cancelled": lambda key: self._say(key, SEGMENTS, TRACED),
            "empty polygon": lambda key: self._say(key, SEGMENTS, TRACED),
        }

    def can_mend(self, rule: str, text: str, key: Key | None) -> bool:
        """Whether a defect of this rule at `key` has a mend."""
        if key is None or rule not in self._mends:
            return False
        if rule in {"contact", "worn on"} and "only" in text:  # a key that must not be there
            return False
        entry = self._masks.document.get(key)
        return rule in {"class", "name"} or (entry is not None and entry.mask is not None)

    def mend(self, rule: str, key: Key) -> bool:
        """Mend a defect; return whether anything was changed."""
        return self._mends[rule](key)

    def _say(self, key: Key, name: str, value: Value) -> bool:
        attributes = self._masks.document.attributes
        if attributes.of(key).get(name) == value:
            return False
        words = {SEGMENTS: "Trace anew", CONTACT: "Contact", WORN_ON: "Worn on"}
        label = words.get(name, "Exhaustive")
        text = f"{label}, {self._masks.name_of(key.object)}, frame {key.frame}"
        self._attributes.change(attributes.saying(key, name, value), text)
        return True

    def _mend_worn(self, key: Key) -> bool:
        now = self._attributes.value(key, WORN_ON)
        given = now if isinstance(now, tuple) else ()
        hands = tuple(dict.fromkeys(_TYPOS.get(each, each) for each in given))
        is_sound = bool(hands) and set(hands) <= HAND_NAMES
        return self._say(key, WORN_ON, hands if is_sound else INCONCLUSIVE)

    def _mend_class(self, key: Key) -> bool:
        info = next(o for o in self._masks.objects if o.id == key.object)
        found = noun_classes().of_name(info.name)
        if found is None or info.class_id == found.id:
            return False
        self._objects.edit(replace(info, class_id=found.id))
        return True

    def _mend_name(self, key: Key) -> bool:
        info = next(o for o in self._masks.objects if o.id == key.object)
        if not info.name.strip() or info.name == info.name.strip():
            return False
        self._objects.edit(replace(info, name=info.name.strip()))
        return True

    def _raise(self, key: Key) -> bool:
        order = [info.id for info in self._video.ordered(key.frame)]
        if order and order[-1] == key.object:
            return False
        whole = (*(number for number in order if number != key.object), key.object)
        attributes = self._masks.document.attributes.ordered(key.frame, whole)
        text = f"Raise {self._masks.name_of(key.object)}, frame {key.frame}"
        self._attributes.change(attributes, text)
        return True
